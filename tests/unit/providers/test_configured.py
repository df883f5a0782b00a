"""Providers that the configuration of the server defines: used by all, changed by nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyter_localcoder.composition import CONFIGURABLES, build_service
from jupyter_localcoder.composition.configuration import check
from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.providers import (
    ProviderIdRequest,
    ProviderListRequest,
    ProviderSaveRequest,
    ProviderSetKeyRequest,
)
from jupyter_localcoder.errors import ConfigInvalid, ProviderLocked, RateLimited
from jupyter_localcoder.service import Service
from tests.support.providers import KEY, collect
from tests.support.wire_server import WireServer, document, events, wire_server

LAB = ProviderIdRequest(id="lab")
OWN = ProviderIdRequest(id="own")
DELTA = {"choices": [{"delta": {"content": "Hi"}}]}
LAST = {"choices": [{"delta": {}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 0}}  # fmt: skip
ANSWER = events(DELTA, LAST)

Make = Callable[..., Service]


@pytest.fixture
def make(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Make]:
    """A service with these traits of `LocalCoderProviders`."""
    made: list[Service] = []

    def make_(**traits: Any) -> Service:
        settings = {"settings_dir": str(tmp_path)}
        made.append(
            build_service(config=Config({"LocalCoderSettings": settings, "LocalCoderProviders": traits}))
        )
        return made[-1]

    yield make_
    for service in made:
        jp_asyncio_loop.run_until_complete(service.close())


@pytest.fixture
def server(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[WireServer]:
    context = wire_server()
    yield jp_asyncio_loop.run_until_complete(context.__aenter__())
    jp_asyncio_loop.run_until_complete(context.__aexit__(None, None, None))


def lab(server: WireServer, **changes: Any) -> dict[str, Any]:
    return {"id": "lab", "type": "openai_compatible", "base_url": server.url + "/v1", "model": "m", **changes}


def saving(server: WireServer, id_: str) -> ProviderSaveRequest:
    return codec.decode(ProviderSaveRequest, lab(server, id=id_))


async def listed(service: Service) -> Any:
    return await service.providers.provider_list(ProviderListRequest())


async def test_it_is_listed_used_and_marked_and_nobody_changes_it(make: Make, server: WireServer):
    service = make(definitions=[lab(server, name="The lab")])
    (embedded, info) = (await listed(service)).providers
    assert (embedded.configured, info.id, info.name, info.configured) == (False, "lab", "The lab", True)
    server.say(ANSWER)
    assert (await collect((await service.providers.choose("lab")).provider))[0] == ["Hi"]
    for change in (
        service.providers.provider_save(saving(server, "lab")),
        service.providers.provider_delete(LAB),
    ):
        with pytest.raises(ProviderLocked, match="administrator"):
            await change
    await service.providers.provider_set_active(LAB)
    assert (await listed(service)).active == "lab"
    await service.providers.provider_save(saving(server, "own"))
    assert [one.configured for one in (await listed(service)).providers] == [False, True, False]


async def test_the_configured_one_answers_until_a_person_chooses(make: Make, server: WireServer):
    service = make(definitions=[lab(server)], active="lab")
    assert (await listed(service)).active == "lab"
    await service.providers.provider_save(saving(server, "own"))
    assert (await listed(service)).active == "lab"
    await service.providers.provider_set_active(ProviderIdRequest(id="embedded"))
    assert (await listed(make(definitions=[lab(server)], active="lab"))).active == "embedded"


async def test_where_it_is_locked_only_what_is_configured_is_used(
    make: Make, server: WireServer, tmp_path: Path
):
    free = make()
    await free.providers.provider_save(saving(server, "own"))
    await free.providers.provider_set_active(OWN)
    before = (tmp_path / "providers.json").read_bytes()
    service = make(definitions=[lab(server)], locked=True)
    known = await listed(service)
    assert (known.locked, known.active, [one.id for one in known.providers]) == (
        True,
        "embedded",
        ["embedded", "lab"],
    )
    for change in (
        service.providers.provider_save(saving(server, "other")),
        service.providers.provider_delete(OWN),
        service.providers.provider_set_active(LAB),
    ):
        with pytest.raises(ProviderLocked):
            await change
    assert (tmp_path / "providers.json").read_bytes() == before
    assert (await listed(make())).active == "own"


async def test_a_person_gives_it_a_key_that_does_not_outlive_the_definition(
    make: Make, server: WireServer, tmp_path: Path
):
    service = make(definitions=[lab(server)])
    given = await service.providers.provider_set_key(ProviderSetKeyRequest(id="lab", key=KEY))
    assert given.key in ("keyring", "file", "session")
    server.say(ANSWER)
    await collect((await make(definitions=[lab(server)]).providers.choose("lab")).provider)
    assert server.heard[-1].headers["authorization"] == f"Bearer {KEY}"
    kept = json.loads((tmp_path / "providers.json").read_bytes())
    assert (kept["providers"], kept["keys_of_configured"]) == ({}, {"lab": given.key})
    assert [one.id for one in (await listed(make())).providers] == ["embedded"]


async def test_its_key_is_in_the_variable_that_it_names(
    make: Make, server: WireServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TEAM_KEY", KEY)
    service = make(definitions=[lab(server, key_variable="TEAM_KEY")])
    assert (await listed(service)).providers[1].key == "environment"
    server.say(ANSWER)
    await collect((await service.providers.choose("lab")).provider)
    assert server.heard[-1].headers["authorization"] == f"Bearer {KEY}"


async def test_what_a_person_had_under_its_id_comes_back_when_it_is_gone(make: Make, server: WireServer):
    await make().providers.provider_save(saving(server, "lab"))
    hiding = make(definitions=[lab(server, model="theirs")])
    assert (await listed(hiding)).providers[1].model == "theirs"
    await hiding.providers.provider_save(saving(server, "own"))
    again = (await listed(make())).providers
    assert [(one.id, one.model) for one in again] == [("embedded", ""), ("lab", "m"), ("own", "m")]


async def test_prices_of_the_configuration_hold_unless_the_person_wrote_another(
    make: Make, server: WireServer, tmp_path: Path
):
    prices = {"lab/*": {"input": 3.0, "output": 1.0}}
    service = make(definitions=[lab(server)], prices=prices)
    server.say(ANSWER)
    _, end = await collect((await service.providers.choose("lab")).provider)
    assert end.cost_usd == 3.0
    own = {"format": 1, "usd_per_million_tokens": {"lab/*": {"input": 5.0, "output": 1.0}}}
    (tmp_path / "prices.json").write_text(json.dumps(own))
    assert (await listed(service)).providers[1].price.input == 5.0


@pytest.mark.parametrize(("traits", "asked"), [({"retries": 0}, 1), ({"retries": 1}, 2), ({}, 3)])
async def test_how_often_it_is_asked_again(
    make: Make, server: WireServer, traits: dict[str, Any], asked: int
):
    service = make(definitions=[lab(server)], **traits)
    server.say(*[document({"error": {"message": "Busy."}}, 429, retry_after="0")] * asked)
    with pytest.raises(RateLimited):
        await collect((await service.providers.choose("lab")).provider)
    assert len(server.heard) == asked


GOOD = {"id": "lab", "type": "ollama"}


@pytest.mark.parametrize(
    ("traits", "trait", "word"),
    [
        ({"definitions": [{"id": "lab"}]}, "definitions", "type"),
        ({"definitions": [GOOD, GOOD]}, "definitions", "two providers `lab`"),
        ({"definitions": [{**GOOD, "id": "Lab"}]}, "definitions", "id"),
        ({"definitions": [{**GOOD, "key": KEY}]}, "definitions", "key_variable"),
        ({"definitions": [{**GOOD, "key_variable": "NOT ONE"}]}, "definitions", "key_variable"),
        ({"definitions": [{**GOOD, "id": "embedded"}]}, "definitions", "always exists"),
        ({"definitions": [{**GOOD, "base_url": "ftp://x"}]}, "definitions", "http"),
        ({"definitions": [{**GOOD, "base_url": "http://169.254.169.254"}]}, "definitions", "link-local"),
        ({"definitions": [{**GOOD, "colour": "red"}]}, "definitions", "colour"),
        ({"definitions": {**GOOD, "key": KEY}}, "definitions", "a list"),
        ({"active": "lab"}, "active", "`embedded`"),
        ({"prices": {"lab/*": {"input": -1, "output": 0}}}, "prices", "0.0"),
        ({"prices": {"lab/*": 3}}, "prices", "object"),
    ],
)
def test_a_wrong_definition_stops_the_start_by_the_name_of_its_trait(
    traits: dict[str, Any], trait: str, word: str
):
    with pytest.raises(ConfigInvalid) as refused:
        check(CONFIGURABLES, Config({"LocalCoderProviders": traits}), {})
    assert refused.value.details["traits"] == [f"LocalCoderProviders.{trait}"]
    assert refused.value.message.startswith(f"`LocalCoderProviders.{trait}` cannot be ")
    assert word in refused.value.message
    assert KEY not in refused.value.message
