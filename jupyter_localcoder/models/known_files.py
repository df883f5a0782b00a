"""Which files were verified before, kept for one user: where the model folder itself cannot be written.

A manifest notes one modification time. Here are the others under which a file was seen and its digest
computed: in a shared folder that this user may only read, in a container whose layers round times, on a disk
that two machines mount. What is lost here costs time and nothing else: the digest is computed again.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from ..errors import DiskFull, FileWriteError
from ..storage.json_file import Document, JsonFile

_LIST = "verified"
_MOST = 256


class KnownFiles:
    """A small file of fingerprints; one that cannot be read or written is no error, only slower."""

    def __init__(self, path: Path) -> None:
        self._file = JsonFile(path, what="What was verified", check=_check, unversioned=_unversioned)
        self._here: dict[str, None] = {}
        """What this process has verified: it holds also where nothing can be written."""

    def holds(self, fingerprint: str) -> bool:
        """Whether a file of this fingerprint was verified."""
        return fingerprint in self._here or fingerprint in self._file.read().document.get(_LIST, [])

    def add(self, fingerprint: str) -> None:
        """Note a file that was just verified."""
        self._here[fingerprint] = None
        self._change(fingerprint, [fingerprint])

    def discard(self, fingerprint: str) -> None:
        """Forget a file that turned out to be another one."""
        self._here.pop(fingerprint, None)
        self._change(fingerprint, [])

    def _change(self, fingerprint: str, more: list[str]) -> None:
        with contextlib.suppress(FileWriteError, DiskFull), self._file.change() as document:
            known = [one for one in document.get(_LIST, []) if one != fingerprint]
            if more or len(known) < len(document.get(_LIST, [])):
                document[_LIST] = [*known, *more][-_MOST:]


def _check(document: Document) -> None:
    msgspec.convert(document.get(_LIST, []), list[str])


def _unversioned(value: Any) -> Document:
    """The file was the list alone before it had a format."""
    return {_LIST: msgspec.convert(value, list[str])}
