"""One stream of each request: however it ends and whatever its observers do, it is closed once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.contract import wire
from jupyter_localcoder.contract.common import Sampling
from jupyter_localcoder.contract.generation import Delta, Done, Started
from jupyter_localcoder.engine.job import EndReason, WorkerJob
from jupyter_localcoder.errors import BackendUnavailable, Canceled, LocalCoderError, QueueFull
from jupyter_localcoder.generation import clients
from jupyter_localcoder.generation.run import Ready, Run, RunFrame
from jupyter_localcoder.generation.runs import DoneObserver, ObservedRun, Observer, Runs
from tests.support.still_loop import StillLoop
from tests.support.workers import plan, request

LOG = logging.getLogger("test_runs")
SAMPLING = Sampling(temperature=0.0, top_k=1, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=1)
FINISHED = wire.Finished(
    id=1, finish="stop", prompt_tokens=3, cached_tokens=0, left_out_tokens=0, completion_tokens=1,
    queue_ms=0.0, prefill_ms=1.0, decode_ms=1.0, prompt_sha256="",
)  # fmt: skip

End = Literal["finishes", "fails", "hangs"]


class Engine:
    """Has the request of one job: answers with a few texts, then ends in its way."""

    def __init__(self, texts: int, end: End) -> None:
        self._texts, self._end = texts, end
        self.cancels: list[EndReason] = []
        self.admitted = False

    async def admit(self, job: WorkerJob) -> None:
        self.admitted = True
        job.sent(self)
        for _ in range(self._texts):
            job.deliver(wire.Text(id=1, text="x", tokens=1))
        if self._end == "finishes":
            job.deliver(FINISHED)
        elif self._end == "fails":
            job.fail(BackendUnavailable("It is gone."))

    def cancel(self, id_: int, reason: EndReason) -> None:
        self.cancels.append(reason)


class Faulty(Observer):
    """Notes what it is told, and raises at some of its calls."""

    def __init__(self, raises_at: frozenset[int], raises_at_end: bool) -> None:
        self._raises_at, self._raises_at_end = raises_at, raises_at_end
        self.seen: list[RunFrame] = []
        self.ends: list[tuple[Done | None, Exception | None]] = []

    def on_frame(self, frame: RunFrame) -> None:
        self.seen.append(frame)
        if len(self.seen) - 1 in self._raises_at:
            raise ValueError("see")

    def end(self, done: Done | None, failure: Exception | None) -> None:
        self.ends.append((done, failure))
        if self._raises_at_end:
            raise ValueError("end")


class Bench:
    """One request, its engine and its observers."""

    def __init__(self, texts: int, end: End, observers: list[Faulty], **limits: Any) -> None:
        self.loop = StillLoop()
        self.engine = Engine(texts, end)
        self.observers = observers
        quotas = clients.ClientQuotas(
            lambda: 4, lambda: 2**20, what="requests run or wait", retry_after_seconds=1
        )
        self.runs = Runs(quotas, LOG, tuple(observers[:1]))
        self.job = WorkerJob(self.engine, plan(), request())
        self.received: list[RunFrame] = []

    async def prepare(self) -> ObservedRun:
        async def ready() -> Ready:
            return Ready(self.job, SAMPLING)

        return ObservedRun(Run("generate", ready), observers=self.observers[1:])

    async def read(self, most: int | None) -> None:
        async with contextlib.aclosing(self.runs.stream(self.prepare)) as frames:
            async for frame in frames:
                self.received.append(frame)
                if len(self.received) == most:
                    return


OBSERVERS = st.lists(
    st.builds(Faulty, st.frozensets(st.integers(0, 5)), st.booleans()), min_size=1, max_size=4
)


@given(
    texts=st.integers(0, 3),
    end=st.sampled_from(["finishes", "fails", "hangs"]),
    observers=OBSERVERS,
    most=st.integers(1, 6),
    stop=st.sampled_from(["leaves", "is cancelled"]),
)
def test_the_request_is_cancelled_once_and_every_observer_sees_one_end(
    texts: int, end: End, observers: list[Faulty], most: int, stop: str
) -> None:
    bench = Bench(texts, end, observers)
    reading = bench.loop.create_task(bench.read(most if stop == "leaves" else None))
    bench.loop.settle()
    if not reading.done():  # It waits for text that never comes.
        reading.cancel()
        bench.loop.settle()
    assert reading.done()

    whole = 1 + texts + (end == "finishes")
    count = min(most, whole) if stop == "leaves" else whole
    assert [type(frame) for frame in bench.received] == [Started, *[Delta] * texts, Done][:count]
    failure = None if reading.cancelled() else reading.exception()
    read_to_the_end = count == whole and (stop != "leaves" or most > whole)
    assert isinstance(failure, BackendUnavailable) == (end == "fails" and read_to_the_end)
    for observer in observers:
        assert observer.seen == bench.received
        assert len(observer.ends) == 1
        done, failed = observer.ends[0]
        assert done == (bench.received[-1] if isinstance(bench.received[-1], Done) else None)
        assert failed is failure

    engine_has_ended = (end == "finishes" and count == whole) or failure is not None
    assert len(bench.engine.cancels) == (bench.engine.admitted and not engine_has_ended)
    assert bench.job.ended == ("canceled" if bench.engine.cancels else None)
    assert len(bench.runs) == 0
    assert not bench.loop.failures
    bench.loop.close()


@given(observers=OBSERVERS, code=st.sampled_from(["interrupted", "fails"]))
def test_an_answer_whose_check_does_not_end_is_still_seen(observers: list[Faulty], code: str) -> None:
    bench = Bench(1, "finishes", observers)

    async def judge(done: Done) -> Done:
        if code == "fails":
            raise BackendUnavailable("It cannot be checked.")
        await asyncio.Event().wait()
        return done

    async def prepare() -> ObservedRun:
        async def ready() -> Ready:
            return Ready(bench.job, SAMPLING)

        return ObservedRun(Run("generate", ready), judge=judge, observers=observers[1:])

    async def read() -> None:
        async with contextlib.aclosing(bench.runs.stream(prepare)) as frames:
            async for frame in frames:
                bench.received.append(frame)

    reading = bench.loop.create_task(read())
    bench.loop.settle()
    reading.cancel()
    bench.loop.settle()
    assert [type(frame) for frame in bench.received] == [Started, Delta]
    for observer in observers:
        ((done, failed),) = observer.ends
        assert done is observer.seen[-1]
        assert isinstance(failed, BackendUnavailable) == (code == "fails")
    assert not bench.engine.cancels
    if code == "fails":
        assert isinstance(reading.exception(), BackendUnavailable)
    bench.loop.close()


async def test_what_an_observer_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    faulty = Faulty(frozenset({0}), raises_at_end=True)
    runs = Runs(_quotas(4), LOG, (faulty,))
    frames = [frame async for frame in runs.stream(_prepared(Engine(1, "finishes")))]
    assert [type(frame) for frame in frames] == [Started, Delta, Done]
    assert [record.message for record in caplog.records] == ["An observer of requests failed"] * 2


async def test_a_refused_request_has_no_observers_and_occupies_nothing() -> None:
    observer = Faulty(frozenset(), raises_at_end=False)
    runs = Runs(_quotas(0), LOG, (observer,))
    engine = Engine(1, "finishes")
    with pytest.raises(QueueFull):
        await anext(runs.stream(_prepared(engine)))
    assert (len(runs), observer.ends, engine.admitted) == (0, [], False)


@pytest.mark.parametrize("closing", [True, False])
async def test_a_service_that_ends_says_so_to_those_whose_answer_has_not_begun(closing: bool) -> None:
    observer = Faulty(frozenset(), raises_at_end=False)
    runs = Runs(_quotas(4), LOG, (observer,))

    async def prepare() -> ObservedRun:
        async def never() -> Ready:
            await asyncio.Event().wait()
            raise AssertionError

        return ObservedRun(Run("generate", never))

    frames = runs.stream(prepare)
    assert isinstance(await anext(frames), Started)
    reading = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    runs.close() if closing else runs.cancel_all()
    expected: type[LocalCoderError] = BackendUnavailable if closing else Canceled
    with pytest.raises(expected):
        await reading
    ((done, failure),) = observer.ends
    assert done is None
    assert isinstance(failure, expected)


async def test_a_done_observer_is_called_with_the_last_frame() -> None:
    told: list[Done] = []
    runs = Runs(_quotas(4), LOG, (DoneObserver(told.append),))
    frames = [frame async for frame in runs.stream(_prepared(Engine(2, "finishes")))]
    assert told == frames[-1:]


def _quotas(most: int) -> clients.ClientQuotas:
    return clients.ClientQuotas(lambda: most, lambda: 2**20, what="requests run", retry_after_seconds=1)


def _prepared(engine: Engine) -> Any:
    async def prepare() -> ObservedRun:
        async def ready() -> Ready:
            return Ready(WorkerJob(engine, plan(), request()), SAMPLING)

        return ObservedRun(Run("generate", ready))

    return prepare
