"""Providers over REST and the channel, on a real Jupyter server; and a key that must not get anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.providers import ProviderSaveRequest
from jupyter_localcoder.errors import ValidationError
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask, Channel, queue_answer
from tests.support.wire_server import WireServer, document, events, wire_server

KEY = "sk-canary-0123456789abcdef"
ANSWER = events({"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]})


@pytest.fixture
def server(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[WireServer]:
    context = wire_server()
    yield jp_asyncio_loop.run_until_complete(context.__aenter__())
    jp_asyncio_loop.run_until_complete(context.__aexit__(None, None, None))


def acme(server: WireServer, **changes: Any) -> dict[str, Any]:
    return {"type": "openai_compatible", "base_url": server.url + "/v1", "model": "m", **changes}


async def test_the_life_of_a_provider(ask: Ask, server: WireServer) -> None:
    assert [p["id"] for p in (await ask("GET", "providers")).data["providers"]] == ["embedded"]
    saved = await ask("PUT", "providers/acme", acme(server))
    assert (saved.status, saved.data["active"]) == (200, False)
    server.say(document({"data": [{"id": "m"}]}))
    tested = (await ask("POST", "providers/acme/test")).data
    assert (tested["models"], tested["model_listed"]) == (["m"], True)
    assert (await ask("POST", "providers/acme/activate")).data["active"] == "acme"
    server.say(ANSWER)
    queued = (await ask("POST", "queue", {"prompt": "Hello?"})).data["id"]
    answer = (await queue_answer(ask, queued)).data
    assert (answer["text"], answer["item"]["provider"]) == ("Hi", "acme")
    refused = await ask("DELETE", "providers/acme")
    assert (refused.status, refused.code) == (409, "PROVIDER_IN_USE")
    assert (await ask("GET", "providers")).data["active"] == "acme"
    await ask("POST", "providers/embedded/activate")
    assert (await ask("DELETE", "providers/acme")).data == {"note": ""}


async def test_completion_goes_where_its_own_setting_says(ask: Ask, server: WireServer) -> None:
    await ask("PUT", "providers/acme", acme(server))
    for id_, status, code in (("acme", 400, "VALIDATION_ERROR"), ("nobody", 404, "PROVIDER_NOT_FOUND")):
        refused = await ask("PATCH", "settings", {"completion_provider": id_})
        assert (refused.status, refused.data["error"]["code"]) == (status, code)
    await ask("PUT", "providers/acme", acme(server, fill="suffix"))
    changed = await ask("PATCH", "settings", {"completion_provider": "acme"})
    assert changed.data["settings"]["completion_provider"] == "acme"
    server.say(events({"choices": [{"text": "1 + 1", "finish_reason": "stop"}]}))
    done = (await ask("POST", "complete", {"prefix": "x = "})).data
    assert (done["text"], done["provider"]) == ("1 + 1", "acme")
    await ask("PATCH", "settings", {"air_gap": True})
    refused = await ask("POST", "complete", {"prefix": "x = "})
    assert (refused.status, refused.data["error"]["code"]) == (403, "AIR_GAPPED")
    assert len(server.heard) == 1


async def test_what_a_kind_needs_and_what_a_model_costs_is_told(ask: Ask, server: WireServer) -> None:
    await ask("PUT", "providers/acme", acme(server))
    listed = (await ask("GET", "providers")).data
    kinds = {kind["type"]: kind for kind in listed["kinds"]}
    assert kinds["openai"]["key_variables"] == ["OPENAI_API_KEY"]
    assert {type_ for type_, kind in kinds.items() if kind["key_needed"]} == {
        "openai", "azure_openai", "gemini",
    }  # fmt: skip
    assert [type_ for type_, kind in kinds.items() if not kind["base_url"]] == [
        "embedded", "azure_openai", "openai_compatible",
    ]  # fmt: skip
    assert [provider["price"] for provider in listed["providers"]] == [None, None]
    table = {"format": 1, "usd_per_million_tokens": {"acme/*": {"input": 1, "output": 2.5}}}
    Path(listed["prices_path"]).write_text(json.dumps(table))
    priced = (await ask("GET", "providers")).data["providers"][1]["price"]
    assert priced == {"input": 1.0, "cached_input": None, "output": 2.5}


async def test_errors_have_their_statuses(ask: Ask, server: WireServer) -> None:
    await ask("PUT", "providers/acme", acme(server))
    for status, code, ours in (
        (401, "AUTH_ERROR", 403),
        (429, "RATE_LIMITED", 429),
        (500, "CONNECTION_ERROR", 502),
    ):
        server.say(document({"error": {"message": "its own words"}}, status))
        answer = await ask("POST", "providers/acme/test")
        assert (answer.status, answer.code) == (ours, code)
        assert "its own words" in answer.data["error"]["message"]
        assert answer.data["error"]["details"]["provider"] == "acme"
    server.say(document({"error": "later"}, 429, retry_after="99.5"))
    assert (await ask("POST", "providers/acme/test")).headers["Retry-After"] == "100"
    assert (await ask("POST", "providers/nobody/activate")).code == "PROVIDER_NOT_FOUND"
    assert (await ask("DELETE", "providers/embedded")).code == "VALIDATION_ERROR"
    await ask("PATCH", "settings", {"air_gap": True})
    answer = await ask("POST", "providers/acme/test")
    assert (answer.status, answer.code) == (403, "AIR_GAPPED")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://me:secret@host/", "gopher://host", "http://h/?k=secret"]
)
async def test_addresses_that_are_refused(ask: Ask, server: WireServer, url: str) -> None:
    answer = await ask("PUT", "providers/acme", acme(server, base_url=url))
    assert (answer.status, answer.code, answer.data["error"]["details"]["field"]) == (
        400, "VALIDATION_ERROR", "base_url"
    )  # fmt: skip
    assert "secret" not in answer.text


async def test_a_key_gets_nowhere(
    ask: Ask,
    server: WireServer,
    extension: LocalCoderApp,
    tiny_model: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Entered in each way, used, refused and in the middle of a defect: only the request holds it."""
    caplog.set_level(logging.DEBUG)
    for name in ("", "tornado", "httpx", "httpcore", "asyncio", "LocalCoderApp", "ServerApp"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    extension.log.addHandler(caplog.handler)
    told: list[Any] = []
    extension.service.events.listen(lambda event, payload: told.append((event.name, codec.encode(payload))))
    answers = []

    async def say(*request: Any) -> None:
        answers.append(await ask(*request))

    await say("PUT", "providers/acme", acme(server, key=KEY))
    await say("PUT", "providers/acme/key", {"key": KEY})
    await say("PUT", "providers/acme/key", {"key": KEY, "keep": "session"})
    await say("PUT", "providers/acme/key", {"key": KEY})
    monkeypatch.setenv("LOCALCODER_PROVIDER_OTHER_KEY", KEY)
    await say("PUT", "providers/other", acme(server))
    await say("PUT", "providers/acme/key", {"key": KEY, "kep": "session"})
    await say("PUT", "providers/acme/key", {"key": [KEY]})
    await say("PUT", "providers/acme/key", {"key": KEY + " x"})
    await say("PUT", "providers/acme/key", KEY)
    await say("PUT", "providers/acme", acme(server, key=KEY, base_url="http://192.0.2.1"))
    for id_ in ("acme", "other"):
        server.say(document({"data": []}), document({"error": f"bad key {KEY}"}, 401), ANSWER)
        for _ in range(2):
            await say("POST", f"providers/{id_}/test")
        queued = (await ask("POST", "queue", {"prompt": "Hello?", "provider": id_})).data["id"]
        answers.append(await queue_answer(ask, queued))

    def defect(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(extension.service.providers._credentials, "keep", defect)
        await say("PUT", "providers/acme/key", {"key": KEY})
        patched.setattr("jupyter_localcoder.providers.connections.build_provider", defect)
        extension.service.providers.remote.changed("acme")
        await say("POST", "providers/acme/test")
    assert {answer.code for answer in answers if answer.status >= 400} == {
        "VALIDATION_ERROR", "AUTH_ERROR", "UNKNOWN_ERROR"
    }  # fmt: skip
    assert [heard.headers.get("authorization") for heard in server.heard] == [f"Bearer {KEY}"] * 6
    await say("GET", "providers")
    await say("GET", "settings")
    await say("GET", "queue")
    await say("POST", "models/tiny/load")
    worker = psutil.Process(extension.service.pool.front.pid)
    assert worker.environ()["PYTHONUNBUFFERED"] == "1"
    assert KEY not in json.dumps(worker.environ()) + json.dumps(worker.cmdline())
    await say("DELETE", "providers/other")
    await say("DELETE", "providers/acme/key")

    captured = capfd.readouterr()
    assert "a defect" in caplog.text, "the log of the server is not what was read"
    assert "canary" not in caplog.text + captured.out + captured.err
    assert "canary" not in "".join(answer.text for answer in answers)
    assert "canary" not in repr(told)
    assert len(told) >= 8
    os.environ.pop("LOCALCODER_PROVIDER_OTHER_KEY")
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix != ".gguf":
            assert b"canary" not in path.read_bytes(), path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [*ProviderSaveRequest.__struct_fields__, "surprise"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_any_configuration_is_kept_or_a_validation_error(
    extension: LocalCoderApp, jp_asyncio_loop: asyncio.AbstractEventLoop, body: dict[str, Any]
) -> None:
    body = {"id": "acme", "type": "openai_compatible", "base_url": "http://127.0.0.1:1/v1", **body}
    with contextlib.suppress(ValidationError):
        request = codec.decode(ProviderSaveRequest, body)
        jp_asyncio_loop.run_until_complete(extension.service.providers.provider_save(request))


@pytest.mark.parametrize("host", ["169.254.169.254", "0xA9FEA9FE", "[::ffff:169.254.169.254]", "[fe80::1]"])
async def test_a_link_local_provider_is_refused_until_a_person_allows_it(
    ask: Ask, extension: LocalCoderApp, host: str
) -> None:
    body = {"type": "openai_compatible", "base_url": f"http://{host}/v1", "model": "m"}
    refused = await ask("PUT", "providers/cloud", body)
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
    assert refused.data["error"]["details"]["field"] == "base_url"
    extension.service.link_local_providers = True
    assert (await ask("PUT", "providers/cloud", body)).status == 200
    extension.service.link_local_providers = False
    # What was kept before is not asked either.
    tested = await ask("POST", "providers/cloud/test")
    assert (tested.status, tested.code) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("way", ["REST", "the channel"])
async def test_a_kernels_token_sends_no_key_of_the_environment_anywhere(
    ask: Ask,
    server: WireServer,
    extension: LocalCoderApp,
    jp_ws_fetch: Any,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    monkeypatch.setenv("LOCALCODER_PROVIDER_ACME_KEY", KEY)
    kernel = {"Authorization": f"localcoder {extension.kernel_token}"}
    if way == "REST":
        saved = (await ask("PUT", "providers/acme", acme(server), headers=kernel)).data
    else:
        channel = Channel(await jp_ws_fetch("localcoder", "channel", headers=kernel))
        saved = (await channel.call("provider:save", {"id": "acme", **acme(server)}))["data"]
    assert saved["key"] == "none"
    assert "LOCALCODER_PROVIDER_ACME_ORIGIN" in saved["problem"]
    refused = await ask("POST", "providers/acme/test", headers=kernel)
    assert (refused.status, refused.code) == (403, "AUTH_ERROR")
    assert server.heard == []
    # Somebody who has signed in sees the address, and says that it is right.
    assert (await ask("PUT", "providers/acme", acme(server))).data["key"] == "environment"
    server.say(document({"data": [{"id": "m"}]}))
    assert (await ask("POST", "providers/acme/test", headers=kernel)).status == 200
    assert KEY in str(server.heard)
