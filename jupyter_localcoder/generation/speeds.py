"""How fast each model was of late: a rolling record of its last requests, in memory. Pure."""

from __future__ import annotations

import collections
import math
import statistics
from dataclasses import dataclass

from ..contract.backend import Speeds
from ..contract.generation import Done

MOST_REQUESTS = 50
"""So many requests of a model count; an older one is forgotten."""
_MOST_MODELS = 16
_PREFILL_TOKENS = 32
_DECODE_TOKENS = 8
"""Fewer tokens than these say nothing of a speed."""


@dataclass(frozen=True)
class _Sample:
    """What one request took; 0 where it had too few tokens to tell."""

    prefill: float
    decode: float
    first_token_ms: float


class SpeedRecord:
    """The last requests of each model, by its digest."""

    def __init__(self) -> None:
        self._samples: dict[str, collections.deque[_Sample]] = {}

    def observe(self, done: Done) -> None:
        """Take note of a request that has ended."""
        timings, usage = done.timings, done.usage
        if not usage.completion_tokens:
            return
        computed = (usage.prompt_tokens or 0) - (usage.cached_tokens or 0)
        sample = _Sample(
            timings.prefill_tokens_per_second if computed >= _PREFILL_TOKENS else 0.0,
            timings.decode_tokens_per_second if usage.completion_tokens >= _DECODE_TOKENS else 0.0,
            timings.queue_ms + timings.prefill_ms,
        )
        # The model that was used last stands last.
        mine = self._samples.pop(done.model.digest, None) or collections.deque(maxlen=MOST_REQUESTS)
        mine.append(sample)
        self._samples[done.model.digest] = mine
        while len(self._samples) > _MOST_MODELS:
            self._samples.pop(next(iter(self._samples)))

    def of(self, digest: str | None) -> Speeds:
        """What the record says of a model.

        Parameters
        ----------
        digest
            None: the model that was used last.
        """
        if digest is None:
            digest = next(reversed(self._samples), "")
        samples = self._samples.get(digest, ())
        first = sorted(sample.first_token_ms for sample in samples)
        return Speeds(
            prefill_tokens_per_second=_median([s.prefill for s in samples]),
            decode_tokens_per_second=_median([s.decode for s in samples]),
            first_token_ms=statistics.median(first) if first else 0.0,
            first_token_p90_ms=first[math.ceil(0.9 * len(first)) - 1] if first else 0.0,
            requests=len(samples),
        )


def _median(speeds: list[float]) -> float:
    """The median of what was measured."""
    measured = [speed for speed in speeds if speed > 0]
    return statistics.median(measured) if measured else 0.0
