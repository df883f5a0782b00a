"""Continuous batching: one batch after the other, each with tokens of all requests that run.

A batch holds one token (and its draft) of each request that writes, and a chunk of the prompt of those
that read. Completions go first, then commands and chat, then background work, then warming ahead:

- while a completion is computed, nothing below the commands is, and no other prompt is read;
- while a command or a chat is, no background work is done: a title would slow each of its tokens;
- a completion is computed alone as long as a stream may stand still, since each token of another adds to the
  time of the batch;
- a prompt is read in chunks, short ones while somebody writes, so that no stream stands still for long;
- a request of higher rank ends the batch that only reads for lower ones; what was read stays.

A request with a seed of its own (`fresh`) must give the same text each time. What shares a batch or the
cache with others rounds differently, so it starts in an empty cache and never shares a batch.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..contract.wire import Error, FillPrompt, Finished, FromWorker
from ..errors import LocalCoderError, OutOfMemory, TokenLimitExceeded
from .cache import SLOTS, Cache, Sequence, common_prefix
from .costs import StepCosts
from .draft import Drafter
from .lookup import BREAK, CONTINUED, DraftPolicy, PreviousCompletion, PromptLookup
from .model import Aborted, Item, ModelFacts
from .prompting import Prompter, TokenizedPrompt
from .splice import FillLayout, SpliceLimits, attach, changed_tokens, detach, keepable, shorten
from .task import CancelableRequest, PendingDraft, Splice, Task
from .threads import ThreadPolicy

if TYPE_CHECKING:
    from .engine import Engine

GAP_SECONDS = 0.2
"""A batch with somebody who writes in it may take so long."""
CHUNK = (512, 256, 128, 128)
"""Tokens read at once where nobody writes, by rank: what is lost when a higher rank comes."""
CLOSE_CALL = 0.5
"""A greedy token that leads by less, in logits, is not taken from a batch that verifies a draft.

