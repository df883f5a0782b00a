"""What was answered 200 is kept, whoever changes something else at the same time."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.errors import AirGapped
from jupyter_localcoder.server.app import LocalCoderApp

from .conftest import Answer, Ask, Connect

ROUNDS = 50
"""Of three changes by each of two clients: 300."""


async def all_at_once(*asked: Any) -> list[Answer]:
    answers = list(await asyncio.gather(*asked))
    assert [answer.status for answer in answers] == [200] * len(answers)
    return answers


async def test_two_clients_lose_none_of_300_changes_of_settings(ask: Ask) -> None:
    ints, floats = ("top_k", "max_tokens", "context_window"), ("temperature", "idle_minutes", "min_p")
    for number in range(1, ROUNDS + 1):
        values: dict[str, Any] = dict.fromkeys(ints, number + 512) | dict.fromkeys(floats, number / 100)
        await all_at_once(*(ask("PATCH", "settings", {name: value}) for name, value in values.items()))
        kept = (await ask("GET", "settings")).data["settings"]
        assert {name: kept[name] for name in values} == values


async def test_the_air_gap_stays_on_whatever_else_is_changed(ask: Ask, extension: LocalCoderApp) -> None:
    remote = extension.service.providers.remote
    for number in range(30):
        await ask("PATCH", "settings", {"air_gap": None})
        others = [ask("PATCH", "settings", {"top_k": number + each}) for each in range(3)]
        await all_at_once(others[0], ask("PATCH", "settings", {"air_gap": True}), *others[1:])
        assert (await ask("GET", "settings")).data["settings"]["air_gap"] is True
        assert (await ask("GET", "health")).data["air_gap"] is True
        with pytest.raises(AirGapped):
            await remote._permit("any")


async def test_another_process_undoes_no_change_of_this_server(ask: Ask, extension: LocalCoderApp) -> None:
    """A second server of the same user, in its own process, changes other settings all the time."""
    path = extension.service.user_settings.path
    code = (
        "import sys\n"
        "from jupyter_localcoder.contract.settings import SettingsUpdateRequest\n"
        "from jupyter_localcoder.settings import LocalCoderSettings\n"
        "settings = LocalCoderSettings(settings_dir=sys.argv[1], environment={})\n"
        "number = 0\n"
        "while True:\n"
        "    number += 1\n"
        "    settings.update(SettingsUpdateRequest(max_tokens=number))\n"
        "    print(number, flush=True)\n"
    )
    other = await asyncio.create_subprocess_exec(
        os.sys.executable, "-c", code, str(path.parent), stdout=asyncio.subprocess.PIPE
    )
    assert other.stdout is not None
    try:
        await other.stdout.readline()
        for number in range(1, 41):
            await all_at_once(ask("PATCH", "settings", {"top_k": number}))
            assert (await ask("GET", "settings")).data["settings"]["top_k"] == number
    finally:
        other.kill()
        told = (await other.stdout.read()).split()
        await other.wait()
    await all_at_once(ask("PATCH", "settings", {"top_k": 50}))
    kept = json.loads(path.read_bytes())["settings"]
    assert kept["top_k"] == 50
    # It may have been killed between the change and the word.
    assert kept["max_tokens"] in (int(told[-1]), int(told[-1]) + 1)
    assert {one.name for one in path.parent.iterdir() if one.name.startswith(".")} == set()


async def test_clients_lose_no_change_of_how_titles_are_made(
    ask: Ask, connect: Connect, tiny_model: str
) -> None:
    channel = await connect()
    for number in range(30):
        model = tiny_model if number % 2 else ""
        values = {"enabled": bool(number % 2), "timeout_seconds": 10.0 + number, "model": model}
        first, *others = ({name: value} for name, value in values.items())
        await all_at_once(*(ask("PATCH", "titles/config", change) for change in others), ask("GET", "health"))
        assert (await channel.call("title:config:set", first)).get("error") is None
        kept = (await ask("GET", "titles/config")).data
        assert {name: kept[name] for name in values} == values


@pytest.mark.parametrize("raw", ["[" * 100_000, "{", "null"])
async def test_garbage_in_every_state_file_fails_nothing(
    ask: Ask, extension: LocalCoderApp, tiny_model: str, raw: str
) -> None:
    folder = extension.service.user_settings.path.parent
    store = extension.service.store
    history = extension.service.recorder.store.root
    places = [
        *(folder / name for name in ("settings.json", "providers.json", "prices.json", "calibration.json")),
        Path(store.models_dir) / "licenses.json",
        history / "titles.json",
    ]
    for path in places:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(raw)
    await all_at_once(
        ask("GET", "health"),
        ask("GET", "models"),
        ask("GET", "settings"),
        ask("GET", "providers"),
        ask("GET", "titles/config"),
        ask("POST", "complete", {"prefix": "x = ", "max_tokens": 2, "model": tiny_model}),
        ask("POST", "generate", {"command": "explain", "code": "x", "max_tokens": 2, "model": tiny_model}),
    )
    unchanged = [path.read_text() for path in places if path.name != "calibration.json"]
    assert unchanged == [raw] * 5
    await all_at_once(
        ask("PATCH", "settings", {"top_k": 3}),
        ask("PATCH", "titles/config", {"enabled": False}),
        ask("PUT", "providers/acme", {"type": "ollama", "base_url": "http://127.0.0.1:9"}),
    )
    for path in (folder / "settings.json", folder / "providers.json", history / "titles.json"):
        assert path.with_suffix(".damaged.json").read_text() == raw


async def test_a_person_is_told_what_became_of_a_damaged_file(ask: Ask, connect: Connect) -> None:
    path = Path((await ask("GET", "settings")).data["path"])
    channel = await connect()
    await channel.call("settings:get")
    path.parent.mkdir(exist_ok=True)
    path.write_text("{")
    await channel.call("backend:ping")
    await channel.call("backend:ping")
    await channel.call("settings:update", {"top_k": 3})
    told = [event["payload"]["message"] for event in channel.events if event.get("event") == "notice"]
    assert len(told) == 2, channel.events
    assert "It is renamed to settings.damaged.json with the next change" in told[0]
    assert str(path.with_name("settings.damaged.json")) in told[1]
