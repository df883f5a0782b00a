"""What the sources have in common: how they are called, how they fail, what they note beside a part."""

from __future__ import annotations

import contextlib
import re
import threading
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from ...storage.regular import read_regular
from ..files import Counted, write_whole

_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")
_MAX_NOTE_BYTES = 1024 * 1024
_QUERY = re.compile(r"(?<=\S)\?\S+")


class SourceFailed(Exception):
    """This source does not deliver the file; another one may. Its text is a sentence for a person."""


class ModelSource(Protocol):
    """One place that a file may come from."""

    def fetch(self, part: Path, size: int, counted: Counted, cancel: threading.Event) -> None:
        """Make ``part`` a file of ``size`` bytes, going on from what is there of an earlier attempt.

        Raises
        ------
        SourceFailed
            It could not; what came is kept where it can be gone on from.
        Canceled
            ``cancel`` was set.
        DiskFull, FileWriteError
            ``part`` cannot be written.

        """


class PartNote(Struct, frozen=True, kw_only=True):
    """Stands beside a part file: what its bytes are the beginning of."""

    etag: str = ""
    """Of the answer that they came with."""
    pieces: tuple[int, ...] = ()
    """Sizes of the pieces that are whole, for a file that comes in pieces."""


def read_note(part: Path) -> PartNote:
    """The note of a part; an empty one where there is none that can be read."""
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(read_regular(_note_path(part), _MAX_NOTE_BYTES), type=PartNote)
    return PartNote()


def write_note(part: Path, note: PartNote) -> None:
    """Put a note beside a part."""
    write_whole(_note_path(part), msgspec.json.encode(note))


def part_bytes(part: Path) -> int:
    """Size of a part file; 0 where there is none."""
    try:
        return part.lstat().st_size
    except OSError:
        return 0


def without_secrets(text: str) -> str:
    """Text with the credentials and the queries of its addresses taken out."""
    return _QUERY.sub("", _CREDENTIALS.sub("", text))


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")
