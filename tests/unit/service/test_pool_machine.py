"""Any order of requests for two uses, loads, crashes and room for one or two: what holds all the same."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jupyter_localcoder.contract import wire
from jupyter_localcoder.contract.backend import BackendState, ResidentModel
from jupyter_localcoder.engine.crash_cause import CrashEvidence
from jupyter_localcoder.engine.load_plan import LoadPlan, Role
from jupyter_localcoder.engine.pool import Coexistence, WorkerPool
from jupyter_localcoder.errors import LocalCoderError
from tests.support.hand_worker import Hand, HandWorker
from tests.support.still_loop import StillLoop
from tests.support.workers import plan, request

MODELS = st.sampled_from(["a", "b", "c"])
ROLES: st.SearchStrategy[Role] = st.sampled_from(["code", "general"])
_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.CRITICAL)  # each crash is a warning


class Room:
    """Memory that suffices for two, or for one."""

    def __init__(self) -> None:
        self.fits = True

    async def beside(self, plan: LoadPlan, other: LoadPlan, other_pid: int | None) -> Coexistence:
        await asyncio.sleep(0)  # It looks at the disk, in a thread.
        return Coexistence(self.fits, "" if self.fits else "They take turns.")

    def keep_within(self, pid: int, plan: LoadPlan) -> None:
        """The workers are in the hands of the machine."""


class PoolMachine(RuleBasedStateMachine):
    """Drives a pool whose workers are in its hands, on a clock that stands still."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = StillLoop()
        self.hand = Hand(self.loop)
        self.room = Room()
        self.told: list[BackendState] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.pool = self.loop.do(self.make())

    async def make(self) -> WorkerPool:
        return WorkerPool(
            spawn=self.hand.spawn,
            on_state=self.told.append,
            evidence=CrashEvidence(count=lambda: 0),
            clock=self.loop.time,
            log=_LOG,
            neighbours=lambda: self.room,
        )

    def begin(self, work: Any, settled: bool) -> None:
        self.tasks.append(self.loop.create_task(work))
        if settled:
            self.loop.settle()

    @rule(model=MODELS, role=ROLES, named=st.booleans(), settled=st.booleans())
    def ask(self, model: str, role: Role, named: bool, settled: bool) -> None:
        async def follow() -> None:
            frames = [frame async for frame in job]
            assert isinstance(frames[-1], wire.Finished)

        job = self.pool.job(plan(model), request(text=model), role, named=named)
        self.begin(follow(), settled)

    @rule(model=MODELS, roles=st.sampled_from([{"code"}, {"general"}, {"code", "general"}]))
    def load(self, model: str, roles: set[Role]) -> None:
        self.begin(self.pool.load(plan(model), frozenset(roles)), settled=True)

    @rule(model=st.sampled_from([None, "a", "b"]), settled=st.booleans())
    def unload(self, model: str | None, settled: bool) -> None:
        self.begin(self.pool.unload(model=model), settled)

    @precondition(lambda self: any(not task.done() for task in self.tasks))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from([task for task in self.tasks if not task.done()])).cancel()

    @rule(fits=st.booleans())
    def memory(self, fits: bool) -> None:
        self.room.fits = fits

    @precondition(lambda self: self.hand.births)
    @rule(born=st.sampled_from([True, True, True, False]))
    def say_hello(self, born: bool) -> None:
        for birth in self.hand.births:
            if not birth.done():
                birth.set_result(born)
        self.loop.settle()

    @precondition(lambda self: self.loading)
    @rule(data=st.data(), error=st.sampled_from(["", "", "", "OUT_OF_MEMORY"]))
    def answer_the_load(self, data: st.DataObject, error: str) -> None:
        self.within(data.draw(st.sampled_from(self.loading)).answer_load, error)

    @precondition(lambda self: any(worker.open for worker in self.hand.alive))
    @rule(data=st.data(), what=st.sampled_from(["ends", "ends", "fails"]))
    def answer(self, data: st.DataObject, what: str) -> None:
        worker = data.draw(st.sampled_from([worker for worker in self.hand.alive if worker.open]))
        self.within(worker.finish, data.draw(st.sampled_from(sorted(worker.open))), what)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), code=st.sampled_from([-11, 1]), memory=st.sampled_from([False, True]))
    def crash(self, data: st.DataObject, code: int, memory: bool) -> None:
        worker = data.draw(st.sampled_from(self.running))
        words = ["terminate called after throwing std::bad_alloc"] if memory else []
        self.within(worker.die, code, *words)

    @rule(seconds=st.sampled_from([0.6, 9.0, 301.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.loop.forward(seconds)

    @property
    def loading(self) -> list[HandWorker]:
        return [worker for worker in self.hand.alive if worker.load and not worker.stopping]

    @property
    def running(self) -> list[HandWorker]:
        return [worker for worker in self.hand.alive if not worker.stopping]

    def within(self, do: Any, *arguments: Any) -> None:
        async def call() -> None:
            do(*arguments)

        self.loop.run_until_complete(call())
        self.loop.settle()

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.loop.failures == []
        assert self.hand.most_at_once <= 2

    @invariant()
    def no_model_is_loaded_twice(self) -> None:
        paths = [worker.loaded for worker in self.hand.alive if worker.loaded and not worker.stopping]
        assert len(set(paths)) == len(paths)

    @invariant()
    def what_it_says_is_what_there_is(self) -> None:
        self.loop.settle()
        for one in self.pool.resident:
            assert one.state != "stopped"
        states = sorted(one.state for one in self.pool.supervisors if one.state in ("ready", "busy"))
        workers = [worker for worker in self.hand.alive if worker.loaded and not worker.stopping]
        assert len(states) == len(workers)
        if self.told:
            told = self.told[-1]
            assert told.generation == self.pool.generation == self.hand.starts
            assert told.state == self.pool.front.state
            assert models(told.resident) == models(self.pool.resident)

    @invariant()
    def each_has_an_end_that_can_be_told(self) -> None:
        for task in self.tasks:
            if task.done() and not task.cancelled() and (failure := task.exception()) is not None:
                assert isinstance(failure, LocalCoderError), repr(failure)

    def teardown(self) -> None:
        """Nobody waits for ever, and after the close nothing is left."""
        self.within(self.hand.be_kind)
        self.loop.forward(60.0)
        assert all(task.done() for task in self.tasks)
        self.loop.create_task(self.pool.close())
        self.loop.forward(10.0)
        self.nothing_is_lost()
        assert not self.hand.alive
        assert not asyncio.all_tasks(self.loop)
        self.loop.close()


def models(resident: tuple[ResidentModel, ...]) -> set[tuple[str, str]]:
    return {(one.model, one.state) for one in resident}


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_where_there_is_room_for_one_there_is_one() -> None:
    machine = PoolMachine()
    machine.memory(False)
    machine.hand.kind = True
    for role, model in (("code", "a"), ("general", "b")) * 3:
        machine.ask(model, role, False, True)  # type: ignore[arg-type]
        machine.hand.be_kind()
        machine.loop.forward(10.0)
    assert (machine.hand.most_at_once, machine.hand.starts) == (1, 6)
    machine.teardown()
