"""Lines and messages out of the bytes of a response, however the network has cut them, and bounded. Pure.

Servers differ in how they frame a stream, and what a header says of it is not always true: so the form is
read off the lines themselves. These are told apart:

- server-sent events (HTML standard): `data:` lines, ended by an empty line;
- a JSON document on each line;
- one JSON document over many lines: a whole answer, or an error, where a stream was asked for;
- a bare JSON document between the events of an event stream: how some servers say that they failed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LINE_BYTES = 1_000_000
"""A line holds a piece of an answer, which is a few hundred bytes."""
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_STRUCTURE = re.compile(rb'[{}\[\]"\\]')
_EVENT_FIELDS = frozenset({b"data", b"event", b"id", b"retry", b"error"})


class LineTooLong(ValueError):
    """What comes is no stream of pieces."""


class LineReader:
    """Takes bytes in any pieces, and gives the complete lines without their ends (LF, CR LF or CR)."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._after_cr = False
        """The last line ended with CR: a LF that follows belongs to its end."""

    def feed(self, piece: bytes) -> list[bytes]:
        """Add bytes.

        Raises
        ------
        LineTooLong
            A line is longer than the limit.
        """
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        before = len(self._rest)
        self._rest += piece
        end = max(self._rest.rfind(b"\n", before), self._rest.rfind(b"\r", before))
        if end < 0:
            if len(self._rest) > self._limit:
                raise LineTooLong
            return []
        self._after_cr = self._rest.endswith(b"\r")
        lines = _LINE_END.split(bytes(self._rest[: end + 1]))[:-1]
        del self._rest[: end + 1]
        if len(self._rest) > self._limit or max(map(len, lines)) > self._limit:
            raise LineTooLong
        return lines

    def rest(self) -> bytes:
        """The last line, if the bytes ended without a line end."""
        line = bytes(self._rest)
        self._rest.clear()
        return line


@dataclass(frozen=True)
class StreamMessage:
    """One message of a stream."""

    data: bytes
    event: str = ""
    """Its name, where it has one; `error` where it says that something failed."""


class MessageReader:
    """Takes the lines of a response, and gives the messages that are complete.

    Parameters
    ----------
    limit
        Most bytes of a message.
    """

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._first = True
        self._events = False
        """Whether a field of an event has come: what is no field is then nothing, as the standard says."""
        self._event = ""
        self._data: list[bytes] = []
        self._json: _Json | None = None
        self._size = 0

    def feed(self, line: bytes) -> list[StreamMessage]:
        """Add a line.

        Raises
        ------
        LineTooLong
            All lines of a message together are longer than the limit.
        """
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if self._json is not None:
            return self._document(line)
        if not line.strip():
            return self._ended()
        name, _, value = line.partition(b":")
        if name in _EVENT_FIELDS:
            return self._field(name, value.removeprefix(b" "))
        if not name:
            return []  # a comment
        if line.lstrip()[:1] in (b"{", b"["):
            done = self._ended()
            self._json = _Json()
            return [*done, *self._document(line)]
        return [] if self._events else [StreamMessage(line)]

    def rest(self) -> list[StreamMessage]:
        """What nothing has ended yet: some servers leave out the last empty line."""
        if self._json is not None:
            data, self._json, self._size = self._json.data, None, 0
            return [StreamMessage(data)]
        return self._ended()

    def _field(self, name: bytes, value: bytes) -> list[StreamMessage]:
        done: list[StreamMessage] = []
        self._events = True
        if name == b"event":
            self._event = value.decode("utf-8", "replace").strip()
        elif name in (b"data", b"error"):
            # Some servers end an event with its line: two JSON documents are never one.
            if self._data and self._data[-1].rstrip().endswith(b"}") and value[:1] in (b"{", b"["):
                done = self._ended()
            if name == b"error":  # llama-server has sent errors in a field of that name
                self._event = "error"
            self._count(name + value)
            self._data.append(value)
        return done

    def _document(self, line: bytes) -> list[StreamMessage]:
        assert self._json is not None  # noqa: S101 - it was begun
        self._count(line)
        if not self._json.feed(line):
            return []
        return self.rest()

    def _ended(self) -> list[StreamMessage]:
        data, event = self._data, self._event
        self._data, self._event, self._size = [], "", 0
        return [StreamMessage(b"\n".join(data), event)] if data else []

    def _count(self, line: bytes) -> None:
        self._size += len(line) + 1
        if self._size > self._limit:
            raise LineTooLong


class _Json:
    """The lines of a JSON document, up to the one that closes it."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._depth = 0
        self._in_string = False

    @property
    def data(self) -> bytes:
        return b"\n".join(self._lines)

    def feed(self, line: bytes) -> bool:
        """Add a line; whether the document is complete with it."""
        self._lines.append(line)
        skip = -1
        for found in _STRUCTURE.finditer(line):
            mark, at = found[0], found.start()
            if at == skip:
                continue
            if self._in_string:
                if mark == b"\\":
                    skip = at + 1
                elif mark == b'"':
                    self._in_string = False
            elif mark == b'"':
                self._in_string = True
            elif mark in b"{[":
                self._depth += 1
            elif mark in b"}]":
                self._depth -= 1
        return self._depth <= 0 and not self._in_string
