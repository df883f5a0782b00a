"""Two models, one for code and one for questions: a real worker for each, where memory suffices for both."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from traitlets.config import Config

from jupyter_localcoder.composition import build_service
from jupyter_localcoder.contract.backend import BackendState, BackendStatus, Notice, PingRequest
from jupyter_localcoder.contract.generation import ChatRequest, CompleteRequest, Delta, Done, Message
from jupyter_localcoder.contract.models import (
    ModelDeleteRequest,
    ModelImportRequest,
    ModelListRequest,
    ModelLoadRequest,
    ModelUnloadRequest,
)
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.engine import memory_admission
from jupyter_localcoder.engine.worker_link import Spawn
from jupyter_localcoder.errors import BackendUnavailable, Canceled
from jupyter_localcoder.machine import processors
from jupyter_localcoder.models import memory
from jupyter_localcoder.service import Service
from tests.support.tiny_model import write_tiny_model
from tests.support.waiting import PATIENCE_SECONDS, PATIENT_SUPERVISOR, until, within
from tests.support.workers import endless, failing

GB = 10**9


class Two:
    """A service whose settings name `coder` for code and `talker` for questions, and what it told."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.pool = service.pool
        self.states: list[BackendState] = []
        self.notices: list[Notice] = []
        self.most = 0
        """Most models that were in memory at once."""
        service.events.listen(self._hear)

    def _hear(self, _event: Any, payload: Any) -> None:
        self.most = max(self.most, sum(one.pid is not None for one in self.pool.supervisors))
        if isinstance(payload, BackendState):
            self.states.append(payload)
        elif isinstance(payload, Notice):
            self.notices.append(payload)

    @property
    def loads(self) -> int:
        return self.pool.generation

    @property
    def pids(self) -> dict[str, int]:
        return {one.plan.model: one.pid for one in self.pool.holding if one.plan and one.pid}

    def ask(self, **fields: Any) -> Any:
        request = ChatRequest(messages=(Message(role="user", content="why?"),), **{"max_tokens": 4, **fields})
        return self.service.generation.chat(request)

    async def complete(self, **fields: Any) -> str:
        """The model that has completed."""
        request = CompleteRequest(prefix="x = ", max_tokens=2, **fields)
        return (await last(self.service.completion.tab_complete(request))).model.id

    async def answer(self, **fields: Any) -> str:
        """The model that has answered a question."""
        return (await last(self.ask(**fields))).model.id

    async def status(self) -> BackendStatus:
        return await self.service.backend.backend_ping(PingRequest())

    async def marked(self) -> set[str]:
        listed = await self.service.models.model_list(ModelListRequest())
        return {info.id for info in listed.models if info.loaded}

    @contextlib.asynccontextmanager
    async def long_answer(self) -> Any:
        """An answer that does not end by itself, and that has begun."""
        stream = self.ask(max_tokens=3000)
        async with contextlib.aclosing(stream):
            await text(stream)
            yield stream


async def text(stream: Any) -> str:
    """The next piece of an answer."""
    while True:
        frame = await within(stream.__anext__())
        assert not isinstance(frame, Done)
        if isinstance(frame, Delta) and frame.text:
            return frame.text


async def last(frames: Any) -> Done:
    async with contextlib.aclosing(frames):
        async for frame in frames:
            if isinstance(frame, Done):
                return frame
    raise AssertionError("a stream without an end")


Open = Callable[..., Awaitable[Two]]


@pytest.fixture
def open_two(
    tmp_path: Path, tiny_gguf: Path, tiny_llama_gguf: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Open]:
    made: list[Service] = []

    async def open_(spawn: Spawn | None = None, **config: Any) -> Two:
        service = build_service(
            config=Config(
                {
                    "LocalCoderSettings": {"settings_dir": str(tmp_path / "settings")},
                    "Supervisor": {"stop_grace_seconds": 1.0, **PATIENT_SUPERVISOR},
                    "Tuning": {"threads": 1},
                    **config,
                }
            )
        )
        made.append(service)
        if spawn is not None:
            service.pool.spawn = spawn
        for path, id_ in ((tiny_gguf, "coder"), (tiny_llama_gguf, "talker")):
            await service.models.model_import(ModelImportRequest(path=str(path), id=id_))
        await service.settings.settings_update(
            SettingsUpdateRequest(model="coder", general_model="talker", context_window=1024)
        )
        return Two(service)

    yield open_
    for service in made:
        jp_asyncio_loop.run_until_complete(service.close())


