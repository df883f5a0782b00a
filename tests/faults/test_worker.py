"""Rows 1 to 18: workers that die, hang, babble or are flooded. What is killed and stopped here is real."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from jupyter_localcoder.contract import registry, wire
from jupyter_localcoder.contract.backend import Notice
from jupyter_localcoder.engine.job import WorkerJob
from jupyter_localcoder.engine.process import WorkerProcess
from jupyter_localcoder.engine.supervisor import Supervisor
from jupyter_localcoder.engine.worker_link import WorkerLink
from jupyter_localcoder.errors import BackendUnavailable, Canceled
from jupyter_localcoder.server import outbox
from jupyter_localcoder.server.app import LocalCoderApp
from tests.engine.conftest import Bench
from tests.faults.conftest import Open, gone
from tests.server.conftest import Ask, Connect, Endless
from tests.support.jupyter_server import JupyterServer, seconds_to_end, wait_until
from tests.support.time_limits import TimeLimit
from tests.support.waiting import PATIENCE_SECONDS, until, within
from tests.support.workers import HANGS, endless, failing, plan, request, spawn

STREAM = {"Accept": "text/event-stream"}
LONG = {"command": "explain", "code": "print(1)", "max_tokens": 3900}
LIMIT_SECONDS = 86_000.0
"""A limit that a test ends by hand; see `TimeLimit`."""
Record = Callable[[str, object], None]


async def first_text(bench: Bench, frames: Any) -> None:
    assert isinstance(await anext(frames), wire.Text)
    assert bench.supervisor.pid is not None


async def drained(frames: Any) -> None:
    async for _ in frames:
        pass


async def answers(bench: Bench) -> bool:
    """Whether it writes as many tokens as it was asked for."""
    _, end = await bench.ask(request(max_tokens=2))
    return (end.finish, end.completion_tokens) == ("length", 2)


def endless_request(**changes: Any) -> wire.GenerateFrame:
    """A request for an answer that `endless` workers never end by themselves."""
    return request(max_tokens=3900, **changes)


async def pong_of(supervisor: Supervisor) -> wire.Pong:
    pong = await supervisor.ping(PATIENCE_SECONDS)
    assert pong is not None
    return pong


class Hanging(NamedTuple):
    """A worker that hangs in the computation for a request."""

    supervisor: Supervisor
    job: WorkerJob
    running: asyncio.Future[None]
    pid: int


async def test_01_killed_in_mid_stream(
    ask: Ask, tiny_model: str, extension: LocalCoderApp, endless_worker: Endless
) -> None:
    await ask("POST", "models/tiny/load")
    supervisor = extension.service.pool.front
    server = os.getpid()
    running = asyncio.ensure_future(ask("POST", "generate", LONG, headers=STREAM))
    await endless_worker.writes()
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    frames = (await running).frames
    assert [f for f in frames if f["type"] == "delta"]
    assert [f["error"]["code"] for f in frames if f["type"] == "error"] == ["BACKEND_UNAVAILABLE"]
    assert (await ask("POST", "generate", {**LONG, "max_tokens": 8})).status == 200
    assert os.getpid() == server
    assert (await ask("GET", "health")).data["generation"] == 2


@pytest.mark.parametrize("name", ["SIGABRT", "SIGSEGV"])
async def test_02_a_signal_is_named_and_the_worker_starts_again(
    open_model: Open, tiny_gguf: Path, name: str
) -> None:
    bench = open_model(tiny_gguf, spawn=endless())
    frames = bench.job(endless_request()).__aiter__()
    await first_text(bench, frames)
    os.kill(bench.supervisor.pid, signal.Signals[name])
    with pytest.raises(BackendUnavailable, match=name):
        await drained(frames)
    await until(lambda: bench.supervisor.state == "ready")
    assert await answers(bench)


async def test_02_a_mapped_model_that_is_truncated_is_a_sigbus(
    open_model: Open, tiny_gguf: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.gguf"
    shutil.copy(tiny_gguf, path)
    bench = open_model(path, {"repack": False})
    await bench.supervisor.load(bench.plan)
    whole = path.read_bytes()
    os.truncate(path, 4096)
    with pytest.raises(BackendUnavailable, match="SIGBUS"):
        await answers(bench)
    # What is there now is no model; when it is whole again, it is loaded again.
    await until(lambda: bench.supervisor.state in ("stopped", "failed"))
    path.write_bytes(whole)
    await bench.supervisor.load(bench.plan)
    assert await answers(bench)


async def test_03_three_crashes_end_the_restarts_and_nothing_is_replayed(
    open_model: Open, tiny_gguf: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    # Its clock stands still: however long all of this takes, the crashes are of one short while.
    bench = open_model(
        tiny_gguf,
        spawn=endless(),
        log=logging.getLogger("faults"),
        clock=lambda: 0.0,
        backoff_first_seconds=0.5,
    )
    supervisor = bench.supervisor
    for crash in range(3):
        await supervisor.load(bench.plan)
        pong = await pong_of(supervisor)
        # The request before was ended by the crash, and is not computed again by the new worker.
        assert (pong.running, pong.waiting, pong.steps) == (0, 0, 0)
        frames = bench.job(endless_request()).__aiter__()
        await first_text(bench, frames)
        os.kill(supervisor.pid, signal.SIGSEGV)  # type: ignore[arg-type]
        with pytest.raises(BackendUnavailable, match="SIGSEGV"):
            await drained(frames)
        await until(lambda crash=crash: supervisor.state == ("failed" if crash == 2 else "ready"))
    assert "load a model to try again" in supervisor.reason
    waits = [r.getMessage() for r in caplog.records if "Restarting the worker in" in r.getMessage()]
    assert [text.split(" in ")[1].split(" s")[0] for text in waits] == ["0.0", "0.5"]
    with pytest.raises(BackendUnavailable):
        await answers(bench)
    await supervisor.load(bench.plan)
    assert await answers(bench)


async def test_03_the_waits_between_restarts_double_up_to_their_limit(
    open_model: Open, tiny_gguf: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    waits = {"backoff_first_seconds": 0.02, "backoff_max_seconds": 0.06, "max_crashes": 6}
    bench = open_model(
        tiny_gguf, spawn=spawn("crashes-in-load"), log=logging.getLogger("faults"), clock=lambda: 0.0, **waits
    )
    with pytest.raises(BackendUnavailable, match="SIGSEGV"):
        await bench.supervisor.load(bench.plan)
    await until(lambda: bench.supervisor.state == "failed")
    told = [r.args[0] for r in caplog.records if "Restarting the worker in" in r.msg]  # type: ignore[index]
    assert told == [0.02, 0.04, 0.06, 0.06, 0.06]


@pytest.fixture
def limit(jp_asyncio_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> TimeLimit:
    """What waits for `LIMIT_SECONDS`."""
    return TimeLimit(jp_asyncio_loop, LIMIT_SECONDS, monkeypatch)


async def test_04_a_stopped_worker_is_ended_at_its_deadline(
    open_model: Open, tiny_gguf: Path, limit: TimeLimit
) -> None:
    bench = open_model(
        tiny_gguf, spawn=endless(), ping_interval_seconds=0.2, ping_timeout_seconds=LIMIT_SECONDS
    )
    frames = bench.job(endless_request()).__aiter__()
    await first_text(bench, frames)
    stopped = psutil.Process(bench.supervisor.pid)
    stopped.suspend()
    await until(lambda: stopped.status() == psutil.STATUS_STOPPED)
    await limit.is_over()
    with pytest.raises(BackendUnavailable, match="did not respond for 86000 seconds"):
        await drained(frames)
    assert gone(stopped.pid)
    assert await answers(bench)


@pytest.fixture
def hanging(
    open_model: Open, tiny_gguf: Path, caplog: pytest.LogCaptureFixture
) -> Callable[..., Awaitable[Hanging]]:
    caplog.set_level(logging.DEBUG)

    async def hanging_(point: str, **supervisor: Any) -> Hanging:
        bench = open_model(tiny_gguf, spawn=failing(point), log=logging.getLogger("faults"), **supervisor)
        job = bench.job(request(max_tokens=8))
        running = asyncio.ensure_future(drained(job))
        await until(lambda: HANGS in caplog.text)
        assert bench.supervisor.pid is not None
        return Hanging(bench.supervisor, job, running, bench.supervisor.pid)

    return hanging_


async def test_05_a_worker_that_holds_the_lock_is_ended_at_the_deadline(
    hanging: Callable[..., Awaitable[Hanging]], limit: TimeLimit
) -> None:
    """It answers no ping."""
    worker = await hanging("holds-the-lock", ping_interval_seconds=0.2, ping_timeout_seconds=LIMIT_SECONDS)
    await limit.is_over()
    with pytest.raises(BackendUnavailable, match="did not respond for 86000 seconds"):
        await worker.running
    assert gone(worker.pid)


async def test_05_a_hang_is_ended_at_the_deadline(
    hanging: Callable[..., Awaitable[Hanging]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers, and computes nothing."""
    now = 0.0
    pongs, receive = 0, WorkerLink.receive

    def count(link: WorkerLink, frame: wire.FromWorker) -> None:
        nonlocal pongs
        pongs += isinstance(frame, wire.Pong)
        receive(link, frame)

    monkeypatch.setattr(WorkerLink, "receive", count)
    worker = await hanging(
        "stuck", ping_interval_seconds=0.05, progress_timeout_seconds=300.0, clock=lambda: now
    )

    async def looked_at() -> None:
        """The next ping is sent when what to make of the answer before it is decided."""
        seen = pongs
        await until(lambda: pongs >= seen + 3 or worker.running.done())

    await looked_at()
    now = 299.0
    await looked_at()
    assert not worker.running.done()
    assert not gone(worker.pid)
    now = 301.0
    with pytest.raises(BackendUnavailable, match="made no progress for 300 seconds"):
        await within(worker.running)
    assert gone(worker.pid)


