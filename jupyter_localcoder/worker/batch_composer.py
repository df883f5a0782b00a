"""Which tokens of which tasks the next batch contains; see the rules in `scheduler`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .batch_slice import BatchSlice
from .costs import StepCosts
from .drafting import Drafting
from .model import Item
from .task import CancelableRequest, Task

if TYPE_CHECKING:
    from .engine import Engine

GAP_SECONDS = 0.2
"""A batch with somebody who writes in it may take so long."""
CHUNK = (512, 256, 128, 128)
"""Tokens read at once where nobody writes, by rank: what is lost when a higher rank comes."""
STILL_SECONDS = 0.3
"""So long may a stream stand still while a completion is computed alone."""


class BatchComposer:
    """Composes batches.

    Parameters
    ----------
    on_draft
        Called with the request for which the small model is about to draft: a cancel ends the draft, and the
        batch after it.
    """

    def __init__(
        self,
        engine: Engine,
        costs: StepCosts,
        drafting: Drafting,
        on_draft: Callable[[CancelableRequest], None],
    ) -> None:
        self._engine = engine
        self._costs = costs
        self._drafting = drafting
        self._on_draft = on_draft
        self.command_wrote_at = float("-inf")
        """When a command or a chat wrote last, in monotonic seconds."""

    def compose(self, tasks: Sequence[Task]) -> list[BatchSlice]:
        """Make the slices of the next batch; none: there is nothing to compute.

        Parameters
        ----------
        tasks
            All tasks, by rank.
        """
        chosen = self._choose(tasks)
        writers = [task for task in chosen if not task.reading]
        slices: list[BatchSlice] = []
        count = 0
        for task in writers:
            batch_slice = self._writer_slice(task, count, tasks)
            slices.append(batch_slice)
            count += batch_slice.count
        room = self._reading_room(chosen, writers, count)
        for task in chosen:
            if task.reading and room > 0:
                batch_slice = self._reader_slice(task, count, room)
                slices.append(batch_slice)
                count += batch_slice.count
                room -= batch_slice.count
        return slices

    def _choose(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks of the next batch; see the rules in `scheduler`."""
        if not tasks:
            return []
        completions = [task for task in tasks if task.rank == 0]
        if not completions:
            if any(task.exclusive for task in tasks):
                return list(tasks[:1])
            return [task for task in tasks if task.rank == tasks[0].rank]
        commands = [t for t in tasks if t.rank == 1 and not t.reading and not t.exclusive]
        count = sum(max(1, len(task.todo)) for task in completions)
        # Before the stream's next token there is also the batch that computes it.
        still = time.monotonic() - self.command_wrote_at
        still += self._costs.seconds(count) + self._costs.seconds(1 + count)
        return completions if still <= STILL_SECONDS else completions + commands

    def _writer_slice(self, task: Task, first: int, tasks: Sequence[Task]) -> BatchSlice:
        room = self._engine.batch_size - first - 1
        batch_slice = BatchSlice(task, first, [task.next_token])
        self._drafting.add_lookup(batch_slice, room)
        drafted = batch_slice.draft or first > 0 or task.without_draft
        if not drafted and self._drafting.can_use_model(task, tasks):
            self._on_draft(task.job)
            self._drafting.add_from_model(batch_slice, room)
        return batch_slice

    def _reader_slice(self, task: Task, first: int, room: int) -> BatchSlice:
        chunk = task.todo[:room]
        batch_slice = BatchSlice(task, first, chunk)
        if len(chunk) == len(task.todo) and task.splice is None and task.limit > 0:
            # The draft can be verified in the batch that reads the end of the prompt.
            self._drafting.add_lookup(batch_slice, room - len(chunk))
        return batch_slice

    def _reading_room(self, tasks: Sequence[Task], writers: list[Task], count: int) -> int:
        readers = [task for task in tasks if task.reading]
        if not readers:
            return 0
        most = min(CHUNK[readers[0].rank], self._engine.batch_size - count)
        if writers:
            most = min(most, max(4, self._costs.largest_within(GAP_SECONDS) - count))
        return max(1, most)


def items_of(slices: Sequence[BatchSlice]) -> list[Item]:
    """The items of a batch, in the order of its slices."""
    items: list[Item] = []
    for batch_slice in slices:
        task, sequence = batch_slice.task, batch_slice.task.sequence
        position = sequence.position(len(sequence.tokens))
        last_of_prompt = task.reading and task.splice is None and len(batch_slice.tokens) == len(task.todo)
        wanted = not task.reading or last_of_prompt
        for i, token in enumerate([*batch_slice.tokens, *batch_slice.draft]):
            output = wanted and i >= len(batch_slice.tokens) - 1
            items.append(Item(token, position + i, sequence.main, output))
    return items
