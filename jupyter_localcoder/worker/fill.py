"""Fill in the middle: which tokens a model's family marks it with, and in which order.

The GGUF's own token ids come first; where it has none, the spellings that the families use are looked
up as control tokens. A model with neither cannot complete in the middle. Pure but for the lookup.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal, Protocol

from ..contract.fill_tokens import FILL_FAMILIES
from .splice import FillLayout


class FillVocabulary(Protocol):
    """What this module asks of a model."""

    @property
    def fill_tokens(self) -> tuple[int, int, int]:
        """Prefix, suffix and middle token; -1 where there is none."""

    def control_token(self, text: str) -> int:
        """Id of a control token by its spelling, or -1."""


@dataclass(frozen=True)
class FillTokens:
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


def template_of(vocabulary: FillVocabulary) -> FillTokens | None:
    """The marks of this model, or None where it cannot fill in the middle."""
    prefix, suffix, middle = vocabulary.fill_tokens
    if min(prefix, suffix, middle) >= 0:
        return FillTokens(prefix, suffix, middle)
    for family in FILL_FAMILIES:
        ids = [vocabulary.control_token(text) for text in family.tokens]
        if min(ids) >= 0:
            prefix, suffix, *rest = ids
            if rest:
                return FillTokens(prefix, suffix, rest[0])
            return FillTokens(prefix, suffix, -1, order="suffix-first")
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


def affordable(sizes: list[int], sources: list[str], limits: dict[str, int]) -> list[bool]:
    """Which pieces stay within the room of their source; the first ones of a source come first."""
    left = dict(limits)
    fits: list[bool] = []
    for size, source in zip(sizes, sources, strict=True):
        fit = size <= left.get(source, size)
        if fit and source in left:
            left[source] -= size
        fits.append(fit)
    return fits


@dataclass(frozen=True)
class OutlineItemSize:
    """A brief of a piece: equal ones (`import numpy as np`, in two cells) are read once."""

    text: str
    rank: int
    tokens: int


@dataclass(frozen=True)
class ChosenPieces:
    """What stands before the cursor."""

    start: int
    """Where the window begins, in tokens from the start of the first piece."""
    briefs: tuple[tuple[int, int], ...] = ()
    """Those that stand at the top, as (piece, brief), in order."""
    left_out: int = 0
    """Tokens of briefs that did not fit."""


_SMALLEST_HEAD = 32


def choose(
    pieces: list[int], briefs: list[list[OutlineItemSize]], line: int, room: int, brief_room: int
) -> ChosenPieces:
    """Lay the window over what stands before the cursor, and choose the briefs of what is before it.

    Parameters
    ----------
    pieces, line, room
        As for `window`.
    briefs
        Of each piece but the last, which is the own cell.
    brief_room
        Most tokens of the briefs.
    """
    start = window(pieces, line, room)
    sizes = {brief.text: brief.tokens for group in briefs for brief in group}
    if start == 0 or not sizes or brief_room <= 0:
        return ChosenPieces(start)
    # In steps: a new import must not move the window.
    head = _SMALLEST_HEAD
    while head < sum(sizes.values()):
        head *= 2
    head = min(head, brief_room)
    start = window(pieces, line, room - head)
    before = [0, *itertools.accumulate(pieces)]
    wanted: dict[str, tuple[int, int]] = {}
    for i, group in enumerate(briefs):
        if before[i] < start:
            for j, brief in enumerate(group):
                wanted.setdefault(brief.text, (i, j))
    # The imports first, then what was defined last.
    order = sorted(wanted.values(), key=lambda at: (briefs[at[0]][at[1]].rank, -at[0], at[1]))
    kept: list[tuple[int, int]] = []
    left_out = 0
    for i, j in order:
        size = briefs[i][j].tokens
        if size <= head:
            head -= size
            kept.append((i, j))
        else:
            left_out += size
    return ChosenPieces(start, tuple(sorted(kept)), left_out)
