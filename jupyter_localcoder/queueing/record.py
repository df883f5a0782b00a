"""The journal behind the event loop: written in order, by one thread, and never in the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from .journal import Journal, JournalEntry

T = TypeVar("T")


def _nothing() -> list[JournalEntry]:
    return []


class Record:
    """Writes the journal; what cannot be written is logged once, and the queue goes on without.

    Parameters
    ----------
    make_journal
        Called in the thread, when there is something to write or to read.
    """

    def __init__(
        self, make_journal: Callable[[], Journal], log: logging.Logger | logging.LoggerAdapter[Any]
    ) -> None:
        self._make = make_journal
        self._log = log
        self._journal: Journal | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._lost: dict[str, JournalEntry] | None = None
        self._warned = False
        self._closed = False

    async def opened(self, entry: JournalEntry) -> None:
        """Return when it is written down that a request is open."""
        await asyncio.wrap_future(self._submit(lambda journal: journal.opened(entry), None))

    def ended(self, id_: str) -> None:
        """Write down, after all that was written before, that a request has had its end."""
        self._submit(lambda journal: journal.ended(id_), None)

    async def lost(self) -> dict[str, JournalEntry]:
        """What processes that are gone have left open, newest first; looked up once."""
        if self._lost is None:
            found = await asyncio.wrap_future(self._submit(Journal.lost, _nothing()))
            self._lost = {entry.id: entry for entry in found}
        return self._lost

    async def close(self) -> None:
        """Let go of the file, once all is written; nothing is written after it."""
        if self._closed:
            return
        if self._thread is not None:
            await asyncio.wrap_future(self._submit(Journal.close, None))
            self._thread.shutdown(wait=False)
        self._closed = True

    def _submit(self, do: Callable[[Journal], T], otherwise: T) -> Future[T]:
        if self._closed:
            nothing: Future[T] = Future()
            nothing.set_result(otherwise)
            return nothing
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="localcoder-queue")
        return self._thread.submit(self._do, do, otherwise)

    def _do(self, do: Callable[[Journal], T], otherwise: T) -> T:
        try:
            self._journal = self._journal or self._make()
            return do(self._journal)
        except (OSError, NotImplementedError) as failure:
            if not self._warned:
                self._warned = True
                self._log.warning("The queue cannot keep its journal: %s", failure)
            return otherwise
