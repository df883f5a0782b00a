"""Time limits of the product that are over when a test says so, and not by the clock."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest

from tests.support.waiting import until


class TimeLimit:
    """All timers of an event loop that are of so many seconds.

    A product's limit is set to a number of seconds that nothing else uses, and far too large to be over by
    itself: then these are its timers.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._timers: list[tuple[asyncio.TimerHandle, Any]] = []
        later = loop.call_later

        def call_later(delay: float, callback: Any, *args: Any, **options: Any) -> asyncio.TimerHandle:
            timer = later(delay, callback, *args, **options)
            if delay == seconds:
                self._timers.append((timer, functools.partial(callback, *args)))
            return timer

        monkeypatch.setattr(loop, "call_later", call_later)

    @property
    def runs(self) -> bool:
        """Whether somebody waits for its end."""
        return any(not timer.cancelled() for timer, _ in self._timers)

    async def is_over(self) -> None:
        """End it, once somebody waits for that."""
        await until(lambda: self.runs)
        timers, self._timers = self._timers, []
        for timer, end in timers:
            if not timer.cancelled():
                timer.cancel()
                end()
