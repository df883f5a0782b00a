"""Calls a function when a worker had nothing to do for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class IdleTimer:
    """A time limit that starts again after each request.

    Parameters
    ----------
    on_idle
        Called in the event loop when the time is over.
    """

    def __init__(self, on_idle: Callable[[], None]) -> None:
        self._on_idle = on_idle
        self._handle: asyncio.TimerHandle | None = None
        self.seconds: float | None = None
        """Time limit, from the next `restart` on; None: no limit."""

    def restart(self) -> None:
        """Begin to count from now."""
        self.stop()
        if self.seconds is not None:
            self._handle = asyncio.get_running_loop().call_later(self.seconds, self._end)

    def stop(self) -> None:
        """Do not call the function."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _end(self) -> None:
        self._handle = None
        self._on_idle()
