"""The queue's operations over scripted providers and a clock that stands still."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.contract import queue
from jupyter_localcoder.events import EventHub
from jupyter_localcoder.generation import clients
from jupyter_localcoder.generation.runs import Runs
from jupyter_localcoder.history import HistoryStore
from jupyter_localcoder.history.recorder import Recorder
from jupyter_localcoder.queueing.journal import Journal
from jupyter_localcoder.queueing.queue import RequestQueue
from jupyter_localcoder.queueing.record import Record
from jupyter_localcoder.service.queue import QueueOperations
from jupyter_localcoder.settings import LocalCoderSettings
from tests.support.scripted_provider import ScriptedChoice, ScriptedClock, ScriptedProvider

LOG = logging.getLogger(__name__)


class Desk:
    """A queue, and all that it was told and told others."""

    def __init__(self, folder: Path, *, history: bool = False, **traits: Any) -> None:
        self.folder = folder
        self.clock = ScriptedClock()
        self.requests = RequestQueue(later=self.clock.later, **traits)
        self.provider = ScriptedProvider()
        self.other = ScriptedProvider()
        self.choice = ScriptedChoice(first=self.provider, second=self.other)
        self.runs = Runs(
            clients.ClientQuotas(lambda: 512, lambda: 2**30, what="requests run", retry_after_seconds=1),
            LOG,
        )
        self.told: list[tuple[str, Any]] = []
        events = EventHub(LOG)
        events.listen(lambda event, payload: self.told.append((event.name, payload)))
        # The history takes time of its own.
        settings = LocalCoderSettings(
            settings_dir=str(folder / "settings"), environment={"LOCALCODER_HISTORY": str(history).lower()}
        )
        record = Record(lambda: Journal(folder / "queue"), LOG)
        store = HistoryStore(history_dir=str(folder / "history"))
        self.recorder = Recorder(store, settings, events, LOG, clock=time.monotonic)
        self.queue = QueueOperations(
            settings, self.requests, self.choice, events, self.runs, record, self.recorder
        )

    async def call(self, prompt: str = "hello", caller: clients.Caller = None, **fields: Any) -> queue.Queued:
        clients.current.set(caller)
        return await self.queue.llm_call(queue.CallRequest(prompt=prompt, **fields))

    async def get(self, id_: str, wait_ms: int = 0, **fields: Any) -> queue.QueueAnswer:
        return await self.queue.queue_get(queue.QueueGetRequest(id=id_, wait_ms=wait_ms, **fields))

    async def prompt(self, id_: str) -> str:
        return (await self.get(id_, with_prompt=True)).prompt

    async def retry(self, id_: str, **fields: Any) -> queue.Queued:
        return await self.queue.llm_retry(queue.RetryRequest(id=id_, **fields))

    async def list(self) -> queue.QueueView:
        return await self.queue.queue_list(queue.QueueListRequest())

    def of(self, event: str) -> list[Any]:
        return [payload for name, payload in self.told if name == event]

    @property
    def ends(self) -> list[tuple[str, str]]:
        """Request and outcome of every end that was told."""
        return [
            (payload.request_id, "done" if name == "response:complete" else payload.error.code)
            for name, payload in self.told
            if name.startswith("response:")
        ]


@pytest.fixture
def make_desk(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(folder: Path = tmp_path, **traits: Any) -> Desk:
        made.append(Desk(folder, **traits))
        return made[-1]

    yield make
    for desk in made:
        jp_asyncio_loop.run_until_complete(desk.queue.close())


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
