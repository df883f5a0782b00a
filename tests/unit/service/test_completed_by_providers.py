"""Completions that another provider than the embedded one fills in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.generation import (
    CompleteCancelRequest,
    CompleteRequest,
    Delta,
    Done,
    InspectRequest,
    Started,
    WarmRequest,
)
from jupyter_localcoder.contract.history import TitleConfigGetRequest, TitleConfigSetRequest
from jupyter_localcoder.contract.notebook import NotebookCell, NotebookContext
from jupyter_localcoder.contract.providers import ProviderDeleted, ProviderIdRequest, ProviderSaveRequest
from jupyter_localcoder.contract.settings import SettingsGetRequest, SettingsView
from jupyter_localcoder.errors import (
    AirGapped,
    Disabled,
    FileWriteError,
    InvalidArgument,
    ProviderNotFound,
    ValidationError,
)
from tests.support.loop_clock import LoopClock
from tests.support.waiting import quiet, until, within
from tests.support.wire_server import WireServer, document, events, hangs, wire_server
from tests.unit.service.conftest import Desk

NOTEBOOK = NotebookContext(
    cells=(NotebookCell(source="import math"), NotebookCell(source="x = "), NotebookCell(source="print(x)")),
    active=1,
)
ACME = ProviderIdRequest(id="acme")
PIECE = b'data: {"choices": [{"text": "math.pi\\n"}]}\n\n'
BROKEN = b'data: {"choices": [{"text": "1 +* 2\\n"}]}\n\n'

Far = Callable[..., Awaitable[Desk]]


def saying(*pieces: str) -> Any:
    end = {"choices": [{"text": "", "finish_reason": "stop"}], "model": "m-1-x",
           "usage": {"prompt_tokens": 10, "completion_tokens": 4}}  # fmt: skip
    return events(*({"choices": [{"text": piece}]} for piece in pieces), end)


@pytest.fixture
def server(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[WireServer]:
    context = wire_server()
    running = jp_asyncio_loop.run_until_complete(context.__aenter__())
    running.say(saying("math", ".pi\ny", " = 2"))
    yield running
    jp_asyncio_loop.run_until_complete(context.__aexit__(None, None, None))


@pytest.fixture
def far(desk: Desk, server: WireServer) -> Far:
    """A service that has a provider, which is active and, unless told otherwise, completes."""

    async def far_(fill: str = "suffix", *, completes: bool = True, **fields: Any) -> Desk:
        fields = {"id": "acme", "type": "openai_compatible", "base_url": server.url + "/v1", "model": "m-1",
                  "fill": fill, **fields}  # fmt: skip
        await desk.service.providers.provider_save(codec.decode(ProviderSaveRequest, fields))
        await desk.service.providers.provider_set_active(ProviderIdRequest(id="acme"))
        if completes:
            await desk.settings(completion_provider="acme")
        return desk

    return far_


def asking(prefix: str = "x = ", **fields: Any) -> CompleteRequest:
    return CompleteRequest(prefix=prefix, suffix="\n", notebook=NOTEBOOK, **fields)


async def remove(desk: Desk) -> ProviderDeleted:
    """Remove it, which is the active one no longer."""
    await desk.service.providers.provider_set_active(ProviderIdRequest(id="embedded"))
    return await desk.service.providers.provider_delete(ACME)


async def complete(desk: Desk, prefix: str = "x = ", **fields: Any) -> Done:
    return await desk.last(desk.service.completion.tab_complete(asking(prefix, **fields)))


async def test_the_active_provider_is_sent_nothing_while_somebody_types(far: Far, server: WireServer):
    desk = await far(completes=False)
    assert (await complete(desk)).provider == "embedded"
    assert (await desk.service.settings.settings_get(None)).settings.completion_provider == "embedded"  # type: ignore[arg-type]
    assert server.heard == []


async def test_the_one_of_the_settings_fills_in(far: Far, server: WireServer):
    desk = await far()
    frames = [
        frame async for frame in desk.service.completion.tab_complete(asking(scope="a.ipynb", stop=("END",)))
    ]
    assert isinstance(frames[0], Started)
    assert frames[0].provider == "acme"
    assert [frame.text for frame in frames if isinstance(frame, Delta)] == ["math.pi", "\ny = 2"]
    done = frames[-1]
    assert isinstance(done, Done)
    assert (done.text, done.finish, done.provider, done.model.id) == (
        "math.pi\ny = 2", "stop", "acme", "m-1-x",
    )  # fmt: skip
    assert (done.usage.completion_tokens, done.confidence, done.sampling) == (4, None, None)
    (heard,) = server.heard
    assert heard.path == "/v1/completions"
    asked = heard.json
    assert (asked["prompt"], asked["suffix"]) == ("import math\n\nx = ", "\n\n\nprint(x)")
    assert (asked["model"], asked["temperature"], asked["stop"]) == ("m-1", 0.0, ["END"])
    assert 0 < asked["max_tokens"] <= 96
    seen = await desk.service.generation.context_inspect(InspectRequest(run=done.run))
    assert (seen.kind, seen.scope, seen.provider) == ("tab", "tab:a.ipynb", "acme")
    assert "[before the cursor]\nimport math\n\nx = " in seen.prompt
    assert "import" not in seen.redacted
    assert await desk.listed() == []


async def test_a_provider_is_not_asked_ahead(far: Far, server: WireServer):
    desk = await far()
    with pytest.raises(Disabled, match="Only the embedded model"):
        await complete(desk, ahead=True)
    assert server.heard == []


@pytest.mark.parametrize(
    ("fill", "path", "sent"),
    [
        ("infill", "/infill", {"input_prefix": "import math\n\nx = ", "input_suffix": "\n\n\nprint(x)"}),
        (
            "tokens",
            "/v1/completions",
            {
                "prompt": "<|fim_prefix|>import math\n\nx = <|fim_suffix|>\n\n\nprint(x)<|fim_middle|>",
            },
        ),
    ],
)
async def test_it_is_asked_in_the_way_that_its_server_has(
    far: Far, server: WireServer, fill: str, path: str, sent: dict[str, str]
):
    if fill == "infill":
        server.say(events({"content": "math.pi", "stop": False}, {"content": "", "stop": True}, done=False))
    done = await complete(await far(fill))
    assert done.text.startswith("math.pi")
    assert server.heard[0].path == path
    assert {name: server.heard[0].json[name] for name in sent} == sent


async def test_a_request_names_another_one(far: Far, server: WireServer):
    desk = await far(completes=False)
    done = await complete(desk, provider="acme", model="m-2", max_tokens=7, temperature=0.8, multiline=False)
    assert (done.provider, done.text) == ("acme", "math.pi")
    asked = server.heard[0].json
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("m-2", 7, 0.8)
    assert asked["stop"] == ["\n"]
    await desk.settings(completion_provider="acme")
    assert (await complete(desk, provider="embedded")).provider == "embedded"
    assert len(server.heard) == 1


async def test_an_indentation_is_not_written_twice(far: Far, server: WireServer):
    server.say(saying("    return", " 1"))
    assert (await complete(await far(), "def f():\n    ")).text == "return 1"
    assert server.heard[0].json["prompt"].endswith("def f():\n")


async def test_nothing_is_read_ahead_for_it(far: Far):
    desk = await far()
    warmed = await desk.service.completion.tab_warm(WarmRequest(prefix="x = ", notebook=NOTEBOOK))
    assert warmed.finish == "skipped"
    assert desk.of("backend:state") == []


async def test_heads_of_data_frames_go_to_it_only_as_far_as_the_service_lets_them(
    far: Far, server: WireServer
):
    desk = await far()
    shown = NotebookCell(source="df", status="ok", execution_count=1, hint="DataFrame", head="  a\n0  1.5")
    notebook = NotebookContext(cells=(shown, NotebookCell(source="x = ")), active=1)
    done = await desk.last(
        desk.service.completion.tab_complete(CompleteRequest(prefix="x = ", notebook=notebook))
    )
    assert server.heard[0].json["prompt"] == "df\n# Out: DataFrame\n#   a\n# 0  1.5\n\nx = "
    seen = await desk.service.generation.context_inspect(InspectRequest(run=done.run))
    assert "1.5" not in seen.redacted
    desk.service.completion_heads_share = 0.0
    await desk.last(desk.service.completion.tab_complete(CompleteRequest(prefix="x = ", notebook=notebook)))
    assert server.heard[1].json["prompt"] == "df\n# Out: DataFrame\n\nx = "


# Ends


async def test_what_is_withheld_is_not_waited_for(far: Far, server: WireServer):
    left = asyncio.Event()
    server.say(hangs(BROKEN, left=left))
    done = await within(complete(await far()))
    assert (done.text, done.withheld, done.finish) == ("", "syntax", "stop")
    await within(left.wait())


async def test_a_cancel_closes_the_connection(far: Far, server: WireServer):
    left = asyncio.Event()
    server.say(hangs(PIECE, left=left))
    desk = await far()
    frames = desk.service.completion.tab_complete(asking())
    started = await frames.__anext__()
    assert (await frames.__anext__()).text == "math.pi"
    waiting = asyncio.ensure_future(frames.__anext__())
    await quiet()
    await desk.service.completion.tab_cancel(CompleteCancelRequest(run=started.run, reason="input"))
    rest = [await within(waiting), *[frame async for frame in frames]]
    assert isinstance(rest[-1], Done)
    assert (rest[-1].finish, rest[-1].text[:7]) == ("canceled", "math.pi")
    await within(left.wait())


async def test_who_leaves_closes_the_connection(far: Far, server: WireServer):
    left = asyncio.Event()
    server.say(hangs(PIECE, left=left))
    frames = (await far()).service.completion.tab_complete(asking())
    await frames.__anext__()
    assert (await frames.__anext__()).text == "math.pi"
    waiting = asyncio.ensure_future(frames.__anext__())
    await quiet()
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    await frames.aclose()
    await within(left.wait())


async def test_the_time_limit_keeps_what_came(far: Far, server: WireServer, clock: LoopClock):
    server.say(hangs(PIECE))
    async with contextlib.aclosing(
        (await far()).service.completion.tab_complete(asking(timeout_ms=50_000))
    ) as frames:
        await frames.__anext__()
        assert (await frames.__anext__()).text == "math.pi"
        end = asyncio.ensure_future(frames.__anext__())
        await clock.until_done(end)
        assert (end.result().text, end.result().finish) == ("math.pi", "timeout")
    assert clock.forwarded <= 50


@pytest.fixture
def usual_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALCODER_COMPLETION_TIMEOUT_SECONDS")


@pytest.mark.usefixtures("usual_limit")
@pytest.mark.parametrize("said", ["math.pi", ""])
async def test_without_a_limit_of_its_own_it_has_the_one_of_the_settings(
    far: Far, server: WireServer, clock: LoopClock, said: str
):
    left = asyncio.Event()
    server.say(hangs(PIECE if said else b": nothing yet\n\n", left=left))
    desk = await far()
    begin = clock.time()
    async with contextlib.aclosing(desk.service.completion.tab_complete(asking())) as frames:
        await frames.__anext__()
        if said:
            assert (await within(frames.__anext__())).text == said
        end = asyncio.ensure_future(frames.__anext__())
        await until(lambda: server.heard)
        (run,) = desk.service.runs.by_id.values()
        await clock.until(lambda: run.ended)
        assert clock.forwarded <= 15 <= clock.time() - begin
        done = await within(end)
        assert (done.text, done.finish) == (said, "timeout")
    await within(left.wait())
    assert len(desk.service.runs) == 0


async def test_the_shorter_limit_of_a_provider_is_no_failure_either(
    far: Far, server: WireServer, clock: LoopClock
):
    server.say(hangs(b": nothing yet\n\n"))
    desk = await far(timeout_seconds=10)
    end = asyncio.ensure_future(complete(desk, timeout_ms=60_000))
    await until(lambda: server.heard)
    clock.forward(10)
    done = await within(end)
    assert (done.text, done.finish) == ("", "timeout")


# Refusals


async def test_length_and_temperature_are_those_of_the_settings_unless_it_names_others(
    far: Far, server: WireServer
):
    desk = await far()
    await desk.settings(completion_max_tokens=200, completion_temperature=0.3)
    await complete(desk)
    assert (server.heard[-1].json["max_tokens"], server.heard[-1].json["temperature"]) == (200, 0.3)
    await complete(desk, max_tokens=7, temperature=0.0)
    assert (server.heard[-1].json["max_tokens"], server.heard[-1].json["temperature"]) == (7, 0.0)
    asked = []
    make = desk.service.pool.job

    def job(plan, request, *role, **named):
        asked.append(request)
        return make(plan, request, *role, **named)

    desk.service.pool.job = job
    done = await complete(desk, provider="embedded")
    assert (asked[-1].max_tokens, done.sampling.temperature) == (200, 0.3)


async def test_behind_the_air_gap_it_is_refused_before_a_connection_is_opened(far: Far, server: WireServer):
    desk = await far()
    await desk.settings(air_gap=True)
    with pytest.raises(AirGapped):
        await complete(desk)
    await desk.settings(completion_provider=None)
    with pytest.raises(AirGapped):
        await complete(desk, provider="acme")
    assert (await complete(desk)).provider == "embedded"
    assert server.heard == []


async def test_who_cannot_fill_in_says_so_with_a_way_out(far: Far, server: WireServer):
    desk = await far("off", completes=False)
    with pytest.raises(ValidationError) as refused:
        await desk.settings(completion_provider="acme")
    assert refused.value.details["field"] == "completion_provider"
    assert "`infill`" in refused.value.recovery
    with pytest.raises(InvalidArgument) as failed:
        await complete(desk, provider="acme")
    assert failed.value.details["provider"] == "acme"
    assert "`infill`" in failed.value.recovery
    assert server.heard == []


async def test_who_is_not_there_is_named(far: Far, server: WireServer):
    desk = await far()
    with pytest.raises(ProviderNotFound):
        await desk.settings(completion_provider="nobody")
    await remove(desk)
    with pytest.raises(ProviderNotFound):
        await complete(desk, provider="acme")
    assert (await complete(desk)).provider == "embedded"


# A provider is removed


async def view(desk: Desk) -> SettingsView:
    return await desk.service.settings.settings_get(SettingsGetRequest())


async def test_what_named_it_names_the_embedded_one_in_one_go(far: Far):
    desk = await far()
    await desk.service.titles.title_config_set(
        TitleConfigSetRequest(provider="acme", model="m-1", timeout_seconds=12)
    )
    desk.told.clear()
    deleted = await remove(desk)
    assert deleted.note == (
        "The embedded model now completes while you type. The embedded model now generates titles."
    )
    assert [name for name, _ in desk.told] == ["providers:changed", "settings:changed", "providers:changed"]
    assert desk.of("settings:changed")[0].settings.completion_provider == "embedded"
    assert [info.id for info in desk.of("providers:changed")[-1].providers] == ["embedded"]
    assert (await view(desk)).sources["completion_provider"] == "default"
    titles = await desk.service.titles.title_config_get(TitleConfigGetRequest())
    assert (titles.provider, titles.model, titles.timeout_seconds) == ("", "", 12)


async def test_where_nothing_named_it_nothing_is_said(far: Far):
    desk = await far(completes=False)
    await desk.settings(temperature=0.5)
    desk.told.clear()
    assert (await remove(desk)).note == ""
    assert [name for name, _ in desk.told] == ["providers:changed"] * 2
    assert (await view(desk)).settings.temperature == 0.5


async def test_one_that_the_configuration_names_is_overruled(far: Far):
    desk = await far(completes=False)
    desk.service.user_settings.config.LocalCoderSettings.completion_provider = "acme"
    desk.service.user_settings.completion_provider = "acme"
    assert (await view(desk)).sources["completion_provider"] == "config"
    assert "completes while you type" in (await remove(desk)).note
    now = await view(desk)
    assert (now.settings.completion_provider, now.sources["completion_provider"]) == ("embedded", "settings")


async def test_one_that_the_environment_names_is_told_since_it_stays(far: Far):
    desk = await far()
    desk.service.user_settings.environment["LOCALCODER_COMPLETION_PROVIDER"] = "acme"
    note = (await remove(desk)).note
    assert "The embedded model now completes" not in note
    assert note.endswith(
        "The environment of the server still says that acme completes: until that is changed, nothing does."
    )


async def test_where_the_settings_cannot_be_kept_the_provider_stays(far: Far, monkeypatch: Any):
    desk = await far()

    def fails() -> None:
        raise FileWriteError("No room.")

    with monkeypatch.context() as patched:
        patched.setattr(desk.service.user_settings, "_changing", fails)
        with pytest.raises(FileWriteError):
            await remove(desk)
    assert (await complete(desk)).provider == "acme"


async def test_its_own_words_are_told(far: Far, server: WireServer):
    server.say(document({"error": {"message": "no such suffix"}}, 400))
    with pytest.raises(InvalidArgument, match="no such suffix"):
        await complete(await far())
