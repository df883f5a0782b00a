"""The clock of an event loop with real sockets, which a test puts forward.

A time limit that a test wants to be over is minutes long, and the test ends it at the moment at which it is
to be over. So it is never over before, however slow the machine is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_localcoder.providers.deadline import Deadline


class LoopClock:
    """Puts a loop's clock, and that of every provider's deadline, forward; else they go as they do."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patch: pytest.MonkeyPatch) -> None:
        self._loop = loop
        self._real = loop.time
        self.forwarded = 0.0
        """Seconds, all together."""
        patch.setattr(loop, "time", self.time)
        patch.setattr(Deadline.__init__, "__kwdefaults__", {"clock": self.time})

    def time(self) -> float:
        return self._real() + self.forwarded

    def forward(self, seconds: float) -> None:
        """What is due within this time happens now."""
        self.forwarded += seconds

    async def until_done(self, task: asyncio.Future[Any]) -> None:
        """Put it forward to whatever is due next until this is done, which waits for nothing else."""
        await self.until(task.done)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Put it forward to whatever is due next until this holds."""
        while not condition():
            timers = self._loop._scheduled  # type: ignore[attr-defined]
            due = [timer.when() for timer in timers if not timer.cancelled()]
            if due:
                self.forward(max(0.0, min(due) - self.time()))
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # What is due stands behind us in this turn of the loop.
