"""Fill in the middle: which tokens a model's family marks it with, and in which order.

The GGUF's own token ids come first; where it has none, the spellings that the families use are looked
up as control tokens. A model with neither cannot complete in the middle. Pure but for the lookup.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal, Protocol

from .splice import FillLayout


class Vocabulary(Protocol):
    """What this module asks of a model."""

    @property
    def fill_tokens(self) -> tuple[int, int, int]:
        """Prefix, suffix and middle token; -1 where there is none."""

    def control_token(self, text: str) -> int:
        """Id of a control token by its spelling, or -1."""


@dataclass(frozen=True)
class FillTemplate:
    """The marks of a family, as token ids.

    ``prefix-first``: PREFIX before SUFFIX after MIDDLE. ``suffix-first``: SUFFIX after PREFIX before,
    with no mark for the middle (Codestral).
    """

    prefix: int
    suffix: int
    middle: int
    order: Literal["prefix-first", "suffix-first"] = "prefix-first"

    def lay_out(self, before: list[int], after: list[int], bos: list[int] | None = None) -> FillLayout:
        """Lay out the prompt, from the tokens of the code before and after the cursor."""
        begin = bos or []
        if self.order == "suffix-first":
            # Nothing stands after the cursor's end of the prompt: typing only ever adds to it.
            return FillLayout([*begin, self.suffix, *after, self.prefix, *before], [], [], [])
        return FillLayout([*begin, self.prefix, *before], [self.suffix], after, [self.middle])

    @property
    def marks(self) -> int:
        """How many tokens the marks take."""
        return 2 if self.order == "suffix-first" else 3


_SPELLINGS = (
    # (prefix, suffix, middle): Qwen2.5-Coder, CodeGemma; StarCoder, Granite; SantaCoder; DeepSeek; CodeLlama
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # noqa: RUF001 - the makers' own spelling
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),
)


def template_of(vocabulary: Vocabulary) -> FillTemplate | None:
    """The marks of this model, or None where it cannot fill in the middle."""
    prefix, suffix, middle = vocabulary.fill_tokens
    if min(prefix, suffix, middle) >= 0:
        return FillTemplate(prefix, suffix, middle)
    for spelling in _SPELLINGS:
        prefix, suffix, middle = (vocabulary.control_token(text) for text in spelling)
        if min(prefix, suffix, middle) >= 0:
            return FillTemplate(prefix, suffix, middle)
    prefix, suffix = vocabulary.control_token("[PREFIX]"), vocabulary.control_token("[SUFFIX]")
    if min(prefix, suffix) >= 0:
        return FillTemplate(prefix, suffix, -1, order="suffix-first")
    return None


SLACK_SHARE = 0.1
"""Of the room before the cursor: kept free for the line that is being typed."""


def window(pieces: list[int], line: int, room: int) -> int:
    """Where the context before the cursor begins, in tokens from the start of the first piece.

    The start depends on what stands above the line that is being typed, and not on the line: typing it
    never moves the start, and what was computed from there stays valid. When it must move it moves in
    steps of a third of the room, and to the next border between two pieces where one is near.

    Parameters
    ----------
    pieces
        Tokens of each piece (cell) above, the last one the lines of the own cell above the cursor's.
    line
        Tokens of the cursor's line before the cursor.
    room
        Most tokens before the cursor.
    """
    total = sum(pieces)
    budget = max(1, int(room * (1 - SLACK_SHARE)))
    start = 0
    if total > budget:
        step = max(1, budget // 3)
        start = min(total, -(-(total - budget) // step) * step)
        border = next((b for b in itertools.accumulate(pieces) if b >= start), total)
        if total - border >= budget // 2:
            start = border
    # A line that is longer than the slack is cut where it must be.
    return max(start, total + line - room)
