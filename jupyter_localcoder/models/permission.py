"""Whether a download may go on: until it is cancelled, and as long as the air gap is off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_LOOK_SECONDS = 0.2


class Stop(threading.Event):
    """Set when a download is cancelled or the air gap is on, whoever has switched it on.

    The air gap is a state that is asked for wherever the download looks, before each connection above all;
    nobody has to tell of a change.

    Parameters
    ----------
    cancel
        Set by who does not want the download any more.
    air_gap
        Answers whether the air gap is on now.
    """

    def __init__(self, cancel: threading.Event, air_gap: Callable[[], bool]) -> None:
        super().__init__()
        self._cancel = cancel
        self._air_gap = air_gap

    def is_set(self) -> bool:
        """Whether it has to stop; once stopped by the air gap it stays so."""
        if not super().is_set() and self._air_gap():
            self.set()
        return self._cancel.is_set() or super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has to stop, or the time is over; whether it has to stop."""
        ends = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _LOOK_SECONDS if ends is None else min(_LOOK_SECONDS, ends - time.monotonic())
            if left <= 0:
                return False
            self._cancel.wait(left)
        return True
