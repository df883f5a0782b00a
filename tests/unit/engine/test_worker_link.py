"""What was sent to one worker, and is not answered yet."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

import msgspec
import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.job import WorkerJob
from jupyter_localcoder.engine.process import WorkerExit
from jupyter_localcoder.engine.watchdog import WatchdogTimeouts
from jupyter_localcoder.engine.worker_link import LinkTimeouts, WorkerLink
from jupyter_localcoder.errors import BackendUnavailable, InvalidArgument, LocalCoderError, OutOfMemory
from tests.support.hand_worker import HELLO, Hand, HandWorker
from tests.support.still_loop import StillLoop
from tests.support.workers import plan, request

LOG = logging.getLogger("test")
TIMEOUTS = LinkTimeouts(
    start=60.0, load=600.0, cancel=10.0, stop=2.0, watchdog=WatchdogTimeouts(5.0, 20.0, 300.0)
)


class Admitted:
    """Sends a job to a link at once."""

    def __init__(self, link: WorkerLink) -> None:
        self._link = link

    async def admit(self, job: WorkerJob) -> None:
        self._link.send(job)


class Bench:
    """A link whose worker is in the hands of the test."""

    def __init__(self) -> None:
        self.loop = StillLoop()
        self.hand = Hand(self.loop)
        self.exits: list[WorkerExit] = []
        self.freed = 0
        self._ids = itertools.count(1)
        self.link = self.loop.do(self._make())
        starting = self.loop.create_task(self.link.start(self.hand.spawn, LOG))
        self.loop.settle()
        self.hand.births[0].set_result(True)
        self.loop.settle()
        assert starting.result() == HELLO
        loading = self.loop.create_task(self.link.load(plan("a")))
        self.loop.settle()
        self.within(self.worker.answer_load)
        assert loading.result().n_ctx == 4096

    async def _make(self) -> WorkerLink:
        def free() -> None:
            self.freed += 1

        return WorkerLink(
            ids=self._ids,
            timeouts=TIMEOUTS,
            on_exit=lambda _, how: self.exits.append(how),
            on_free=free,
            clock=self.loop.time,
        )

    @property
    def worker(self) -> HandWorker:
        (worker,) = self.hand.workers
        return worker

    def within(self, function: Any, *arguments: Any) -> None:
        async def call() -> None:
            function(*arguments)

        self.loop.do(call())
        self.loop.settle()

    def task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self.loop.create_task(work)
        self.loop.settle()
        return task

    def ask(self) -> tuple[WorkerJob, asyncio.Task[Any]]:
        asked = msgspec.structs.replace(request(text="a"), id=next(self._ids))
        job = WorkerJob(Admitted(self.link), plan("a"), asked)

        async def read() -> list[wire.Text | wire.Finished]:
            return [frame async for frame in job]

        return job, self.task(read())


@pytest.fixture
def bench() -> Iterator[Bench]:
    one = Bench()
    yield one
    one.within(one.link.abandon, BackendUnavailable("It is over."))
    one.loop.close()


def test_frames_reach_their_jobs_and_the_last_end_frees_the_worker(bench: Bench) -> None:
    (first, answer), (second, other) = bench.ask(), bench.ask()
    bench.within(bench.worker.write, first.request.id)
    bench.within(bench.worker.finish, first.request.id)
    assert [type(frame) for frame in answer.result()] == [wire.Text, wire.Finished]
    assert (bench.link.busy, bench.freed, other.done()) == (True, 0, False)
    waiting = bench.task(bench.link.wait_until_free())
    assert not waiting.done()
    bench.within(bench.worker.finish, second.request.id, "fails")
    assert isinstance(other.exception(), LocalCoderError)
    assert (bench.link.busy, bench.freed) == (False, 1)
    bench.loop.settle()
    assert waiting.done()


def test_a_cancelled_request_that_does_not_end_kills_the_worker(bench: Bench) -> None:
    job, _ = bench.ask()
    job.cancel("timeout")
    assert bench.worker.cancels == {job.request.id: "timeout"}
    bench.loop.forward(9.9)
    assert bench.worker.alive
    bench.loop.forward(0.2)
    (exit_,) = bench.exits
    assert "did not stop a cancelled request within 10 seconds" in exit_.sentence


def test_a_worker_that_hangs_is_killed_and_an_abandoned_one_is_not_watched(bench: Bench) -> None:
    bench.worker.hangs = True
    bench.loop.forward(24.0)
    assert not bench.exits
    bench.within(bench.link.abandon, BackendUnavailable("It is over."))
    bench.loop.forward(600.0)
    assert not bench.exits


def test_the_most_memory_of_a_worker_is_remembered(bench: Bench) -> None:
    assert bench.link.held_bytes == 0
    bench.loop.forward(6.0)
    assert bench.link.held_bytes == 1


def test_a_ping_without_an_answer_is_none_and_with_one_is_it(bench: Bench) -> None:
    assert isinstance(bench.task(bench.link.ping(2.0)).result(), wire.Pong)
    bench.worker.hangs = True
    pinging = bench.task(bench.link.ping(2.0))
    bench.loop.forward(2.1)
    assert pinging.result() is None


def test_everything_open_ends_with_its_error_when_the_worker_is_abandoned(bench: Bench) -> None:
    (begun, answer), (unbegun, other) = bench.ask(), bench.ask()
    bench.within(bench.worker.write, begun.request.id)
    bench.worker.hangs = True
    pinging = bench.task(bench.link.ping(60.0))
    bench.within(bench.link.abandon, BackendUnavailable("It is gone."), OutOfMemory("It was too much."))
    assert isinstance(answer.exception(), BackendUnavailable)
    assert isinstance(other.exception(), OutOfMemory)
    assert pinging.result() is None
    assert not bench.link.busy
    # What comes later is ignored.
    bench.within(bench.worker.write, begun.request.id)
    bench.within(bench.worker.finish, unbegun.request.id)
    assert bench.freed == 0


def test_a_request_that_is_too_large_for_a_frame_occupies_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> bytes:
        raise wire.FrameError("9 bytes")

    monkeypatch.setattr(wire, "pack", refuse)
    _, answer = bench.ask()
    assert isinstance(answer.exception(), InvalidArgument)
    assert (bench.link.busy, bench.freed) == (False, 1)