A batch of eight tokens moved leads of a 1.5B model by 0.07 at the median and by 0.25 at p95."""
STILL_SECONDS = 0.3
"""So long may a stream stand still while a completion is computed alone."""


@dataclass
class BatchSlice:
    """The part of a batch that belongs to one task."""

    task: Task
    first: int
    """Index of its first item."""
    tokens: list[int]
    draft: list[int] = field(default_factory=list)
    match: int = 0
    policy: DraftPolicy | None = None
    """Who has drafted, and learns from it."""
    draft_seconds: float = 0.0

    @property
    def count(self) -> int:
        """Items of the batch."""
        return len(self.tokens) + len(self.draft)


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
        self._splice = splice if engine.can_shift else SpliceLimits(enabled=False)
        self._waiting: list[tuple[int, int, CancelableRequest]] = []
        self._order = itertools.count()
        self._tasks: list[Task] = []
        self._drafter = drafter
        self._policy = DraftPolicy(costs)
        # Completions are short and seldom copies; and what is left of the one before is another matter.
        self._fill_policy = DraftPolicy(costs, chances=[0.2, 0.3, 0.5, 0.7, 0.8, 0.9])
        self._continued = DraftPolicy(costs, shy=False)
        self._quiet = StepCosts(costs.table)
        """What batches take when nobody else computes."""
        self._threads = ThreadPolicy(engine.threads, engine.use_threads) if adapt_threads else None
        self._last_count = 0
        """Tokens of the last batch."""
        self._moved = float("-inf")
        """When a command or a chat wrote last."""
        self._former: dict[str, PreviousCompletion] = {}
        """The last completion of each scope."""

    @property
    def drafts(self) -> bool:
        """Whether a small model drafts."""
        return self._drafter is not None

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
        shares = self._compose()
        if not shares:
            return
        writes = any(not share.task.reading for share in shares)
        self.reading_ids = frozenset(s.task.job.request.id for s in shares if s.task.reading)
        self.reading_rank = None if writes else min(share.task.rank for share in shares)
        self.batch_jobs = tuple(share.task.job for share in shares)
        start = time.monotonic()
        try:
            self._engine.decode(self._items(shares))
            seconds = time.monotonic() - start
            self._follow(shares)
        except Aborted:
            self._keep_what_was_read(shares)
            return
        except LocalCoderError as failure:
            self._fail(shares, failure)
            return
        finally:
            self.reading_ids, self.reading_rank, self.batch_jobs = frozenset(), None, ()
            self.steps += 1
        self._last_count = sum(share.count for share in shares)
        if any(share.task.rank == 1 for share in shares):
            self._moved = start + seconds
        self.costs.observe(self._last_count, seconds)
        if self._threads is not None:
            self._threads.observe(seconds / self._quiet.seconds(self._last_count))
        for share in shares:
            if share.task.reading:
                self._read(share)
            else:
                share.task.sequence.tokens += share.tokens
                self._write(share)

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
        sequence = self.cache.claim(request.scope, prompt.tokens, need, lambda s: self._match(s, prompt))
        task = Task(job, prompt, sequence, self._engine, self._emit, limit)
        if request.lookup and not request.fresh and limit > 1 and self._engine.can_take_back:
            lookup, policy = self._drafting(job, prompt)
            policy.begin()
            task.draft(lookup, policy)
        self._reuse(task)
        self._tasks.append(task)
        self._tasks.sort(key=lambda t: t.rank)
        return True

    def _drafting(self, job: CancelableRequest, prompt: TokenizedPrompt) -> tuple[PromptLookup, DraftPolicy]:
        """What a request drafts from: its prompt; and a completion also from the one before it."""
        fill, scope = job.request.prompt, job.request.scope
        if not isinstance(fill, FillPrompt):
            return PromptLookup(prompt.tokens), self._policy
        former = self._former.get(scope)
        if former is None:
            return PromptLookup(prompt.tokens), self._fill_policy
        rest = former.rest(fill.prefix)
        guess = self._engine.tokenize(rest) if rest else []
        if guess and self._engine.is_end(former.tokens[-1]):
            guess.append(former.tokens[-1])
        return PromptLookup([*former.tokens, BREAK, *prompt.tokens], guess), self._fill_policy

    def _match(self, sequence: Sequence, prompt: TokenizedPrompt) -> int:
        common = common_prefix(sequence.tokens, prompt.tokens)
        if prompt.fill is None:
            return common
        return common + keepable(sequence, prompt.fill, self._splice)

    def _reuse(self, task: Task) -> None:
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
        self.cache.truncate(sequence, common)
        task.cached = len(sequence.tokens)
        task.todo = tokens[task.cached :]

    def _plan_splice(self, task: Task, fill: FillLayout, keep: int) -> None:
        sequence = task.sequence
        common = common_prefix(sequence.tokens, fill.before)
        changed = changed_tokens(sequence, fill)
        self.cache.truncate(sequence, common)
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

    # A batch

    def _compose(self) -> list[BatchSlice]:
        tasks = self._chosen()
        writers = [task for task in tasks if not task.reading]
        shares: list[BatchSlice] = []
        count = 0
        for task in writers:
            share = self._writer_share(task, count)
            shares.append(share)
            count += share.count
        room = self._reading_room(tasks, writers, count)
        for task in tasks:
            if task.reading and room > 0:
                share = self._reader_share(task, count, room)
                shares.append(share)
                count += share.count
                room -= share.count
        return shares

    def _chosen(self) -> list[Task]:
        """The tasks of the next batch; see the rules at the top."""
        if not self._tasks:
            return []
        completions = [task for task in self._tasks if task.rank == 0]
        if not completions:
            if any(task.exclusive for task in self._tasks):
                return self._tasks[:1]
            return [task for task in self._tasks if task.rank == self._tasks[0].rank]
        commands = [t for t in self._tasks if t.rank == 1 and not t.reading and not t.exclusive]
        count = sum(max(1, len(task.todo)) for task in completions)
        # Before the stream's next token there is also the batch that computes it.
        still = time.monotonic() - self._moved + self.costs.seconds(count) + self.costs.seconds(1 + count)
        return completions if still <= STILL_SECONDS else completions + commands

    def _writer_share(self, task: Task, first: int) -> BatchSlice:
        room = self._engine.batch_size - first - 1
        share = BatchSlice(task, first, [task.next_token])
        self._draft(share, room)
        if not share.draft and first == 0:
            self._write_ahead(share, room)
        return share

    def _write_ahead(self, share: BatchSlice, room: int) -> None:
        """Let the small model draft, for a command or a chat that is alone."""
        drafter, task = self._drafter, share.task
        if drafter is None or not self._engine.can_take_back or task.without_draft or not self._alone(task):
            return
        most = min(drafter.policy.size(CONTINUED), task.limit - task.written - 1, room)
        if most <= 0:
            return
        # A cancel meanwhile ends the draft, and the batch after it.
        self.batch_jobs = (task.job,)
        start = time.monotonic()
        with contextlib.suppress(Aborted):
            share.draft = drafter.guess([*task.sequence.tokens, task.next_token], most)
            share.match, share.policy = CONTINUED, drafter.policy
        share.draft_seconds = time.monotonic() - start
        if share.draft:
            drafter.policy.draft_seconds += 0.1 * (
                share.draft_seconds / len(share.draft) - drafter.policy.draft_seconds
            )

    def _alone(self, task: Task) -> bool:
        """Whether the small model may work for it."""
        others = any(other is not task and other.rank <= task.rank for other in self._tasks)
        return not others and task.rank == 1 and not task.exclusive

    def _follow(self, shares: list[BatchSlice]) -> None:
        """Let the small model read what the large one has read, so that it can draft the answer."""
        task = shares[0].task
        if self._drafter is None or not self._alone(task):
            return
        if task.reading and self._drafter.policy.pause == 0:
            with contextlib.suppress(Aborted):  # what the large one has read stays
                self._drafter.follow([*task.sequence.tokens, *shares[0].tokens])

    def _reader_share(self, task: Task, first: int, room: int) -> BatchSlice:
        chunk = task.todo[:room]
        share = BatchSlice(task, first, chunk)
        if len(chunk) == len(task.todo) and task.splice is None and task.limit > 0:
            # The draft can be verified in the batch that reads the end of the prompt.
            self._draft(share, room - len(chunk))
        return share

    def _draft(self, share: BatchSlice, room: int) -> None:
        """Add what may follow, as long as it pays beside the tokens of the share."""
        task = share.task
        if task.lookup is None or task.policy is None or task.without_draft:
            return
        _, match = task.lookup.find(1)
        policy = self._continued if match == CONTINUED else task.policy
        most = min(policy.size(match, len(share.tokens)), task.limit - task.written - 1, room)
        if most > 0:
            share.draft, share.match = task.lookup.find(most)
            share.policy = policy

    def _reading_room(self, tasks: list[Task], writers: list[Task], count: int) -> int:
        readers = [task for task in tasks if task.reading]
        if not readers:
            return 0
        most = min(CHUNK[readers[0].rank], self._engine.batch_size - count)
        if writers:
            most = min(most, max(4, self.costs.largest_within(GAP_SECONDS) - count))
        return max(1, most)

    def _items(self, shares: list[BatchSlice]) -> list[Item]:
        items: list[Item] = []
        for share in shares:
            task, sequence = share.task, share.task.sequence
            position = sequence.position(len(sequence.tokens))
            last_of_prompt = task.reading and task.splice is None and len(share.tokens) == len(task.todo)
            wanted = not task.reading or last_of_prompt
            for i, token in enumerate([*share.tokens, *share.draft]):
                output = wanted and i >= len(share.tokens) - 1
                items.append(Item(token, position + i, sequence.main, output))
        return items

    # What came out of it

    def _read(self, share: BatchSlice) -> None:
        task = share.task
        task.sequence.tokens += share.tokens
        del task.todo[: len(share.tokens)]
        if task.todo:
            return
        if task.splice is not None:
            splice, task.splice = task.splice, None
            fill = task.prompt.fill
            assert fill is not None  # noqa: S101 - only such a prompt is spliced
            attach(self._engine, task.sequence, fill, splice.changed)
            assert task.sequence.suffix is not None  # noqa: S101 - it was attached
            task.drift = task.sequence.suffix.drift
            task.todo = splice.then
            return
        if task.prompt.fill is not None and self._engine.can_take_back:
            detach(self._engine, task.sequence, task.prompt.fill, task.drift)
        if task.limit == 0:
            task.finish = "stop"
            self._end(task)
        else:
            self._write(share)

    def _write(self, share: BatchSlice) -> None:
        """Draw what follows the share's tokens, and what follows its draft as far as the two agree."""
        task, sequence = share.task, share.task.sequence
        task.without_draft = False
        pending, task.pending = task.pending, None
        draft = pending.draft if pending is not None else share.draft
        last = share.first + len(share.tokens) - 1
        accepted = 0
        goes_on = True
        while not (close := self._is_close_call(share, pending, last, accepted)):
            drafted_ahead = pending is not None and accepted > 0
            token = (
                pending.likeliest[accepted - 1][0]
                if pending and drafted_ahead
                else task.draw(last + accepted)
            )
            goes_on = task.take(token)
            if not goes_on or draft[accepted : accepted + 1] != [token]:
                break
            accepted += 1
        if pending is not None:
            start = sequence.position(len(sequence.tokens))
            self._engine.copy(sequence.side, sequence.main, start, start + accepted)
        sequence.tokens += draft[:accepted]
        if close:
            self._put_aside(share, pending, accepted)
            self._compute_last_again(task)
        if task.pending is None and pending is not None:
            self._engine.remove(sequence.side)
        if draft:
            self._engine.remove(sequence.main, sequence.position(len(sequence.tokens)))
        if task.pending is None and goes_on:
            self._learn(share, pending, accepted, close)
        if not goes_on:
            self._end(task)

    def _put_aside(self, share: BatchSlice, pending: PendingDraft | None, accepted: int) -> None:
        """At a close call: keep what the batch says of the draft after it, to go on from there."""
        task, sequence = share.task, share.task.sequence
        if pending is not None:
            rest, likeliest = pending.draft[accepted:], pending.likeliest[accepted:]
        elif task.drafted_ahead:
            first = share.first + len(share.tokens) + accepted
            rest = share.draft[accepted:]
            likeliest = [self._engine.likeliest(first + i) for i in range(len(rest))]
        else:
            return
        if not rest:
            return
        start = sequence.position(len(sequence.tokens))
        if pending is not None:
            self._engine.remove(sequence.side, 0, start)
        else:
            self._engine.copy(sequence.main, sequence.side, start, start + len(rest))
        task.pending = PendingDraft(
            draft=rest,
            likeliest=likeliest,
            accepted=accepted + (pending.accepted if pending is not None else 0),
            count=1 + (pending.count if pending is not None else 0),
            learn=pending.learn if pending is not None else self._lesson(share),
        )

    def _learn(self, share: BatchSlice, pending: PendingDraft | None, accepted: int, close: bool) -> None:
        """Let who has drafted know how it went, now that the whole draft is verified."""
        if pending is not None:
            pending.learn(pending.accepted + accepted, pending.count + close)
        elif share.draft:
            self._lesson(share)(accepted, int(close))

    def _lesson(self, share: BatchSlice) -> Callable[[int, int], None]:
        policy, match, drafted = share.policy, share.match, len(share.draft)
        # What it costs as a rule: a hiccup of the machine is not the draft's fault.
        plain = self.costs.seconds(self._last_count - drafted)
        extra = self.costs.seconds(self._last_count) - plain + share.draft_seconds

        def learn(accepted: int, close: int) -> None:
            if policy is not None:
                policy.learn(match, drafted, accepted, extra, close)

        return learn

    def _is_close_call(
        self, share: BatchSlice, pending: PendingDraft | None, last: int, accepted: int
    ) -> bool:
        """Whether the draft beside it might decide what is drawn: sums of another order round otherwise.

        Completions are not that strict: they are full of close calls, and the suffix that is moved in the
        cache rounds no better.
        """
        task = share.task
        if pending is not None:
            # The first token was computed by itself.
            return accepted > 0 and pending.likeliest[accepted - 1][1] < CLOSE_CALL
        strict = bool(share.draft) and task.greedy and task.prompt.fill is None
        return strict and self._engine.likeliest(last + accepted)[1] < CLOSE_CALL

    def _compute_last_again(self, task: Task) -> None:
        """Forget the last token of a sequence, and compute it in the next batch without a draft."""
        task.without_draft = True
        last = task.sequence.tokens.pop()
        if task.answer:
            task.next_token = last
        else:
            task.todo = [last]

    def _keep_what_was_read(self, shares: list[BatchSlice]) -> None:
        """After an abort: the cells that are there for good stay, the others are forgotten."""
        for share in shares:
            sequence = share.task.sequence
            length = len(sequence.tokens)
            if share.task.reading:
                reached = self._engine.length(sequence.main) - sequence.position(length)
                done = min(max(0, reached), len(share.tokens))
                # The logits of the last token of a prompt are needed: it is computed again.
                done = min(done, len(share.tokens) - 1)
                sequence.tokens += share.tokens[:done]
                del share.task.todo[:done]
            kept = self._engine.remove(sequence.main, sequence.position(len(sequence.tokens)))
            # What is left of one state after an abort is neither that before the batch nor that after it.
            if not kept or not self._engine.can_take_back:
                scope = sequence.scope
                self.cache.forget(sequence)
                sequence.scope = scope
                share.task.splice, share.task.pending = None, None
                share.task.todo = [*share.task.prompt.tokens, *share.task.answer]

    def _fail(self, shares: list[BatchSlice], failure: LocalCoderError) -> None:
        """A batch that cannot be computed: without room the lowest goes, else all that were in it."""
        for share in shares:
            sequence = share.task.sequence
            self._engine.remove(sequence.main, sequence.position(len(sequence.tokens)))
        failed = shares[-1:] if isinstance(failure, OutOfMemory) and len(shares) > 1 else shares
        for share in failed:
            self._tasks.remove(share.task)
            share.task.close()
            self.cache.forget(share.task.sequence)
            self.cache.release(share.task.sequence)
            self._emit(_error(share.task.job, failure))

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
        self._remember(task)
        self._emit(finished)

    def _remember(self, task: Task) -> None:
        """Keep a completion: the next one of its scope is likely to be the rest of it."""
        fill, scope = task.job.request.prompt, task.job.request.scope
        if isinstance(fill, FillPrompt) and task.answer and not task.exclusive:
            self._former.pop(scope, None)
            self._former[scope] = PreviousCompletion(fill.prefix, task.text, task.answer)
            while len(self._former) > SLOTS:
                del self._former[next(iter(self._former))]


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
