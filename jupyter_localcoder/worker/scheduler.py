"""Continuous batching: one batch after the other, each with tokens of all requests that run.

A batch holds one token (and its draft) of each request that writes, and a chunk of the prompt of those
that read. Completions go first, then commands and chat, then background work, then warming ahead:

- while a completion is computed, nothing below the commands is, and no other prompt is read;
- while a command or a chat is, no background work is done: a title would slow each of its tokens;
- a completion is computed alone as long as a stream may stand still, since each token of another adds to the
  time of the batch;
- a prompt is read in chunks, short ones while somebody writes, so that no stream stands still for long;
- a request of higher rank ends the batch that only reads for lower ones; what was read stays.

This module decides when a request begins and ends; the parts of a batch are `batch_composer` (which tokens
it contains), `drafting`, `prefill` (prompts) and `decoder` (answers).

A request with a seed of its own (`fresh`) must give the same text each time. What shares a batch or the
cache with others rounds differently, so it starts in an empty cache and never shares a batch.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..contract.wire import Error, Finished, FromWorker
from ..errors import LocalCoderError, OutOfMemory, TokenLimitExceeded
from .batch_composer import BatchComposer, items_of
from .batch_slice import BatchSlice
from .cache import Cache
from .costs import StepCosts
from .decoder import Decoder
from .draft import Drafter
from .drafting import Drafting
from .model import Aborted, ModelFacts
from .prefill import Prefill
from .prompting import Prompter
from .splice import SpliceLimits
from .task import CancelableRequest, Task
from .threads import ThreadPolicy

if TYPE_CHECKING:
    from .engine import Engine


class Scheduler:
    """Runs all requests of one loaded model."""

    def __init__(
        self,
        engine: Engine,
        facts: ModelFacts,
        prompter: Prompter,
        emit: Callable[[FromWorker], None],
        costs: StepCosts,
        splice: SpliceLimits,
        *,
        adapt_threads: bool = False,
        drafter: Drafter | None = None,
    ) -> None:
        self.cache = Cache(engine, facts.n_cells)
        self.costs = costs
        self.steps = 0
        """Grows with every batch: who watches sees that it moves."""
        self.reading_rank: int | None = None
        """Lowest rank that reads in the batch under way; None where somebody writes or nobody reads."""
        self.reading_ids: frozenset[int] = frozenset()
        """Requests that read in the batch under way."""
        self.batch_jobs: tuple[CancelableRequest, ...] = ()
        """All requests of the batch under way."""
        self._engine = engine
        self._facts = facts
        self._prompter = prompter
        self._emit = emit
        self._waiting: list[tuple[int, int, CancelableRequest]] = []
        self._order = itertools.count()
        self._tasks: list[Task] = []
        self._quiet = StepCosts(costs.table)
        """What batches take when nobody else computes."""
        self._threads = ThreadPolicy(engine.threads, engine.use_threads) if adapt_threads else None
        self._drafting = Drafting(engine, costs, drafter)
        self._composer = BatchComposer(engine, costs, self._drafting, self._note_draft)
        self._prefill = Prefill(engine, self.cache, splice)
        self._decoder = Decoder(engine, self._drafting)

    @property
    def drafts(self) -> bool:
        """Whether a small model drafts."""
        return self._drafting.drafter is not None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._tasks and not self._waiting

    @property
    def running(self) -> int:
        """Requests that are computed."""
        return len(self._tasks)

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return len(self._waiting)

    def submit(self, job: CancelableRequest) -> None:
        """Take a request in; it is begun by one of the next steps."""
        heapq.heappush(self._waiting, (job.rank, next(self._order), job))

    def step(self) -> None:
        """Compute one batch, and send what came out of it."""
        # Before the marks of the cancelled are looked at: an abort that comes later is for this batch.
        self._engine.arm()
        self._end_canceled()
        self._admit()
        slices = self._composer.compose(self._tasks)
        if not slices:
            return
        writes = any(not batch_slice.task.reading for batch_slice in slices)
        self.reading_ids = frozenset(s.task.job.request.id for s in slices if s.task.reading)
        self.reading_rank = None if writes else min(batch_slice.task.rank for batch_slice in slices)
        self.batch_jobs = tuple(batch_slice.task.job for batch_slice in slices)
        start = time.monotonic()
        try:
            self._engine.decode(items_of(slices))
            seconds = time.monotonic() - start
            if self._drafting.can_use_model(slices[0].task, self._tasks):
                self._drafting.follow(slices[0])
        except Aborted:
            self._prefill.keep_after_abort(slices)
            return
        except LocalCoderError as failure:
            self._fail(slices, failure)
            return
        finally:
            self.reading_ids, self.reading_rank, self.batch_jobs = frozenset(), None, ()
            self.steps += 1
        count = sum(batch_slice.count for batch_slice in slices)
        if any(batch_slice.task.rank == 1 for batch_slice in slices):
            self._composer.command_wrote_at = start + seconds
        self.costs.observe(count, seconds)
        if self._threads is not None:
            self._threads.observe(seconds / self._quiet.seconds(count))
        for batch_slice in slices:
            self._advance(batch_slice, count)

    # Beginning

    def _admit(self) -> None:
        """Begin what fits beside what runs, in the order of rank and arrival."""
        kept: list[tuple[int, int, CancelableRequest]] = []
        while self._waiting:
            entry = heapq.heappop(self._waiting)
            job = entry[2]
            try:
                if job.ended:
                    self._emit(_never_begun(job))
                elif not self._begin(job):
                    kept.append(entry)
                    # Nobody overtakes within a rank, or a large request would wait for ever.
                    kept += [other for other in self._waiting if other[0] == entry[0]]
                    self._waiting = [other for other in self._waiting if other[0] != entry[0]]
                    heapq.heapify(self._waiting)
            except LocalCoderError as failure:
                self._emit(_error(job, failure))
        for entry in kept:
            heapq.heappush(self._waiting, entry)

    def _begin(self, job: CancelableRequest) -> bool:
        request = job.request
        exclusive = any(task.exclusive for task in self._tasks)
        if (request.fresh and self._tasks) or (exclusive and job.rank > 0):
            return False
        prompt = job.prompt = job.prompt or self._prompter.build(request.prompt)
        if len(prompt.tokens) >= self._facts.n_ctx:
            raise TokenLimitExceeded(
                f"The prompt has {len(prompt.tokens)} tokens; the context window has {self._facts.n_ctx}, "
                "including the answer.",
                prompt_tokens=len(prompt.tokens),
                context_window=self._facts.n_ctx,
            )
        limit = min(request.max_tokens, self._facts.n_ctx - len(prompt.tokens))
        need = len(prompt.tokens) + limit
        if not self.cache.fits(need):
            return False
        if request.fresh:
            self.cache.forget_idle()
        sequence = self.cache.claim(
            request.scope, prompt.tokens, need, lambda s: self._prefill.shared_tokens(s, prompt)
        )
        task = Task(job, prompt, sequence, self._engine, self._emit, limit)
        if request.lookup and not request.fresh and limit > 1 and self._engine.can_take_back:
            lookup, policy = self._drafting.sources(job, prompt)
            policy.begin()
            task.draft(lookup, policy)
        self._prefill.begin(task)
        self._tasks.append(task)
        self._tasks.sort(key=lambda t: t.rank)
        return True

    def _advance(self, batch_slice: BatchSlice, batch_tokens: int) -> None:
        """Take what a batch has computed for a task."""
        task = batch_slice.task
        if not task.reading:
            task.sequence.tokens += batch_slice.tokens
        elif not self._prefill.advance(batch_slice):
            return
        elif task.limit == 0:
            task.finish = "stop"
            self._end(task)
            return
        if not self._decoder.write(batch_slice, batch_tokens):
            self._end(task)

    def _note_draft(self, job: CancelableRequest) -> None:
        self.batch_jobs = (job,)

    def _fail(self, slices: list[BatchSlice], failure: LocalCoderError) -> None:
        """A batch that cannot be computed: without room the lowest goes, else all that were in it."""
        for batch_slice in slices:
            sequence = batch_slice.task.sequence
            self._engine.remove(sequence.main, sequence.position(len(sequence.tokens)))
        failed = slices[-1:] if isinstance(failure, OutOfMemory) and len(slices) > 1 else slices
        for batch_slice in failed:
            self._tasks.remove(batch_slice.task)
            batch_slice.task.close()
            self.cache.forget(batch_slice.task.sequence)
            self.cache.release(batch_slice.task.sequence)
            self._emit(_error(batch_slice.task.job, failure))

    # Ending

    def _end_canceled(self) -> None:
        for task in [task for task in self._tasks if task.job.ended]:
            self._end(task)

    def _end(self, task: Task) -> None:
        self._tasks.remove(task)
        finished = task.close()
        if task.pending is not None:
            self._engine.remove(task.sequence.side)
        self.cache.release(task.sequence)
        self._drafting.remember(task)
        self._emit(finished)


def _error(job: CancelableRequest, failure: LocalCoderError) -> Error:
    return Error(
        id=job.request.id,
        code=failure.code,
        message=failure.message,
        recovery=failure.recovery,
        details=dict(failure.details),
    )


def _never_begun(job: CancelableRequest) -> Finished:
    return Finished(
        id=job.request.id,
        finish="timeout" if job.ended == "timeout" else "canceled",
        prompt_tokens=0,
        cached_tokens=0,
        left_out_tokens=0,
        completion_tokens=0,
        queue_ms=(time.monotonic() - job.arrived) * 1000,
        prefill_ms=0.0,
        decode_ms=0.0,
        prompt_sha256="",
    )
