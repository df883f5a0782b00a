"""Lines and events out of the bytes of a response, however the network has cut them, and bounded. Pure."""

from __future__ import annotations

MAX_LINE_BYTES = 1_000_000
"""A line holds a piece of an answer, which is a few hundred bytes."""


class LineTooLong(ValueError):
    """What comes is no stream of pieces."""


class LineReader:
    """Takes bytes in any pieces, and gives the lines that are complete, without their ends (LF or CR LF)."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """Add bytes.

        Raises
        ------
        LineTooLong
            A line is longer than the limit.
        """
        before = len(self._rest)
        self._rest += piece
        end = self._rest.rfind(b"\n", before)
        if end < 0:
            if len(self._rest) > self._limit:
                raise LineTooLong
            return []
        lines = [line.removesuffix(b"\r") for line in bytes(self._rest[:end]).split(b"\n")]
        del self._rest[: end + 1]
        if len(self._rest) > self._limit or max(map(len, lines)) > self._limit:
            raise LineTooLong
        return lines

    def rest(self) -> bytes:
        """The last line, if the bytes ended without a line end."""
        line = bytes(self._rest).removesuffix(b"\r")
        self._rest.clear()
        return line


class EventData:
    """The data of server-sent events out of their lines (HTML standard, "server-sent events")."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, line: bytes) -> bytes | None:
        """Add a line; the data of an event that it completes.

        Raises
        ------
        LineTooLong
            All lines of an event together are longer than one line may be.
        """
        if not line:
            return self.rest()
        field, _, value = line.partition(b":")
        # llama-server has sent errors in the middle of a stream in a field of that name.
        if field in (b"data", b"error"):
            self._size += len(line)
            if self._size > MAX_LINE_BYTES:
                raise LineTooLong
            self._data.append(value.removeprefix(b" "))
        return None

    def rest(self) -> bytes | None:
        """The data of an event that nothing has ended yet: some servers leave out the last empty line."""
        if not self._data:
            return None
        data = b"\n".join(self._data)
        self._data, self._size = [], 0
        return data
