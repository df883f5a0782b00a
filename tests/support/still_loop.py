"""An event loop whose clock stands still: what takes minutes is tested at once, in one order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_MOST_TURNS = 10_000
"""What is not quiet after so many turns goes round in circles."""


class StillLoop(asyncio.SelectorEventLoop):
    """Nothing may wait in it for anything but its own clock and futures: no threads, no sockets."""

    def __init__(self) -> None:
        self._now = 0.0
        self.failures: list[str] = []
        """What no task and no caller has taken."""
        super().__init__()
        self.set_exception_handler(lambda _, context: self.failures.append(str(context)))

    def time(self) -> float:
        return self._now

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something that needs no time, and all that follows from it."""
        task = self.create_task(work)
        self.settle()
        assert task.done(), "it waits for something"
        return task.result()

    def settle(self) -> None:
        """Let everything happen that needs no time."""
        self.run_until_complete(self._quiet())

    def forward(self, seconds: float) -> None:
        """Move the clock from one thing that is due to the next, and let happen what follows from each."""
        until = self._now + seconds
        while True:
            self.settle()
            due = min((timer.when() for timer in self._scheduled if not timer.cancelled()), default=until + 1)
            if due > until:
                break
            self._now = max(self._now, due)
        self._now = until
        self.settle()

    def jump(self, seconds: float) -> None:
        """Move the clock: what is due by then happens in the next turn, from wherever this is called."""
        self._now += seconds

    async def _quiet(self) -> None:
        await asyncio.sleep(0)
        for _ in range(_MOST_TURNS):
            if not self._ready:
                return
            await asyncio.sleep(0)
        raise AssertionError("it never comes to rest")
