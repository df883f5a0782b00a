"""Continuous batching over a cache that must never lie: every answer is that of a model without a cache."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.worker import batch_composer, keeping, scheduler
from jupyter_localcoder.worker.costs import StepCosts
from jupyter_localcoder.worker.draft import Drafter
from jupyter_localcoder.worker.lookup import DraftPolicy
from jupyter_localcoder.worker.scheduler import Scheduler
from jupyter_localcoder.worker.splice import SpliceLimits
from jupyter_localcoder.worker.task import CancelableRequest
from tests.support.fake_engine import FakeEngine, FakePrompter, facts, reference
from tests.support.workers import request

COSTS = {1: 0.03, 8: 0.09, 64: 0.4, 512: 3.0}


class FixedCosts(StepCosts):
    """A machine that is as fast as it was: the fake engine takes no time, and must not teach that."""

    def observe(self, tokens: int, seconds: float) -> None:
        pass


def talkative(least: int) -> str:
    """A message to which the model has much to say."""
    prompter = FakePrompter()
    for number in range(10_000):
        text = "".join("abcd"[int(digit)] for digit in np.base_repr(number + 64, 4))
        tokens = prompter.build(wire.ChatPrompt((wire.PromptTurn("user", text),))).tokens
        if len(reference(tokens, least)) == least:
            return text
    raise AssertionError


class Bench:
    """A scheduler on the fake engine, with what it sent."""

    def __init__(
        self,
        n_ctx: int = 120,
        n_cells: int = 200,
        small: FakeEngine | None = None,
        recurrent: bool = False,
        **splice: Any,
    ) -> None:
        self._recurrent = recurrent
        self.frames: list[Any] = []
        self.prompter = FakePrompter()
        self._facts, self._small, self._limits = facts(n_ctx, n_cells), small, SpliceLimits(**splice)
        self._ids = iter(range(1, 1_000_000))
        self._load()

    def _load(self) -> None:
        n_ctx, small = self._facts.n_ctx, self._small
        self.engine = FakeEngine(
            n_cells=self._facts.n_cells, can_take_back=not self._recurrent, can_shift=not self._recurrent
        )
        if small is not None:
            small.clear()
        self.scheduler = Scheduler(
            self.engine,  # type: ignore[arg-type]
            self._facts,
            self.prompter,  # type: ignore[arg-type]
            self.frames.append,
            FixedCosts(COSTS),
            self._limits,
            drafter=Drafter(small, n_ctx, DraftPolicy(FixedCosts(COSTS), draft_seconds=0.002))  # type: ignore[arg-type]
            if small is not None
            else None,
        )

    def reload(self, state: Path) -> int:
        """Unload the model and load it again; answer how many sequences came back through the file."""
        keeping.save(self.scheduler.cache, self.engine, state, 2**20)  # type: ignore[arg-type]
        self._load()
        restored = keeping.restore(self.scheduler.cache, self.engine, state)  # type: ignore[arg-type]
        self.check_book()
        return restored

    def chat(self, text: str, max_tokens: int = 8, **fields: Any) -> CancelableRequest:
        return self._submit(request(max_tokens, text, **fields))

    def fill(self, prefix: str, suffix: str = "", max_tokens: int = 8, **fields: Any) -> CancelableRequest:
        prompt = wire.FillPrompt(prefix=prefix, suffix=suffix, reserve_tokens=8)
        fields = {"priority": "completion", "scope": "tab", **fields}
        return self._submit(request(max_tokens, prompt=prompt, **fields))

    def _submit(self, made: wire.GenerateFrame) -> CancelableRequest:
        job = CancelableRequest(
            wire.GenerateFrame(
                **{**{f: getattr(made, f) for f in made.__struct_fields__}, "id": next(self._ids)}
            )
        )
        self.scheduler.submit(job)
        return job

    def run(self, steps: int = 10_000) -> None:
        for _ in range(steps):
            if self.scheduler.idle:
                return
            self.scheduler.step()
            self.check_book()

    def end(self, job: CancelableRequest) -> Any:
        ends = [f for f in self.frames if not isinstance(f, wire.Text) and f.id == job.request.id]
        assert len(ends) == 1, "each request ends exactly once"
        return ends[0]

    def text(self, job: CancelableRequest) -> str:
        return "".join(f.text for f in self.frames if isinstance(f, wire.Text) and f.id == job.request.id)

    def expected(self, job: CancelableRequest) -> str:
        tokens = self.prompter.build(job.request.prompt).tokens
        return "".join("abcd"[t - 10] for t in reference(tokens, job.request.max_tokens))

    def check_book(self) -> None:
        """What the book says of each sequence is what the cache holds, and it takes no more room."""
        for sequence in self.scheduler.cache:
            own = {sequence.main, sequence.side}
            taken = sum(not own.isdisjoint(cell.sequences) for cell in self.engine.cells)
            if sequence.busy:
                assert max(taken, sequence.cells) <= sequence.reserved
            else:
                assert taken <= sequence.cells
            cells = self.engine.of(sequence.main)
            assert [c.token for c in cells] == sequence.tokens
            assert [c.position for c in cells] == [sequence.position(i) for i in range(len(cells))]
            side = self.engine.of(sequence.side)
            if sequence.suffix is None:
                doubts = [t.pending for t in self.scheduler._tasks if t.sequence is sequence and t.pending]
                assert [c.token for c in side] == [token for doubt in doubts for token in doubt.draft]
                # After the token that is computed again.
                start = len(sequence.tokens) + 1
                assert [c.position for c in side] == list(range(start, start + len(side)))
            else:
                assert [c.token for c in side] == sequence.suffix.tokens
                start = sequence.suffix.start
                assert [c.position for c in side] == list(range(start, start + len(side)))


def test_an_answer_is_that_of_the_model() -> None:
    bench = Bench()
    job = bench.chat("abc", max_tokens=30)
    bench.run()
    assert bench.text(job) == bench.expected(job)


def test_four_streams_share_each_batch() -> None:
    bench = Bench(n_cells=400)
    jobs = [bench.chat(text, 12, scope=text) for text in ("ab", "cd", "dd", "ca")]
    bench.run()
    assert [bench.text(job) for job in jobs] == [bench.expected(job) for job in jobs]
    assert max(len({item.sequence for item in batch}) for batch in bench.engine.batches) == 4


def test_typing_a_line_moves_the_suffix_and_computes_only_the_tail() -> None:
    bench = Bench(n_ctx=500, n_cells=600)
    suffix = "x" * 60
    bench.fill("a" * 200, suffix)
    bench.run()
    for typed in range(1, 25):
        before = bench.engine.evaluated
        job = bench.fill("a" * 200 + "b" * typed, suffix, max_tokens=4)
        bench.run()
        assert bench.text(job) == bench.expected(job)
        # The typed character, the two marks, and the answer.
        assert bench.engine.evaluated - before <= 3 + 4


def test_without_splice_the_suffix_is_computed_each_time() -> None:
    bench = Bench(n_ctx=500, n_cells=600, enabled=False)
    for typed in range(2):
        before = bench.engine.evaluated
        bench.fill("a" * 200 + "b" * typed, "x" * 60, max_tokens=1)
        bench.run()
    assert bench.engine.evaluated - before >= 60


def test_when_much_has_changed_the_suffix_is_computed_again() -> None:
    bench = Bench(n_ctx=500, n_cells=600, changed_share=0.1)
    computed = []
    for typed in range(0, 60, 3):
        before = bench.engine.evaluated
        job = bench.fill("a" * 100 + "b" * typed, "x" * 50, max_tokens=1)
        bench.run()
        assert bench.text(job) == bench.expected(job)
        computed.append(bench.engine.evaluated - before)
    assert 2 <= sum(count >= 50 for count in computed[1:]) <= 10


def test_a_completion_overtakes_a_long_answer_and_both_are_right() -> None:
    bench = Bench(n_cells=400)
    long = bench.chat(talkative(60), 60)
    bench.run(5)
    quick = bench.fill("ab", "c", 4)
    bench.run()
    ends = [f.id for f in bench.frames if isinstance(f, wire.Finished)]
    assert ends[0] == quick.request.id
    assert bench.text(quick) == bench.expected(quick)
    assert bench.text(long) == bench.expected(long)


def test_a_completion_is_computed_alone_as_long_as_a_stream_may_stand_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, now, moved = Bench(n_ctx=300, n_cells=600), 0.0, []
    decode = bench.engine.decode

    def slowly(items: Any) -> None:
        nonlocal now
        decode(items)
        now += StepCosts(COSTS).seconds(len(items))
        moved.append((now, {item.sequence for item in items}))

    monkeypatch.setattr(bench.engine, "decode", slowly)
    monkeypatch.setattr(scheduler.time, "monotonic", lambda: now)
    long = bench.chat(talkative(60), 60)
    bench.run(5)
    (stream,) = moved[-1][1]
    quick = bench.fill(talkative(30), "", 30)
    bench.run()
    assert bench.text(quick) == bench.expected(quick)
    assert bench.text(long) == bench.expected(long)
    times = [when for when, sequences in moved if stream in sequences]
    assert max(b - a for a, b in itertools.pairwise(times)) <= batch_composer.STILL_SECONDS
    during = [sequences for _, sequences in moved if len(sequences | {stream}) > 1]
    alone = [sequences for sequences in during if stream not in sequences]
    assert len(during) > len(alone) > len(during) / 2


def test_a_long_prompt_is_read_in_chunks_while_somebody_writes() -> None:
    bench = Bench(n_ctx=400, n_cells=900)
    writer = bench.chat(talkative(40), 40, scope="w")
    bench.run(2)
    reader = bench.chat("b" * 300, 2, scope="r")
    bench.run()
    limit = StepCosts(COSTS).largest_within(0.2) + 1
    shared = [b for b in bench.engine.batches if len({item.sequence for item in b}) > 1]
    assert shared
    assert all(len(batch) <= limit for batch in shared)
    assert bench.text(writer) == bench.expected(writer)
    assert bench.text(reader) == bench.expected(reader)


def test_warming_gives_way_and_what_it_read_is_used() -> None:
    bench = Bench(n_ctx=500, n_cells=600)
    warm = bench.fill("a" * 300, "x" * 20, 0, priority="warm")
    bench.run()
    assert bench.end(warm).finish == "stop"
    before = bench.engine.evaluated
    job = bench.fill("a" * 300 + "b", "x" * 20, 1)
    bench.run()
    assert bench.engine.evaluated - before <= 4
    assert bench.text(job) == bench.expected(job)


def test_a_seeded_request_starts_in_an_empty_cache_and_shares_no_batch() -> None:
    bench = Bench(n_cells=400)
    long = talkative(30)
    running = bench.chat(long, 30, scope="x")
    bench.run(3)
    seeded, other = bench.chat(long, 20, fresh=True), bench.chat("ba", 20, scope="y")
    first_batch = len(bench.engine.batches)
    bench.run()
    assert bench.end(seeded).cached_tokens == 0
    for job in (running, seeded, other):
        assert bench.text(job) == bench.expected(job)
    # It begins at position 0 where the cache was empty: its batches are its own from there to its end.
    begins = [i for i, batch in enumerate(bench.engine.batches) if batch[0].position == 0]
    own = bench.engine.batches[begins[1] : begins[1] + 20]
    assert begins[1] > first_batch
    assert all(len({item.sequence for item in batch}) == 1 for batch in own)


def test_what_does_not_fit_waits_and_nobody_of_its_rank_overtakes() -> None:
    bench = Bench(n_ctx=150, n_cells=125)
    first = bench.chat("a" * 60, 40, scope="1")
    bench.run(2)
    large = bench.chat("b" * 100, 20, scope="2")
    small = bench.chat("c", 5, scope="3")
    bench.run()
    order = [f.id for f in bench.frames if isinstance(f, wire.Finished)]
    assert order.index(large.request.id) < order.index(small.request.id)
    for job in (first, large, small):
        assert bench.text(job) == bench.expected(job)


def test_drafts_never_change_an_answer_and_save_steps() -> None:
    plain, drafted = Bench(n_ctx=400, n_cells=500), Bench(n_ctx=400, n_cells=500)
    text = "abcdabcd" * 20
    a, b = plain.chat(text, 100), drafted.chat(text, 100, lookup=True)
    plain.run()
    drafted.run()
    assert plain.text(a) == drafted.text(b) == plain.expected(a)


def test_who_types_what_was_suggested_gets_the_rest_in_one_step() -> None:
    bench = Bench(n_ctx=500, n_cells=600)
    suffix = "x" * 60
    # So that what is suggested for `prefix` goes on as suggested once its beginning was typed.
    prefix = "a" * 200
    said = bench.prompter.build(wire.FillPrompt(prefix=prefix, suffix=suffix, reserve_tokens=8)).tokens
    first = bench.fill(prefix, suffix, 8, lookup=True)
    bench.run()
    assert bench.text(first) == bench.expected(first)
    assert len(said) == 200 + 60 + 3
    same = bench.fill(prefix, suffix, 8, lookup=True)
    steps = len(bench.engine.batches)
    bench.run()
    assert bench.text(same) == bench.text(first)
    # The middle mark with all of the draft.
    assert len(bench.engine.batches) - steps <= 2


def test_the_suffix_stays_where_it_is_for_many_keystrokes() -> None:
    bench = Bench(n_ctx=900, n_cells=1000)
    moves: list[int] = []
    shift = bench.engine.shift
    bench.engine.shift = lambda *a: (moves.append(a[3]), shift(*a))[1]  # type: ignore[method-assign,func-returns-value]
    for typed in range(100):
        job = bench.fill("a" * 500 + "b" * typed, "x" * 60, max_tokens=2)
        bench.run()
        assert bench.text(job) == bench.expected(job)
    assert len(moves) <= 8


def test_a_shorter_suffix_fits_in_a_cache_that_is_full() -> None:
    """The cells of the longer one that it replaces are given up before the new beginning is computed."""
    bench = Bench(n_ctx=90, n_cells=100, changed_share=1.0)
    bench.fill("c" * 40, "q" * 10, 0, scope="other", priority="warm")
    bench.fill("xyz", "xy" * 8, 0, scope="tab", priority="warm")
    bench.run()
    assert len(bench.engine.cells) == 53 + 22
    shorter = bench.fill("a" * 32, "xy" * 5, 0, scope="tab", priority="warm")
    bench.run()
    assert isinstance(bench.end(shorter), wire.Finished), bench.end(shorter)
    assert bench.end(shorter).cached_tokens == 1 + 10
    assert "other" in {sequence.scope for sequence in bench.scheduler.cache}


def interrupted(bench: Bench, before: str, typed: str, after: str) -> None:
    """A completion, and another one that is cancelled when its beginning is read but for the last token."""
    bench.fill(before, after, 1)
    bench.run()
    job = bench.fill(before + typed, after, 1)
    bench.engine.abort_after = len(typed)
    bench.run(1)
    job.ended = "canceled"
    bench.run()
    (sequence,) = (s for s in bench.scheduler.cache if s.tokens)
    assert sequence.suffix is not None
    assert len(sequence.tokens) > sequence.suffix.index + len(sequence.suffix.tokens)


def test_a_suffix_that_a_cancelled_request_has_left_apart_is_counted() -> None:
    bench = Bench(n_ctx=90, n_cells=100, changed_share=1.0)
    interrupted(bench, "a" * 20, "b" * 20, "x" * 10)
    other = bench.fill("c" * 50, "q" * 4, 0, scope="other", priority="warm")
    bench.run()
    assert isinstance(bench.end(other), wire.Finished), bench.end(other)


def test_a_suffix_that_a_cancelled_request_has_left_apart_is_not_kept_over_an_unload(tmp_path: Path) -> None:
    bench = Bench(n_ctx=90, n_cells=100, changed_share=1.0)
    interrupted(bench, "a" * 20, "b" * 20, "x" * 10)
    assert bench.reload(tmp_path / "kept.state") == 1
    job = bench.fill("a" * 20 + "b" * 20 + "c", "x" * 10)
    bench.run()
    assert bench.text(job) == bench.expected(job)


def test_what_was_kept_over_an_unload_is_older_than_what_is_new(tmp_path: Path) -> None:
    bench = Bench(n_ctx=90, n_cells=130)
    for scope in "abcde":
        bench.fill(scope * 15, "", 0, scope=scope, priority="warm")
        bench.run()
    assert bench.reload(tmp_path / "kept.state") == 5
    for scope in "qrstu":
        bench.fill(scope * 15, "", 0, scope=scope, priority="warm")
        bench.run()
    left = {sequence.scope for sequence in bench.scheduler.cache if sequence.tokens}
    assert left == set("deqrstu")


def test_changes_of_cancelled_requests_add_up_until_the_suffix_is_computed_again() -> None:
    bench = Bench(n_ctx=300, n_cells=400, changed_share=0.25)
    before, after = "a" * 100, "x" * 10
    interrupted(bench, before, "b" * 20, after)
    job = bench.fill(before + "b" * 40, after, 1)
    bench.run()
    # 40 of 140 tokens are new since the suffix was computed; the cancelled request has read 20 of them.
    assert bench.end(job).cached_tokens == 1 + 100 + 20
    assert bench.text(job) == bench.expected(job)


def test_a_small_model_drafts_for_who_is_alone_and_changes_nothing() -> None:
    text = talkative(60)
    plain, drafted = Bench(n_cells=400), Bench(n_cells=400, small=FakeEngine(n_cells=400))
    for bench in (plain, drafted):
        job = bench.chat(text, 60)
        bench.run()
        assert bench.text(job) == bench.expected(job)
    assert len(drafted.engine.batches) < 0.5 * len(plain.engine.batches)


def test_what_was_drafted_after_a_close_call_is_not_computed_again() -> None:
    bench = Bench(n_ctx=400, n_cells=500)
    job = bench.chat(talkative(100), 100, lookup=True)
    grown = []
    while not bench.scheduler.idle:
        doubts = [task.pending for task in bench.scheduler._tasks if task.pending]
        before = [len(sequence.tokens) for sequence in bench.scheduler.cache]
        bench.run(1)
        if doubts:
            assert len(bench.engine.batches[-1]) == 1
            after = [len(sequence.tokens) for sequence in bench.scheduler.cache]
            grown.append(max(b - a for a, b in zip(before, after, strict=True)))
    assert max(grown) >= 3
    assert bench.text(job) == bench.expected(job)


def test_a_small_model_that_knows_nothing_is_asked_seldom() -> None:
    small = FakeEngine(n_cells=400, errs_at=1)
    bench = Bench(n_cells=400, small=small)
    for _ in range(6):
        job = bench.chat(talkative(60), 60)
        bench.run()
        assert bench.text(job) == bench.expected(job)
    early = len(small.batches)
    job = bench.chat(talkative(60), 60)
    bench.run()
    assert bench.text(job) == bench.expected(job)
    assert len(small.batches) - early <= 12


def test_a_recurrent_model_reads_all_of_a_prompt_that_has_changed() -> None:
    bench = Bench(recurrent=True)
    first = bench.fill("abcdabcd" * 3, "xyxy")
    bench.run()
    typed = bench.fill("abcdabcd" * 3 + "a", "xyxy")
    bench.run()
    other = bench.fill("abcdabcd" * 3, "xyxy", scope="tab:other")
    bench.run()
    for job in (first, typed, other):
        assert bench.text(job) == bench.expected(job)
        assert bench.end(job).cached_tokens == 0


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_whatever_happens_each_answer_is_right_and_each_request_ends_once(seed: int, recurrent: bool) -> None:
    """Random requests of all kinds, cancelled and aborted at random moments, in a cache that is too small."""
    generator = random.Random(seed)
    bench = Bench(
        n_ctx=90,
        n_cells=generator.choice([130, 220]),
        small=FakeEngine(n_cells=100, errs_at=7) if seed % 2 else None,
        changed_share=generator.choice([0.1, 0.5, 1.0]),
        recurrent=recurrent,
    )
    texts = ["a" * 30, "abcd" * 10, "xyz", "q" * 20 + "abcd"]
    jobs: list[CancelableRequest] = []
    for _ in range(40):
        kind = generator.random()
        prefix = generator.choice(texts)[: generator.randrange(1, 41)] + "".join(
            generator.choice("abq") for _ in range(generator.randrange(4))
        )
        scope = generator.choice(["tab:1", "tab:2", "chat", ""])
        size = generator.randrange(1, 20)
        if kind < 0.45:
            suffix = generator.choice(["", "xy" * 5, "xy" * 8, "qq"])
            jobs.append(bench.fill(prefix, suffix, size, scope=scope, lookup=generator.random() < 0.7))
        elif kind < 0.55:
            jobs.append(bench.fill(prefix, "xy" * 5, 0, scope=scope, priority="warm"))
        else:
            jobs.append(
                bench.chat(
                    prefix, size, scope=scope, lookup=generator.random() < 0.5, fresh=generator.random() < 0.1
                )
            )
        for _ in range(generator.randrange(6)):
            if generator.random() < 0.15:
                bench.engine.abort_after = generator.randrange(8)
            if generator.random() < 0.1:
                generator.choice(jobs).ended = "canceled"
            if not bench.scheduler.idle:
                bench.scheduler.step()
                bench.check_book()
    bench.run()
    assert bench.scheduler.idle
    assert bench.engine.open_samplers == 0
    for job in jobs:
        end = bench.end(job)
        assert isinstance(end, wire.Finished), end
        expected = bench.expected(job)
        if end.finish in ("canceled", "timeout"):
            assert expected.startswith(bench.text(job))
        else:
            assert bench.text(job) == expected
    assert all(not sequence.busy for sequence in bench.scheduler.cache)
