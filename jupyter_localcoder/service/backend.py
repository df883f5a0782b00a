"""``backend:*``: what the backend is doing, and what a load has shown of the machine."""

from __future__ import annotations

import asyncio
import time

import msgspec

from .._version import __version__
from ..contract import backend, codec, registry, wire
from ..contract.common import ErrorPayload
from ..engine.acceleration import acceleration, warning
from ..engine.load_plan import LoadPlan
from ..engine.memory_usage import MemoryUsage, resident_bytes
from ..engine.planner import Planner
from ..engine.pool import WorkerPool
from ..engine.process import require_engine
from ..errors import PackageMissing
from ..events import EventHub
from ..generation.engine_requests import EngineRequests
from ..generation.runs import Runs
from ..policy.guard import PolicyGuard
from ..queueing.queue import RequestQueue
from ..settings import LocalCoderSettings
from ..storage.latest import in_own_thread
from .dispatch import serves

RESPONSE_SECONDS = 1.0
"""How long a status waits to find out whether a worker responds."""


class BackendOperations:
    """Reports on the worker and the machine."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        pool: WorkerPool,
        planner: Planner,
        events: EventHub,
        engine: EngineRequests,
        runs: Runs,
        requests: RequestQueue,
        machine: MemoryUsage,
        guard: PolicyGuard,
    ) -> None:
        self._guard = guard
        self._machine = machine
        self._settings = settings
        self._pool = pool
        self._planner = planner
        self._events = events
        self._engine = engine
        self._runs = runs
        self._requests = requests
        self._began = time.monotonic()
        pool.on_loaded.listen(self._note_loaded)

    @serves(registry.PING)
    async def backend_ping(self, _request: backend.PingRequest) -> backend.BackendStatus:
        """State, model, speeds, memory."""
        policy, _ = await asyncio.gather(self._guard.state(), self._pool.check_response(RESPONSE_SECONDS))
        return msgspec.structs.replace(await in_own_thread(self._status), policy=policy)

    def _status(self) -> backend.BackendStatus:
        pool = self._pool
        front = pool.front
        settings = self._settings.current
        plan, loaded = front.plan, front.loaded
        return backend.BackendStatus(
            version=__version__,
            state=front.state,
            generation=pool.generation,
            reason=front.reason,
            model=plan.model if plan else None,
            profile=plan.profile if plan else settings.profile,
            uptime_seconds=time.monotonic() - self._began,
            queue_length=len(self._runs) + len(self._requests),
            speeds=self._engine.speeds,
            memory=self._machine.memory(),
            air_gap=settings.air_gap,
            acceleration=acceleration(loaded),
            context_window=loaded.n_ctx if loaded else 0,
            calibration=self._engine.budget() if loaded else None,
            resident=self._resident(),
            residency=pool.residency,
            engine_error=engine_error(),
        )

    def _resident(self) -> tuple[backend.ResidentModel, ...]:
        pids = {one.plan.model: one.pid for one in self._pool.holding if one.plan}
        return tuple(
            msgspec.structs.replace(one, memory_bytes=resident_bytes(pids.get(one.model)))
            for one in self._pool.resident
        )

    def _note_loaded(self, plan: LoadPlan, loaded: wire.Loaded, hello: wire.Hello) -> None:
        """Learn from a load what this machine can do, and how fast it is."""
        self._planner.learn(plan, loaded, hello)
        if (said := warning(plan, loaded)) is not None:
            self._events.notify(
                registry.NOTICE,
                backend.Notice(severity="warning", message=said.message, action=said.action, code=said.code),
            )


def engine_error() -> ErrorPayload | None:
    """Why no model can be loaded in this environment; None where one can."""
    try:
        require_engine()
    except PackageMissing as missing:
        return codec.error_payload(missing)
    return None
