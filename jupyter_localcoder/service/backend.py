"""``backend:*``: what the backend is doing, and what a load has shown of the machine."""

from __future__ import annotations

import asyncio
import os
import time

import psutil

from .._version import __version__
from ..contract import backend, registry, wire
from ..events import EventHub
from ..models import memory
from ..planning import Planner
from ..runs import Runs
from ..settings import LocalCoderSettings
from ..supervisor import LoadPlan, Supervisor
from .engine import Engine, acceleration


class Backend:
    """Reports on the worker and the machine."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        supervisor: Supervisor,
        planner: Planner,
        events: EventHub,
        engine: Engine,
        runs: Runs,
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._planner = planner
        self._events = events
        self._engine = engine
        self._runs = runs
        self._began = time.monotonic()

    async def backend_ping(self, _request: backend.PingRequest) -> backend.BackendStatus:
        """State, model, speeds, memory."""
        return await asyncio.to_thread(self._status)

    def _status(self) -> backend.BackendStatus:
        supervisor = self._supervisor
        settings = self._settings.current
        plan, loaded = supervisor.plan, supervisor.loaded
        available, total = memory.available()
        return backend.BackendStatus(
            version=__version__,
            state=supervisor.state,
            generation=supervisor.generation,
            reason=supervisor.reason,
            model=plan.model if plan else None,
            profile=plan.profile if plan else settings.profile,
            uptime_seconds=time.monotonic() - self._began,
            queue_length=len(self._runs),
            speeds=self._engine.speeds,
            memory=backend.Memory(
                worker_bytes=_resident_bytes(supervisor.pid),
                server_bytes=_resident_bytes(os.getpid()),
                available_bytes=available,
                total_bytes=total,
            ),
            air_gap=settings.air_gap,
            acceleration=acceleration(loaded),
            context_window=loaded.n_ctx if loaded else 0,
            calibration=self._engine.budget() if loaded else None,
        )

    def note_loaded(self, plan: LoadPlan, loaded: wire.Loaded, hello: wire.Hello) -> None:
        """Learn from a load what this machine can do, and how fast it is."""
        self._planner.learn(plan, loaded, hello)
        if self._settings.current.acceleration == "gpu" and not hello.gpu_offload:
            self._events.tell(
                registry.NOTICE,
                backend.Notice(
                    severity="warning",
                    message=f"{plan.model} runs on the CPU: llama-cpp-python was built without GPU support.",
                    action="Install a build with CUDA, Vulkan or Metal; the README says how.",
                ),
            )


def _resident_bytes(pid: int | None) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0
