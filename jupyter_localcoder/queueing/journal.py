"""What is open, on disk, so that it is known after an end that nobody had foreseen.

Each process of the service that queues something writes a file of its own, a line when a request is queued
and one when it has had its end, and holds a lock on it. A file whose lock is free belonged to a process that
is gone: what it left open has failed. Nothing is asked again from here by itself; a person may have it asked
again, so the request stands in it with its prompt, unless it is private or nothing is to be kept.

All of it blocks: call it in a thread, one call at a time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from ..contract.queue import CallRequest, Priority
from ..storage.regular import read_regular

KEEP_SECONDS = 7 * 24 * 3600.0
"""What a process left open is listed for so long."""
MAX_LOST = 200
"""No more of them are listed."""
MAX_PROMPT_BYTES = 2 * 1024 * 1024
"""Of the prompts of a process that are open; one more is listed without its prompt."""
MAX_FILE_BYTES = 2 * MAX_PROMPT_BYTES
_LOCK_SECONDS = 0.1
_TEMPORARY = ".tmp"
_BINARY = getattr(os, "O_BINARY", 0)


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is open."""

    id: str
    provider: str
    added: str
    """ISO 8601, UTC."""
    priority: Priority = "normal"
    model: str = ""
    prompt_id: str = ""
    path: str = ""
    cell: str = ""
    private: bool = False
    keep: bool = False
    asked: CallRequest | None = None
    """What was asked, with its places filled; None where it is not to be kept."""


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    opened: JournalEntry | None = None
    ended: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


class Journal:
    """The file of this process, and what those of others have left.

    Parameters
    ----------
    folder
        Made when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._lock: FileLock | None = None
        self._open: dict[str, JournalEntry] = {}
        self._prompts: dict[str, int] = {}
        """Bytes of what was asked, of those that are open."""
        self._bytes = 0

    def opened(self, entry: JournalEntry) -> None:
        """Write down that a request was queued.

        Raises
        ------
        OSError
        """
        if self._lock is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _lock_of(self._path)
            lock.acquire(timeout=_LOCK_SECONDS)
            self._lock = lock
        size = len(_encoder.encode(entry.asked)) if entry.asked is not None else 0
        if sum(self._prompts.values()) + size > MAX_PROMPT_BYTES:
            entry = msgspec.structs.replace(entry, asked=None)
        elif size:
            self._prompts[entry.id] = size
        self._open[entry.id] = entry
        self._append(_Line(opened=entry))

    def ended(self, id_: str) -> None:
        """Write down that a request has had its end.

        Raises
        ------
        OSError
        """
        self._prompts.pop(id_, None)
        if self._open.pop(id_, None) is None:
            return
        if self._bytes > MAX_FILE_BYTES:
            self._rewrite()
        else:
            self._append(_Line(ended=id_))

    def lost(self) -> list[JournalEntry]:
        """What processes that are gone have left open, newest first. Old files are removed."""
        found: list[JournalEntry] = []
        for path in self._folder.glob("*.jsonl"):
            if path == self._path:
                continue
            with contextlib.suppress(OSError, Timeout), _lock_of(path).acquire(timeout=_LOCK_SECONDS):
                path.with_suffix(_TEMPORARY).unlink(missing_ok=True)
                left = _unfinished_entries(path)
                if not left or path.stat().st_mtime < time.time() - KEEP_SECONDS:
                    _remove(path)
                else:
                    found += left
        return sorted(found, key=lambda entry: entry.added, reverse=True)[:MAX_LOST]

    def close(self) -> None:
        """Let go of the file; it stays only where something is open."""
        if self._lock is None:
            return
        if not self._open:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
        self._lock.release()
        if not self._open:
            with contextlib.suppress(OSError):
                _lock_path(self._path).unlink(missing_ok=True)
        self._lock = None

    def _append(self, line: _Line) -> None:
        data = _encoder.encode(line) + b"\n"
        # Flushed, not synchronised: it outlives the process, which is what it is for.
        _write(self._path, data, os.O_APPEND)
        self._bytes += len(data)

    def _rewrite(self) -> None:
        """Keep only what is open: a server that runs for months must not fill the disk."""
        data = b"".join(_encoder.encode(_Line(opened=entry)) + b"\n" for entry in self._open.values())
        temporary = self._path.with_suffix(_TEMPORARY)
        _write(temporary, data, os.O_TRUNC)
        temporary.replace(self._path)
        self._bytes = len(data)


def _unfinished_entries(path: Path) -> list[JournalEntry]:
    entries: dict[str, JournalEntry] = {}
    for raw in read_regular(path, 4 * MAX_FILE_BYTES, follow=False).splitlines():
        try:
            line = _decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # the last line of a process that was killed, or of a full disk
        if line.opened is not None:
            entries[line.opened.id] = line.opened
        entries.pop(line.ended, None)
    return list(entries.values())


def _write(path: Path, data: bytes, how: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | _BINARY | how, 0o600), "wb") as file:
        file.write(data)


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _lock_of(path: Path) -> FileLock:
    return FileLock(_lock_path(path), thread_local=False)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _lock_path(path).unlink(missing_ok=True)
