"""Rows of the worker that are about time: on a clock that stands still, with the supervisor's own limits.

The workers are in the hands of the test. What a real process does is tried in `test_worker`; here is seen
that a deadline is neither earlier nor later, and what comes right at it, in each order.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.crash_cause import CrashEvidence
from jupyter_localcoder.engine.job import WorkerJob
from jupyter_localcoder.engine.supervisor import Supervisor
from jupyter_localcoder.engine.worker_link import SILENT_SECONDS
from jupyter_localcoder.errors import BackendUnavailable, Canceled, LoadTimeout
from tests.support.hand_worker import Hand, HandWorker
from tests.support.still_loop import StillLoop
from tests.support.workers import plan, request

A_MOMENT = 0.1
IDLE_SECONDS = 60.0


class Room:
    """A supervisor on a clock that stands still, and its workers."""

    def __init__(self) -> None:
        self.loop = StillLoop()
        self.hand = Hand(self.loop)
        self.silences: list[str] = []
        """The sentences that were reported when a worker did not respond, or responded again."""
        self.supervisor = self.loop.do(self._make())

    async def _make(self) -> Supervisor:
        return Supervisor(
            spawn=self.hand.spawn,
            clock=self.loop.time,
            evidence=CrashEvidence(count=lambda: 0),
            on_silence=lambda: self.silences.append(self.supervisor.reason),
        )

    @property
    def worker(self) -> HandWorker:
        (worker,) = self.hand.alive
        return worker

    def begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self.loop.create_task(work)
        self.loop.settle()
        return task

    def load(self) -> HandWorker:
        self.hand.kind = True
        self.begin(self.supervisor.load(plan("a")))
        self.hand.kind = False
        return self.worker

    def ask(self) -> tuple[WorkerJob, asyncio.Task[Any]]:
        job = self.supervisor.job(plan("a"), request(text="a"))
        return job, self.begin(to_the_end(job))

    def finish(self, worker: HandWorker) -> None:
        (id_,) = worker.open
        self.loop.call_soon(worker.finish, id_)
        self.loop.settle()

    def be_kind(self) -> None:
        """From now on everything goes well."""
        self.loop.call_soon(self.hand.be_kind)
        self.loop.settle()

    def keep_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Set the idle time, which begins with that where there is nothing to do."""

        async def set_() -> None:
            self.supervisor.idle_seconds = seconds

        self.loop.do(set_())

    def is_ended_at(self, seconds: float, worker: HandWorker) -> None:
        """So many seconds from now, and no earlier."""
        self.loop.forward(seconds - A_MOMENT)
        assert worker.alive
        self.loop.forward(2 * A_MOMENT)
        assert not worker.alive


async def to_the_end(job: WorkerJob) -> wire.Finished:
    async for frame in job:
        if isinstance(frame, wire.Finished):
            return frame
    raise AssertionError("no end")


@contextlib.contextmanager
def opened() -> Iterator[Room]:
    room = Room()
    yield room
    room.be_kind()
    room.begin(room.supervisor.close())
    room.loop.forward(10.0)
    assert room.loop.failures == []
    assert not asyncio.all_tasks(room.loop)
    room.loop.close()


@pytest.fixture
def room() -> Iterator[Room]:
    with opened() as room:
        yield room


def test_04_no_sign_of_life(room: Room) -> None:
    worker = room.load()
    _, answer = room.ask()
    worker.hangs = True
    supervisor = room.supervisor
    room.is_ended_at(supervisor.ping_interval_seconds + supervisor.ping_timeout_seconds, worker)
    with pytest.raises(BackendUnavailable, match="did not respond for 20 seconds"):
        answer.result()


