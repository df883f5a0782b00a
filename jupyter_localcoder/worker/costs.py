"""What a step of the engine costs, by the number of its tokens: measured at load, corrected while it runs."""

from __future__ import annotations

import bisect

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_LEARNING_RATE = 0.1


class StepCosts:
    """Seconds of a batch by its size, between the measured sizes on a straight line.

    Parameters
    ----------
    measured
        Seconds by size; sizes that are missing are filled in from their neighbours.
    """

    def __init__(self, measured: dict[int, float] | None = None) -> None:
        known = sorted((measured or {1: 0.03, 8: 0.12, 64: 0.5, 512: 4.0}).items())
        self._seconds = [_interpolated(known, size) for size in SIZES]

    def seconds(self, tokens: int) -> float:
        """Expected duration of a batch of so many tokens."""
        return _interpolated(list(zip(SIZES, self._seconds, strict=True)), tokens)

    def largest_within(self, seconds: float) -> int:
        """Most tokens of a batch that takes no longer than this; at least 1."""
        low, high = 1, SIZES[-1]
        while low < high:
            middle = (low + high + 1) // 2
            if self.seconds(middle) <= seconds:
                low = middle
            else:
                high = middle - 1
        return low

    def observe(self, tokens: int, seconds: float) -> None:
        """Take in a measured step. One that took many times as long as expected says nothing."""
        expected = self.seconds(tokens)
        if tokens <= 0 or seconds > 5 * expected:
            return
        i = min(bisect.bisect_left(SIZES, tokens), len(SIZES) - 1)
        ratio = 1.0 + _LEARNING_RATE * (seconds / expected - 1.0)
        self._seconds[i] *= ratio
        if i > 0 and SIZES[i] != tokens:
            self._seconds[i - 1] *= ratio

    @property
    def table(self) -> dict[int, float]:
        """Seconds by size."""
        return dict(zip(SIZES, self._seconds, strict=True))


def _interpolated(known: list[tuple[int, float]], size: int) -> float:
    sizes = [entry[0] for entry in known]
    i = bisect.bisect_left(sizes, size)
    if i < len(known) and known[i][0] == size:
        return known[i][1]
    if i == 0:
        return known[0][1]
    if i == len(known):
        last_size, last = known[-1]
        return last * size / last_size
    (left, a), (right, b) = known[i - 1], known[i]
    return a + (b - a) * (size - left) / (right - left)
