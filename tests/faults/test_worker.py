"""Rows 1 to 18: workers that die, hang, babble or are flooded. What is killed and stopped here is real."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_localcoder.contract import registry, wire
from jupyter_localcoder.contract.backend import Notice
from jupyter_localcoder.errors import BackendUnavailable, Canceled
from jupyter_localcoder.server import outbox
from jupyter_localcoder.server.app import LocalCoderApp
from jupyter_localcoder.supervisor import Supervisor
from tests.engine.conftest import Bench
from tests.faults.conftest import Open, gone, until
from tests.server.conftest import Ask, Connect
from tests.support.jupyter_server import JupyterServer, ends_within
from tests.support.workers import failing, plan, request, spawn

STREAM = {"Accept": "text/event-stream"}
LONG = {"command": "explain", "code": "print(1)", "max_tokens": 3900}
QUICK_PINGS = {"ping_interval_seconds": 0.2, "ping_timeout_seconds": 2.0}


async def first_text(bench: Bench, frames: Any) -> None:
    assert isinstance(await anext(frames), wire.Text)
    assert bench.supervisor.pid is not None


async def drained(frames: Any) -> None:
    async for _ in frames:
        pass


async def answers(bench: Bench) -> bool:
    return (await bench.ask(request(max_tokens=2)))[1].completion_tokens <= 2


async def test_01_killed_in_mid_stream(ask: Ask, tiny_model: str, extension: LocalCoderApp) -> None:
    await ask("POST", "models/tiny/load")
    supervisor = extension.service._supervisor
    server = os.getpid()
    running = asyncio.ensure_future(ask("POST", "generate", LONG, headers=STREAM))
    await until(lambda: supervisor.state == "busy")
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    frames = (await running).frames
    assert [f["error"]["code"] for f in frames if f["type"] == "error"] == ["BACKEND_UNAVAILABLE"]
    assert (await ask("POST", "generate", {**LONG, "max_tokens": 8})).status == 200
    assert os.getpid() == server
    assert (await ask("GET", "health")).data["generation"] == 2


@pytest.mark.parametrize("name", ["SIGABRT", "SIGSEGV"])
async def test_02_a_signal_is_named_and_the_worker_starts_again(
    open_model: Open, tiny_gguf: Path, name: str
) -> None:
    bench = open_model(tiny_gguf)
    frames = bench.job(request(max_tokens=480)).__aiter__()
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
    bench = open_model(tiny_gguf, log=logging.getLogger("faults"), backoff_first_seconds=0.5)
    supervisor = bench.supervisor
    for crash in range(3):
        await supervisor.load(bench.plan)
        pong = await supervisor.ping()
        # The request before was ended by the crash, and is not computed again by the new worker.
        assert pong is not None
        assert (pong.running, pong.waiting, pong.steps) == (0, 0, 0)
        frames = bench.job(request(max_tokens=480)).__aiter__()
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
    bench = open_model(tiny_gguf, spawn=spawn("crashes-in-load"), log=logging.getLogger("faults"), **waits)
    with pytest.raises(BackendUnavailable, match="SIGSEGV"):
        await bench.supervisor.load(bench.plan)
    await until(lambda: bench.supervisor.state == "failed")
    told = [r.args[0] for r in caplog.records if "Restarting the worker in" in r.msg]  # type: ignore[index]
    assert told == [0.02, 0.04, 0.06, 0.06, 0.06]


async def test_04_a_stopped_worker_is_ended_at_its_deadline(open_model: Open, tiny_gguf: Path) -> None:
    bench = open_model(tiny_gguf, **QUICK_PINGS)
    frames = bench.job(request(max_tokens=480)).__aiter__()
    await first_text(bench, frames)
    stopped = bench.supervisor.pid
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(BackendUnavailable, match="no sign of life for 2 seconds"):
        await drained(frames)
    assert gone(stopped)
    assert await answers(bench)


@pytest.mark.parametrize(
    ("point", "words"), [("holds-the-lock", "no sign of life"), ("stuck", "did not get on")]
)
async def test_05_a_hang_is_ended_at_the_deadline(
    open_model: Open, tiny_gguf: Path, point: str, words: str
) -> None:
    """One keeps the interpreter's lock, and answers no ping; the other answers, and computes nothing."""
    bench = open_model(tiny_gguf, spawn=failing(point), progress_timeout_seconds=1.0, **QUICK_PINGS)
    await bench.supervisor.load(bench.plan)
    hanging = bench.supervisor.pid
    with pytest.raises(BackendUnavailable, match=words):
        await answers(bench)
    assert hanging is not None
    assert gone(hanging)


async def test_05_who_cancels_what_hangs_is_not_left_waiting(open_model: Open, tiny_gguf: Path) -> None:
    """Long before the watchdog would have noticed by itself."""
    bench = open_model(tiny_gguf, spawn=failing("stuck"), cancel_timeout_seconds=0.5)
    await bench.supervisor.load(bench.plan)
    hanging = bench.supervisor.pid
    job = bench.job(request(max_tokens=8))
    running = asyncio.ensure_future(drained(job))
    await until(lambda: bench.supervisor.state == "busy")
    job.cancel()
    with pytest.raises(Canceled):
        await running
    assert hanging is not None
    assert gone(hanging)
    assert "did not end a cancelled request within 0.5 seconds" in bench.supervisor.reason


