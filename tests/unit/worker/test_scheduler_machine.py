"""Any requests at any moment, cancelled, aborted and unloaded, in a small cache: the book never lies."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jupyter_localcoder.contract import wire
from jupyter_localcoder.worker.task import CancelableRequest
from tests.support.fake_engine import FakeEngine
from tests.unit.worker.test_scheduler import Bench

PREFIXES = st.builds(
    lambda base, length, end: base[:length] + end,
    st.sampled_from(["a" * 30, "abcd" * 10, "xyz", "q" * 20 + "abcd"]),
    st.integers(1, 40),
    st.text("abq", max_size=3),
)
SUFFIXES = st.sampled_from(["", "xy" * 5, "xy" * 8, "qq"])
SCOPES = st.sampled_from(["tab:1", "tab:2", "chat", ""])
TOKENS = st.integers(1, 20)


class SchedulerMachine(RuleBasedStateMachine):
    """A scheduler with its cache, on a model whose answers show each cell that is wrong."""

    @initialize(
        cells=st.sampled_from([130, 220]), drafts=st.booleans(), changed=st.sampled_from([0.1, 0.5, 1.0])
    )
    def begin(self, cells: int, drafts: bool, changed: float) -> None:
        small = FakeEngine(n_cells=100, errs_at=7) if drafts else None
        self.bench = Bench(n_ctx=90, n_cells=cells, small=small, changed_share=changed)
        self.jobs: list[CancelableRequest] = []

    @rule(prefix=PREFIXES, suffix=SUFFIXES, size=TOKENS, scope=SCOPES, lookup=st.booleans())
    def complete(self, prefix: str, suffix: str, size: int, scope: str, lookup: bool) -> None:
        self.jobs.append(self.bench.fill(prefix, suffix, size, scope=scope, lookup=lookup))

    @rule(prefix=PREFIXES, suffix=SUFFIXES, scope=SCOPES)
    def warm(self, prefix: str, suffix: str, scope: str) -> None:
        self.jobs.append(self.bench.fill(prefix, suffix, 0, scope=scope, priority="warm"))

    @rule(text=PREFIXES, size=TOKENS, scope=SCOPES, lookup=st.booleans(), fresh=st.booleans())
    def chat(self, text: str, size: int, scope: str, lookup: bool, fresh: bool) -> None:
        self.jobs.append(self.bench.chat(text, size, scope=scope, lookup=lookup, fresh=fresh))

    @precondition(lambda self: not self.bench.scheduler.idle)
    @rule(steps=st.integers(1, 8))
    def compute(self, steps: int) -> None:
        self.bench.run(steps)

    @rule(items=st.integers(0, 8))
    def abort(self, items: int) -> None:
        self.bench.engine.abort_after = items

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), reason=st.sampled_from(["canceled", "timeout"]))
    def cancel(self, data: st.DataObject, reason: Any) -> None:
        data.draw(st.sampled_from(self.jobs)).ended = reason

    @rule()
    def unload(self) -> None:
        """What runs is cancelled; what it has read until then is kept, and read back."""
        for job in self.jobs:
            job.ended = job.ended or "canceled"
        self.bench.engine.abort_after = None
        self.bench.run()
        with tempfile.TemporaryDirectory() as folder:
            self.bench.reload(Path(folder) / "kept.state")

    @invariant()
    def the_book_is_right(self) -> None:
        if not hasattr(self, "bench"):
            return
        cache, engine = self.bench.scheduler.cache, self.bench.engine
        self.bench.check_book()
        assert len(engine.cells) <= engine.n_cells
        assert cache.reserved <= engine.n_cells
        assert len({sequence.slot for sequence in cache}) == len(list(cache))
        assert all(sequence.reserved == 0 for sequence in cache if not sequence.busy)

    @invariant()
    def no_request_ends_twice(self) -> None:
        if not hasattr(self, "bench"):
            return
        ends = [frame.id for frame in self.bench.frames if not isinstance(frame, wire.Text)]
        assert len(ends) == len(set(ends))

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        bench = self.bench
        bench.run()
        assert bench.scheduler.idle
        assert bench.engine.open_samplers == 0
        assert all(not sequence.busy for sequence in bench.scheduler.cache)
        for job in self.jobs:
            end = bench.end(job)
            assert isinstance(end, wire.Finished), end
            text, expected = bench.text(job), bench.expected(job)
            assert expected.startswith(text) if end.finish in ("canceled", "timeout") else text == expected


def test_a_suffix_that_gets_shorter_while_others_fill_the_cache() -> None:
    """A warming once ended with OUT_OF_MEMORY: the longer suffix still had its cells."""
    machine = SchedulerMachine()
    machine.begin(cells=130, drafts=False, changed=1.0)
    for prefix, suffix, scope in (
        ("abcd" * 10, "xy" * 8, "tab:1"),
        ("q" * 20 + "abcd", "", ""),
        ("xyz", "xy" * 8, "chat"),
        ("a" * 30, "xy" * 5, "chat"),
    ):
        machine.warm(prefix=prefix, suffix=suffix, scope=scope)
        machine.compute(steps=8)
        machine.the_book_is_right()
    machine.teardown()


TestSchedulerMachine = SchedulerMachine.TestCase
TestSchedulerMachine.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
