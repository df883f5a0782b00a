"""Bounded reading of the primitives of a GGUF file: integers, strings, typed values, arrays.

Nothing that the file claims is believed: each size is held against what remains of the file, and
against a limit that no honest model comes near, before a byte is read for it. The limits keep the
worst file to some tens of milliseconds and some megabytes.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from ..errors import InvalidModel

MAX_HEADER_BYTES = 64 * 1024 * 1024
"""Vocabularies of 260,000 tokens with merges take about 16 MB."""
MAX_STRING_BYTES = 1024 * 1024
"""Chat templates are the longest strings, at tens of kilobytes."""
MAX_KEY_BYTES = 256
MAX_LISTED_STRINGS = 1_048_576
"""Strings in arrays, all together: the only thing whose skipping takes time per element."""

_CHUNK_BYTES = 1024 * 1024
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")

_SCALARS: dict[int, struct.Struct] = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: _U32,
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: _U64,
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING = 8
_ARRAY = 9

Number = int | float | bool


class Listed:
    """What is kept of an array: its length, and where it lies. Its numbers are read when they are wanted."""

    __slots__ = ("count", "end", "form", "start")

    def __init__(self, count: int, start: int, end: int, form: struct.Struct | None) -> None:
        self.count = count
        self.start = start
        self.end = end
        self.form = form
        """Of each number; None for strings."""


Value = Number | str | Listed


class ByteReader:
    """Reads a header from its start, and keeps what it has read.

    Parameters
    ----------
    file
        Opened for reading, at its start.
    size
        Bytes of the whole file.

    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._limit = min(size, MAX_HEADER_BYTES)
        self._size = size
        self._data = bytearray()
        self._listed_strings = 0
        self.position = 0

    def u32(self) -> int:
        """Read four bytes, unsigned, little-endian."""
        return int(self._unpack(_U32))

    def u64(self) -> int:
        """Read eight bytes, unsigned, little-endian."""
        return int(self._unpack(_U64))

    def take(self, count: int) -> bytes:
        """So many raw bytes."""
        start = self._advance(count)
        return bytes(self._data[start : start + count])

    def string(self, limit: int = MAX_STRING_BYTES) -> str:
        """Read a length and so many bytes of text; bytes that are not UTF-8 are replaced."""
        length = self.u64()
        if length > limit:
            raise InvalidModel(f"The header has a string of {length} bytes; {limit} are allowed.")
        return self.take(length).decode("utf-8", "replace")

    def value(self) -> Value:
        """Read a type and a value of it."""
        kind = self.u32()
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self._array()
        return self._scalar(kind)

    def contains(self, listed: Listed, text: str) -> bool:
        """Whether an array of strings has this one: by its bytes with their length in front."""
        raw = text.encode()
        return self._data.find(_U64.pack(len(raw)) + raw, listed.start, listed.end) >= 0

    def numbers(self, listed: Listed) -> tuple[Number, ...]:
        """The numbers of an array; empty for one of strings."""
        if listed.form is None:
            return ()
        raw = self._data[listed.start : listed.end]
        return tuple(number for (number,) in listed.form.iter_unpack(raw))

    def _scalar(self, kind: int) -> Number:
        form = _SCALARS.get(kind)
        if form is None:
            raise InvalidModel(f"The header has a value of the unknown type {kind}.")
        return self._unpack(form)

    def _array(self) -> Listed:
        kind = self.u32()
        count = self.u64()
        start = self.position
        form = _SCALARS.get(kind)
        if kind == _STRING:
            self._skip_strings(count)
        elif form is not None:
            self._advance(count * form.size)
        else:
            # Arrays of arrays are in the format, and in no model: refusing them ends recursion too.
            raise InvalidModel(f"The header has an array of elements of the type {kind}.")
        return Listed(count, start, self.position, form)

    def _skip_strings(self, count: int) -> None:
        self._listed_strings += count
        if self._listed_strings > MAX_LISTED_STRINGS:
            raise InvalidModel(f"The header lists more than {MAX_LISTED_STRINGS} strings.")
        unpack, data = _U64.unpack_from, self._data
        position, available = self.position, len(self._data)
        for _ in range(count):
            if position + 8 > available:
                self._fill(position + 8)
                available = len(data)
            length = unpack(data, position)[0]
            if length > MAX_STRING_BYTES:
                raise InvalidModel(f"The header lists a string of {length} bytes.")
            position += 8 + length
        self._fill(position)
        self.position = position

    def _unpack(self, form: struct.Struct) -> Number:
        value: Number = form.unpack_from(self._data, self._advance(form.size))[0]
        return value

    def _advance(self, count: int) -> int:
        start = self.position
        self._fill(start + count)
        self.position = start + count
        return start

    def _fill(self, end: int) -> None:
        if end <= len(self._data):
            return
        if end > self._limit:
            if end > self._size:
                raise InvalidModel(
                    f"The file is truncated inside its header: it has {self._size} bytes, but {end} "
                    "are needed.",
                    size_bytes=self._size,
                )
            raise InvalidModel(f"The header is longer than {MAX_HEADER_BYTES} bytes.")
        want = min(max(end, len(self._data) + _CHUNK_BYTES), self._limit)
        self._data += self._file.read(want - len(self._data))
        if end > len(self._data):
            raise InvalidModel("The file became shorter while it was read.")
