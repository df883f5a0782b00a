"""Progress of a long operation, told a few times a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from .progress import Report, TransferProgress

INTERVAL_SECONDS = 0.2
_WINDOW_SECONDS = 5.0


class Meter:
    """Turns byte counts into `TransferProgress`, with the rate of the last seconds.

    Parameters
    ----------
    report
        Called at most every `INTERVAL_SECONDS`, and with the first count, with the first that is larger,
        and with the last: a source that stalls right after its first bytes is not shown at 0.
    clock
        Seconds that only grow.

    """

    def __init__(
        self,
        report: Report,
        state: Literal["downloading", "verifying"],
        total_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._state: Literal["downloading", "verifying"] = state
        self._total = total_bytes
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._told_at = float("-inf")
        self._told_bytes = -1

    def __call__(self, done: int) -> None:
        """Tell that so many bytes are done."""
        now = self._clock()
        last = done >= self._total and self._told_bytes < self._total
        first_bytes = len(self._seen) == 1 and done > self._seen[0][1]
        if not last and not first_bytes and now - self._told_at < INTERVAL_SECONDS:
            return
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # it started over
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()
        self._told_at, self._told_bytes = now, done
        self._report(
            TransferProgress(
                state=self._state,
                received_bytes=done,
                total_bytes=self._total,
                rate_bytes_per_second=self._rate(now, done),
            )
        )

    def _rate(self, now: float, done: int) -> float:
        then, before = self._seen[0]
        # A burst of the first milliseconds says nothing of the rate; the end of a short file has no other.
        is_known = now - then >= INTERVAL_SECONDS or done >= self._total
        return (done - before) / (now - then) if is_known and now > then else 0.0
