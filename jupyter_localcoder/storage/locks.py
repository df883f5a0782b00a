"""One at a time, among threads and among processes.

The system gives a lock back when its holder ends, however it ends. On a network file system it may not learn
of that end: so no wait is without a limit, and what is then said names the lock. The limit is counted by a
clock that nobody can set back.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from filelock import Timeout as _Timeout

LOCK_SECONDS = 10.0
"""Longer than any whole write takes on a disk that works, a crowd of writers before it included."""
_POLL_SECONDS = 0.005


class LockBusy(Exception):
    """Another process has not let go of the lock in time. Its text names the lock file."""


class Lock:
    """A lock by a file. A thread that holds it must not take it again.

    Parameters
    ----------
    path
        The lock file. It is made when it is needed, with its folder, and stays: whoever waits for it has it
        open.
    private
        Whether nobody else may use the lock. One in a folder that users share is for all of them.
    """

    def __init__(self, path: Path, *, private: bool = True) -> None:
        self.path = path
        self._private = private
        # First among the threads of this process: they wait in a row, and only one of them asks the system.
        self._threads = threading.Lock()
        self._process = os.getpid()

    @contextlib.contextmanager
    def held(self, seconds: float | None = None) -> Iterator[None]:
        """Hold the lock in a ``with`` block.

        Parameters
        ----------
        seconds
            Give up after so long. Default: `LOCK_SECONDS`.

        Raises
        ------
        LockBusy
            Another one holds it.
        OSError
            The lock file cannot be written, or its file system knows no locks.
        """
        end = time.monotonic() + (LOCK_SECONDS if seconds is None else seconds)
        threads = self._of_this_process()
        if not threads.acquire(timeout=max(0.0, end - time.monotonic())):
            raise LockBusy(self._sentence)
        try:
            self.path.parent.mkdir(mode=0o700 if self._private else 0o777, parents=True, exist_ok=True)
            # Made for each use: one that is kept would be inherited by a fork.
            lock = FileLock(self.path, mode=0o600 if self._private else 0o666)
            try:
                lock.acquire(
                    timeout=max(0.0, end - time.monotonic()),
                    # Not in step with another process that holds the lock again and again.
                    poll_interval=_POLL_SECONDS * random.uniform(0.5, 1.5),  # noqa: S311 - no secret
                )
            except _Timeout:
                raise LockBusy(self._sentence) from None
            except NotImplementedError as failure:  # of a file system without locks
                raise OSError(str(failure)) from failure
            try:
                yield
            finally:
                lock.release()
        finally:
            threads.release()

    @property
    def _sentence(self) -> str:
        return f"Another process has held the lock {self.path} for too long."

    def _of_this_process(self) -> threading.Lock:
        """The lock among threads: a fork may have copied it while another thread held it."""
        if self._process != os.getpid():
            self._threads, self._process = threading.Lock(), os.getpid()
        return self._threads
