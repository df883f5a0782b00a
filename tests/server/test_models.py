"""Models over REST and the channel: verified, pinned, told about; memory with the open kernels."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.contract import registry
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask
from tests.support.waiting import until


@pytest.fixture
def told(extension: LocalCoderApp) -> list[tuple[str, Any]]:
    """Names and payloads of the events."""
    events: list[tuple[str, Any]] = []
    extension.service.events.listen(lambda event, payload: events.append((event.name, payload)))
    return events


async def info(ask: Ask, model: str = "tiny") -> Any:
    listed = (await ask("GET", "models")).data
    return next(one for one in listed["models"] if one["id"] == model)


async def test_a_fit_counts_the_context_and_a_speed_comes_with_the_first_load(
    ask: Ask, tiny_model: str
) -> None:
    before = await info(ask)
    fit = before["fit"]
    parts = fit["weights_bytes"] + fit["kv_bytes"] + fit["compute_bytes"] + fit["overhead_bytes"]
    assert fit["needed_bytes"] == parts
    assert fit["context_window"] == 4096 + 2048
    assert before["speed"] is None
    await ask("POST", "models/tiny/load")
    after = await info(ask)
    assert after["loaded"]
    assert after["speed"]["decode_tokens_per_second"] > 0


async def test_memory_counts_the_open_kernels_and_the_loaded_model(
    ask: Ask, tiny_model: str, jp_fetch: Any
) -> None:
    empty = (await ask("GET", "models")).data["memory"]
    assert (empty["kernels"], empty["kernels_bytes"], empty["given_back_bytes"]) == (0, 0, 0)
    await jp_fetch("api", "kernels", method="POST", body="{}")
    await ask("POST", "models/tiny/load")
    # A kernel that has just begun has taken next to nothing.
    while (memory := (await ask("GET", "models")).data["memory"])["kernels_bytes"] <= 10_000_000:
        assert memory["kernels"] == 1
    assert 0 < memory["given_back_bytes"] <= memory["worker_bytes"]


async def test_verify_answers_at_once_and_tells_the_verdict(
    ask: Ask, tiny_model: str, told: list[tuple[str, Any]]
) -> None:
    assert (await ask("POST", "models/tiny/verify")).data["id"] == "tiny"
    await until(
        lambda: [p for name, p in told if name == "model:state" and p.activity == "" and p.state == "ready"]
    )
    assert (await ask("POST", "models/qwen2.5-coder-0.5b/verify")).code == "MODEL_NOT_READY"


async def test_a_pin_is_kept_and_told(ask: Ask, tiny_model: str, told: list[tuple[str, Any]]) -> None:
    assert (await ask("POST", "models/tiny/pin", {"pinned": True})).data["pinned"]
    assert (await info(ask))["pinned"]
    assert ("model:state", "tiny") in [(name, getattr(payload, "id", "")) for name, payload in told]
    assert not (await ask("POST", "models/tiny/pin", {"pinned": False})).data["pinned"]


async def test_a_change_of_the_settings_is_told_to_everybody(ask: Ask, told: list[tuple[str, Any]]) -> None:
    await ask("PATCH", "settings", {"profile": "Tiny", "air_gap": True})
    ((name, view),) = told
    assert name == registry.SETTINGS_CHANGED.name
    assert (view.settings.profile, view.settings.air_gap) == ("Tiny", True)


async def test_a_model_that_does_not_fit_is_refused_until_somebody_insists(
    ask: Ask, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_localcoder.models import memory

    monkeypatch.setattr(memory, "available", lambda: (10_000_000, 24 * 10**9))
    assert (await info(ask))["fit"]["fit"] == "does-not-fit"
    refused = await ask("POST", "models/tiny/load")
    assert (refused.status, refused.code) == (507, "OUT_OF_MEMORY")
    assert refused.data["error"]["details"]["refused"] is True
    # A completion does not load behind a person's back what a load would refuse.
    assert (await ask("POST", "complete", {"prefix": "x = "})).code == "OUT_OF_MEMORY"
    assert (await ask("POST", "models/tiny/load", {"force": True})).status == 200
    assert (await ask("POST", "complete", {"prefix": "x = ", "max_tokens": 2})).status == 200


async def test_a_model_is_not_deleted_while_it_loads(
    ask: Ask, tiny_model: str, extension: LocalCoderApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, go_on = extension.service.pool, asyncio.Event()
    spawn = pool.spawn

    async def held(**arguments: Any) -> Any:
        await go_on.wait()
        return await spawn(**arguments)

    monkeypatch.setattr(pool, "spawn", held)
    loading = asyncio.ensure_future(ask("POST", "models/tiny/load"))
    await until(lambda: extension.service.models._loading["tiny"])
    assert (await ask("DELETE", "models/tiny")).code == "MODEL_IN_USE"  # whether it is noted or begun
    await until(lambda: pool.front.state == "starting")
    assert (await ask("DELETE", "models/tiny")).code == "MODEL_IN_USE"
    assert not loading.done()
    go_on.set()
    assert (await loading).status == 200
    assert (await ask("DELETE", "models/tiny")).code == "MODEL_IN_USE"


async def test_what_lies_in_place_of_the_file_is_not_followed(
    ask: Ask, tiny_model: str, tiny_gguf: Path, extension: LocalCoderApp
) -> None:
    folder = Path((await ask("GET", "models")).data["models_dir"]) / "tiny"
    (file,) = folder.glob("*.gguf")
    file.unlink()
    file.symlink_to(tiny_gguf)
    broken = await info(ask)
    assert broken["state"] == "error"
    assert "not a regular file" in broken["error"]["message"]
    assert (await ask("POST", "models/tiny/load")).code == "MODEL_NOT_READY"
    assert (await ask("DELETE", "models/tiny")).status == 200
    assert tiny_gguf.exists()


async def test_an_imported_model_answers_where_it_is_the_only_one(ask: Ask, tiny_model: str) -> None:
    await ask("PATCH", "settings", {"model": None, "general_model": None})
    listed = (await ask("GET", "models")).data
    assert (listed["code_model"], listed["general_model"]) == ("tiny", "tiny")
    assert "the installed model `tiny` is used" in listed["profile_reason"]
    asked = await ask("POST", "generate", {"command": "prompt", "instruction": "hi", "max_tokens": 3})
    assert asked.data["model"]["id"] == "tiny"
    completed = await ask("POST", "complete", {"prefix": "x = ", "suffix": "", "max_tokens": 3})
    assert completed.data["model"]["id"] == "tiny"


async def test_a_touched_file_is_verified_once_before_it_is_loaded(
    ask: Ask, tiny_model: str, told: list[tuple[str, Any]]
) -> None:
    (file,) = (Path((await ask("GET", "models")).data["models_dir"]) / "tiny").glob("*.gguf")
    os.utime(file, ns=(0, 5 * 10**9))
    touched = await info(ask)
    assert (touched["state"], touched["recheck"], touched["error"]) == ("ready", True, None)
    asked = await asyncio.gather(
        *(
            ask("POST", "generate", {"command": "prompt", "instruction": "hi", "max_tokens": 2})
            for _ in range(3)
        )
    )
    assert {one.data["model"]["id"] for one in asked} == {"tiny"}
    moves = [payload for name, payload in told if name == "model:state" and payload.id == "tiny"]
    assert [move.activity for move in moves if move.received_bytes == 0] == ["verify"]
    assert not (await info(ask))["recheck"]


async def test_a_file_that_changed_under_a_new_time_is_never_loaded(ask: Ask, tiny_model: str) -> None:
    (file,) = (Path((await ask("GET", "models")).data["models_dir"]) / "tiny").glob("*.gguf")
    data = bytearray(file.read_bytes())
    # Between the pieces that are looked at to tell a copy: only the whole digest tells.
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    os.utime(file, ns=(0, 5 * 10**9))
    assert (await ask("POST", "models/tiny/load")).code == "CHECKSUM_MISMATCH"
    assert (await ask("POST", "models/tiny/load")).code == "MODEL_NOT_FOUND"
