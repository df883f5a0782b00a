"""How fast completions really are: corrects what a load has measured, which may have been a bad minute."""

from __future__ import annotations

import collections
import statistics
from collections.abc import Mapping

from ..contract.generation import Done

MOST_SAMPLES = 9
"""So many of the last completions count."""
MEASURED_COUNTS = 2
"""What was measured at the load counts as so many of them."""
_LEAST_DECODED = 4
_LEAST_READ = 64
_MOST_MODELS = 8


class _Samples:
    """Seconds for each token of the last completions of one model."""

    def __init__(self) -> None:
        self.decode: collections.deque[float] = collections.deque(maxlen=MOST_SAMPLES)
        self.prefill: collections.deque[float] = collections.deque(maxlen=MOST_SAMPLES)


class RunningCosts:
    """The last completions of each model, by its digest."""

    def __init__(self) -> None:
        self._models: dict[str, _Samples] = {}

    def observe(self, done: Done) -> None:
        """Take note of a completion that has ended."""
        mine = self._models.pop(done.model.digest, None) or _Samples()
        self._models[done.model.digest] = mine
        while len(self._models) > _MOST_MODELS:
            self._models.pop(next(iter(self._models)))
        timings, usage = done.timings, done.usage
        if (usage.completion_tokens or 0) >= _LEAST_DECODED and timings.decode_tokens_per_second > 0:
            mine.decode.append(1 / timings.decode_tokens_per_second)
        read = (usage.prompt_tokens or 0) - (usage.cached_tokens or 0)
        if read >= _LEAST_READ and timings.prefill_tokens_per_second > 0:
            mine.prefill.append(1 / timings.prefill_tokens_per_second)

    def now(self, digest: str, measured: Mapping[int, float]) -> dict[int, float]:
        """The seconds that batches take as things are, by their tokens.

        The median of the last completions and of what was measured: one that was slow changes nothing, and
        after a few that were quicker than at the load, the load is forgotten.

        Parameters
        ----------
        measured
            Seconds by tokens, as measured at the load.
        """
        mine = self._models.get(digest)
        if mine is None or not measured.get(1):
            return dict(measured)
        largest = max(measured)
        decode = _times(mine.decode, measured[1])
        # Where nothing long was read of late, reading has changed as writing has.
        prefill = _times(mine.prefill, measured[largest] / largest) if mine.prefill else decode
        small = 32
        return {size: cost * (decode if size <= small else prefill) for size, cost in measured.items()}


def _times(samples: collections.deque[float], measured: float) -> float:
    """How many times as long as measured it takes."""
    return statistics.median([*samples, *[measured] * MEASURED_COUNTS]) / measured
