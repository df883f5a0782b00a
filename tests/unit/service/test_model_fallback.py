"""Which model answers: a plan is made from the disk, but not with every key."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.engine.model_fallback import FRESH_SECONDS
from tests.unit.service.conftest import Desk, Open


class Watched:
    """A service whose clock stands still, and how often a plan was made."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic() + FRESH_SECONDS
        self.made = 0
        fallback = desk.service.fallback
        really = desk.service.planner.plan

        def plan(*given: Any, **named: Any) -> Any:
            self.made += 1
            return really(*given, **named)

        monkeypatch.setattr(fallback, "clock", lambda: self.now)
        monkeypatch.setattr(desk.service.planner, "plan", plan)


@pytest.fixture
def desk(open_desk: Open, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Desk:
    desk = jp_asyncio_loop.run_until_complete(open_desk(title=None))
    jp_asyncio_loop.run_until_complete(desk.explain())  # loads the model
    return desk


@pytest.fixture
def watched(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(desk, monkeypatch)


async def test_who_types_has_one_plan_made_in_a_second(desk: Desk, watched: Watched) -> None:
    for _ in range(3):
        await desk.explain()
    assert watched.made == 1
    watched.now += FRESH_SECONDS
    await desk.explain()
    assert watched.made == 2


async def test_a_changed_setting_counts_at_once(desk: Desk, watched: Watched) -> None:
    before = await desk.explain()
    await desk.service.settings.settings_update(SettingsUpdateRequest(context_window=2048))
    after = await desk.explain()
    assert watched.made == 2
    assert before.model == after.model
    loaded = desk.service.pool.front.plan
    assert loaded is not None
    assert loaded.load.n_ctx == 2048


async def test_a_request_that_names_a_model_has_a_plan_of_its_own(desk: Desk, watched: Watched) -> None:
    first = await desk.explain()
    await desk.explain(model=first.model.id)
    assert watched.made == 2


async def test_what_is_not_loaded_is_planned_anew(desk: Desk, watched: Watched) -> None:
    await desk.explain()
    await desk.service.pool.unload()
    await desk.explain()
    assert watched.made == 2
