"""The operations on providers, on a real service: configuring, choosing, keys, the air gap, who is in use."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from traitlets.config import Config

from jupyter_localcoder.composition import build_service
from jupyter_localcoder.contract import codec, registry
from jupyter_localcoder.contract.providers import (
    ProviderIdRequest,
    ProviderListRequest,
    ProviderSaveRequest,
    ProviderSetKeyRequest,
)
from jupyter_localcoder.contract.queue import CallRequest
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.errors import (
    AirGapped,
    AuthError,
    ConnectionFailed,
    DatabaseError,
    LocalCoderError,
    NoActiveProvider,
    ProviderInUse,
    ProviderNotFound,
    ValidationError,
)
from jupyter_localcoder.generation import clients
from jupyter_localcoder.providers.base import AnswerDelta
from jupyter_localcoder.service import Service
from jupyter_localcoder.settings import LocalCoderSettings
from tests.support.deaf_address import deaf_address
from tests.support.providers import ASK, KEY, asking, collect
from tests.support.waiting import PATIENCE_SECONDS, answered, until, within
from tests.support.wire_server import WireServer, document, events, hangs, wire_server

MODELS = document({"data": [{"id": "m-1"}, {"id": "m-2"}]})
DELTA = {"choices": [{"delta": {"content": "Hi"}}]}
LAST = {"choices": [{"delta": {}, "finish_reason": "stop"}], "model": "m-1-x",
        "usage": {"prompt_tokens": 1000, "completion_tokens": 10}}  # fmt: skip
ANSWER = events(DELTA, LAST)

Make = Callable[[], Service]


@pytest.fixture
def make_service(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Make]:
    made: list[Service] = []

    def make() -> Service:
        made.append(build_service(config=Config({"LocalCoderSettings": {"settings_dir": str(tmp_path)}})))
        return made[-1]

    yield make
    for service in made:
        jp_asyncio_loop.run_until_complete(service.close())


@pytest.fixture
def service(make_service: Make) -> Service:
    return make_service()


def saving(server: WireServer, id_: str = "acme", **changes: Any) -> ProviderSaveRequest:
    values = {"type": "openai_compatible", "base_url": server.url + "/v1", "model": "m-1", "name": "Acme"}
    return codec.decode(ProviderSaveRequest, {"id": id_, **values, **changes})


def named(id_: str = "acme") -> ProviderIdRequest:
    return ProviderIdRequest(id=id_)


async def listed(service: Service) -> Any:
    return await service.providers.provider_list(ProviderListRequest())


async def air_gap(service: Service, on: bool) -> None:
    await service.settings.settings_update(SettingsUpdateRequest(air_gap=on))


async def test_embedded_is_always_there_and_needs_nothing(service, tmp_path):
    answer = await listed(service)
    (embedded,) = answer.providers
    assert (embedded.id, embedded.active, embedded.key, embedded.key_needed) == (
        "embedded",
        True,
        "none",
        False,
    )
    assert (embedded.problem, embedded.remote, answer.active, answer.problem) == ("", False, "embedded", "")
    with pytest.raises(ValidationError, match="cannot be removed"):
        await service.providers.provider_delete(named("embedded"))
    with pytest.raises(ValidationError, match="needs no key"):
        await service.providers.provider_set_key(ProviderSetKeyRequest(id="embedded", key=KEY))
    assert not (tmp_path / "providers.json").exists()


async def test_a_provider_is_added_tested_activated_and_removed(service, server, make_service):
    told: list[Any] = []
    service.events.listen(lambda event, payload: told.append((event.name, payload)))
    saved = await service.providers.provider_save(saving(server))
    assert (saved.id, saved.name, saved.active, saved.remote, saved.key) == (
        "acme",
        "Acme",
        False,
        True,
        "none",
    )
    server.say(MODELS)
    tested = await service.providers.provider_test(named())
    assert (tested.models, tested.model_listed) == (("m-1", "m-2"), True)
    assert tested.latency_ms > 0
    assert (await service.providers.provider_set_active(named())).active == "acme"
    assert [info.active for info in (await listed(make_service())).providers] == [False, True]
    with pytest.raises(ProviderInUse, match="is the active provider") as refused:
        await service.providers.provider_delete(named())
    assert "Activate another provider first, such as `embedded`" in refused.value.recovery
    assert (await listed(service)).active == "acme"
    await service.providers.provider_set_active(named("embedded"))
    await service.providers.provider_delete(named())
    assert [info.id for info in (await listed(service)).providers] == ["embedded"]
    assert [name for name, _ in told] == ["providers:changed"] * 4
    for use in (
        service.providers.provider_delete,
        service.providers.provider_set_active,
        service.providers.provider_test,
    ):
        with pytest.raises(ProviderNotFound):
            await use(named())


async def test_who_lists_a_provider_hears_when_it_was_saved(service, server, make_service):
    assert (await listed(service)).providers[0].updated_at == ""
    saved = (await service.providers.provider_save(saving(server))).updated_at
    assert datetime.fromisoformat(saved).utcoffset() is not None
    assert (await listed(make_service())).providers[1].updated_at == saved
    await service.providers.provider_set_active(named())
    assert (await listed(service)).providers[1].updated_at == saved
    again = (await service.providers.provider_save(saving(server, name="Other"))).updated_at
    assert again >= saved


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"base_url": "http://user:secret@host/"}, "base_url"),
        ({"base_url": ""}, "base_url"),
        ({"type": "embedded"}, "type"),
        ({"id": "embedded"}, "type"),
        ({"id": "embedded", "type": "embedded", "model": ""}, "base_url"),
        ({"id": "../x"}, "id"),
        ({"id": "Acme"}, "id"),
        ({"type": "telepathy"}, "type"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"key": "with space"}, "key"),
        ({"key": "line\nbreak"}, "key"),
        ({"key": "schlüssel"}, "key"),
        ({"key": ""}, "key"),
        ({"type": "ollama", "fill": "tokens"}, "fill"),
        ({"fill": "tokens", "fill_template": "{prefix}"}, "fill_template"),
        ({"api_version": "../"}, "api_version"),
        ({"base_url": "http://192.0.2.1/v1", "key": KEY}, "base_url"),
    ],
)
async def test_what_can_never_work_is_not_kept(service, server, tmp_path, changes, field):
    with pytest.raises(ValidationError) as caught:
        await service.providers.provider_save(saving(server, **changes))
    assert caught.value.details["field"] == field
    assert "secret" not in caught.value.message
    assert KEY not in caught.value.message
    assert not (tmp_path / "providers.json").exists()


async def test_the_embedded_one_can_be_given_a_time_limit(service):
    await service.providers.provider_save(
        ProviderSaveRequest(id="embedded", type="embedded", timeout_seconds=30)
    )
    assert (await service.providers.choose("")).timeout_seconds == 30
    assert len((await listed(service)).providers) == 1


async def test_the_active_one_answers_what_names_none(service, server):
    await service.providers.provider_save(saving(server))
    assert (await service.providers.choose("")).id == "embedded"
    await service.providers.provider_set_active(named())
    assert (await service.providers.choose("")).id == "acme"
    assert (await service.providers.choose("embedded")).id == "embedded"
    with pytest.raises(ProviderNotFound):
        await service.providers.choose("nobody")


async def test_a_queued_prompt_is_answered_by_the_provider_and_priced(service, server, tmp_path):
    prices = {"acme/m-1": {"input": 2.0, "output": 100.0}}
    (tmp_path / "prices.json").write_text(json.dumps({"format": 1, "usd_per_million_tokens": prices}))
    await service.providers.provider_save(saving(server, timeout_seconds=7))
    server.say(ANSWER)
    queued = await service.queue.llm_call(CallRequest(prompt="Hello?", provider="acme"))
    answer = await answered(service, queued.id)
    assert (answer.text, answer.finish, answer.item.state) == ("Hi", "stop", "done")
    assert answer.cost_usd == pytest.approx(0.003)
    assert server.heard[0].json["messages"] == [{"role": "user", "content": "Hello?"}]


# Keys


async def test_a_key_is_kept_used_and_never_shown(service, server, make_service, caplog):
    caplog.set_level(0)
    told: list[Any] = []
    service.events.listen(lambda event, payload: told.append(payload))
    shown = [await service.providers.provider_save(saving(server, key=KEY))]
    assert shown[0].key == "file"
    answer = await listed(service)
    assert answer.key_storage.place == "file"
    assert "encrypted" in answer.key_storage.note
    server.say(ANSWER)
    for each in (service, make_service()):
        await collect((await each.providers.choose("acme")).provider)
    assert [heard.headers["authorization"] for heard in server.heard] == [f"Bearer {KEY}"] * 2
    server.say(document({"error": {"message": f"Incorrect API key: {KEY}"}}, 401))
    with pytest.raises(AuthError) as caught:
        await service.providers.provider_test(named())
    shown += [answer, told, codec.error_payload(caught.value), saving(server, key=KEY)]
    shown.append(ProviderSetKeyRequest(id="acme", key=KEY))
    assert "canary" not in repr(shown[:-2]) + msgspec.json.encode(shown[:-2]).decode()
    assert "canary" not in repr(shown)
    assert "canary" not in caplog.text
    assert (await service.providers.provider_forget_key(named())).key == "none"
    server.say(ANSWER)
    await collect((await service.providers.choose("acme")).provider)
    assert "authorization" not in server.heard[-1].headers


async def test_no_file_holds_a_key(service, server, tmp_path):
    await service.providers.provider_save(saving(server, key=KEY))
    await service.providers.provider_set_key(ProviderSetKeyRequest(id="acme", key=KEY + "2"))
    server.say(ANSWER)
    queued = await service.queue.llm_call(CallRequest(prompt="Hello?", provider="acme"))
    await answered(service, queued.id)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"providers.json", "credentials.json", "credentials.key"} <= {path.name for path in files}
    for path in files:
        assert b"canary" not in path.read_bytes(), path


async def test_a_new_key_holds_from_the_next_request_on(service, server):
    await service.providers.provider_save(saving(server, key="first-key"))
    provider = (await service.providers.choose("acme")).provider
    server.say(ANSWER)
    await collect(provider)
    await service.providers.provider_set_key(
        ProviderSetKeyRequest(id="acme", key="second-key", keep="session")
    )
    await collect(provider)
    assert [h.headers["authorization"] for h in server.heard] == ["Bearer first-key", "Bearer second-key"]
    assert [info.key for info in (await listed(service)).providers] == ["none", "session"]


async def test_another_host_does_not_get_the_key(service, server, tmp_path):
    await service.providers.provider_save(saving(server, key=KEY))
    kept = await service.providers.provider_save(
        saving(server, name="Renamed", base_url=server.url + "/other")
    )
    assert kept.key == "file"
    port = server.url.rpartition(":")[2]
    moved = await service.providers.provider_save(saving(server, base_url=f"http://localhost:{port}/v1"))
    assert moved.key == "none"
    server.say(ANSWER)
    await collect((await service.providers.choose("acme")).provider)
    assert "authorization" not in server.heard[-1].headers


async def test_who_edits_the_file_does_not_get_the_key_either(service, server, tmp_path):
    await service.providers.provider_save(saving(server, key=KEY))
    path = tmp_path / "providers.json"
    path.write_text(path.read_text().replace("127.0.0.1", "localhost"))
    server.say(ANSWER)
    with pytest.raises(AuthError, match="The stored key is for another address: enter the key again"):
        await collect((await service.providers.choose("acme")).provider)
    assert server.heard == []


async def test_the_environment_wins_and_the_vendors_variables_stay_with_the_vendor(
    service, server, monkeypatch
):
    await service.providers.provider_save(saving(server, key="kept-key-1"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    await service.providers.provider_save(saving(server, "vendor", type="openai", base_url=""))
    await service.providers.provider_save(saving(server, "proxy", type="openai"))
    keys = {info.id: (info.key, info.problem) for info in (await listed(service)).providers}
    assert keys["vendor"] == ("environment", "")
    assert keys["proxy"] == ("none", "It needs a key, but none is stored.")
    assert keys["acme"] == ("file", "")
    monkeypatch.setenv("LOCALCODER_PROVIDER_ACME_KEY", "of-the-environment")
    server.say(ANSWER)
    await collect((await service.providers.choose("acme")).provider)
    assert server.heard[-1].headers["authorization"] == "Bearer of-the-environment"
    assert (await listed(service)).providers[1].key == "environment"


async def test_a_key_that_another_process_entered_is_found_after_a_refusal(service, server, make_service):
    await service.providers.provider_save(saving(server, key="wrong-key"))
    provider = (await service.providers.choose("acme")).provider
    server.say(document({"error": "no"}, 401))
    with pytest.raises(AuthError):
        await collect(provider)
    await make_service().providers.provider_set_key(ProviderSetKeyRequest(id="acme", key="right-key"))
    server.say(ANSWER)
    await collect(provider)
    assert server.heard[-1].headers["authorization"] == "Bearer right-key"


async def test_a_key_that_cannot_be_read_any_more_asks_to_enter_it_again(service, server, tmp_path):
    await service.providers.provider_save(saving(server, key=KEY))
    (tmp_path / "credentials.key").unlink()
    with pytest.raises(AuthError, match=r"enter (it|the key) again"):
        await collect((await service.providers.choose("acme")).provider)
    assert server.heard == []
    await service.providers.provider_delete(named())


# Keys of the environment


VARIABLE = "LOCALCODER_PROVIDER_ACME_KEY"


async def asked_with(service: Service, server: WireServer) -> str | None:
    """The key that the provider is asked with."""
    server.say(ANSWER)
    await collect((await service.providers.choose("acme")).provider)
    return server.heard[-1].headers.get("authorization")


@pytest.fixture
def elsewhere(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[WireServer]:
    context = wire_server()
    yield jp_asyncio_loop.run_until_complete(context.__aenter__())
    jp_asyncio_loop.run_until_complete(context.__aexit__(None, None, None))


async def test_a_key_of_the_environment_does_not_follow_a_moved_address(
    service, server, elsewhere, monkeypatch
):
    monkeypatch.setenv(VARIABLE, KEY)
    await service.providers.provider_save(saving(server))
    assert await asked_with(service, server) == f"Bearer {KEY}"
    moved = await service.providers.provider_save(saving(elsewhere))
    assert moved.key == "none"
    assert "enter the key again" in moved.problem
    with pytest.raises(AuthError, match=r"enter (it|the key) again"):
        await asked_with(service, elsewhere)
    assert elsewhere.heard == []
    await service.providers.provider_save(saving(server))
    assert await asked_with(service, server) == f"Bearer {KEY}"


async def test_nor_one_of_a_provider_that_was_removed_and_added_again(
    service, server, elsewhere, monkeypatch
):
    monkeypatch.setenv(VARIABLE, KEY)
    await service.providers.provider_save(saving(server))
    await service.providers.provider_delete(named())
    assert (await service.providers.provider_save(saving(elsewhere))).key == "none"
    await service.providers.provider_save(saving(elsewhere, name="Again"))
    await service.providers.provider_forget_key(named())
    with pytest.raises(AuthError, match=r"enter (it|the key) again"):
        await asked_with(service, elsewhere)
    assert elsewhere.heard == []


async def test_entering_the_key_again_confirms_the_address(service, server, elsewhere, monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)
    await service.providers.provider_save(saving(server))
    await service.providers.provider_save(saving(elsewhere))
    await service.providers.provider_set_key(ProviderSetKeyRequest(id="acme", key=KEY))
    assert await asked_with(service, elsewhere) == f"Bearer {KEY}"
    monkeypatch.setenv(VARIABLE, "another-key-1234")
    service.providers.remote.changed("acme")
    assert await asked_with(service, elsewhere) == "Bearer another-key-1234"


async def test_another_key_that_is_entered_holds_for_a_moved_address(service, server, elsewhere, monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)
    await service.providers.provider_save(saving(server))
    await service.providers.provider_save(saving(elsewhere, key="entered-key-1234"))
    assert await asked_with(service, elsewhere) == "Bearer entered-key-1234"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"),
        ("http://127.0.0.1/v1", "https://127.0.0.1/v1"),
        ("https://a.example/v1", "https://b.example/v1"),
    ],
)
async def test_scheme_host_and_port_belong_to_the_address(service, server, monkeypatch, first, second):
    monkeypatch.setenv(VARIABLE, KEY)
    await service.providers.provider_save(saving(server, base_url=first))
    assert (await service.providers.provider_save(saving(server, base_url=second))).key == "none"
    assert (
        await service.providers.provider_save(saving(server, base_url=f"{first}/other"))
    ).key == "environment"


# The air gap


async def test_behind_the_air_gap_nothing_but_the_embedded_model_is_asked(service, server):
    await service.providers.provider_save(saving(server, key=KEY))
    await service.providers.provider_set_active(named())
    provider = (await service.providers.choose("acme")).provider
    server.say(ANSWER)
    await air_gap(service, True)
    for use in (
        lambda: service.providers.provider_test(named()),
        lambda: service.queue.llm_call(CallRequest(prompt="Hello?")),
        lambda: service.queue.llm_call(CallRequest(prompt="Hello?", provider="acme")),
        lambda: collect(provider),
        provider.check,
    ):
        with pytest.raises(AirGapped, match="only the embedded model is available"):
            await use()
    assert server.heard == [], "a provider on this machine was asked"
    assert (await service.providers.choose("embedded")).id == "embedded"
    info = (await listed(service)).providers[1]
    assert (info.problem.startswith("The air gap is on"), info.key) == (True, "file")
    await air_gap(service, False)
    assert (await collect(provider))[0] == ["Hi"]


async def test_a_request_that_waited_finds_the_air_gap_shut(service, server):
    await service.providers.provider_save(saving(server))
    left = asyncio.Event()
    server.say(hangs(left=left))
    ids = [
        (await service.queue.llm_call(CallRequest(prompt="Hello?", provider="acme", keep=True))).id
        for _ in "ab"
    ]
    await until(lambda: server.heard)
    await air_gap(service, True)
    await within(left.wait())
    answers = [await answered(service, id_) for id_ in ids]
    assert [answer.item.error.code for answer in answers] == ["AIR_GAPPED", "AIR_GAPPED"]
    assert len(server.heard) == 1


async def test_shutting_the_air_gap_breaks_a_stream_off(service, server):
    await service.providers.provider_save(saving(server))
    server.say(hangs(b"data: " + json.dumps(DELTA).encode() + b"\n\n"))
    frames = (await service.providers.choose("acme")).provider.stream(ASK)
    assert await frames.__anext__() == AnswerDelta("Hi")
    await air_gap(service, True)
    with pytest.raises(AirGapped):
        await within(frames.__anext__())


def by_another_process(service: Service, folder: Path) -> None:
    LocalCoderSettings(settings_dir=str(folder)).update(SettingsUpdateRequest(air_gap=True))


def by_hand(service: Service, folder: Path) -> None:
    service.user_settings.path.write_text('{"format": 1, "settings": {"air_gap": true}}')


def by_the_administrator(service: Service, folder: Path) -> None:
    settings = service.user_settings
    settings.config.LocalCoderSettings.air_gap = True
    settings.air_gap = True


SWITCHES = pytest.mark.parametrize("switch", [by_another_process, by_hand, by_the_administrator])


@SWITCHES
async def test_the_air_gap_that_nobody_tells_of_breaks_a_stream_off(service, server, tmp_path, switch):
    await service.providers.provider_save(saving(server))
    left = asyncio.Event()
    server.say(hangs(b"data: " + json.dumps(DELTA).encode() + b"\n\n", left=left))
    frames = (await service.providers.choose("acme")).provider.stream(ASK)
    assert await frames.__anext__() == AnswerDelta("Hi")
    switch(service, tmp_path)
    with pytest.raises(AirGapped):
        await within(frames.__anext__())
    await within(left.wait())


@SWITCHES
async def test_the_air_gap_ends_a_connection_that_nobody_takes(service, server, tmp_path, switch):
    """Its own time-out is longer than this test may take."""
    patience = 10 * PATIENCE_SECONDS
    with deaf_address() as address:
        url = f"http://{address}/v1"
        await service.providers.provider_save(saving(server, base_url=url, connect_timeout_seconds=patience))
        asking = asyncio.ensure_future(collect((await service.providers.choose("acme")).provider))
        await until(lambda: service.providers.remote._shut)
        switch(service, tmp_path)
        with pytest.raises(AirGapped):
            await within(asking)


@SWITCHES
async def test_with_the_air_gap_on_a_provider_is_not_asked_again(service, server, tmp_path, switch):
    await service.providers.provider_save(saving(server))

    async def busy(line: Any) -> None:
        switch(service, tmp_path)
        await document({}, status=503, retry_after="0")(line)

    server.say(busy, ANSWER)
    with pytest.raises(AirGapped):
        await within(collect((await service.providers.choose("acme")).provider))
    assert len(server.heard) == 1


# In use


async def test_a_provider_in_use_is_not_removed(service, server):
    await service.providers.provider_save(saving(server))
    left = asyncio.Event()
    server.say(hangs(left=left))
    ids = [
        (await service.queue.llm_call(CallRequest(prompt="Hello?", provider="acme", keep=True))).id
        for _ in "abc"
    ]
    assert (await listed(service)).providers[1].in_use == 3
    with pytest.raises(ProviderInUse):
        await service.providers.provider_delete(named())
    await service.providers.provider_save(saving(server, name="Renamed"))
    await until(lambda: server.heard)
    for id_ in ids:
        await service.queue.llm_cancel(codec.decode(registry.LLM_CANCEL.request, {"id": id_}))
    await within(left.wait())
    while (await listed(service)).providers[1].in_use:
        await asyncio.sleep(0.01)
    await service.providers.provider_delete(named())


async def test_a_stream_outside_of_the_queue_counts_too(service, server):
    await service.providers.provider_save(saving(server))
    server.say(hangs(b"data: " + json.dumps(DELTA).encode() + b"\n\n"))
    frames = (await service.providers.choose("acme")).provider.stream(ASK)
    async with contextlib.aclosing(frames):
        await frames.__anext__()
        assert (await listed(service)).providers[1].in_use == 1
        with pytest.raises(ProviderInUse):
            await service.providers.provider_delete(named())
    assert (await listed(service)).providers[1].in_use == 0


async def test_a_change_of_the_configuration_does_not_break_what_runs(service, server):
    await service.providers.provider_save(saving(server))
    provider = (await service.providers.choose("acme")).provider
    release = asyncio.Event()

    async def script(line: Any) -> None:
        await line.head(content_type="text/event-stream")
        await line.send(b"data: " + json.dumps(DELTA).encode() + b"\n\n")
        await release.wait()
        await line.send(b"data: " + json.dumps(LAST).encode() + b"\n\ndata: [DONE]\n\n")

    server.say(script, ANSWER)
    async with contextlib.aclosing(provider.stream(ASK)) as frames:
        await frames.__anext__()
        await service.providers.provider_save(saving(server, model="m-2"))
        assert (await collect(provider))[0] == ["Hi"]
        release.set()
        assert (await frames.__anext__()).reason == "stop"
    assert [heard.json["model"] for heard in server.heard] == ["m-1", "m-2"]


async def test_many_requests_at_once_share_one_provider(service, server):
    await service.providers.provider_save(saving(server))
    server.say(ANSWER)
    provider = (await service.providers.choose("acme")).provider
    answers = await asyncio.gather(*(collect(provider) for _ in range(20)))
    assert [texts for texts, _ in answers] == [["Hi"]] * 20
    assert len(service.providers.remote._opened) == 1


# Trouble with the file


async def test_a_file_of_a_newer_version_is_left_alone_and_told(service, server, tmp_path):
    (tmp_path / "providers.json").write_text('{"format": 99}')
    answer = await listed(service)
    assert (len(answer.providers), "newer version" in answer.problem) == (1, True)
    with pytest.raises(DatabaseError):
        await service.providers.provider_save(saving(server, key=KEY))
    assert (await service.providers.choose("")).id == "embedded"


async def test_a_provider_that_was_edited_into_nonsense_is_told_and_can_be_removed(service, server, tmp_path):
    await service.providers.provider_save(saving(server))
    path = tmp_path / "providers.json"
    path.write_text(path.read_text().replace("http://", "file://"))
    info = (await listed(service)).providers[1]
    assert "must begin with http" in info.problem
    with pytest.raises(ValidationError):
        await collect((await service.providers.choose("acme")).provider)
    await service.providers.provider_delete(named())
    await service.providers.provider_save(saving(server, "other"))
    document_ = json.loads(path.read_text())
    document_["providers"]["broken"] = {"settings": 3}
    path.write_text(json.dumps(document_))
    assert "broken" in (await listed(service)).problem
    await service.providers.provider_delete(named("broken"))
    assert (await listed(service)).problem == ""


async def test_nobody_answers_in_the_place_of_an_active_one_that_cannot_be_read(service, server, tmp_path):
    await service.providers.provider_save(saving(server))
    await service.providers.provider_set_active(named())
    path = tmp_path / "providers.json"
    document_ = json.loads(path.read_bytes())
    document_["providers"]["acme"]["settings"]["type"] = "mind_reader"
    path.write_bytes(json.dumps(document_).encode())
    with pytest.raises(NoActiveProvider, match="acme cannot be read"):
        await service.queue.llm_call(CallRequest(prompt="Hi"))
    known = await listed(service)
    assert (known.active, [info.active for info in known.providers]) == ("acme", [False])
    await service.providers.provider_set_active(named("embedded"))
    assert (await service.providers.choose("")).id == "embedded"


async def test_there_are_not_more_providers_than_anybody_needs(service, server, monkeypatch):
    monkeypatch.setattr("jupyter_localcoder.service.providers.MAX_PROVIDERS", 1)
    await service.providers.provider_save(saving(server))
    await service.providers.provider_save(saving(server))
    with pytest.raises(ValidationError, match="maximum of 1 providers"):
        await service.providers.provider_save(saving(server, "other"))


async def test_a_provider_that_is_not_there_can_be_configured_and_told(service, unused_port):
    request = {"id": "gone", "type": "ollama", "base_url": f"http://127.0.0.1:{unused_port}", "model": "x"}
    await service.providers.provider_save(codec.decode(ProviderSaveRequest, request))
    with pytest.raises(ConnectionFailed, match="Could not connect to gone"):
        await service.providers.provider_test(named("gone"))


async def test_the_test_of_the_embedded_one_loads_nothing(service):
    with pytest.raises(LocalCoderError) as caught:
        await service.providers.provider_test(named("embedded"))
    assert caught.value.code in ("MODEL_NOT_READY", "MODEL_NOT_FOUND")
    assert service.pool.front.state == "stopped"


@pytest.mark.parametrize(("changes", "limit"), [({}, 50), ({"timeout_seconds": 20}, 20)])
async def test_a_timeout_of_the_request_comes_before_that_of_the_provider(
    service, server, clock, changes, limit
):
    await service.providers.provider_save(saving(server, timeout_seconds=50))
    server.say(hangs(b"data: " + json.dumps(DELTA).encode() + b"\n\n"))
    provider = (await service.providers.choose("acme")).provider
    began = clock.time()
    async with contextlib.aclosing(provider.stream(asking(**changes))) as frames:
        assert await frames.__anext__() == AnswerDelta("Hi")
        end = asyncio.ensure_future(frames.__anext__())
        await clock.until_done(end)
        assert end.result().reason == "timeout"
    assert clock.forwarded <= limit <= clock.time() - began


@contextlib.contextmanager
def asked_by_a_kernel():
    before = clients.current.set(clients.PollingClient("localcoder-kernel", kernel=True))
    try:
        yield
    finally:
        clients.current.reset(before)


async def test_a_kernel_cannot_say_where_a_key_of_the_environment_goes(service, elsewhere, monkeypatch):
    """A new provider under an id that has a key already."""
    monkeypatch.setenv(VARIABLE, KEY)
    with asked_by_a_kernel():
        made = await service.providers.provider_save(saving(elsewhere))
        again = await service.providers.provider_save(saving(elsewhere, name="Again"))
    for info in (made, again):
        assert info.key == "none"
        assert f"LOCALCODER_PROVIDER_ACME_ORIGIN={elsewhere.url}" in info.problem
    with pytest.raises(AuthError, match="The key in LOCALCODER_PROVIDER_ACME_KEY is not confirmed"):
        await asked_with(service, elsewhere)
    assert elsewhere.heard == []


async def test_nor_before_there_is_a_key(service, server, elsewhere, monkeypatch):
    """The server is started with the key later."""
    await service.providers.provider_save(saving(server))
    with asked_by_a_kernel():
        await service.providers.provider_save(saving(elsewhere))
    monkeypatch.setenv(VARIABLE, KEY)
    service.providers.remote.changed("acme")
    with pytest.raises(AuthError, match=r"enter (it|the key) again"):
        await asked_with(service, elsewhere)
    await service.providers.provider_delete(named())
    with asked_by_a_kernel():
        await service.providers.provider_save(saving(elsewhere))
    with pytest.raises(AuthError, match=r"enter (it|the key) again"):
        await asked_with(service, elsewhere)
    assert elsewhere.heard == []


async def test_nor_by_removing_and_adding(service, server, elsewhere, monkeypatch):
    with asked_by_a_kernel():
        await service.providers.provider_save(saving(elsewhere))
        await service.providers.provider_delete(named())
        await service.providers.provider_save(saving(elsewhere))
    monkeypatch.setenv(VARIABLE, KEY)
    with asked_by_a_kernel():
        await service.providers.provider_delete(named())
        await service.providers.provider_save(saving(elsewhere))
    with pytest.raises(AuthError, match="is not confirmed"):
        await asked_with(service, elsewhere)
    assert elsewhere.heard == []


@pytest.mark.parametrize("how", ["a person saves it", "the key is entered", "the environment says so"])
async def test_a_person_says_where_it_goes(service, server, monkeypatch, how):
    monkeypatch.setenv(VARIABLE, KEY)
    if how == "the environment says so":
        monkeypatch.setenv("LOCALCODER_PROVIDER_ACME_ORIGIN", f"{server.url}/v1/")
    with asked_by_a_kernel():
        await service.providers.provider_save(saving(server))
        if how == "the key is entered":
            await service.providers.provider_set_key(ProviderSetKeyRequest(id="acme", key=KEY))
    if how == "a person saves it":
        await service.providers.provider_save(saving(server))
    assert await asked_with(service, server) == f"Bearer {KEY}"


async def test_what_the_environment_says_wins_over_what_anybody_does(service, server, elsewhere, monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.setenv("LOCALCODER_PROVIDER_ACME_ORIGIN", server.url)
    moved = await service.providers.provider_save(saving(elsewhere))
    assert (moved.key, "is not for" in moved.problem) == ("none", True)
    await service.providers.provider_set_key(ProviderSetKeyRequest(id="acme", key="entered-key-1234"))
    assert await asked_with(service, elsewhere) == "Bearer entered-key-1234"
    await service.providers.provider_save(saving(server))
    assert await asked_with(service, server) == f"Bearer {KEY}"


async def test_a_provider_of_an_older_version_keeps_its_key(service, server, monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)
    await service.providers.provider_save(saving(server))
    path = service.providers._registry.path
    document = json.loads(path.read_bytes())
    del document["providers"]["acme"]["trusted"]
    path.write_text(json.dumps(document))
    with asked_by_a_kernel():
        await service.providers.provider_save(saving(server, name="Renamed"))
    assert await asked_with(service, server) == f"Bearer {KEY}"