def budget(two: Two, monkeypatch: pytest.MonkeyPatch, total: int) -> None:
    """Let the machine have so much memory for models; what the workers take is taken from it."""
    machine = two.service.memory

    def available() -> tuple[int, int]:
        return total - machine.given_back_bytes(), total

    monkeypatch.setattr(memory, "available", available)


def needed(two: Two, model: str) -> int:
    planner = two.service.planner
    return planner.fit(planner.plan("code", model=model)).needed_bytes


async def room_for_one(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for each, too little for both."""
    budget(two, monkeypatch, int(1.5 * max(needed(two, "coder"), needed(two, "talker"))))


async def test_taking_turns_loads_each_model_once(open_two: Open) -> None:
    two = await open_two()
    for _ in range(10):
        assert (await two.complete(), await two.answer()) == ("coder", "talker")
    assert two.loads == 2
    status = await two.status()
    assert [(one.model, one.state, one.roles) for one in status.resident] == [
        ("coder", "ready", ("code",)),
        ("talker", "ready", ("general",)),
    ]
    assert all(one.memory_bytes > 0 and one.context_window == 1024 for one in status.resident)
    assert status.memory.worker_bytes >= sum(one.memory_bytes for one in status.resident) // 2
    assert (status.model, status.residency, status.generation) == ("talker", "", 2)
    assert status.calibration is not None
    assert await two.marked() == {"coder", "talker"}
    told = two.states[-1]
    assert [one.model for one in told.resident] == ["coder", "talker"]
    assert [one.state for one in two.states if one.state == "starting"] == ["starting"] * 2


async def test_each_is_used_last_in_turn(open_two: Open) -> None:
    two = await open_two()
    await two.answer()
    await two.complete()
    assert (await two.status()).model == "coder"
    await two.answer()
    assert (await two.status()).model == "talker"
    generations = [state.generation for state in two.states]
    assert generations == sorted(generations)


async def test_where_both_do_not_fit_they_take_turns(open_two: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    two = await open_two()
    await room_for_one(two, monkeypatch)
    for _ in range(3):
        assert (await two.complete(), await two.answer()) == ("coder", "talker")
        assert await two.marked() == {"talker"}
    assert (two.loads, two.most) == (6, 1)
    status = await two.status()
    assert status.residency.startswith("`coder` and `talker` take turns: together they need ")
    assert status.residency.endswith("is available.")
    assert two.states[-1].residency == status.residency
    assert two.notices == []
    # With more memory they are side by side again.
    monkeypatch.undo()
    await two.complete()
    assert (await two.status()).residency == ""
    assert await two.marked() == {"coder", "talker"}


async def test_two_first_requests_at_once_do_not_take_more_than_there_is(
    open_two: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = await open_two()
    await room_for_one(two, monkeypatch)
    answered = await within(asyncio.gather(two.complete(), two.answer(), two.complete(), two.answer()))
    assert answered == ["coder", "talker", "coder", "talker"]
    assert two.most == 1


async def test_two_first_requests_at_once_load_each_once(open_two: Open) -> None:
    two = await open_two()
    answered = await within(asyncio.gather(two.complete(), two.answer(), two.complete(), two.answer()))
    assert answered == ["coder", "talker", "coder", "talker"]
    assert two.loads == 2


async def test_one_model_for_both_has_one_worker(open_two: Open) -> None:
    two = await open_two()
    await two.service.settings.settings_update(SettingsUpdateRequest(general_model="coder"))
    assert await within(asyncio.gather(two.complete(), two.answer())) == ["coder", "coder"]
    assert two.loads == 1
    (one,) = (await two.status()).resident
    assert one.roles == ("code", "general")


async def test_held_to_one_every_switch_is_a_load(open_two: Open) -> None:
    two = await open_two(WorkerPool={"resident_models": 1})
    for _ in range(3):
        assert (await two.complete(), await two.answer()) == ("coder", "talker")
    assert (two.loads, two.most) == (6, 1)
    status = await two.status()
    assert "this server keeps one model in memory at a time" in status.residency
    assert [one.model for one in status.resident] == ["talker"]


async def test_a_crash_costs_only_the_worker_that_crashed(open_two: Open) -> None:
    two = await open_two(endless())
    await two.complete()
    async with two.long_answer() as stream:
        os.kill(two.pids["coder"], signal.SIGSEGV)
        await until(lambda: two.loads == 3 and two.pids.get("coder"))
        talker = two.pids["talker"]
        await text(stream)
        assert await two.complete() == "coder"
        await text(stream)
        assert (two.pids["talker"], two.loads) == (talker, 3)


async def test_a_long_answer_keeps_nobody_from_completing(open_two: Open) -> None:
    two = await open_two(endless())
    async with two.long_answer() as stream:
        assert await two.complete() == "coder"
        states = {one.model: one.state for one in (await two.status()).resident}
        assert states == {"coder": "ready", "talker": "busy"}
        await text(stream)


async def test_the_answer_is_not_cut_short_for_the_other_model(
    open_two: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = await open_two(endless())
    await room_for_one(two, monkeypatch)
    async with two.long_answer() as stream:
        completing = asyncio.ensure_future(two.complete())
        await until(lambda: two.pool._reason)
        await text(stream)
        assert not completing.done()
    assert await within(completing) == "coder"
    assert two.most == 1


class Failing:
    """Real workers, of which the one with this number fails for want of memory in its first computation."""

    def __init__(self, point: str, number: int) -> None:
        self._failing, self._point, self.started = number, point, 0

    async def __call__(self, **how: Any) -> Any:
        self.started += 1
        spawn = failing(self._point) if self.started == self._failing else endless()
        return await spawn(**how)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("point", ["out-of-memory", "bad-alloc"])
async def test_memory_that_runs_out_puts_the_idle_one_out_first(
    open_two: Open, point: str, named: bool
) -> None:
    two = await open_two(Failing(point, 2))
    await two.complete()
    assert await two.answer(**({"model": "talker"} if named else {})) == "talker"
    assert set(two.pids) == {"talker"}
    assert (two.loads, two.notices) == (3, [])
    status = await two.status()
    assert status.residency == "`coder` and `talker` take turns: memory ran out with both of them loaded."
    # They are not put side by side again by themselves, and both still answer.
    assert (await two.complete(), await two.answer()) == ("coder", "talker")
    assert two.loads == 5
    # A person may have it tried again.
    await two.service.models.model_load(ModelLoadRequest(id="coder"))
    assert set(two.pids) == {"coder", "talker"}


async def test_memory_that_runs_out_alone_too_is_a_step_down(open_two: Open, tmp_path: Path) -> None:
    two = await open_two(failing("out-of-memory", "bigger"))
    path = write_tiny_model(tmp_path / "bigger.gguf", layers=4)
    await two.service.models.model_import(ModelImportRequest(path=str(path), id="bigger"))
    await two.service.settings.settings_update(SettingsUpdateRequest(general_model="bigger"))
    await two.complete()
    assert await two.answer() == "coder"
    assert two.loads == 4  # beside the other, alone, and the other again
    (notice,) = two.notices
    assert "There was not enough memory for `bigger`: `coder` is used instead" in notice.message


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what is mapped privately")
async def test_no_memory_in_a_load_beside_the_other_is_a_load_alone(
    open_two: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = await open_two(Tuning={"threads": 1, "mmap": False})
    await two.complete()
    monkeypatch.setattr(memory_admission, "memory_share", lambda *_: 1)
    assert await two.answer() == "talker"
    assert (set(two.pids), two.notices) == ({"talker"}, [])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what is mapped privately")
async def test_the_limits_of_both_are_within_what_there_is(
    open_two: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = await open_two()
    budget(two, monkeypatch, 4 * GB)
    await two.complete()
    await two.answer()
    limits = [psutil.Process(two.pids[id_]).rlimit(psutil.RLIMIT_DATA)[0] for id_ in ("coder", "talker")]
    # Beside the budget each may map what it never touches.
    over = memory_admission.SLACK_BYTES + memory_admission.STACK_BYTES * processors.available().cores
    assert len(limits) == 2
    assert all(GB < limit < 3 * GB for limit in limits)
    assert sum(limits) <= 4 * GB + 2 * over
    # And so they are after a crash.
    os.kill(two.pids["coder"], signal.SIGSEGV)
    await until(lambda: two.loads == 3 and two.pool.serving("code").state == "ready")
    assert psutil.Process(two.pids["coder"]).rlimit(psutil.RLIMIT_DATA)[0] == limits[0]


async def test_what_is_unloaded_is_one_or_all(open_two: Open) -> None:
    two = await open_two()
    await two.complete()
    await two.answer()
    before = two.pids
    await two.service.models.model_unload(ModelUnloadRequest(id="coder"))
    assert two.pids == {"talker": before["talker"]}
    status = await two.status()
    assert (status.model, status.state, [one.model for one in status.resident]) == (
        "talker",
        "ready",
        ["talker"],
    )
    assert (two.states[-1].model, two.states[-1].state) == ("talker", "ready")
    await two.complete()
    before = two.pids
    await two.service.models.model_unload(ModelUnloadRequest())
    assert (two.pids, (await two.status()).state, (await two.status()).resident) == ({}, "stopped", ())
    assert not any(psutil.pid_exists(pid) for pid in before.values())


async def test_each_rests_by_itself(open_two: Open) -> None:
    two = await open_two(endless())
    await two.complete()
    async with two.long_answer() as stream:
        two.pool.idle_seconds = 0.0
        await until(lambda: set(two.pids) == {"talker"})
        await text(stream)
    await until(lambda: not two.pids)


async def test_a_model_is_removed_without_the_other(open_two: Open) -> None:
    two = await open_two()
    await two.complete()
    await two.answer()
    talker = two.pids["talker"]
    await two.service.models.model_delete(ModelDeleteRequest(id="coder", force=True))
    assert two.pids == {"talker": talker}


async def test_what_nobody_asks_any_more_is_put_out(open_two: Open) -> None:
    two = await open_two()
    await two.complete()
    await two.answer()
    await two.service.settings.settings_update(SettingsUpdateRequest(model="coder", general_model="coder"))
    assert (await two.complete(), await two.answer()) == ("coder", "coder")
    await until(lambda: set(two.pids) == {"coder"})
    # One that a request names is there for as long as nobody needs its place.
    loads = two.loads
    for _ in range(3):
        assert (await two.answer(model="talker"), await two.answer()) == ("talker", "coder")
    assert (set(two.pids), two.loads) == ({"coder", "talker"}, loads + 1)


async def test_one_that_is_loaded_by_hand_for_all_has_the_place_of_both(
    open_two: Open, tiny_gguf: Path
) -> None:
    two = await open_two()
    await two.service.models.model_import(ModelImportRequest(path=str(tiny_gguf), id="third"))
    await two.complete()
    await two.answer()
    await two.answer(model="talker")  # It serves already, so its name changes nothing.
    await two.service.models.model_load(ModelLoadRequest(id="third"))
    await until(lambda: set(two.pids) == {"third"})
    assert (await two.complete(), await two.answer()) == ("third", "third")


async def test_a_person_frees_the_memory_while_one_waits_for_the_other(
    open_two: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = await open_two(endless())
    await room_for_one(two, monkeypatch)
    async with two.long_answer() as stream:
        completing = asyncio.ensure_future(two.complete())
        await until(lambda: two.pool._reason)
        await within(two.service.models.model_unload(ModelUnloadRequest()))
        with pytest.raises(BackendUnavailable, match="unloaded"):
            await last(stream)
        # Its load was under way, and is abandoned.
        with pytest.raises(Canceled):
            await within(completing)


async def test_the_end_of_the_service_ends_both(open_two: Open) -> None:
    two = await open_two(endless())
    await two.complete()
    await two.answer()
    pids = two.pids
    assert len(pids) == 2
    await within(two.service.close())
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


_KILLED = """
import asyncio, sys
from traitlets.config import Config
from jupyter_localcoder.machine import processors
from jupyter_localcoder.composition import build_service
from tests.engine.test_two_models import Two

async def main():
    service = build_service(config=Config({"LocalCoderSettings": {"settings_dir": sys.argv[1]}}))
    two = Two(service)
    await two.complete()
    await two.answer()
    print(*two.pids.values(), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_service_that_is_killed_leaves_neither(open_two: Open, tmp_path: Path) -> None:
    await open_two()  # the models and the settings
    child = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-c", _KILLED, str(tmp_path / "settings")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    line = await asyncio.wait_for(asyncio.to_thread(child.stdout.readline), PATIENCE_SECONDS)
    pids = [int(word) for word in line.split()]
    assert len(pids) == 2
    child.kill()
    await asyncio.to_thread(child.wait)
    await until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
