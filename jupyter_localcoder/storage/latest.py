"""What a disk said last, where the disk may not answer: a home on a network that is gone holds nobody up.

A read that hangs cannot be ended. It is left to a thread of its own, which no other work and no end of the
process waits for; meanwhile, what was read before is in force.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as _TimeoutError
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

T = TypeVar("T")

FIRST_SECONDS = 5.0
"""As long as there is nothing yet that could be in force instead."""
SECONDS = 2.0
STALE_SECONDS = 0.2

_refreshed: ContextVar[Latest[Any] | None] = ContextVar("localcoder_refreshed", default=None)
"""What the request that this is done for has read. Threads that `asyncio.to_thread` starts inherit it."""


class Latest(Generic[T]):
    """The latest that was read of something.

    Parameters
    ----------
    read
        Reads it. May block. What it raises is raised by `get` and `read`.
    default
        In force before anything was read.
    """

    def __init__(self, read: Callable[[], T], default: T) -> None:
        self._read = read
        self._last = default
        self._known = False
        self._lock = threading.Lock()
        self._process = os.getpid()
        self.is_reading = False
        self._began = time.monotonic()
        self._next: Future[T] | None = None

    @property
    def hangs(self) -> bool:
        """Whether a read is under way that should have come back long ago."""
        return self.is_reading and time.monotonic() - self._began > self._seconds

    def get(self) -> T:
        """Read it, or take the last where the disk does not answer in time.

        In an event loop nothing is waited for: it is the last, and read again for the next who asks. Who
        must know it there awaits `refresh` before. In a thread of a request that has just done so, it is the
        last as well.
        """
        if not (self._known or self.is_reading) or not (_in_event_loop() or self._is_fresh()):
            return self.read()
        if not self.is_reading and time.monotonic() - self._began > STALE_SECONDS:
            self.start_read()
        return self._last

    def read(self) -> T:
        """Read it, or take the last where the disk does not answer in time. Blocks, for a bounded time."""
        wait = self._wait()
        try:
            return self.start_read().result(wait)
        except (TimeoutError, _TimeoutError):
            return self._last

    async def refresh(self) -> None:
        """Read it, without holding up the loop; give up where the disk does not answer in time."""
        wait = self._wait()
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
            await asyncio.wait_for(_done(self.start_read()), wait)
        _refreshed.set(self)

    def _is_fresh(self) -> bool:
        """Whether the request that this is done for has read it a moment ago."""
        return _refreshed.get() is self and time.monotonic() - self._began <= STALE_SECONDS

    @property
    def _seconds(self) -> float:
        return SECONDS if self._known else FIRST_SECONDS

    def _wait(self) -> float:
        return 0.0 if self.hangs else self._seconds

    def start_read(self) -> Future[T]:
        """A read that begins after this call."""
        with self._lock:
            if self._process != os.getpid():  # a fork has left the thread behind
                self._process, self.is_reading, self._next = os.getpid(), False, None
            if self.is_reading:
                # It may have begun before what the caller wants to see.
                self._next = self._next or Future()
                return self._next
            self.is_reading = True
            self._began = time.monotonic()
        wanted: Future[T] = Future()
        threading.Thread(target=self._run, args=(wanted,), name="localcoder-read", daemon=True).start()
        return wanted

    def _run(self, wanted: Future[T] | None) -> None:
        while wanted is not None:
            failure: Exception | None = None
            try:
                value = self._read()
            except Exception as found:
                value, failure = self._last, found
            with self._lock:
                self._last, self._known = value, True
                done, wanted, self._next = wanted, self._next, None
                self.is_reading = wanted is not None
                self._began = time.monotonic()
            if failure is None:
                done.set_result(value)
            else:
                done.set_exception(failure)


async def in_own_thread(work: Callable[[], T]) -> T:
    """Do what may block in a thread that is not one of the few that all share.

    Those may all be waiting for a disk that does not answer.
    """
    wanted: Future[T] = Future()

    def run() -> None:
        try:
            wanted.set_result(work())
        except BaseException as failure:
            wanted.set_exception(failure)

    threading.Thread(target=run, name="localcoder-own", daemon=True).start()
    await _done(wanted)
    return wanted.result()


async def _done(wanted: Future[T]) -> None:
    """Wait for a thread. Who leaves cancels nothing: others may wait for the same."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: Future[T]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(done.set)

    wanted.add_done_callback(tell)
    await done.wait()


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
