"""How much a completion reads and writes, so that it comes in time on this machine. Pure.

While a person types, nearly all of the prompt is in the cache: what a keystroke costs is a step for the
changed end of the prefix, one for the middle mark, and one for each token written. The length of the
prompt is paid once, when a notebook is opened or the window moves; it is bounded by a time of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..contract.backend import Calibration

COLD_SECONDS = 8.0
"""Reading a whole window may take so long: it happens once, and mostly ahead of the first completion."""
TAIL_TOKENS = 8
"""Tokens that a keystroke changes at the end of the prefix, with the suffix mark, at most usually."""
FEWEST_TOKENS, MOST_TOKENS = 24, 96
"""The fewest hold a line of code, so that also a slow machine comes to its end; most lines are shorter, and
each is shown as soon as it is complete."""
SMALLEST_PREFIX, LARGEST_PREFIX = 512, 4096


def budget(costs: Mapping[int, float], context_window: int, latency_target_ms: float) -> Calibration:
    """Size completion by the seconds that batches of 1, 8 and many tokens take."""
    one = costs.get(1, 0.03)
    tail = costs.get(TAIL_TOKENS, 4 * one)
    prefill, decode = speeds(costs or {1: one})
    left = latency_target_ms / 1000 - tail - one
    completion = _between(FEWEST_TOKENS, int(left / one), MOST_TOKENS)
    room = max(64, context_window - completion - 16)
    prefix = min(_between(SMALLEST_PREFIX, int(prefill * COLD_SECONDS), LARGEST_PREFIX), room * 4 // 5)
    return Calibration(
        prefill_tokens_per_second=prefill,
        decode_tokens_per_second=decode,
        latency_target_ms=latency_target_ms,
        prefix_tokens=prefix,
        suffix_tokens=min(prefix // 5, room // 5),
        completion_tokens=completion,
    )


def speeds(costs: Mapping[int, float]) -> tuple[float, float]:
    """Tokens per second of reading and of writing, by the seconds that batches take; at least one of 1."""
    one, largest = costs[1], max(costs)
    return (largest / costs[largest] if largest > 1 else 1.0 / one), 1.0 / one


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))
