"""Which files were verified before, kept for one user: where the model folder itself cannot be written.

A manifest notes one modification time. Here are the others under which a file was seen and its digest
computed: in a shared folder that this user may only read, in a container whose layers round times, on a disk
that two machines mount. What is lost here costs time and nothing else: the digest is computed again.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import msgspec

from ..atomic_file import replace_file

_MOST = 256
_MAX_BYTES = 1024 * 1024


class KnownFiles:
    """A small file of fingerprints; one that cannot be read or written is no error, only slower."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._here: dict[str, None] = {}
        """What this process has verified: it holds also where nothing can be written."""

    def holds(self, fingerprint: str) -> bool:
        """Whether a file of this fingerprint was verified."""
        return fingerprint in self._here or fingerprint in self._read()

    def add(self, fingerprint: str) -> None:
        """Note a file that was just verified."""
        with self._lock:
            self._here[fingerprint] = None
            self._write([*(one for one in self._read() if one != fingerprint), fingerprint])

    def discard(self, fingerprint: str) -> None:
        """Forget a file that turned out to be another one."""
        with self._lock:
            self._here.pop(fingerprint, None)
            known = self._read()
            if fingerprint in known:
                self._write([one for one in known if one != fingerprint])

    def _read(self) -> list[str]:
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if self._path.stat().st_size <= _MAX_BYTES:
                return msgspec.json.decode(self._path.read_bytes(), type=list[str])
        return []

    def _write(self, fingerprints: list[str]) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._path, msgspec.json.encode(fingerprints[-_MOST:]))
