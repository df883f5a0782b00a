"""How long an answer may still take: as a whole, and until its next byte. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable


class TimeUp(Exception):
    """No time is left. Its text is a sentence for a person."""


class Deadline:
    """The time of one request, which begins when this is made."""

    def __init__(
        self,
        name: str,
        *,
        whole_seconds: float,
        silence_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._clock = clock
        self._whole_seconds = whole_seconds
        self._silence_seconds = silence_seconds
        self._end = clock() + whole_seconds

    def left(self) -> float:
        """Seconds until the end.

        Raises
        ------
        TimeUp
            There are none.
        """
        left = self._end - self._clock()
        if left <= 0:
            raise self.time_up()
        return left

    def patience(self) -> float:
        """Seconds that may be waited for the next byte; raises as `left` does."""
        return min(self.left(), self._silence_seconds)

    def shorten(self, seconds: float) -> None:
        """Nothing of importance is still to come: wait no longer than this."""
        self._end = min(self._end, self._clock() + seconds)

    def time_up(self) -> TimeUp:
        """The sentence for a wait that was in vain."""
        if self._clock() >= self._end:
            return TimeUp(f"{self._name} did not finish within {self._whole_seconds:g} seconds.")
        return TimeUp(f"{self._name} sent nothing for {self._silence_seconds:g} seconds.")
