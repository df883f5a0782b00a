"""Small files that are whole, whatever happens while they are written, and that others cannot read."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MARK_BYTES = 4
PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 0.01
IS_WINDOWS = os.name == "nt"
_STALE = getattr(errno, "ESTALE", -1)
T = TypeVar("T")


def replace_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file so that a reader sees the old one or the new one; a link is replaced, not followed.

    When it returns, the file is on the disk, also after a power cut.

    Parameters
    ----------
    mode
        Permissions of the new file, less those that the umask takes away.

    Raises
    ------
    OSError
        It cannot be written; the old one is as it was.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(_MARK_BYTES)}")
    try:
        with os.fdopen(os.open(beside, _FLAGS, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        patiently(lambda: beside.replace(path))
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def patiently(work: Callable[[], T]) -> T:
    """Do what a system refuses for the moment in which another process replaces the file, or reads it.

    Windows lets nobody replace a file that is open, nor open one that is being replaced. A network file
    system may have lost a file that was replaced between its look-up and its opening.

    Raises
    ------
    OSError
        As the last attempt did.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except OSError as failure:
            passes = failure.errno == _STALE or (IS_WINDOWS and isinstance(failure, PermissionError))
            if not passes or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_SECONDS)


def sweep(path: Path) -> None:
    """Remove the temporary files of writers of this file that were killed.

    The caller keeps every other writer of the file out meanwhile: their temporary files look the same.
    """
    leftover = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{{2 * _MARK_BYTES}}}\Z")
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if leftover.match(entry.name):
                with contextlib.suppress(OSError):
                    Path(entry.path).unlink()


def sync_folder(path: Path) -> None:
    """Wait until the folder's entries are on the disk, where the system can do that."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
