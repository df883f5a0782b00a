"""Any interleaving of loads, requests, cancels, crashes, hangs, unloads and time: what holds all the same."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jupyter_localcoder.contract import wire
from jupyter_localcoder.contract.backend import BackendState
from jupyter_localcoder.engine.crash_cause import CrashEvidence
from jupyter_localcoder.engine.job import WorkerJob
from jupyter_localcoder.engine.load_plan import LoadPlan
from jupyter_localcoder.engine.states import TABLE
from jupyter_localcoder.engine.supervisor import Supervisor
from jupyter_localcoder.errors import LocalCoderError
from tests.support.hand_worker import MEASURED, Hand, HandWorker
from tests.support.still_loop import StillLoop
from tests.support.workers import plan, request

MODELS = st.sampled_from(["a", "b"])
_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.CRITICAL)  # each crash is a warning
SIGSEGV, SIGABRT, SIGKILL = -11, -6, -9


class Asked:
    """A request, and who waits for its answer."""

    def __init__(self, supervisor: Supervisor, model: str, loop: StillLoop) -> None:
        self.job: WorkerJob = supervisor.job(plan(model), request(text=model))
        self.frames: list[Any] = []
        self.abandoned = False
        self.task = loop.create_task(self._follow())

    async def _follow(self) -> None:
        async for frame in self.job:
            assert not (self.frames and isinstance(self.frames[-1], wire.Finished)), (
                "one end, and nothing after it"
            )
            self.frames.append(frame)

    def check_end(self) -> None:
        assert self.task.done()
        if self.task.cancelled():
            assert self.abandoned
            return
        failure = self.task.exception()
        if failure is None:
            assert isinstance(self.frames[-1], wire.Finished)
        else:
            assert isinstance(failure, LocalCoderError), repr(failure)
            assert not any(isinstance(frame, wire.Finished) for frame in self.frames)


class SupervisorMachine(RuleBasedStateMachine):
    """Drives a supervisor whose workers are in its hands, on a clock that stands still."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = StillLoop()
        self.hand = Hand(self.loop)
        self.told: list[BackendState] = []
        self.out_of_memory = 0
        self.asked: list[Asked] = []
        self.loads: list[asyncio.Task[Any]] = []
        self.left: set[asyncio.Task[Any]] = set()
        """Loads whose caller went away."""
        self.crashes: list[float] = []
        """Times of the crashes that count, by this machine's own account."""
        self.loaded_at = 0.0
        self.hand.on_crash = self.count_crash
        self.supervisor = self.loop.do(self.make())

    async def make(self) -> Supervisor:
        def note_memory(_: LoadPlan, __: str) -> None:
            self.out_of_memory += 1

        def note_load(*_: object) -> None:
            self.loaded_at = self.loop.time()

        return Supervisor(
            spawn=self.hand.spawn,
            on_state=self.told.append,
            on_loaded=note_load,
            on_out_of_memory=note_memory,
            evidence=CrashEvidence(count=lambda: 0),
            clock=self.loop.time,
            log=_LOG,
        )

    # What people do

    @rule(model=MODELS, settled=st.booleans())
    def load(self, model: str, settled: bool) -> None:
        if self.supervisor.state == "failed":
            self.loop.settle()  # an unload that is under way leads out, too
        if self.supervisor.state == "failed":
            self.crashes.clear()
        self.loads.append(self.loop.create_task(self.supervisor.load(plan(model))))
        if settled:
            self.loop.settle()

    @rule(model=MODELS, settled=st.booleans())
    def ask(self, model: str, settled: bool) -> None:
        self.asked.append(Asked(self.supervisor, model, self.loop))
        if settled:
            self.loop.settle()

    @precondition(lambda self: self.open)
    @rule(data=st.data(), reason=st.sampled_from(["canceled", "timeout"]))
    def cancel(self, data: st.DataObject, reason: Any) -> None:
        data.draw(st.sampled_from(self.open)).job.cancel(reason)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        asked = data.draw(st.sampled_from(self.open))
        asked.abandoned = True
        asked.task.cancel()

    @precondition(lambda self: any(not task.done() for task in self.loads))
    @rule(data=st.data())
    def leave_a_load(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from([task for task in self.loads if not task.done()]))
        self.left.add(task)
        task.cancel()

    @rule(settled=st.booleans())
    def unload(self, settled: bool) -> None:
        self.loads.append(self.loop.create_task(self.supervisor.unload()))
        if settled:
            self.loop.settle()

    @rule(model=MODELS, settled=st.booleans())
    def release(self, model: str, settled: bool) -> None:
        self.loads.append(self.loop.create_task(self.supervisor.release(plan(model), "It makes room.")))
        if settled:
            self.loop.settle()

    @rule(minutes=st.sampled_from([None, 1, 5]))
    def residency(self, minutes: int | None) -> None:
        async def change() -> None:
            self.supervisor.idle_seconds = None if minutes is None else 60.0 * minutes

        self.loop.do(change())

    # What the worker does

    @precondition(lambda self: self.hand.births)
    @rule(born=st.booleans())
    def say_hello(self, born: bool) -> None:
        for birth in self.hand.births:
            if not birth.done():
                birth.set_result(born)
        self.loop.settle()

    @precondition(lambda self: any(worker.load for worker in self.hand.alive))
    @rule(error=st.sampled_from(["", "", "", "OUT_OF_MEMORY", "INVALID_MODEL"]))
    def answer_the_load(self, error: str) -> None:
        (worker,) = self.hand.alive
        self.within(worker.answer_load, error)

    @precondition(lambda self: any(worker.open for worker in self.hand.alive))
    @rule(data=st.data(), what=st.sampled_from(["writes", "ends", "ends", "fails"]))
    def answer(self, data: st.DataObject, what: Any) -> None:
        (worker,) = self.hand.alive
        id_ = data.draw(st.sampled_from(sorted(worker.open)))
        if what == "writes":
            self.within(worker.write, id_)
        else:
            self.within(worker.finish, id_, what)

    @precondition(lambda self: self.running)
    @rule(code=st.sampled_from([SIGSEGV, SIGKILL, 1]), memory=st.sampled_from([False, False, True]))
    def crash(self, code: int, memory: bool) -> None:
        def die() -> None:
            before = self.out_of_memory
            # Another model waits for the answers of this one: then that is what is started.
            makes_way = self.supervisor.changing and self.supervisor.loaded is not None
            if memory:
                worker.die(SIGABRT, "terminate called after throwing std::bad_alloc")
            else:
                worker.die(code)
            assert self.out_of_memory == before + memory
            if len(self.crashes) >= 3:
                assert self.supervisor.state == "failed"
                assert "load a model to try again" in self.supervisor.reason
            else:
                assert self.supervisor.state == ("stopped" if memory or makes_way else "backoff")

        (worker,) = self.running
        self.within(die)

    @precondition(lambda self: self.running)
    @rule()
    def hang(self) -> None:
        (worker,) = self.running
        worker.hangs = True
        self.loop.forward(25.0)
        assert not worker.alive or worker.stopping

    @rule(seconds=st.sampled_from([0.0, 3.0]))
    def stopping_takes(self, seconds: float) -> None:
        self.hand.stop_seconds = seconds

    @rule(seconds=st.sampled_from([0.6, 9.0, 61.0, 301.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.loop.forward(seconds)

    # Accounts

    @property
    def open(self) -> list[Asked]:
        return [asked for asked in self.asked if not asked.task.done()]

    @property
    def running(self) -> list[HandWorker]:
        return [worker for worker in self.hand.alive if not worker.stopping]

    def within(self, do: Any, *arguments: Any) -> None:
        """Call something in the event loop, and let nothing else happen before it."""

        async def call() -> None:
            do(*arguments)

        self.loop.run_until_complete(call())
        self.loop.settle()

    def count_crash(self, worker: HandWorker) -> None:
        """Three in five minutes are too many; a minute of stability, and the count begins anew."""
        now = self.loop.time()
        if worker.loaded and now - self.loaded_at > 60.0:
            self.crashes.clear()
        self.crashes = [then for then in [*self.crashes, now] if now - then <= 300.0]

    # What always holds

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.loop.failures == []
        assert self.hand.most_at_once <= 1, "never two workers at once"

    @invariant()
    def what_it_says_is_what_there_is(self) -> None:
        self.loop.settle()
        state, alive = self.supervisor.state, self.hand.alive
        assert self.supervisor.pid in (None, *(worker.pid for worker in alive))
        if state in ("stopped", "backoff", "failed"):
            assert not alive
            assert not self.hand.births
        elif state in ("ready", "busy"):
            (worker,) = alive
            assert worker.loaded
            assert self.supervisor.plan is not None
            assert worker.loaded == self.supervisor.plan.load.path
            assert (state == "busy") == bool(worker.open)
        elif state == "loading":
            (worker,) = alive
            assert worker.load is not None

    @invariant()
    def the_states_follow_the_table(self) -> None:
        for before, after in itertools.pairwise(self.told):
            assert after.state in TABLE[before.state].values()
            assert after.generation - before.generation == (after.state == "starting")
        assert self.supervisor.generation == self.hand.starts

    @invariant()
    def what_has_ended_has_ended_well(self) -> None:
        for asked in self.asked:
            if asked.task.done():
                asked.check_end()
        for task in self.loads:
            if task.done() and not task.cancelled() and (failure := task.exception()) is not None:
                assert isinstance(failure, LocalCoderError), repr(failure)
            if task.done() and task.cancelled():
                assert task in self.left

    @invariant()
    def a_cancelled_request_that_has_not_begun_ends_at_once(self) -> None:
        self.loop.settle()
        for asked in self.open:
            assert asked.job.sent or asked.job.ended is None

    def teardown(self) -> None:
        """Everybody gets an end, and after the close nothing is left."""
        self.within(self.hand.be_kind)
        self.loop.forward(60.0)
        assert not self.open
        assert all(task.done() for task in self.loads)
        self.loop.create_task(self.supervisor.close())
        self.loop.forward(10.0)
        for check in (
            self.nothing_is_lost,
            self.the_states_follow_the_table,
            self.what_has_ended_has_ended_well,
        ):
            check()
        assert self.supervisor.state == "stopped"
        assert not self.hand.alive
        assert not asyncio.all_tasks(self.loop)
        self.loop.close()


TestSupervisorMachine = SupervisorMachine.TestCase
TestSupervisorMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_what_was_measured_need_not_be_measured_again_after_a_crash() -> None:
    machine = SupervisorMachine()
    machine.hand.kind = True
    machine.load("a", settled=True)
    first = machine.hand.workers[0]
    assert (first.costs, first.costs_are_new) == ({}, False)
    machine.crash(SIGSEGV, memory=False)
    machine.loop.forward(1.0)
    second = machine.hand.workers[1]
    assert (second.costs, second.costs_are_new) == (MEASURED, True)
    machine.teardown()
