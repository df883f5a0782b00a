"""Reads prompts: what of them is in the cache already, and what is done with what a batch has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .batch_slice import BatchSlice
from .cache import Cache, Sequence, common_prefix
from .prompting import TokenizedPrompt
from .splice import FillLayout, SpliceLimits, attach, changed_tokens, detach, keepable, shorten
from .task import Splice, Task

if TYPE_CHECKING:
    from .engine import Engine


class Prefill:
    """Computes the prompts of tasks into their sequences."""

    def __init__(self, engine: Engine, cache: Cache, splice: SpliceLimits) -> None:
        self._engine = engine
        self._cache = cache
        self._splice = splice if engine.can_shift else SpliceLimits(enabled=False)

    def shared_tokens(self, sequence: Sequence, prompt: TokenizedPrompt) -> int:
        """How many tokens of a prompt a sequence has already."""
        common = common_prefix(sequence.tokens, prompt.tokens)
        if prompt.fill is None:
            return common
        return common + keepable(sequence, prompt.fill, self._splice)

    def begin(self, task: Task) -> None:
        """Keep the cells that the prompt shares with its sequence; the rest is to do.

        The last token is always computed: its logits are what is drawn from first.
        """
        sequence, tokens, fill = task.sequence, task.prompt.tokens, task.prompt.fill
        common = common_prefix(sequence.tokens, tokens[:-1])
        if fill is not None and common < fill.after_start:
            keep = keepable(sequence, fill, self._splice)
            if keep:
                self._plan_splice(task, fill, keep)
                return
        if sequence.suffix is not None and fill is not None and common > fill.after_start:
            task.drift = sequence.suffix.drift
        self._drop_suffix(sequence)
        self._cache.truncate(sequence, common)
        task.cached = len(sequence.tokens)
        task.todo = tokens[task.cached :]

    def _plan_splice(self, task: Task, fill: FillLayout, keep: int) -> None:
        sequence = task.sequence
        common = common_prefix(sequence.tokens, fill.before)
        changed = changed_tokens(sequence, fill)
        self._cache.truncate(sequence, common)
        if len(sequence.tokens) < common:  # This model cannot forget a part.
            self._drop_suffix(sequence)
            task.todo = list(task.prompt.tokens)
            return
        shorten(self._engine, sequence, keep)
        task.todo = [*fill.before[common:], *fill.suffix_mark]
        task.splice = Splice(changed, [*fill.after[keep:], *fill.middle_mark])
        task.cached = common + keep

    def _drop_suffix(self, sequence: Sequence) -> None:
        if sequence.suffix is not None:
            self._engine.remove(sequence.side)
            sequence.suffix = None

    def advance(self, batch_slice: BatchSlice) -> bool:
        """Note that a batch has read a part of a prompt; whether all of it is read."""
        task = batch_slice.task
        task.sequence.tokens += batch_slice.tokens
        del task.todo[: len(batch_slice.tokens)]
        if task.todo:
            return False
        if task.splice is not None:
            splice, task.splice = task.splice, None
            fill = task.prompt.fill
            assert fill is not None  # noqa: S101 - only such a prompt is spliced
            attach(self._engine, task.sequence, fill, splice.changed)
            assert task.sequence.suffix is not None  # noqa: S101 - it was attached
            task.drift = task.sequence.suffix.drift
            task.todo = splice.then
            return False
        if task.prompt.fill is not None and self._engine.can_take_back:
            detach(self._engine, task.sequence, task.prompt.fill, task.drift)
        return True

    def keep_after_abort(self, slices: list[BatchSlice]) -> None:
        """The cells that are there for good stay, the others are forgotten."""
        for batch_slice in slices:
            sequence = batch_slice.task.sequence
            length = len(sequence.tokens)
            if batch_slice.task.reading:
                reached = self._engine.length(sequence.main) - sequence.position(length)
                done = min(max(0, reached), len(batch_slice.tokens))
                # The logits of the last token of a prompt are needed: it is computed again.
                done = min(done, len(batch_slice.tokens) - 1)
                sequence.tokens += batch_slice.tokens[:done]
                del batch_slice.task.todo[:done]
            kept = self._engine.remove(sequence.main, sequence.position(len(sequence.tokens)))
            # What is left of one state after an abort is neither that before the batch nor that after it.
            if not kept or not self._engine.can_take_back:
                task, scope = batch_slice.task, sequence.scope
                self._cache.forget(sequence)
                sequence.scope = scope
                task.splice, task.pending = None, None
                task.todo = [*task.prompt.tokens, *task.answer]
