"""Suffix splice: keep the code after the cursor in the cache while the code before it changes.

A fill-in-the-middle prompt is PREFIX before SUFFIX after MIDDLE. Each keystroke changes the end of
*before*, and with it the position of all that follows: computed anew, *after* would be paid again and
again. But its keys and values are still nearly right, so they are moved instead:

1. forget the main sequence from the first changed token on; what *after* still has in common with the
   code after the cursor stays, apart, in the side sequence;
2. compute the new end of *before* and the SUFFIX mark, which carries where the prefix ends, and must not
   be kept: with the old one the model goes on from the old cursor;
3. let the main sequence share the cells of the side sequence, behind a gap in the positions;
4. compute the MIDDLE mark.

The gap is what typing takes up: as long as there is room in it, *after* stays where it is. Moving it is
dear, since llama.cpp then rotates the keys of the whole cache: at 10,000 cells that takes as long as
writing three tokens. So it is moved once for many keystrokes, to leave `GAP` positions free.

Two sequences, because llama.cpp wants the positions of each to follow one another. The cells drift
from what a full computation would give with every change, so there is a limit to the changes; past it
*after* is computed anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from .cache import Cells, Sequence, Suffix, common_prefix

GAP = 16
"""Positions that are left free when *after* is moved: half a line.

The code after the cursor seems so much farther away to the model; at 48 it answered otherwise more often.
"""
WIDEST_GAP = 2 * GAP


@dataclass(frozen=True)
class FillLayout:
    """The parts of a fill-in-the-middle prompt, as token ids."""

    before: list[int]
    """With the marks that stand before it."""
    suffix_mark: list[int]
    after: list[int]
    middle_mark: list[int]

    @property
    def tokens(self) -> list[int]:
        """The whole prompt."""
        return [*self.before, *self.suffix_mark, *self.after, *self.middle_mark]

    @property
    def after_start(self) -> int:
        """Position of the first token after the cursor."""
        return len(self.before) + len(self.suffix_mark)


@dataclass(frozen=True)
class SpliceLimits:
    """When moving is no longer right."""

    enabled: bool = True
    changed_share: float = 0.25
    """Of the tokens before the cursor, at most this share may have changed since *after* was computed."""
    kept_share: float = 0.5
    """Of the tokens after the cursor, at least this share must be the same."""


def keepable(sequence: Sequence, layout: FillLayout, limits: SpliceLimits) -> int:
    """How many tokens after the cursor can be moved; 0 where all must be computed."""
    suffix = sequence.suffix
    if not limits.enabled or suffix is None or not layout.after:
        return 0
    if suffix.drift + changed_tokens(sequence, layout) > limits.changed_share * len(layout.before):
        return 0
    same = common_prefix(suffix.tokens, layout.after)
    return same if same >= max(1, limits.kept_share * len(layout.after)) else 0


def changed_tokens(sequence: Sequence, layout: FillLayout) -> int:
    """How many tokens before the cursor are not what they were when *after* was placed."""
    suffix = sequence.suffix
    assert suffix is not None  # noqa: S101 - asked only where there is one
    # What a request that was cancelled in step 2 has computed is new as well.
    same = min(common_prefix(sequence.tokens, layout.before), suffix.intact)
    placed = suffix.index - len(layout.suffix_mark)
    return max(len(layout.before), placed) - same


def shorten(engine: Cells, sequence: Sequence, keep: int) -> None:
    """Step 1: forget the cells of *after* that are not moved; no request has reserved any for them."""
    suffix = sequence.suffix
    assert suffix is not None  # noqa: S101 - `keepable` has said that there is one
    if keep < len(suffix.tokens):
        engine.remove(sequence.side, suffix.start + keep, -1)
        del suffix.tokens[keep:]


def attach(engine: Cells, sequence: Sequence, layout: FillLayout, changed: int) -> None:
    """Step 3: put the kept cells behind what was computed up to the SUFFIX mark."""
    suffix = sequence.suffix
    assert suffix is not None  # noqa: S101 - `keepable` has said that there is one
    assert len(sequence.tokens) == layout.after_start  # noqa: S101 - step 2 is done
    keep, start = len(suffix.tokens), suffix.start
    if not 0 <= start - layout.after_start <= WIDEST_GAP:
        start = layout.after_start + GAP
        engine.shift(sequence.side, suffix.start, suffix.start + keep, start - suffix.start)
    engine.copy(sequence.side, sequence.main, start, start + keep)
    sequence.gap, sequence.gap_at = start - layout.after_start, layout.after_start
    sequence.tokens += suffix.tokens
    sequence.suffix = Suffix(suffix.tokens, start, layout.after_start, suffix.drift + changed)


def detach(engine: Cells, sequence: Sequence, layout: FillLayout, drift: int) -> None:
    """After a computation: let the side sequence share the cells after the cursor, for the next splice."""
    end = layout.after_start + len(layout.after)
    engine.remove(sequence.side)
    sequence.suffix = None
    if layout.after and len(sequence.tokens) >= end:
        start = sequence.position(layout.after_start)
        engine.copy(sequence.main, sequence.side, start, sequence.position(end))
        sequence.suffix = Suffix(list(layout.after), start, layout.after_start, drift)
