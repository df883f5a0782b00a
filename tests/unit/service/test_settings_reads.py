"""Each request looks once at the settings file, however many of its parts ask for a setting."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_localcoder.contract import generation, models, providers, registry
from jupyter_localcoder.settings import LocalCoderSettings
from jupyter_localcoder.storage import latest
from tests.unit.service.conftest import Desk

COMPLETE = generation.CompleteRequest(prefix="import os\nprint(", automatic=True)
EXPLAIN = generation.GenerateRequest(command="explain", code="x = 1")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the file was looked at since this was called last, however long the requests take."""
    monkeypatch.setattr(latest, "STALE_SECONDS", math.inf)
    mark, count = LocalCoderSettings._mark, 0

    def look(settings: LocalCoderSettings) -> Any:
        nonlocal count
        count += 1
        return mark(settings)

    def taken() -> int:
        nonlocal count
        found, count = count, 0
        return found

    monkeypatch.setattr(LocalCoderSettings, "_mark", look)
    return taken


async def ask(desk: Desk, operation: registry.Operation[Any, Any], request: Any) -> None:
    answer = await desk.service.handle(operation, request)
    if operation.streams:
        await desk.last(answer)


@pytest.mark.parametrize("planned", [True, False], ids=["its plan is known", "it is planned anew"])
@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        (registry.TAB_COMPLETE, COMPLETE),
        (registry.GENERATE, EXPLAIN),
        (registry.MODEL_LIST, models.ModelListRequest()),
        (registry.PROVIDER_LIST, providers.ProviderListRequest()),
    ],
    ids=["a completion", "a command", "a list of models", "a list of providers"],
)
async def test_a_request_looks_once(
    desk: Desk,
    looks: Callable[[], int],
    operation: registry.Operation[Any, Any],
    request_: Any,
    planned: bool,
) -> None:
    await desk.settings(titles=False)
    await ask(desk, operation, request_)
    # What the first one has begun, such as saving its answer, has looks of its own.
    for _ in range(2):
        await desk.service.recorder.settled()
    if not planned:
        desk.service.fallback._made.clear()
    looks()
    await ask(desk, operation, request_)
    assert looks() == 1


async def test_the_next_request_sees_what_another_process_has_changed(
    desk: Desk, looks: Callable[[], int]
) -> None:
    view = await desk.service.handle(registry.SETTINGS_GET, registry.SETTINGS_GET.request())
    other = LocalCoderSettings(settings_dir=str(desk.service.user_settings.path.parent))
    assert view.settings.max_tokens != 77
    other.update(registry.SETTINGS_UPDATE.request(max_tokens=77))
    view = await desk.service.handle(registry.SETTINGS_GET, registry.SETTINGS_GET.request())
    assert view.settings.max_tokens == 77
