"""Server-sent events out of the bytes of a response, however the network has cut them. Pure.

Of the format (HTML standard, "server-sent events") this reads what the service writes: fields `event` and
`data`, comments, lines that end in LF or CR LF.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""An answer is at most a few megabytes; who sends more without an end is not our server."""


class ServerSentEvent(NamedTuple):
    """One event."""

    name: str
    data: bytes


class EventError(ValueError):
    """The bytes are not events."""


class EventReader:
    """Takes bytes in any pieces, and gives the events that are complete."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """Add bytes.

        Raises
        ------
        EventError
            An event is larger than `MAX_EVENT_BYTES`.

        """
        self._size += len(piece)
        if self._size > MAX_EVENT_BYTES:
            raise EventError("an event without an end")
        self._pieces.append(piece)
        if b"\n" not in piece:
            return
        *lines, rest = b"".join(self._pieces).split(b"\n")
        self._pieces = [rest]
        for line in lines:
            event = self._line(line.removesuffix(b"\r"))
            if event is not None:
                self._size = 0
                yield event
        self._size = len(rest) + sum(map(len, self._data))

    def _line(self, line: bytes) -> ServerSentEvent | None:
        if not line:
            event = ServerSentEvent(self._name or "message", b"\n".join(self._data)) if self._data else None
            self._name, self._data = "", []
            return event
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"data":
            self._data.append(value)
        return None