async def test_05_who_cancels_what_hangs_is_not_left_waiting(
    hanging: Callable[..., Awaitable[Hanging]], limit: TimeLimit
) -> None:
    """Long before the watchdog would have noticed by itself."""
    assert Supervisor().cancel_timeout_seconds == 10.0
    worker = await hanging("stuck", cancel_timeout_seconds=LIMIT_SECONDS)
    worker.job.cancel()
    assert not worker.running.done()
    await limit.is_over()
    with pytest.raises(Canceled):
        await worker.running
    assert gone(worker.pid)
    assert "did not stop a cancelled request within 86000 seconds" in worker.supervisor.reason


async def test_04_a_server_that_is_held_up_itself_does_not_take_it_for_a_hang(
    open_model: Open, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = open_model(tiny_gguf)
    await bench.supervisor.load(bench.plan)
    link, came = bench.supervisor._slot.link, threading.Event()
    assert link is not None
    worker = link.worker
    assert isinstance(worker, WorkerProcess)
    to_loop = worker._to_loop

    def hear(function: Any, frame: Any) -> None:
        to_loop(function, frame)
        came.set()

    monkeypatch.setattr(worker, "_to_loop", hear)
    asking = asyncio.ensure_future(bench.supervisor.ping(0.2))
    await asyncio.sleep(0)
    # The loop stands still until the answer is there and the time is over: it hears of both together.
    assert came.wait(PATIENCE_SECONDS)
    time.sleep(0.3)  # noqa: ASYNC251
    assert await asking is not None


@pytest.fixture
def server(tmp_path: Path, tiny_gguf: Path) -> Iterator[JupyterServer]:
    """A Jupyter server in a process of its own, with the tiny model."""
    server = JupyterServer(tmp_path, tmp_path / "models")
    server.start()
    server.call("POST", "localcoder/models/import", {"path": str(tiny_gguf), "id": "tiny"})
    yield server
    server.stop()


@pytest.mark.parametrize("state", ["works", "is stopped"])
def test_06_a_killed_server_takes_its_worker_along(
    server: JupyterServer, state: str, record_property: Record
) -> None:
    server.call("POST", "localcoder/models/tiny/load", {})
    worker = server.worker()
    if state == "is stopped":
        if not psutil.LINUX:
            pytest.skip("only Linux ends a process that hangs together with its parent")
        worker.suspend()
    server.kill()
    record_property("seconds", seconds_to_end(worker))


STATUS_SECONDS = 5.0


def test_04_the_status_answers_and_says_that_the_worker_is_stopped(
    server: JupyterServer, record_property: Record
) -> None:
    server.call("POST", "localcoder/models/tiny/load", {})
    ready = server.call("GET", "localcoder/health")
    assert ready["reason"].startswith("tiny is ready.")
    worker = server.worker()
    worker.suspend()
    wait_until(lambda: worker.status() == psutil.STATUS_STOPPED)
    began = time.monotonic()
    health = server.call("GET", "localcoder/health")
    seconds = time.monotonic() - began
    record_property("seconds", seconds)
    assert seconds < STATUS_SECONDS
    assert health["reason"].startswith("The inference worker does not respond.")
    assert [one["reason"] for one in health["resident"]] == [health["reason"]]
    ran = subprocess.run(
        [sys.executable, "-m", "jupyter_localcoder.cli", "status"],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert "The inference worker does not respond." in " ".join(ran.stdout.split())
    assert "tiny" in {model["id"] for model in server.call("GET", "localcoder/models")["models"]}
    worker.resume()
    wait_until(lambda: server.call("GET", "localcoder/health")["reason"] == ready["reason"])
    assert server.worker() == worker


async def test_04_a_page_is_told_that_the_worker_is_stopped_and_that_it_goes_on(
    ask: Ask, connect: Connect, tiny_model: str, extension: LocalCoderApp
) -> None:
    await ask("POST", f"models/{tiny_model}/load")
    ready = (await ask("GET", "health")).data["reason"]
    channel = await connect()

    async def told() -> str:
        while True:
            message = await channel.next()
            if message.get("event") == "backend:state":
                return str(message["payload"]["reason"])

    worker = psutil.Process(extension.service.pool.front.pid)
    worker.suspend()
    silent = (await ask("GET", "health")).data["reason"]
    assert silent.startswith("The inference worker does not respond.")
    assert await told() == silent
    worker.resume()
    assert await told() == ready


async def test_07_a_shutdown_during_a_load_leaves_no_child(
    open_model: Open, tmp_path: Path, record_property: Record
) -> None:
    """The file is a pipe into which nobody writes: llama.cpp waits in its first read, and would for ever."""
    path = tmp_path / "model.gguf"
    os.mkfifo(path)
    bench = open_model(path)
    loading = asyncio.ensure_future(bench.supervisor.load(bench.plan))
    opened: list[int] = []

    def is_read() -> bool:
        with contextlib.suppress(OSError):  # nobody reads it yet
            opened.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened)

    await until(is_read)
    worker = bench.supervisor.pid
    assert bench.supervisor.state == "loading"
    began = time.monotonic()
    await bench.supervisor.close()
    record_property("seconds", time.monotonic() - began)
    with pytest.raises(Canceled):
        await loading
    assert worker is not None
    assert gone(worker)
    os.close(*opened)


async def test_10_another_model_waits_until_the_answer_is_complete(
    open_model: Open, tiny_gguf: Path, tiny_llama_gguf: Path
) -> None:
    """The worker is stopped until the other one waits: its answer cannot be complete before."""
    bench = open_model(tiny_gguf)
    other = Bench(bench.supervisor, open_model(tiny_llama_gguf).plan)
    await bench.supervisor.load(bench.plan)
    worker = psutil.Process(bench.supervisor.pid)
    worker.suspend()
    running = asyncio.ensure_future(bench.ask(request(max_tokens=300)))
    await until(lambda: bench.supervisor.state == "busy")
    loading = asyncio.ensure_future(other.supervisor.load(other.plan))
    await until(lambda: bench.supervisor.changing)
    assert not running.done()
    worker.resume()
    _, end = await running
    assert end.completion_tokens > 0
    assert end.finish in ("stop", "length")
    await loading
    assert bench.supervisor.plan == other.plan


async def test_11_a_closed_tab_frees_its_place_and_what_it_has_queued_is_skipped(
    jp_ws_fetch: Any,
    ask: Ask,
    tiny_model: str,
    extension: LocalCoderApp,
    endless_worker: Endless,
    record_property: Record,
) -> None:
    await ask("POST", "models/tiny/load")
    service = extension.service
    socket = await jp_ws_fetch("localcoder", "channel")
    queued = {"prompt": "x", "max_tokens": 3900}
    for i, (op, payload) in enumerate([("generate", LONG), ("llm:call", queued), ("llm:call", queued)]):
        await socket.write_message(json.dumps({"id": str(i), "op": op, "payload": payload}))
    await until(lambda: len(service.queue.requests) == 2)
    await endless_worker.writes()
    began = time.monotonic()
    socket.close()
    await until(lambda: len(service.runs) == len(service.queue.requests) == 0)
    await endless_worker.rests()
    record_property("seconds", time.monotonic() - began)


async def test_12_a_cancel_while_a_prompt_is_read(
    open_model: Open, tiny_gguf: Path, record_property: Record
) -> None:
    """It is read for ever: nothing but the end of the computation under way can lead on."""
    window = {"n_ctx": 32768, "n_batch": 512, "n_ubatch": 512}
    bench = open_model(tiny_gguf, window, spawn=endless())
    await bench.supervisor.load(bench.plan)
    job = bench.job(request(max_tokens=8, text="a b c d " * 4000))
    running = asyncio.ensure_future(_to_the_end(job))
    while (await pong_of(bench.supervisor)).running == 0:
        assert not running.done()
    began = time.monotonic()
    job.cancel()
    end = await running
    record_property("seconds", time.monotonic() - began)
    assert (end.finish, end.completion_tokens) == ("canceled", 0)
    assert end.prompt_tokens > 4000
    pong = await pong_of(bench.supervisor)
    assert (pong.running, pong.waiting, pong.reserved_cells) == (0, 0, 0)
    assert await answers(bench)
    assert bench.supervisor.generation == 1


async def test_15_an_idle_unload_that_races_a_request_is_never_an_error(
    open_model: Open, tiny_gguf: Path
) -> None:
    """Requests that come so many turns of the loop after the last one, and while the worker is ended."""
    bench = open_model(tiny_gguf)
    bench.supervisor.idle_seconds = 0.0
    for turns in range(5):
        assert await answers(bench)
        for _ in range(turns):
            await asyncio.sleep(0)
    assert await answers(bench)
    await until(lambda: bench.supervisor.state in ("unloading", "stopped"))
    assert await answers(bench)
    assert bench.supervisor.generation > 1


async def test_16_a_client_that_stops_reading_takes_no_memory_and_is_closed(
    connect: Connect, extension: LocalCoderApp
) -> None:
    """A real connection: what nobody reads fills the buffers of the system first, then ours."""
    events = extension.service.events
    others = events.count
    deaf, awake = await connect(), await connect()
    await until(lambda: events.count == others + 2)
    heard = 0

    async def read() -> None:
        nonlocal heard
        while True:
            heard += (await awake.next())["event"] == "notice"

    reading = asyncio.ensure_future(read())
    news = Notice(severity="info", message="x" * 100_000, action="")
    tracemalloc.start()
    for told in range(1, 501):
        events.notify(registry.NOTICE, news)
        await until(lambda told=told: heard == told)
    assert tracemalloc.get_traced_memory()[1] < 3 * outbox.MAX_WAITING_BYTES
    tracemalloc.stop()
    await until(lambda: events.count == others + 1)
    assert (await within(_last_message(deaf))) is None
    reading.cancel()
    assert (await awake.call("backend:ping"))["success"] is True


async def _last_message(channel: Any) -> Any:
    while (message := await channel.socket.read_message()) is not None:
        assert b"notice" in message.encode()
    return message


@pytest.fixture
def scripted(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """Ask a worker that follows a script."""
    made: list[Supervisor] = []

    async def asked(script: str, **options: Any) -> None:
        made.append(Supervisor(spawn=spawn(script), max_crashes=1, **options))
        await drained(made[-1].job(plan(), request()))

    yield asked
    for supervisor in made:
        jp_asyncio_loop.run_until_complete(supervisor.close())


async def test_18_a_line_without_an_end_takes_no_memory(scripted: Any) -> None:
    tracemalloc.start()
    try:
        await scripted("babbles")
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


async def test_46_what_a_worker_prints_is_plain_text_in_the_log(
    scripted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(BackendUnavailable, match="SIGSEGV"):
        await scripted("curses", log=logging.getLogger("faults"))
    assert "Its last output:\nmodel  is brokenfine\nthe last" in caplog.text
    assert not {"\x1b", "\x07", "\r"} & set(caplog.text)


async def _to_the_end(job: Any) -> wire.Finished:
    async with contextlib.aclosing(job.__aiter__()) as frames:
        async for frame in frames:
            if isinstance(frame, wire.Finished):
                return frame
    raise Canceled
