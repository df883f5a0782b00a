"""Careful file operations: whole or not at all, never through a symbolic link, errors in our terms.

Knows nothing of models.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import Canceled, DiskFull, FileWriteError, InvalidArgument
from ..storage import failures
from ..storage.atomic import replace_file, sweep
from ..storage.atomic import sync_folder as sync_folder
from ..storage.regular import open_regular
from ..text.units import size

COPY_BYTES = 1024 * 1024
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_BLOCK = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}\Z")

Counted = Callable[[int], None]
"""Is told how many bytes are done."""


def write_errors() -> contextlib.AbstractContextManager[None]:
    """Turn what the system says of a write into `DiskFull` or `FileWriteError`."""
    return failures.write_errors("The model folder cannot be written")


def is_plain_name(name: str) -> bool:
    """Whether it names a file inside of a folder and nothing else: no separator, no ``..``, no NUL."""
    return _PLAIN_NAME.match(name) is not None


def require_text_path(path: Path) -> None:
    """Refuse a path that no system can open.

    Raises
    ------
    InvalidArgument
        It holds a NUL character.

    """
    if "\0" in str(path):
        raise InvalidArgument("The path holds a NUL character.", field="path")


def make_folder(path: Path) -> None:
    """Make a folder and its parents; a symbolic link in its place is refused."""
    with write_errors():
        if path.is_symlink():
            raise FileWriteError(
                f"`{path.name}` in the model folder is a symbolic link; it was not followed."
            )
        path.mkdir(parents=True, exist_ok=True)


def open_part(path: Path, position: int) -> BinaryIO:
    """Open a file for writing at a position, and cut off what lies behind it; made if it is not there."""
    with write_errors():
        if path.is_symlink():
            raise FileWriteError(
                f"`{path.name}` in the model folder is a symbolic link; it was not followed."
            )
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW | _NO_BLOCK | _BINARY, 0o644)
        file = os.fdopen(descriptor, "r+b")
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileWriteError(f"`{path.name}` in the model folder is not a regular file.")
            file.truncate(position)
            file.seek(position)
        except BaseException:
            file.close()
            raise
        return file


def write_chunk(file: BinaryIO, chunk: bytes) -> None:
    """Write bytes; a full disk is a `DiskFull`."""
    with write_errors():
        file.write(chunk)


def close_part(file: BinaryIO) -> None:
    """Flush and close: the disk may turn out to be full only now."""
    with write_errors():
        file.close()


def copy_stream(
    source: BinaryIO,
    target: BinaryIO | None,
    *,
    counted: Counted | None = None,
    cancel: threading.Event | None = None,
    limit: int | None = None,
) -> str:
    """Read to the end and copy, if there is a target; gives the SHA-256, hexadecimal.

    Parameters
    ----------
    limit
        Stop after so many bytes.

    Raises
    ------
    Canceled
        ``cancel`` was set.
    DiskFull, FileWriteError
        The target cannot take it.

    """
    digest = hashlib.sha256()
    done = 0
    while limit is None or done < limit:
        if cancel is not None and cancel.is_set():
            raise Canceled()
        chunk = source.read(COPY_BYTES if limit is None else min(COPY_BYTES, limit - done))
        if not chunk:
            break
        digest.update(chunk)
        if target is not None:
            write_chunk(target, chunk)
        done += len(chunk)
        if counted is not None:
            counted(done)
    return digest.hexdigest()


def sha256(path: Path, *, counted: Counted | None = None, cancel: threading.Event | None = None) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open_regular(path) as file:
        return copy_stream(file, None, counted=counted, cancel=cancel)


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that a reader sees the old one or the new one, whatever happens.

    Others may read it: a model folder may be shared. The caller keeps other writers of the file out.
    """
    with write_errors():
        sweep(path)
        replace_file(path, data, mode=0o666)


def sync_file(path: Path) -> None:
    """Wait until the file's bytes are on the disk."""
    with write_errors(), path.open("r+b") as file:
        os.fsync(file.fileno())


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse before the first byte what will not fit.

    Raises
    ------
    DiskFull
        With ``needed_bytes`` and ``free_bytes`` in the details.

    """
    with write_errors():
        free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise DiskFull(
            f"The disk has {size(free)} free; {size(needed_bytes)} is needed.",
            needed_bytes=needed_bytes,
            free_bytes=free,
        )


def tree_bytes(folder: Path) -> int:
    """Bytes of all files below a folder; links are not followed and count as nothing."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = (Path(where) / name).lstat()
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total