def test_04_a_worker_that_does_not_respond_is_reported_before_the_deadline(room: Room) -> None:
    worker = room.load()
    supervisor = room.supervisor
    ready = supervisor.reason
    worker.hangs = True
    room.loop.forward(supervisor.ping_interval_seconds + SILENT_SECONDS - A_MOMENT)
    assert supervisor.reason == ready
    room.loop.forward(2 * A_MOMENT)
    silent = (
        "The inference worker does not respond. If it does not respond within 20 seconds, it is terminated "
        "and started again."
    )
    assert (supervisor.reason, supervisor.state, worker.alive) == (silent, "ready", True)
    room.ask()
    assert supervisor.state == "busy"
    assert supervisor.reason == silent
    pings = worker.unanswered_pings
    worker.hangs = False
    for id_ in pings:
        worker.say(wire.Pong(id=id_, running=0, waiting=0, steps=0, rss_bytes=1))
    room.loop.forward(A_MOMENT)
    assert supervisor.reason == "Answering."
    assert room.silences == [silent, "Answering."]


def test_04_a_late_sign_of_life_is_one(room: Room) -> None:
    worker = room.load()
    worker.hangs = True
    room.loop.forward(24.9)
    pings = worker.unanswered_pings
    worker.hangs = False
    for id_ in pings:
        worker.say(wire.Pong(id=id_, running=0, waiting=0, steps=0, rss_bytes=1))
    room.loop.forward(600.0)
    assert worker.alive


def test_05_a_computation_that_stands(room: Room) -> None:
    worker = room.load()
    _, answer = room.ask()
    room.loop.forward(room.supervisor.ping_interval_seconds)
    worker.stands = True
    # Its steps were counted a moment ago, and it is looked at with each ping.
    room.is_ended_at(room.supervisor.progress_timeout_seconds + room.supervisor.ping_interval_seconds, worker)
    with pytest.raises(BackendUnavailable, match="made no progress for 300 seconds"):
        answer.result()


def test_05_a_worker_that_has_nothing_to_do_may_stand(room: Room) -> None:
    worker = room.load()
    worker.stands = True
    room.loop.forward(3600.0)
    assert worker.alive
    # Nor is the time before the request held against it.
    room.ask()
    room.loop.forward(room.supervisor.progress_timeout_seconds - A_MOMENT)
    assert worker.alive


def test_05_what_was_cancelled(room: Room) -> None:
    worker = room.load()
    job, answer = room.ask()
    job.cancel()
    room.is_ended_at(room.supervisor.cancel_timeout_seconds, worker)
    with pytest.raises(Canceled):
        answer.result()


def test_05_what_has_ended_in_time_costs_nothing(room: Room) -> None:
    worker = room.load()
    job, answer = room.ask()
    job.cancel()
    room.finish(worker)
    assert answer.result().finish == "canceled"
    _, next_answer = room.ask()
    room.loop.forward(room.supervisor.cancel_timeout_seconds + A_MOMENT)
    assert worker.alive
    room.finish(worker)
    assert next_answer.result().finish == "stop"


def test_05_a_load(room: Room) -> None:
    load = room.begin(room.supervisor.load(plan("a")))
    room.hand.births[0].set_result(True)
    room.loop.settle()
    room.is_ended_at(room.supervisor.load_timeout_seconds, room.worker)
    with pytest.raises(LoadTimeout, match="600 seconds"):
        load.result()


def test_05_a_start(room: Room) -> None:
    load = room.begin(room.supervisor.load(plan("a")))
    room.loop.forward(room.supervisor.start_timeout_seconds - A_MOMENT)
    assert not load.done()
    room.loop.forward(2 * A_MOMENT)
    with pytest.raises(BackendUnavailable):
        load.result()


def test_05_the_limits_are_those_that_the_documents_name() -> None:
    supervisor = Supervisor()
    assert supervisor.start_timeout_seconds == 60.0
    assert supervisor.load_timeout_seconds == 600.0
    assert (supervisor.ping_interval_seconds, supervisor.ping_timeout_seconds) == (5.0, 20.0)
    assert (supervisor.progress_timeout_seconds, supervisor.cancel_timeout_seconds) == (300.0, 10.0)


