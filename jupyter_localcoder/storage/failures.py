"""What the system says of a write, as an error of ours: a full disk is the same error everywhere."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from ..errors import DiskFull, FileWriteError

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


def is_full(failure: OSError) -> bool:
    """Whether the disk, or the user's share of it, is full."""
    return failure.errno in _FULL


def write_failure(failure: OSError, what: str, recovery: str | None = None) -> DiskFull | FileWriteError:
    """The error for a write that failed.

    Parameters
    ----------
    what
        Begins the sentence: "The model folder cannot be written".
    """
    if is_full(failure):
        return DiskFull()
    if failure.errno == errno.EFBIG:
        return FileWriteError(
            "The file is too large for this disk's file system.",
            recovery="Use a disk formatted for files of more than 4 GB, such as exFAT, NTFS or ext4.",
        )
    reason = failure.strerror or type(failure).__name__
    return FileWriteError(f"{what}: {reason}.", recovery=recovery, reason=reason)


@contextlib.contextmanager
def write_errors(what: str, recovery: str | None = None) -> Iterator[None]:
    """Turn what the system says of a write into `DiskFull` or `FileWriteError`; see `write_failure`."""
    try:
        yield
    except OSError as failure:
        raise write_failure(failure, what, recovery) from failure
