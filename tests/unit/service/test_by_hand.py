"""A model that a person has loaded stays loaded, or the person hears what takes its place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.contract.backend import PingRequest
from jupyter_localcoder.contract.generation import CompleteRequest, Done, WarmRequest
from jupyter_localcoder.contract.models import (
    ModelDeleteRequest,
    ModelImportRequest,
    ModelLoadRequest,
    ModelUnloadRequest,
)
from jupyter_localcoder.errors import ModelNotReady, OutOfMemory
from tests.support.workers import ChangingSpawn
from tests.unit.service.conftest import Desk, Open

WRITES = '{"says": "1"}'


class Owner:
    """Somebody who has three models, of which the settings name the first; and how often one was loaded."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.spawn = ChangingSpawn(WRITES)
        desk.service.pool.spawn = self.spawn

    @property
    def loads(self) -> int:
        return len(self.spawn.pids)

    async def load(self, model: str) -> None:
        await self.desk.service.models.model_load(ModelLoadRequest(id=model))

    async def complete(self, **fields: Any) -> str:
        done: Done = await self.desk.last(
            self.desk.service.completion.tab_complete(CompleteRequest(prefix="x = ", **fields))
        )
        return done.model.id

    async def ask(self, **fields: Any) -> str:
        return (await self.desk.chat("why?", **fields)).model.id

    @property
    def notices(self) -> list[str]:
        return [f"{one.message} {one.action}" for one in self.desk.of("notice")]


@pytest.fixture
def residents() -> int:
    """How many models may be in memory at once."""
    return 2


ONE_AT_A_TIME = pytest.mark.parametrize("residents", [1])


@pytest.fixture
def owner(
    open_desk: Open,
    residents: int,
    tiny_gguf: Path,
    tiny_llama_gguf: Path,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Owner:
    """Of the other two, `other` can do all, and `talker` cannot fill in the middle."""

    async def own() -> Owner:
        desk = await open_desk(residents=residents)
        await desk.service.models.model_import(ModelImportRequest(path=str(tiny_gguf), id="other"))
        await desk.service.models.model_import(ModelImportRequest(path=str(tiny_llama_gguf), id="talker"))
        return Owner(desk)

    return jp_asyncio_loop.run_until_complete(own())


async def test_it_answers_and_completes_from_then_on(owner: Owner) -> None:
    assert (await owner.complete(), await owner.ask()) == ("tiny", "tiny")
    await owner.load("other")
    assert [await owner.complete(), await owner.ask(), await owner.complete()] == ["other"] * 3
    warmed = await owner.desk.service.completion.tab_warm(WarmRequest(prefix="x = "))
    assert warmed.finish == "stop"
    assert owner.loads == 2
    status = await owner.desk.service.backend.backend_ping(PingRequest())
    assert (
        status.model,
        "manually: it completes and works on code and answers questions until" in status.reason,
    ) == ("other", True)
    assert owner.notices == []


async def test_it_is_loaded_again_after_a_rest(owner: Owner) -> None:
    await owner.load("other")
    await owner.desk.service.pool.unload("It rests.")
    assert await owner.complete() == "other"


async def test_a_key_that_is_pressed_while_it_loads_does_not_undo_it(owner: Owner) -> None:
    await owner.complete()
    loading = asyncio.ensure_future(owner.load("other"))
    await owner.desk.until(lambda: any(one.model == "other" for one in owner.desk.of("backend:state")))
    assert await owner.complete() == "other"
    await loading
    assert owner.loads == 2


@pytest.mark.parametrize("how", ["another", "unload", "settings", "profile", "deleted"])
async def test_what_ends_it(owner: Owner, how: str) -> None:
    await owner.load("other")
    service = owner.desk.service
    if how == "another":
        await owner.load("tiny")
    elif how == "unload":
        await service.models.model_unload(ModelUnloadRequest())
    elif how == "deleted":
        await service.models.model_delete(ModelDeleteRequest(id="other", force=True))
    else:
        await owner.desk.settings(**{"settings": {"model": "tiny"}, "profile": {"profile": "auto"}}[how])
    assert [await owner.complete(), await owner.ask()] == ["tiny"] * 2


async def test_another_setting_does_not_end_it(owner: Owner) -> None:
    await owner.load("other")
    await owner.desk.settings(temperature=0.5)
    assert await owner.complete() == "other"


async def test_a_load_that_fails_changes_nothing(owner: Owner) -> None:
    await owner.load("other")
    with pytest.raises(ModelNotReady):
        await owner.load("qwen2.5-coder-7b")
    owner.spawn.scripts = ["no-memory"]
    with pytest.raises(OutOfMemory):
        await owner.load("talker")
    owner.spawn.scripts = [WRITES]
    assert [await owner.complete(), await owner.ask()] == ["other"] * 2


@ONE_AT_A_TIME
async def test_one_that_cannot_complete_says_what_takes_its_place(owner: Owner) -> None:
    await owner.load("talker")
    assert await owner.ask() == "talker"
    assert owner.notices == []
    assert await owner.complete() == "tiny"
    (notice,) = owner.notices
    assert "`talker`, which you loaded, is unloaded for `tiny`, which completes and works on code" in notice
    assert "pause suggestions" in notice
    # It still answers; and what was said is not said with each key.
    assert [await owner.ask(), await owner.complete()] == ["talker", "tiny"]
    assert len(owner.notices) == 1


@ONE_AT_A_TIME
async def test_one_that_the_settings_name_for_completion_leaves_questions_to_the_other(owner: Owner) -> None:
    await owner.desk.settings(general_model="talker")
    await owner.load("tiny")
    assert (await owner.complete(), owner.notices) == ("tiny", [])
    assert await owner.ask() == "talker"
    (notice,) = owner.notices
    assert "`tiny`, which you loaded, is unloaded for `talker`, which answers questions" in notice
    assert "choose `tiny` for questions too" in notice


async def test_one_that_stays_beside_the_other_makes_no_room(owner: Owner) -> None:
    await owner.load("talker")
    assert [await owner.ask(), await owner.complete(), await owner.ask()] == ["talker", "tiny", "talker"]
    assert (owner.loads, owner.notices) == (2, [])


async def test_a_request_that_names_a_model_is_no_surprise(owner: Owner) -> None:
    await owner.load("other")
    assert await owner.ask(model="tiny") == "tiny"
    assert owner.notices == []
    assert await owner.complete() == "other"
