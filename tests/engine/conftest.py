"""A real worker process with a tiny model."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.job import WorkerJob
from jupyter_localcoder.engine.load_plan import LoadPlan
from jupyter_localcoder.engine.process import WorkerProcess
from jupyter_localcoder.engine.supervisor import Supervisor
from jupyter_localcoder.engine.worker_link import Spawn
from tests.support.waiting import PATIENCE_SECONDS, PATIENT_SUPERVISOR


def load_plan(path: Path, **changes: object) -> LoadPlan:
    values: dict[str, object] = {
        "id": 0, "path": str(path), "n_ctx": 512, "n_batch": 256, "n_ubatch": 128, "n_gpu_layers": 0,
        "n_threads": 1, "n_threads_batch": 1,
    }  # fmt: skip
    load = wire.LoadFrame(**{**values, **changes})  # type: ignore[arg-type]
    return LoadPlan(model=path.stem, digest="", quantization="", profile="Tiny", load=load)


class Bench:
    """A supervisor with its real worker, and short ways to ask it."""

    def __init__(self, supervisor: Supervisor, plan: LoadPlan) -> None:
        self.supervisor = supervisor
        self.plan = plan

    def job(self, request: wire.GenerateFrame) -> WorkerJob:
        return self.supervisor.job(self.plan, request)

    async def ask(self, request: wire.GenerateFrame) -> tuple[str, wire.Finished]:
        parts: list[str] = []
        async with contextlib.aclosing(self.job(request).__aiter__()) as frames:
            async for frame in frames:
                if isinstance(frame, wire.Finished):
                    return "".join(parts), frame
                parts.append(frame.text)
        raise AssertionError("a stream without an end")

    async def ping(self) -> wire.Pong:
        pong = await self.supervisor.ping(PATIENCE_SECONDS)
        assert pong is not None
        return pong


Open = Callable[..., Bench]


@pytest.fixture
def open_model(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Open]:
    made: list[Supervisor] = []

    def open_(path: Path, *, spawn: Spawn = WorkerProcess.spawn, **changes: object) -> Bench:
        made.append(Supervisor(spawn=spawn, **PATIENT_SUPERVISOR))
        return Bench(made[-1], load_plan(path, **changes))

    yield open_
    for supervisor in made:
        jp_asyncio_loop.run_until_complete(supervisor.close())


@pytest.fixture
def tiny(open_model: Open, tiny_gguf: Path) -> Bench:
    return open_model(tiny_gguf)