async def test_04_a_server_that_is_held_up_itself_does_not_take_it_for_a_hang(
    open_model: Open, tiny_gguf: Path
) -> None:
    bench = open_model(tiny_gguf)
    await bench.supervisor.load(bench.plan)
    asking = asyncio.ensure_future(bench.supervisor.ping(0.2))
    await asyncio.sleep(0)
    time.sleep(1.0)  # noqa: ASYNC251 - so that the answer and the end of the time are heard of together
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
def test_06_a_killed_server_takes_its_worker_along(server: JupyterServer, state: str) -> None:
    server.call("POST", "localcoder/models/tiny/load", {})
    worker = server.worker()
    if state == "is stopped":
        if not psutil.LINUX:
            pytest.skip("only Linux ends a process that hangs together with its parent")
        worker.suspend()
    server.kill()
    assert ends_within(worker, 2)


async def test_07_a_shutdown_during_a_load_leaves_no_child(open_model: Open, tmp_path: Path) -> None:
    """The file is a pipe without a writer: llama.cpp waits in its first read, for as long as it must."""
    path = tmp_path / "model.gguf"
    os.mkfifo(path)
    bench = open_model(path, stop_grace_seconds=2.0)
    loading = asyncio.ensure_future(bench.supervisor.load(bench.plan))
    await until(lambda: bench.supervisor.state == "loading")
    worker = bench.supervisor.pid
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await bench.supervisor.close()
    assert time.monotonic() - began < 5
    with pytest.raises(Canceled):
        await loading
    assert worker is not None
    assert gone(worker)


async def test_10_another_model_waits_until_the_answer_is_complete(
    open_model: Open, tiny_gguf: Path, tiny_llama_gguf: Path
) -> None:
    bench = open_model(tiny_gguf)
    other = Bench(bench.supervisor, open_model(tiny_llama_gguf).plan)
    running = asyncio.ensure_future(bench.ask(request(max_tokens=300)))
    await until(lambda: bench.supervisor.state == "busy")
    loading = asyncio.ensure_future(other.supervisor.load(other.plan))
    _, end = await running
    assert end.completion_tokens > 0
    assert end.finish in ("stop", "length")
    await loading
    assert bench.supervisor.plan == other.plan


async def test_11_a_closed_tab_frees_its_place_and_what_it_has_queued_is_skipped(
    jp_ws_fetch: Any, ask: Ask, tiny_model: str, extension: LocalCoderApp
) -> None:
    await ask("POST", "models/tiny/load")
    service = extension.service
    took: list[float] = []
    for _ in range(3):  # The best of three: a busy machine is not what is looked at.
        socket = await jp_ws_fetch("localcoder", "channel")
        queued = {"prompt": "x", "max_tokens": 3900}
        for i, (op, payload) in enumerate([("generate", LONG), ("llm:call", queued), ("llm:call", queued)]):
            await socket.write_message(json.dumps({"id": str(i), "op": op, "payload": payload}))
        await until(lambda: len(service._runs) + len(service.queue._requests) >= 3)
        began = time.monotonic()
        socket.close()
        await until(lambda: len(service._runs) == 0 and service._supervisor.state == "ready")
        took.append(time.monotonic() - began)
        assert len(service.queue._requests) == 0
    assert min(took) < 0.5


async def test_12_a_cancel_while_a_prompt_is_read(open_model: Open, tiny_gguf: Path) -> None:
    bench = open_model(tiny_gguf, {"n_ctx": 32768, "n_batch": 512, "n_ubatch": 512})
    await bench.supervisor.load(bench.plan)
    job = bench.job(request(max_tokens=8, text="a b c d " * 4000))
    running = asyncio.ensure_future(_to_the_end(job))
    await until(lambda: bench.supervisor.state == "busy")
    await asyncio.sleep(0.3)
    assert not running.done()
    began = time.monotonic()
    job.cancel()
    end = await running
    assert time.monotonic() - began < 1
    assert (end.finish, end.completion_tokens) == ("canceled", 0)
    pong = await bench.supervisor.ping()
    assert pong is not None
    assert (pong.running, pong.waiting, pong.reserved_cells) == (0, 0, 0)
    assert await answers(bench)


async def test_15_an_idle_unload_that_races_a_request_is_never_an_error(
    open_model: Open, tiny_gguf: Path
) -> None:
    bench = open_model(tiny_gguf)
    bench.supervisor.idle_seconds = 0.0
    for _ in range(4):
        assert await answers(bench)


async def test_16_a_client_that_stops_reading_takes_no_memory_and_is_closed(
    connect: Connect, extension: LocalCoderApp
) -> None:
    """A real connection: what nobody reads fills the buffers of the system first, then ours."""
    events = extension.service.events
    others = len(events._listeners)
    deaf, awake = await connect(), await connect()
    await until(lambda: len(events._listeners) == others + 2)
    heard = 0

    async def read() -> None:
        nonlocal heard
        while True:
            heard += (await awake.next())["event"] == "notice"

    reading = asyncio.ensure_future(read())
    news = Notice(severity="info", message="x" * 100_000, action="")
    tracemalloc.start()
    for told in range(1, 501):
        events.tell(registry.NOTICE, news)
        await until(lambda told=told: heard == told)
    assert tracemalloc.get_traced_memory()[1] < 3 * outbox.MAX_WAITING_BYTES
    tracemalloc.stop()
    await until(lambda: len(events._listeners) == others + 1)
    assert (await asyncio.wait_for(_last_message(deaf), 20)) is None
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
    assert "Its last words:\nmodel  is brokenfine\nthe last" in caplog.text
    assert not {"\x1b", "\x07", "\r"} & set(caplog.text)


async def _to_the_end(job: Any) -> wire.Finished:
    async with contextlib.aclosing(job.__aiter__()) as frames:
        async for frame in frames:
            if isinstance(frame, wire.Finished):
                return frame
    raise Canceled
