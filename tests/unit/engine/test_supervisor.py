"""The supervisor's policy, with workers that follow a script in real processes."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.contract.backend import BackendState
from jupyter_localcoder.engine.crash_cause import CrashEvidence
from jupyter_localcoder.engine.job import WorkerJob
from jupyter_localcoder.engine.process import WorkerProcess
from jupyter_localcoder.engine.supervisor import Supervisor
from jupyter_localcoder.engine.worker_link import Spawn
from jupyter_localcoder.errors import (
    BackendUnavailable,
    Canceled,
    LoadTimeout,
    OutOfMemory,
    Timeout,
    TokenLimitExceeded,
)
from tests.support.hand_worker import Hand
from tests.support.still_loop import StillLoop
from tests.support.time_limits import TimeLimit
from tests.support.waiting import PATIENCE_SECONDS, PATIENT_SUPERVISOR, until, within
from tests.support.workers import ChangingSpawn, command, environment, plan, request, spawn

Make = Callable[..., Supervisor]


@pytest.fixture
def make(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Make]:
    made: list[Supervisor] = []

    def build(script: str | Spawn = "echo", **traits: object) -> Supervisor:
        states: list[BackendState] = []
        supervisor = Supervisor(
            spawn=spawn(script) if isinstance(script, str) else script,
            on_state=states.append,
            **{"backoff_first_seconds": 0.05, "stop_grace_seconds": 0.5, **PATIENT_SUPERVISOR, **traits},
        )
        supervisor.states = states  # type: ignore[attr-defined]
        made.append(supervisor)
        return supervisor

    yield build
    for supervisor in made:
        jp_asyncio_loop.run_until_complete(supervisor.close())


async def answer(job: WorkerJob) -> tuple[str, wire.Finished]:
    text, end = "", None
    async for frame in job:
        if isinstance(frame, wire.Text):
            text += frame.text
        else:
            end = frame
    assert end is not None
    return text, end


def moves(supervisor: Supervisor) -> list[str]:
    return [state.state for state in supervisor.states]  # type: ignore[attr-defined]


def waits_for_room(supervisor: Supervisor) -> asyncio.Event:
    """Set when a request begins to wait until what runs has ended, and another model can be loaded."""
    event = asyncio.Event()

    def told(request: wire.GenerateFrame | None) -> None:
        if request is None and supervisor.state == "busy":
            event.set()

    supervisor._on_demand = told
    return event


async def test_a_request_loads_the_model_and_is_answered(make: Make) -> None:
    supervisor = make()
    text, end = await answer(supervisor.job(plan(), request()))
    assert (text, end.finish) == ("one two three", "stop")
    assert moves(supervisor) == ["starting", "loading", "ready", "busy", "ready"]


async def test_a_hundred_loads_at_once_are_one_load(make: Make) -> None:
    counting = ChangingSpawn("echo")
    supervisor = make(counting)
    loads = await asyncio.gather(*(supervisor.load(plan()) for _ in range(100)))
    assert len(counting.pids) == 1
    assert len({id(load) for load in loads}) == 1


async def test_a_failed_load_is_shared_too_and_leaves_no_worker(make: Make) -> None:
    counting = ChangingSpawn("no-memory")
    supervisor = make(counting)
    results = await asyncio.gather(*(supervisor.load(plan()) for _ in range(10)), return_exceptions=True)
    assert all(isinstance(result, OutOfMemory) for result in results)
    assert len(counting.pids) == 1
    assert (supervisor.state, supervisor.pid) == ("stopped", None)


async def test_another_model_waits_until_the_running_answer_is_complete(make: Make) -> None:
    supervisor = make(ChangingSpawn("waits", "echo"))
    first = supervisor.job(plan("a"), request())
    frames = first.__aiter__()
    assert isinstance(await anext(frames), wire.Text)
    waits = waits_for_room(supervisor)
    second = asyncio.ensure_future(answer(supervisor.job(plan("b"), request())))
    await within(waits.wait())
    assert await supervisor.ping(PATIENCE_SECONDS) is not None, "the worker was ended"
    assert not second.done()
    assert supervisor.plan == plan("a")
    first.cancel()
    assert [frame async for frame in frames][-1].finish == "canceled"  # type: ignore[union-attr]
    assert (await second)[0] == "one two three"
    assert supervisor.plan == plan("b")


async def test_a_worker_killed_in_mid_stream_costs_that_request_and_the_next_one_works(make: Make) -> None:
    supervisor = make(ChangingSpawn("waits", "echo"))
    frames = supervisor.job(plan(), request()).__aiter__()
    assert isinstance(await anext(frames), wire.Text)
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    with pytest.raises(BackendUnavailable, match="SIGKILL"):
        await anext(frames)
    assert (await answer(supervisor.job(plan(), request())))[0] == "one two three"
    assert supervisor.generation == 2
    assert "backoff" in moves(supervisor)


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize(
    ("words", "memory"),
    [
        ("", True),
        ("terminate called after throwing an instance of 'std::bad_alloc'", True),
        ("CUDA error: out of memory", True),
        ("vk::Device::allocateMemory: ErrorOutOfDeviceMemory", True),
        ("UR_RESULT_ERROR_OUT_OF_RESOURCES", True),
        ("CUBLAS_STATUS_ALLOC_FAILED", True),
        ("ggml_vulkan: Device memory allocation of size 4096 failed.", True),
        ("graph allocation: failed to reserve memory", True),
        ("llama_memory_seq_rm: no such sequence", False),
        ("", False),
    ],
)
async def test_memory_that_runs_out_before_any_text_may_be_answered_by_another_model(
    jp_asyncio_loop: asyncio.AbstractEventLoop, words: str, memory: bool, text: bool
) -> None:
    hand = Hand(jp_asyncio_loop)
    evidence = CrashEvidence(count=lambda: None if memory and not words else 0)
    supervisor = Supervisor(spawn=hand.spawn, evidence=evidence, **PATIENT_SUPERVISOR)
    asking = asyncio.ensure_future(answer(supervisor.job(plan("hello"), request())))
    await until(lambda: hand.births)
    hand.births[0].set_result(True)
    await until(lambda: hand.workers and hand.workers[0].load)
    (worker,) = hand.workers
    worker.answer_load()
    await until(lambda: worker.open)
    if text:
        worker.write(next(iter(worker.open)))
    worker.die(-6 if words else -9, words)
    with pytest.raises((OutOfMemory, BackendUnavailable)) as caught:
        await asking
    said = bool(words) and memory
    assert isinstance(caught.value, OutOfMemory) == (said or (memory and not text))
    await supervisor.close()


async def test_it_restarts_by_itself_after_a_crash_and_says_so(make: Make) -> None:
    restarted: list[str] = []
    supervisor = make(ChangingSpawn("crashes", "echo"), on_restart=restarted.append)
    with pytest.raises(BackendUnavailable):
        await answer(supervisor.job(plan("m"), request()))
    await until(lambda: supervisor.state == "ready")
    assert restarted == ["m"]


async def test_a_worker_that_dies_right_after_its_hello_is_noticed_at_once(make: Make) -> None:
    class HeardTogether(WorkerProcess):
        """Its hello and its end are heard of together."""

        def _to_loop(self, function: Callable[..., None], argument: object) -> None:
            first.append((function, argument))
            if not isinstance(argument, wire.Hello):
                super()._to_loop(lambda calls: [do(what) for do, what in calls], first)

    first: list[tuple[Callable[..., None], object]] = []
    options = {"command": command("dies-after-hello"), "environment": environment()}
    supervisor = make(functools.partial(HeardTogether.spawn, **options), max_crashes=1)
    with pytest.raises(BackendUnavailable, match="right after it started"):
        await within(supervisor.load(plan()))
    assert supervisor.pid is None
    assert len(first) == 2


async def test_a_crash_while_another_model_waits_for_the_answer_leads_on_to_that_model(make: Make) -> None:
    supervisor = make(ChangingSpawn("waits", "echo"))
    frames = supervisor.job(plan("a"), request()).__aiter__()
    assert isinstance(await anext(frames), wire.Text)
    waits = waits_for_room(supervisor)
    other = asyncio.ensure_future(answer(supervisor.job(plan("b"), request())))
    await within(waits.wait())
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGSEGV)
    with pytest.raises(BackendUnavailable, match="SIGSEGV"):
        await anext(frames)
    assert (await other)[0] == "one two three"
    assert supervisor.plan == plan("b")


class Still:
    """A supervisor and its workers on a clock that stands still, each loaded by hand."""

    def __init__(self, **traits: object) -> None:
        self.loop = StillLoop()
        self.hand = Hand(self.loop)
        self.supervisor = self.loop.do(self._make(traits))
        self.load = self.loop.create_task(self.supervisor.load(plan()))
        self.loop.settle()
        self.begin()

    async def _make(self, traits: dict[str, object]) -> Supervisor:
        return Supervisor(spawn=self.hand.spawn, clock=self.loop.time, **traits)

    def begin(self) -> None:
        """Let the worker that is being started say hello."""
        self.hand.births[0].set_result(True)
        self.loop.settle()

    def answer_load(self) -> None:
        self._do(self.hand.alive[0].answer_load)

    def crash(self) -> None:
        self._do(self.hand.alive[0].die, -11)

    def _do(self, what: Callable[..., None], *arguments: object) -> None:
        async def call() -> None:
            what(*arguments)

        self.loop.do(call())

    @property
    def states(self) -> tuple[str, int]:
        """Where it is, and how many workers were started."""
        return self.supervisor.state, self.hand.starts

    def close(self) -> None:
        closing = self.loop.create_task(self.supervisor.close())
        self.loop.forward(60.0)
        closing.result()
        self.loop.close()


def test_what_has_worked_is_started_again_at_once_and_waits_only_when_it_crashes_again() -> None:
    still = Still(backoff_first_seconds=3600.0, backoff_max_seconds=3600.0)
    still.answer_load()
    assert still.load.result()
    still.crash()
    assert still.states == ("starting", 2)
    still.begin()
    still.answer_load()
    assert still.states == ("ready", 2)
    still.crash()
    still.loop.forward(3599.0)
    assert still.states == ("backoff", 2)
    still.loop.forward(1.0)
    assert still.states == ("starting", 3)
    still.close()


def test_a_crash_in_a_load_is_never_followed_by_the_next_one_at_once() -> None:
    still = Still(backoff_first_seconds=3600.0, backoff_max_seconds=3600.0)
    still.crash()
    assert isinstance(still.load.exception(), BackendUnavailable)
    still.loop.forward(3599.0)
    assert still.states == ("backoff", 1)
    still.loop.forward(1.0)
    assert still.states == ("starting", 2)
    still.close()


async def test_crashes_in_a_row_end_in_failed_and_a_load_by_hand_leads_out(make: Make) -> None:
    supervisor = make(ChangingSpawn("crashes", "crashes", "crashes", "echo"))
    for _ in range(3):
        with pytest.raises(BackendUnavailable):
            await answer(supervisor.job(plan(), request()))
    assert supervisor.state == "failed"
    with pytest.raises(BackendUnavailable, match="not restarted automatically"):
        await answer(supervisor.job(plan(), request()))
    await supervisor.load(plan())
    assert supervisor.state == "ready"


async def test_crashes_long_ago_do_not_count(make: Make) -> None:
    now = [0.0]
    supervisor = make(ChangingSpawn("crashes"), clock=lambda: now[0])
    for _ in range(4):
        await supervisor.load(plan())
        now[0] += 61
        with pytest.raises(BackendUnavailable):
            await answer(supervisor.job(plan(), request()))
    assert supervisor.state != "failed"


async def test_a_load_that_takes_long_is_no_time_of_stability(make: Make) -> None:
    now = [0.0]
    supervisor = make(ChangingSpawn("crashes"), clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(BackendUnavailable):
            await answer(supervisor.job(plan(), request()))
        now[0] += 61
    assert supervisor.state == "failed"


async def test_a_crash_in_the_load_is_told_to_who_waits(make: Make) -> None:
    supervisor = make("crashes-in-load", max_crashes=1)
    with pytest.raises(BackendUnavailable, match="SIGSEGV"):
        await supervisor.load(plan())
    assert supervisor.state == "failed"


async def test_a_load_that_hangs_is_ended_at_its_deadline(make: Make) -> None:
    supervisor = make("load-hangs", load_timeout_seconds=0.3)
    with pytest.raises(LoadTimeout, match=r"0\.3 seconds"):
        await supervisor.load(plan())
    assert supervisor.state == "stopped"


async def test_an_error_of_one_request_leaves_the_worker_as_it_is(make: Make) -> None:
    supervisor = make("fails")
    with pytest.raises(TokenLimitExceeded, match="too long"):
        await answer(supervisor.job(plan(), request()))
    assert (supervisor.state, supervisor.generation) == ("ready", 1)


async def test_who_stops_reading_cancels(make: Make) -> None:
    supervisor = make("waits")
    frames = supervisor.job(plan(), request()).__aiter__()
    await anext(frames)
    await frames.aclose()
    await until(lambda: supervisor.state == "ready")


async def test_a_request_can_be_cancelled_while_it_waits_for_the_load(make: Make) -> None:
    supervisor = make("load-hangs")
    canceled, late = supervisor.job(plan(), request()), supervisor.job(plan(), request())
    waiting = [asyncio.ensure_future(answer(job)) for job in (canceled, late)]
    await until(lambda: supervisor.state == "loading")
    canceled.cancel()
    late.cancel("timeout")
    with pytest.raises(Canceled):
        await waiting[0]
    with pytest.raises(Timeout):
        await waiting[1]


async def test_unload_in_the_middle_of_a_load_leaves_no_child(make: Make) -> None:
    counting = ChangingSpawn("load-hangs")
    supervisor = make(counting)
    load = asyncio.ensure_future(supervisor.load(plan()))
    await until(lambda: supervisor.state == "loading")
    await supervisor.unload()
    with pytest.raises(Canceled):
        await load
    assert supervisor.state == "stopped"
    with pytest.raises(ProcessLookupError):
        os.kill(counting.pids[0], 0)


async def test_it_unloads_after_a_time_without_requests_and_loads_again(make: Make) -> None:
    supervisor = make()
    supervisor.idle_seconds = 0.1
    await answer(supervisor.job(plan(), request()))
    await until(lambda: supervisor.state == "stopped")
    assert supervisor.pid is None
    assert (await answer(supervisor.job(plan(), request())))[0] == "one two three"


async def test_idle_unload_racing_requests_is_never_an_error(make: Make) -> None:
    supervisor = make()
    supervisor.idle_seconds = 0.0
    for _ in range(10):
        assert (await answer(supervisor.job(plan(), request())))[0] == "one two three"


async def test_a_deaf_worker_is_killed_after_the_grace(
    make: Make, jp_asyncio_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace = TimeLimit(jp_asyncio_loop, 86_000.0, monkeypatch)
    counting = ChangingSpawn("deaf")
    supervisor = make(counting, stop_grace_seconds=86_000.0)
    await supervisor.load(plan())
    unloading = asyncio.ensure_future(supervisor.unload())
    await grace.is_over()  # It was to leave; now comes SIGTERM.
    await grace.is_over()
    await within(unloading)
    assert Supervisor().stop_grace_seconds == 2.0
    with pytest.raises(ProcessLookupError):
        os.kill(counting.pids[0], 0)


@pytest.mark.parametrize("script", ["garbage", "oversized", "truncated"])
async def test_a_worker_whose_frames_cannot_be_read_is_replaced(make: Make, script: str) -> None:
    supervisor = make(ChangingSpawn(script, "echo"))
    with pytest.raises(BackendUnavailable, match="unreadable"):
        await answer(supervisor.job(plan(), request()))
    assert (await answer(supervisor.job(plan(), request())))[0] == "one two three"


async def test_native_prints_without_end_break_nothing(make: Make) -> None:
    assert (await answer(make("floods").job(plan(), request())))[0] == "one two three"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("silent", "did not start within"),
        ("dies-at-once", "exit status 3"),
        ("other-protocol", "protocol 99"),
    ],
)
async def test_a_worker_that_does_not_come_up_is_one_clear_error(make: Make, script: str, words: str) -> None:
    # Only what never comes is to be given up: to start a process takes seconds where the machine is busy.
    supervisor = make(script, **({"start_timeout_seconds": 1.0} if script == "silent" else {}))
    with pytest.raises(BackendUnavailable, match=words):
        await supervisor.load(plan())
    assert supervisor.state == "stopped"


async def test_a_request_that_is_too_large_for_a_frame_is_refused_and_nothing_hangs(make: Make) -> None:
    supervisor = make()
    with pytest.raises(Exception, match="too large"):
        await answer(supervisor.job(plan(), request(text="x" * (wire.MAX_FRAME_BYTES + 1))))
    assert (await answer(supervisor.job(plan(), request())))[0] == "one two three"


async def test_ping(make: Make) -> None:
    supervisor = make()
    assert await supervisor.ping() is None
    await supervisor.load(plan())
    pong = await supervisor.ping(PATIENCE_SECONDS)
    assert pong is not None
    assert pong.rss_bytes == 1


@pytest.mark.parametrize("script", ["echo", "crashes"])
async def test_a_worker_that_is_gone_leaves_no_pipe_open(make: Make, script: str) -> None:
    """Also while somebody knows it still: no garbage collector has to find them."""
    workers: list[Any] = []

    async def keeping(**options: Any) -> Any:
        worker, hello = await spawn(script)(**options)
        workers.append(worker)
        return worker, hello

    supervisor = make(keeping, max_crashes=1)
    await supervisor.load(plan())
    if script == "crashes":
        with pytest.raises(BackendUnavailable):
            await answer(supervisor.job(plan(), request()))
    else:
        await supervisor.unload()
    (child,) = (worker._child for worker in workers)
    await until(lambda: all(pipe.closed for pipe in (child.stdin, child.stdout, child.stderr)))


async def test_nothing_starts_after_close(make: Make) -> None:
    supervisor = make()
    await supervisor.close()
    with pytest.raises(BackendUnavailable):
        await supervisor.load(plan())
