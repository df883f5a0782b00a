"""Which sequence holds which tokens: the account book of the KV cache.

A *sequence* is what one scope (a notebook's completion, a conversation) has computed. It owns two of
llama.cpp's sequence ids: the main one, whose cells are ``tokens``, and a side one, which holds the cells
of the code after the cursor apart, so that they can be moved (see `splice`). A request that shares a
beginning with any other sequence takes those cells over, at no cost.

What the book says and what the cache holds are changed together, here and nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from .model import SEQUENCES

SLOTS = SEQUENCES // 2
WORTH_COPYING_TOKENS = 16
"""A common beginning of another sequence must be so much longer than one's own to be taken over."""


class Cells(Protocol):
    """What this module asks of the engine; see `Engine`."""

    def remove(self, sequence: int, start: int = 0, end: int = -1) -> bool: ...  # noqa: D102
    def copy(self, source: int, target: int, start: int, end: int) -> None: ...  # noqa: D102
    def shift(self, sequence: int, start: int, end: int, by: int) -> None: ...  # noqa: D102
    def clear(self) -> None: ...  # noqa: D102
    @property
    def can_take_back(self) -> bool: ...  # noqa: D102


@dataclass
class Suffix:
    """Cells of the code after the cursor, in the side sequence."""

    tokens: list[int]
    start: int
    """Position of the first."""
    index: int
    """Tokens of the sequence before it."""
    drift: int = 0
    """Tokens before it that had changed when it was placed, since it was computed."""
    intact: int = sys.maxsize
    """Tokens of the sequence that were never cut off since it was placed."""

    @property
    def apart(self) -> bool:
        """Whether the main sequence no longer shares its cells, or not all of them.

        The length of the sequence does not say so: it grows again while a new beginning is computed.
        """
        return self.intact < self.index + len(self.tokens)


@dataclass
class Sequence:
    """What one scope has computed."""

    slot: int
    scope: str = ""
    tokens: list[int] = field(default_factory=list)
    """Ids whose cells are valid, from position 0 on."""
    suffix: Suffix | None = None
    gap: int = 0
    """Positions that are left free before token `gap_at`; see `splice`."""
    gap_at: int = 0
    used: int = 0
    """When it was used last, by the book's own clock."""
    busy: bool = False
    reserved: int = 0
    """Cells that the request which uses it may take."""

    @property
    def main(self) -> int:
        """llama.cpp's id of the sequence itself."""
        return 2 * self.slot

    @property
    def side(self) -> int:
        """llama.cpp's id of the sequence that keeps the suffix."""
        return 2 * self.slot + 1

    def position(self, index: int) -> int:
        """Position of the token of this index."""
        return index + self.gap if index >= self.gap_at else index

    @property
    def shareable(self) -> int:
        """Tokens that another sequence may share: the cells of a suffix move, and must stay its own."""
        own = [self.suffix.index] if self.suffix is not None else []
        return min([len(self.tokens), *own, *([self.gap_at] if self.gap else [])])

    @property
    def cells(self) -> int:
        """Cells that it takes at most; shared ones are counted for each who shares them."""
        suffix = self.suffix
        return len(self.tokens) + (len(suffix.tokens) if suffix is not None and suffix.apart else 0)


