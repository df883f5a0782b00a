"""A GPU that was asked for, and is not there, is told wherever the load is shown."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_localcoder.contract.backend import PingRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from tests.unit.service.conftest import Desk


async def load(desk: Desk) -> Any:
    return await desk.service.models.model_load(ModelLoadRequest(id="tiny"))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"acceleration": "gpu"}, "built without GPU support, or found no GPU"),
        ({"acceleration": "gpu", "run_mode": "stability"}, "the run mode `stability`"),
    ],
)
async def test_a_gpu_that_is_not_used_is_told_with_a_code(
    desk: Desk, settings: dict[str, Any], why: str
) -> None:
    await desk.settings(**settings)
    loaded = await load(desk)
    assert loaded.warning is not None
    assert loaded.warning.code == "GPU_NOT_USED"
    assert "`tiny` runs on the CPU" in loaded.warning.message
    assert why in loaded.warning.message
    assert "`auto`" in loaded.warning.action
    status = await desk.service.backend.backend_ping(PingRequest())
    assert [one.warning for one in status.resident] == [loaded.warning]
    assert [one.warning for one in desk.of("backend:state")[-1].resident] == [loaded.warning]
    (notice,) = (told for told in desk.of("notice") if told.code == "GPU_NOT_USED")
    assert (notice.message, notice.severity) == (loaded.warning.message, "warning")
    assert (await desk.explain()).finish == "stop"  # it answers all the same


async def test_what_was_not_asked_for_is_not_missed(desk: Desk) -> None:
    assert (await load(desk)).warning is None
    await desk.settings(acceleration="gpu")
    assert (await load(desk)).warning is not None
    await desk.settings(acceleration="cpu")
    assert (await load(desk)).warning is None
    status = await desk.service.backend.backend_ping(PingRequest())
    assert [one.warning for one in status.resident] == [None]