def test_15_a_request_is_no_idle_time(room: Room) -> None:
    """However long it takes; and the time counts from its end on."""
    worker = room.load()
    room.keep_idle()
    room.loop.forward(IDLE_SECONDS - A_MOMENT)
    _, answer = room.ask()
    # Who changes the time meanwhile begins none.
    room.keep_idle()
    room.loop.forward(10 * IDLE_SECONDS)
    assert worker.alive
    room.finish(worker)
    assert answer.result().finish == "stop"
    room.is_ended_at(IDLE_SECONDS, worker)
    assert room.supervisor.state == "stopped"


def test_15_a_load_is_no_idle_time(room: Room) -> None:
    """A request waits for a worker that crashed, and for its load, longer than the idle time."""
    room.load()
    room.keep_idle()
    room.loop.call_soon(room.worker.die, -11)
    room.loop.settle()
    _, answer = room.ask()
    room.loop.forward(A_MOMENT)
    room.hand.births[0].set_result(True)
    room.loop.forward(5 * IDLE_SECONDS)
    assert room.supervisor.state == "loading"
    worker = room.worker
    room.loop.call_soon(worker.answer_load)
    room.loop.settle()
    room.finish(worker)
    assert answer.result().finish == "stop"
    assert room.supervisor.generation == 2


def test_15_with_no_idle_time_at_all_a_request_is_answered_by_what_was_loaded_for_it(room: Room) -> None:
    """The time is over when the load has ended, before the request that has waited for it goes on."""
    room.keep_idle(0.0)
    _, answer = room.ask()
    room.hand.births[0].set_result(True)
    room.loop.settle()
    worker = room.worker
    room.loop.call_soon(worker.answer_load)
    room.loop.settle()
    assert len(worker.open) == 1
    room.finish(worker)
    assert answer.result().finish == "stop"
    room.loop.forward(A_MOMENT)
    assert (room.supervisor.state, room.supervisor.generation) == ("stopped", 1)


@pytest.mark.parametrize("time_is_first", [False, True])
@pytest.mark.parametrize("what", ["asks", "asks another", "loads another", "unloads", "releases"])
def test_15_what_comes_as_the_idle_time_ends(what: str, time_is_first: bool) -> None:
    """One comes so many turns of the loop after the other, also while the worker takes time to end."""
    for turns, stop_seconds in itertools.product(range(8), (0.0, 3.0)):
        with opened() as room:
            races(room, what, turns, time_is_first, stop_seconds)


def races(room: Room, what: str, turns: int, time_is_first: bool, stop_seconds: float) -> None:
    supervisor, model = room.supervisor, "b" if "another" in what else "a"
    worker = room.load()
    room.keep_idle()
    room.loop.forward(IDLE_SECONDS - A_MOMENT)
    room.hand.stop_seconds = stop_seconds
    work: Callable[[], Coroutine[Any, Any, Any]] = {
        "asks": lambda: to_the_end(supervisor.job(plan(model), request(text=model))),
        "loads": lambda: supervisor.load(plan(model)),
        "unloads": supervisor.unload,
        "releases": lambda: supervisor.release(plan("a"), "It makes room."),
    }[what.split()[0]]

    async def race() -> asyncio.Task[Any]:
        if time_is_first:
            room.loop.jump(2 * A_MOMENT)
        else:
            task = room.loop.create_task(work())
        for _ in range(turns):
            await asyncio.sleep(0)
        if time_is_first:
            task = room.loop.create_task(work())
        else:
            room.loop.jump(2 * A_MOMENT)
        return task

    task = room.loop.do(race())
    assert worker.alive or not worker.open, "what was sent is not cut short"
    # And who comes then finds it as it is.
    asked_then = room.ask()[1] if "another" in what else None
    room.be_kind()
    room.loop.forward(10.0)
    task.result()
    assert room.hand.most_at_once == 1
    if what in ("unloads", "releases"):
        assert supervisor.state == "stopped"
    else:
        assert (supervisor.state, supervisor.plan) == ("ready", plan("a"))
    if asked_then is not None:
        assert asked_then.result().finish == "stop"