class Cache:
    """All sequences of one context.

    Parameters
    ----------
    n_cells
        Cells of the cache.
    """

    def __init__(self, engine: Cells, n_cells: int, slots: int = SLOTS) -> None:
        self._engine = engine
        self._n_cells = n_cells
        self._sequences = [Sequence(slot) for slot in range(slots)]
        self._clock = 0

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self._sequences)

    @property
    def reserved(self) -> int:
        """Cells that running requests hold."""
        return sum(max(s.reserved, s.cells) for s in self._sequences if s.busy)

    @property
    def free_slots(self) -> int:
        """How many sequences nobody is using."""
        return sum(not sequence.busy for sequence in self._sequences)

    def holds(self, count: int) -> bool:
        """Whether so many more cells are free."""
        return sum(sequence.cells for sequence in self._sequences) + count <= self._n_cells

    def claim(self, scope: str, tokens: list[int], need: int, match: Callable[[Sequence], int]) -> Sequence:
        """Take a sequence for a request, with the longest common beginning that there is.

        Parameters
        ----------
        tokens
            The whole prompt.
        need
            Cells that the request may take, answer included.
        match
            Tokens of a sequence that the request can keep where it is; decides whether its own scope's
            sequence is as good as a copy of another one.
        """
        own = self._idle_of(scope)
        best, common = self._best_source(tokens)
        if own is None or (best is not own and common > match(own) + WORTH_COPYING_TOKENS):
            own = self._copied_prefix(own, best, common)
        own.scope, own.busy = scope, True
        self.touch(own)
        own.reserved = need
        self._make_room(need, keep=own)
        return own

    def release(self, sequence: Sequence) -> None:
        """Give a sequence back; what it has computed stays for the next request of its scope."""
        sequence.busy, sequence.reserved = False, 0
        self.touch(sequence)

    def touch(self, sequence: Sequence) -> None:
        """Let a sequence be the one that was used last."""
        self._clock += 1
        sequence.used = self._clock

    def truncate(self, sequence: Sequence, length: int) -> None:
        """Forget the tokens of a sequence from ``length`` on; its suffix stays apart."""
        if length < len(sequence.tokens) or length == 0:
            if not self._engine.remove(sequence.main, sequence.position(length)):
                length = 0
            del sequence.tokens[length:]
            if sequence.suffix is not None:
                sequence.suffix.intact = min(sequence.suffix.intact, length)
            if length <= sequence.gap_at:
                sequence.gap = 0

    def forget(self, sequence: Sequence) -> None:
        """Empty a sequence."""
        self._engine.remove(sequence.main)
        self._engine.remove(sequence.side)
        sequence.tokens, sequence.suffix, sequence.scope, sequence.gap = [], None, "", 0

    def forget_idle(self) -> None:
        """Empty all that nobody is using; with nobody there, the cache is as new."""
        for sequence in self._sequences:
            if not sequence.busy:
                self.forget(sequence)
        if all(not sequence.tokens for sequence in self._sequences):
            self._engine.clear()

    def fits(self, need: int) -> bool:
        """Whether a request of so many cells can be taken in beside those that run."""
        return self.free_slots > 0 and self.reserved + need <= self._n_cells

    # Choosing

    def _idle_of(self, scope: str) -> Sequence | None:
        found = (s for s in self._sequences if s.scope == scope and not s.busy and s.tokens)
        return max(found, key=lambda s: s.used, default=None)

    def _best_source(self, tokens: list[int]) -> tuple[Sequence | None, int]:
        lengths = [(self._shared(s, tokens), s.used, s) for s in self._sequences if s.tokens]
        common, _, best = max(lengths, key=lambda entry: entry[:2], default=(0, 0, None))
        return best, common

    def _shared(self, sequence: Sequence, tokens: list[int]) -> int:
        """Tokens of a sequence that a prompt can take over."""
        common = min(common_prefix(sequence.tokens, tokens), sequence.shareable)
        # A recurrent layer has one state, which is that after the last token: all of it, or nothing.
        return common if self._engine.can_take_back or common == len(sequence.tokens) else 0

    def _copied_prefix(self, own: Sequence | None, source: Sequence | None, common: int) -> Sequence:
        """An empty sequence (one's own, or the least recently used) with the common cells of another."""
        target = own
        if target is None:
            idle = [s for s in self._sequences if not s.busy and s is not source]
            empty = [s for s in idle if not s.tokens]
            target = empty[0] if empty else min(idle, key=lambda s: s.used, default=source)
        assert target is not None  # noqa: S101 - `fits` has said that a slot is free
        if source is None or target is source:
            return target
        self.forget(target)
        if common > 0:
            self._engine.copy(source.main, target.main, 0, common)
            target.tokens = source.tokens[:common]
        return target

    def _make_room(self, need: int, keep: Sequence) -> None:
        """Empty the least recently used sequences until so many cells are free."""
        idle = sorted((s for s in self._sequences if not s.busy and s.tokens), key=lambda s: s.used)
        used = sum(max(s.reserved, s.cells) for s in self._sequences if s is not keep)
        for sequence in idle:
            if used + need <= self._n_cells:
                return
            if sequence is not keep:
                used -= sequence.cells
                self.forget(sequence)


def common_prefix(a: list[int], b: list[int]) -> int:
    """Length of the longest beginning that both lists share."""
    limit = min(len(a), len(b))
    if a[:limit] == b[:limit]:
        return limit
    return next(i for i in range(limit) if a[i] != b[i])
