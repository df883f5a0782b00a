"""How long batches of different sizes take here: measured once for a model, a build and a machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .costs import SIZES
from .lookup import MOST_TOKENS
from .model import Item

if TYPE_CHECKING:
    from .engine import Engine

BUDGET_SECONDS = 2.0
"""A calibration takes about so long at most; sizes that are too slow for it are estimated."""
STILL_THE_SAME = 1.5
"""A step that takes so many times as long as it did, or as little, is measured anew."""
_SIZES = tuple(size for size in SIZES if size <= 256)


def costs_now(engine: Engine, known: dict[int, float]) -> dict[int, float]:
    """Seconds of a batch by its size: those that are known where they still hold, else measured anew.

    What was measured on a busy machine must not be believed for ever, nor the other way round: one token
    is measured each time, in a few hundredths of a second.
    """
    if known.get(1):
        now = step_seconds(engine)
        if 1 / STILL_THE_SAME < now / known[1] < STILL_THE_SAME:
            return known
    return calibrate(engine)


def step_seconds(engine: Engine) -> float:
    """Seconds of a step of one token, on an empty cache, which is empty again afterwards."""
    tokens = engine.tokenize("x")
    now = min(_batch(engine, tokens, 1) for _ in range(4))
    engine.clear()
    return now


def calibrate(engine: Engine) -> dict[int, float]:
    """Seconds of a batch by its size, on an empty cache, which is empty again afterwards."""
    tokens = engine.tokenize("import numpy as np\n") * (max(_SIZES) // 3 + 1)
    began = time.monotonic()
    _batch(engine, tokens, 1)  # The first one warms the caches of the processor.
    measured: dict[int, float] = {}
    for size in (1, 4, 16, 64, 2, 8, 32, 128, 256):
        left = BUDGET_SECONDS - (time.monotonic() - began)
        # A batch takes at most so many times what one token takes, and mostly much less.
        expected = size * measured.get(1, 0.0) / 2
        if measured and expected > left:
            continue
        repeats = 3 if size <= 32 and 3 * expected < left else 1
        measured[size] = min(_batch(engine, tokens, size) for _ in range(repeats))
    engine.clear()
    return measured


def _batch(engine: Engine, tokens: list[int], size: int) -> float:
    engine.clear()
    size = min(size, len(tokens), engine.batch_size)
    # Small batches verify drafts: each of their tokens has an output, which costs up to a fifth more.
    drafts = size <= MOST_TOKENS + 1
    items = [Item(tokens[i], i, 0, drafts or i == size - 1) for i in range(size)]
    start = time.monotonic()
    engine.decode(items)
    return time.monotonic() - start
