"""What several rows need: a real worker on a tiny model, a real server, a service of two models."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from traitlets.config import Config

from jupyter_localcoder.composition import build_service
from jupyter_localcoder.contract.backend import BackendState, Notice
from jupyter_localcoder.contract.models import ModelImportRequest
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.engine import process
from jupyter_localcoder.engine.crash_cause import CrashEvidence
from jupyter_localcoder.engine.pool import WorkerPool
from jupyter_localcoder.engine.supervisor import Supervisor
from jupyter_localcoder.service import Service
from tests.engine.conftest import Bench, load_plan
from tests.server.conftest import ask, connect, endless_worker, extension, jp_server_config, tiny_model
from tests.support.tiny_model import write_tiny_model
from tests.support.waiting import PATIENCE_SECONDS, PATIENT_SUPERVISOR

__all__ = ["ask", "connect", "endless_worker", "extension", "jp_server_config", "tiny_model"]


@pytest.fixture(autouse=True)
def last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a worker has printed is waited for, which takes long where the machine is busy."""
    monkeypatch.setattr(process, "LAST_WORDS_SECONDS", PATIENCE_SECONDS)


def gone(pid: int) -> bool:
    """Whether a process has ended, and was reaped."""
    return not psutil.pid_exists(pid)


Open = Callable[..., Bench]


@pytest.fixture
def open_model(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Open]:
    """Open a model on a real worker, with these traits and parts of the supervisor; nothing is loaded yet."""
    made: list[Supervisor] = []

    def open_(path: Path, load: dict[str, Any] | None = None, **supervisor: Any) -> Bench:
        options = {
            "backoff_first_seconds": 0.05, "stop_grace_seconds": 1.0, **PATIENT_SUPERVISOR, **supervisor
        }  # fmt: skip
        made.append(Supervisor(**options))
        return Bench(made[-1], load_plan(path, **(load or {})))

    yield open_
    for supervisor in made:
        jp_asyncio_loop.run_until_complete(supervisor.close())


@pytest.fixture(scope="session")
def big_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 32 layers: 8 KiB for each cell of the cache, and 13 MB of weights."""
    return write_tiny_model(tmp_path_factory.mktemp("gguf") / "big.gguf", layers=32)


class Served:
    """A service, and what it told everybody."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.notices: list[Notice] = []
        self.states: list[tuple[str, str]] = []
        service.events.listen(self._take)

    def _take(self, event: Any, payload: Any) -> None:
        if isinstance(payload, Notice):
            self.notices.append(payload)
        elif isinstance(payload, BackendState):
            self.states.append((payload.state, payload.reason))

    @property
    def pool(self) -> WorkerPool:
        return self.service.pool

    @property
    def supervisor(self) -> Supervisor:
        """The one that was used last."""
        return self.pool.front

    @property
    def loads(self) -> int:
        """How many workers were started."""
        return sum(state == "starting" for state, _ in self.states)


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
def serve(
    tmp_path: Path, tiny_gguf: Path, big_gguf: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Serve]:
    """A service with the models ``big``, which answers, and ``small``, unless ``alone``."""
    made: list[Service] = []

    async def serve_(*, alone: bool = False, evidence: CrashEvidence | None = None, **config: Any) -> Served:
        own = {
            "LocalCoderSettings": {"settings_dir": str(tmp_path / "settings")},
            "Supervisor": {"backoff_first_seconds": 0.05, "stop_grace_seconds": 1.0, **PATIENT_SUPERVISOR},
        }
        service = build_service(config=Config({**own, **config}), evidence=evidence)
        made.append(service)
        served = Served(service)
        for path, id_ in [(big_gguf, "big")] + ([] if alone else [(tiny_gguf, "small")]):
            await service.models.model_import(ModelImportRequest(path=str(path), id=id_))
        await service.settings.settings_update(
            SettingsUpdateRequest(model="big", general_model="big", context_window=4096)
        )
        return served

    yield serve_
    for service in made:
        jp_asyncio_loop.run_until_complete(service.close())
