"""Fill in the middle: which tokens a model's family marks it with, and in which order.

The GGUF's own token ids come first; where it has none, the spellings that the families use are looked
up as control tokens. A model with neither cannot complete in the middle. Pure but for the lookup.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Protocol

from ..contract.fill_tokens import FILL_FAMILIES, ModelIdentity, Order, family_of, trained_to_fill
from .splice import FillLayout


class FillVocabulary(Protocol):
    """What this module asks of a model."""

    @property
    def identity(self) -> ModelIdentity:
        """What the model says of its origin."""

    @property
    def fill_tokens(self) -> tuple[int, int, int]:
        """Prefix, suffix and middle token; -1 where there is none."""

    def control_token(self, text: str) -> int:
        """Id of a control token by its spelling, or -1."""

    def token_text(self, token: int) -> str:
        """Spelling of a token in the vocabulary."""


@dataclass(frozen=True)
class FillTokens:
    """The marks of a family, as token ids.

    ``prefix-first``: PREFIX before SUFFIX after MIDDLE. ``suffix-first``: SUFFIX after PREFIX before MIDDLE.
    """

    prefix: int
    suffix: int
    middle: int = -1
    """-1: the family has none (Codestral)."""
    order: Order = "prefix-first"
    file: int = -1
    """Begins a prompt, before the name of the file (Mellum); -1: the family names no file."""

    def lay_out(self, before: list[int], after: list[int], begin: list[int] | None = None) -> FillLayout:
        """Lay out the prompt, from the tokens of the code before and after the cursor.

        Parameters
        ----------
        begin
            What stands before all of it: the token that begins a text, the name of the file.
        """
        begin, middle = begin or [], [self.middle] if self.middle >= 0 else []
        if self.order == "suffix-first":
            # Nothing stands after the cursor's end of the prompt: typing only ever adds to it.
            return FillLayout([*begin, self.suffix, *after, self.prefix, *before], [], [], middle)
        return FillLayout([*begin, self.prefix, *before], [self.suffix], after, middle)

    @property
    def marks(self) -> int:
        """How many tokens the marks around the code take."""
        return 2 + (self.middle >= 0)


def template_of(vocabulary: FillVocabulary) -> FillTokens | None:
    """The marks of this model, or None where it cannot fill in the middle."""
    model = vocabulary.identity
    if not trained_to_fill(model):
        return None
    prefix, suffix, middle = vocabulary.fill_tokens
    if min(prefix, suffix, middle) >= 0:
        # llama.cpp knows which tokens they are, and not in which order they come.
        texts = [vocabulary.token_text(token) for token in (prefix, suffix, middle)]
        spelled = (f for f in FILL_FAMILIES if f.may_be(model) and [*f.tokens] == texts[: len(f.tokens)])
        family = next(spelled, None)
        if family is None:
            return FillTokens(prefix, suffix, middle)
        middle = middle if family.middle else -1
    else:
        family = family_of(model, lambda text: vocabulary.control_token(text) >= 0)
        if family is None:
            return None
        prefix, suffix, middle = (
            vocabulary.control_token(text) if text else -1
            for text in (family.prefix, family.suffix, family.middle)
        )
    file = vocabulary.control_token(family.file) if family.file else -1
    return FillTokens(prefix, suffix, middle, family.order, file)


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
