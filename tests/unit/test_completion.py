"""Completions through the service, answered by a scripted worker: what is shown, withheld and inspected."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyter_localcoder.composition import build_service
from jupyter_localcoder.contract.generation import (
    CompleteRequest,
    Delta,
    Done,
    GenerateRequest,
    InspectRequest,
    WarmRequest,
)
from jupyter_localcoder.contract.models import ModelImportRequest
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookCell, NotebookContext
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.contract.wire import GenerateFrame
from jupyter_localcoder.errors import RunNotFound
from jupyter_localcoder.service import Service
from tests.support.loop_clock import LoopClock
from tests.support.waiting import PATIENT_SUPERVISOR, until, within
from tests.support.workers import spawn

FRAME = KernelVariable(
    name="df", type="DataFrame", shape=(3, 1), columns=(Column(name="longitude", dtype="float64"),)
)
NOTEBOOK = NotebookContext(
    cells=(NotebookCell(source="import pandas as pd"), NotebookCell(source="x")), active=1, variables=(FRAME,)
)

Serve = Callable[..., Awaitable[Service]]


@pytest.fixture
def serve(tmp_path: Path, tiny_gguf: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Serve]:
    """A service whose worker says what the test wants, with these traits."""
    made: list[Service] = []

    async def serve_(
        says: str, *, ends: bool = True, log_probability: float = -0.1, **traits: Any
    ) -> Service:
        settings = {"settings_dir": str(tmp_path / "settings")}
        config = {"Service": traits, "LocalCoderSettings": settings, "Supervisor": PATIENT_SUPERVISOR}
        service = build_service(config=Config(config))
        script = json.dumps({"says": says, "log_probability": log_probability, "ends": ends})
        service.pool.spawn = spawn(script)
        made.append(service)
        if len(made) == 1:
            await service.models.model_import(ModelImportRequest(path=str(tiny_gguf), id="tiny"))
        await service.settings.settings_update(SettingsUpdateRequest(model="tiny", general_model="tiny"))
        return service

    yield serve_
    for service in made:
        jp_asyncio_loop.run_until_complete(service.close())


async def complete(service: Service, prefix: str = "x = ", **more: Any) -> tuple[list[str], Done]:
    deltas: list[str] = []
    request = CompleteRequest(prefix=prefix, notebook=NOTEBOOK, **more)
    async with contextlib.aclosing(service.completion.tab_complete(request)) as frames:
        async for frame in frames:
            if isinstance(frame, Delta):
                deltas.append(frame.text)
            elif isinstance(frame, Done):
                return deltas, frame
    raise AssertionError("a stream without an end")


async def test_a_suggestion_comes_line_by_line(serve: Serve) -> None:
    deltas, done = await complete(await serve("df.mean()\ny = 2\n"))
    assert deltas == ["df.mean()", "\ny = 2"]
    assert (done.text, done.finish, done.withheld, done.doubt) == ("df.mean()\ny = 2", "stop", "", "")


@pytest.mark.parametrize(
    ("says", "why"),
    [('df["latitude"]\n', "columns"), ("1 +* 2\n", "syntax"), ("f(", "confidence")],
)
async def test_what_is_withheld_is_not_computed_further(serve: Serve, says: str, why: str) -> None:
    """The worker never ends by itself here: only the cancel ends it."""
    sure = -0.9 if why == "confidence" else -0.1
    service = await serve(says, ends=False, log_probability=sure, completion_min_log_probability=-0.5)
    deltas, done = await within(complete(service, automatic=True))
    assert (deltas, done.text, done.withheld, done.finish) == ([], "", why, "stop")
    assert (await service.backend.backend_ping(None)).queue_length == 0  # type: ignore[arg-type]


async def test_who_asks_by_hand_sees_what_the_model_is_not_sure_of(serve: Serve) -> None:
    service = await serve("f()", log_probability=-0.9, completion_min_log_probability=-0.5)
    _, by_itself = await complete(service, automatic=True)
    assert (by_itself.text, by_itself.withheld) == ("", "confidence")
    _, by_hand = await complete(service)
    assert (by_hand.text, by_hand.withheld) == ("f()", "")


async def test_the_checks_can_mark_or_be_off(serve: Serve) -> None:
    _, marked = await complete(await serve('df["latitude"]', completion_checks="mark"))
    assert (marked.text, marked.withheld, marked.doubt) == ('df["latitude"]', "", "columns")
    deltas, off = await complete(await serve('df["la"]\n', completion_checks="off"))
    assert (off.text, off.doubt) == ('df["la"]\n', "")
    assert deltas == list('df["la"]\n')


async def test_a_completion_can_be_inspected(serve: Serve) -> None:
    service = await serve("1")
    _, done = await complete(service, scope="a.ipynb")
    seen = await service.generation.context_inspect(InspectRequest())
    assert (seen.run, seen.kind, seen.scope) == (done.run, "tab", "tab:a.ipynb")
    assert (seen.parts, seen.usage, seen.timings, seen.model, seen.confidence) == (
        done.parts, done.usage, done.timings, done.model, done.confidence,
    )  # fmt: skip
    assert "import pandas as pd\n\n" in seen.prompt
    assert 'float64 ["longitude"]' in seen.prompt
    assert seen.prompt.endswith("x = ")
    assert {part.source for part in seen.parts} == {"cells above", "kernel", "this cell"}
    assert "pandas" not in seen.redacted
    assert "xxxxxx xxxxxx xx xx\n\n" in seen.redacted
    assert seen.time.endswith("+00:00")
    assert await service.generation.context_inspect(InspectRequest(run=done.run)) == seen


async def test_what_was_withheld_can_be_inspected_too(serve: Serve) -> None:
    service = await serve('df["latitude"]')
    _, done = await complete(service)
    assert (await service.generation.context_inspect(InspectRequest(run=done.run))).withheld == "columns"


async def test_what_is_asked_for_ahead_waits_and_is_not_the_last_request(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await serve("1")
    asked: list[GenerateFrame] = []
    run = service.completion._engine.run

    def note(kind: str, role: str, frame: GenerateFrame, *more: Any, **named: Any) -> Any:
        asked.append(frame)
        return run(kind, role, frame, *more, **named)

    monkeypatch.setattr(service.completion._engine, "run", note)
    _, shown = await complete(service)
    _, ahead = await complete(service, "x = 1\n", ahead=True)
    assert [frame.priority for frame in asked] == ["completion", "background"]
    assert (await service.generation.context_inspect(InspectRequest())).run == shown.run
    assert (await service.generation.context_inspect(InspectRequest(run=ahead.run))).run == ahead.run


async def test_completions_do_not_push_a_command_out(serve: Serve) -> None:
    service = await serve("1")
    runs = [(await complete(service))[1].run for _ in range(9)]
    async with contextlib.aclosing(
        service.generation.generate(GenerateRequest(command="explain", code="x"))
    ) as frames:
        command = [frame async for frame in frames][-1]
    await complete(service)
    assert (await service.generation.context_inspect(InspectRequest(run=command.run))).kind == "generate"
    assert (await service.generation.context_inspect(InspectRequest(run=runs[-1]))).run == runs[-1]
    with pytest.raises(RunNotFound):
        await service.generation.context_inspect(InspectRequest(run=runs[0]))


async def test_before_the_first_request_there_is_nothing_to_inspect(serve: Serve) -> None:
    with pytest.raises(RunNotFound, match="No request has been sent"):
        await (await serve("1")).generation.context_inspect(InspectRequest())


async def test_an_empty_notebook_needs_no_reading_ahead(serve: Serve) -> None:
    warmed = await (await serve("1")).completion.tab_warm(WarmRequest(prefix="", notebook=NotebookContext()))
    assert warmed.finish == "skipped"


# The time limit


async def test_a_completion_ends_when_its_time_is_over(serve: Serve, clock: LoopClock) -> None:
    service = await serve("ab", ends=False, completion_checks="off", completion_min_log_probability=None)
    for kept, asked, seconds in ((None, None, 15), (40, None, 40), (None, 3_000, 3), (40, 50_000, 50)):
        await service.settings.settings_update(SettingsUpdateRequest(completion_timeout_seconds=kept))
        begin, forwarded = clock.time(), clock.forwarded
        async with limited(service, timeout_ms=asked) as frames:
            assert [(await within(frames.__anext__())).text for _ in "ab"] == ["a", "b"]
            (run,) = service.runs.by_id.values()
            end = asyncio.ensure_future(frames.__anext__())
            await clock.until(lambda run=run: run.ended)
            assert clock.forwarded - forwarded <= seconds <= clock.time() - begin
            done = await within(end)
        assert (done.text, done.finish) == ("ab", "timeout")
        # Nothing is left of it: the worker is free for the next one.
        assert (len(service.runs), service.pool.front.state) == (0, "ready")


async def test_a_completion_does_not_wait_for_its_model_any_longer(serve: Serve, clock: LoopClock) -> None:
    service = await serve("a")
    service.pool.spawn = spawn("load-hangs")
    async with limited(service) as frames:
        end = asyncio.ensure_future(frames.__anext__())
        await until(lambda: service.pool.front.state == "loading")
        clock.forward(15)
        done = await within(end)
    assert (done.text, done.finish, done.model.id) == ("", "timeout", "tiny")
    assert len(service.runs) == 0
    assert service.pool.front.state == "loading"  # The next one finds it loaded.


async def test_a_completion_does_not_wait_for_the_choice_of_a_model_either(
    serve: Serve, clock: LoopClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await serve("a")
    looked, answer = asyncio.Event(), asyncio.Event()

    async def choose(*_: Any, **__: Any) -> None:
        looked.set()
        await answer.wait()

    monkeypatch.setattr(service.fallback, "choose", choose)
    async with limited(service) as frames:
        end = asyncio.ensure_future(frames.__anext__())
        await within(looked.wait())
        clock.forward(15)
        done = await within(end)
    assert (done.text, done.finish, done.model.id) == ("", "timeout", "")


@contextlib.asynccontextmanager
async def limited(service: Service, **fields: Any) -> AsyncIterator[Any]:
    """The frames of a completion after its start."""
    async with contextlib.aclosing(
        service.completion.tab_complete(CompleteRequest(prefix="x = ", **fields))
    ) as frames:
        await frames.__anext__()
        yield frames


@pytest.fixture
def clock(jp_asyncio_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> LoopClock:
    """A clock to put forward, for the limit that holds where nothing else is said."""
    monkeypatch.delenv("LOCALCODER_COMPLETION_TIMEOUT_SECONDS")
    return LoopClock(jp_asyncio_loop, monkeypatch)
