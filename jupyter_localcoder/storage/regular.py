"""Open what is a regular file, and nothing else.

A path that comes from a folder, a manifest, a setting or a request may lead to a pipe that nobody writes to,
to a device without an end, to a folder, or round in a circle. None of them may block, and none may be read
until the memory is full.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


class NotRegular(OSError):
    """The path leads to something that is not a regular file."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "it is not a regular file", str(path))


class TooLarge(OSError):
    """The file is larger than it may be."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        super().__init__(errno.EFBIG, f"it is larger than {most_bytes} bytes", str(path))


FileMark = tuple[int, int, int] | int | None
"""See `mark_of`."""


def mark_of(path: Path) -> FileMark:
    """What tells one state of a file from another, if it is only ever replaced as a whole.

    Returns
    -------
    Time, size and number of the file; the error number if it cannot be looked at.
    """
    try:
        found = path.stat()
    except OSError as failure:
        return failure.errno
    return found.st_mtime_ns, found.st_size, found.st_ino


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """Open a file for reading.

    Parameters
    ----------
    follow
        Whether the path itself may be a symbolic link. Folders above it may be links in any case.

    Raises
    ------
    NotRegular
        It is a pipe, a device, a socket or a folder.
    OSError
        It cannot be opened, or it is a link that was not to be followed (``ELOOP``).
    """
    # Looked at before it is opened, because opening some devices does something.
    _require_regular(path, path.stat() if follow else path.lstat())
    descriptor = os.open(path, _FLAGS if follow else _FLAGS | _NO_FOLLOW)
    try:
        _require_regular(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most_bytes: int, *, follow: bool = True) -> bytes:
    """Read a small file; parameters and errors as of `open_regular`.

    Raises
    ------
    TooLarge
        It holds more than ``most_bytes``.
    """
    with open_regular(path, follow=follow) as file:
        if os.fstat(file.fileno()).st_size > most_bytes:
            raise TooLarge(path, most_bytes)
        # Some files of the system say that they are empty and never end, or have nothing to read yet.
        data = file.read(most_bytes + 1) or b""
    if len(data) > most_bytes:
        raise TooLarge(path, most_bytes)
    return data


def _require_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "it is a symbolic link, which was not followed", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise NotRegular(path)
