"""A model that does not fit is refused with the numbers, and loaded when a person insists."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from jupyter_localcoder.engine.calibration_store import Calibrations
from jupyter_localcoder.engine.memory_admission import MemoryAdmission
from jupyter_localcoder.engine.memory_usage import MemoryUsage
from jupyter_localcoder.engine.planner import Planner
from jupyter_localcoder.engine.tuning import Tuning
from jupyter_localcoder.errors import OutOfMemory
from jupyter_localcoder.models import memory
from jupyter_localcoder.models.store import ModelStore
from jupyter_localcoder.settings import LocalCoderSettings

GB = 1_000_000_000


@pytest.fixture
def planner(tmp_path: Path, tiny_gguf: Path) -> Planner:
    store = ModelStore()
    store.import_file(tiny_gguf, model_id="tiny")
    settings = LocalCoderSettings(environment={})
    return Planner(store, settings, Tuning(), Calibrations(tmp_path / "calibration.json"))


def room(planner: Planner, *, loaded: Any = None) -> MemoryAdmission:
    pool: Any = SimpleNamespace(holds=lambda plan: plan == loaded, holding=())
    return MemoryAdmission(planner, pool, MemoryUsage(pool, tuple))


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: (GB // 100, GB))


async def test_what_fits_passes(planner: Planner) -> None:
    await room(planner).require(planner.plan("code", model="tiny"))


async def test_what_does_not_fit_is_refused_with_the_numbers(planner: Planner, little: None) -> None:
    plan = planner.plan("code", model="tiny")
    with pytest.raises(OutOfMemory, match=r"`tiny` needs [\d.]+ MB .* 10 MB is available") as caught:
        await room(planner).require(plan)
    details = caught.value.details
    assert details["refused"] is True
    assert details["needed_bytes"] > details["available_bytes"] == GB // 100
    assert "anyway" in caught.value.recovery


async def test_what_was_forced_is_not_asked_about_again(planner: Planner, little: None) -> None:
    plan = planner.plan("code", model="tiny")
    here = room(planner)
    await here.require(plan, force=True)
    await here.require(plan)
    larger = msgspec.structs.replace(plan.load, n_ctx=plan.load.n_ctx // 2)
    with pytest.raises(OutOfMemory):
        await here.require(type(plan)(**{**vars(plan), "load": larger}))


async def test_what_is_loaded_is_not_asked_about(planner: Planner, little: None) -> None:
    plan = planner.plan("code", model="tiny")
    await room(planner, loaded=plan).require(plan)
