"""A whole service with a scripted worker, and all that it tells."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from traitlets.config import Config

from jupyter_localcoder.composition import build_service
from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.generation import ChatRequest, Done, GenerateRequest, Message
from jupyter_localcoder.contract.history import ResponseListRequest
from jupyter_localcoder.contract.models import ModelImportRequest
from jupyter_localcoder.contract.providers import ProviderIdRequest, ProviderSaveRequest
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.service import Service
from tests.support.loop_clock import LoopClock
from tests.support.waiting import PATIENCE_SECONDS, PATIENT_SUPERVISOR, within
from tests.support.workers import spawn


class Desk:
    """A service, and what it told."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.store = service.recorder.store
        recorder = service.recorder
        # As long as the disk takes: how long a person would be made to wait is another matter.
        recorder.settled = functools.partial(recorder.settled, PATIENCE_SECONDS)  # type: ignore[method-assign]
        recorder.close = functools.partial(recorder.close, PATIENCE_SECONDS)  # type: ignore[method-assign]
        self.told: list[tuple[str, Any]] = []
        self._news = asyncio.Event()
        service.events.listen(self._hear)

    def _hear(self, event: Any, payload: msgspec.Struct) -> None:
        self.told.append((event.name, payload))
        self._news.set()

    def of(self, event: str) -> list[Any]:
        return [payload for name, payload in self.told if name == event]

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for what some event brings about."""

        async def wait() -> Any:
            while not (met := condition()):
                self._news.clear()
                await self._news.wait()
            return met

        return await within(wait())

    async def explain(self, code: str = "x = 1", **fields: Any) -> Done:
        return await self.last(
            self.service.generation.generate(GenerateRequest(command="explain", code=code, **fields))
        )

    async def chat(self, *turns: str, **fields: Any) -> Done:
        messages = tuple(
            Message(role="assistant" if n % 2 else "user", content=turn) for n, turn in enumerate(turns)
        )
        return await self.last(self.service.generation.chat(ChatRequest(messages=messages, **fields)))

    async def far(self, url: str) -> None:
        """Have a server at this address answer."""
        fields = {"id": "acme", "type": "openai_compatible", "base_url": f"{url}/v1", "model": "m-1"}
        await self.service.providers.provider_save(codec.decode(ProviderSaveRequest, fields))
        await self.service.providers.provider_set_active(ProviderIdRequest(id="acme"))

    async def last(self, frames: Any) -> Done:
        async with contextlib.aclosing(frames):
            async for frame in frames:
                if isinstance(frame, Done):
                    return frame
        raise AssertionError("a stream without an end")

    async def listed(self, **fields: Any) -> list[Any]:
        page = await self.service.history.response_get_history(ResponseListRequest(**fields))
        return list(page.responses)

    async def settings(self, **fields: Any) -> None:
        await self.service.settings.settings_update(SettingsUpdateRequest(**fields))


Open = Callable[..., Awaitable[Desk]]


@pytest.fixture
def open_desk(tmp_path: Path, tiny_gguf: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Open]:
    """Open a service whose worker says what the test wants, with these traits of the history."""
    made: list[Service] = []

    async def open_(
        says: str = "An answer.", *, title: str | None = "A title", residents: int = 2, **traits: Any
    ) -> Desk:
        traits.setdefault("history_dir", str(tmp_path / "history"))
        settings = {"settings_dir": str(tmp_path / "settings")}
        config = {
            "HistoryStore": traits, "LocalCoderSettings": settings, "Supervisor": PATIENT_SUPERVISOR,
            "WorkerPool": {"resident_models": residents},
        }  # fmt: skip
        service = build_service(config=Config(config))
        service.pool.spawn = spawn(json.dumps({"says": says, "title": title}))
        service.titles.quiet_seconds = 0.01
        made.append(service)
        if len(made) == 1:
            await service.models.model_import(ModelImportRequest(path=str(tiny_gguf), id="tiny"))
            await service.settings.settings_update(SettingsUpdateRequest(model="tiny", general_model="tiny"))
        return Desk(service)

    yield open_
    for service in made:
        jp_asyncio_loop.run_until_complete(service.close())


@pytest.fixture
def desk(open_desk: Open, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Desk:
    return jp_asyncio_loop.run_until_complete(open_desk())


@pytest.fixture
def clock(jp_asyncio_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> LoopClock:
    return LoopClock(jp_asyncio_loop, monkeypatch)
