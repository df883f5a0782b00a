"""A request that goes one step down, and on, where memory does not suffice for its model."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

from ..contract import wire
from ..errors import OutOfMemory
from .job import EndReason, WorkerJob
from .load_plan import LoadPlan, Role
from .model_fallback import ModelFallback
from .pool import WorkerPool


class FallbackJob:
    """Looks like a `WorkerJob`, and is one after the other until one can be served.

    What has begun to be answered is never begun again.

    Parameters
    ----------
    named
        Whether the request names its model: then nothing else answers.
    """

    def __init__(
        self,
        pool: WorkerPool,
        fallback: ModelFallback,
        plan: LoadPlan,
        request: wire.GenerateFrame,
        role: Role,
        *,
        named: bool,
    ) -> None:
        self._pool = pool
        self._fallback = fallback
        self._request = request
        self._role = role
        self._named = named
        self._retreated = False
        self._job = self._worker_job(plan)

    @property
    def plan(self) -> LoadPlan:
        """What answers."""
        return self._job.plan

    def cancel(self, reason: EndReason = "canceled") -> None:
        """End it; see `WorkerJob.cancel`."""
        self._job.cancel(reason)

    async def __aiter__(self) -> AsyncGenerator[wire.Text | wire.Finished, None]:
        while True:
            try:
                async with contextlib.aclosing(self._job.__aiter__()) as frames:
                    async for frame in frames:
                        yield frame
                return
            except OutOfMemory as failure:
                if failure.details.get("stage") == "cells":
                    raise  # The cache was full: another model would have no more room.
                if not await self._step_down():
                    if self._job.begun or self._job.ended is not None:
                        raise
                    raise await self._fallback.refusal(
                        self._job.plan, self._role, failure, named=self._named
                    ) from None

    async def _step_down(self) -> bool:
        plan, begun = self._job.plan, self._job.begun
        if not self._fallback.is_spent(plan) and not self._retreated and await self._pool.retreat(plan):
            # Another model was in memory beside it. Alone it is tried once more, if nobody has read anything.
            self._retreated = True
            if begun or self._job.ended is not None:
                return False
            alone = await self._fallback.admitted(plan)
            if alone is not None:
                self._begin(alone)
                return True
        self._fallback.failed(plan)
        if begun or self._named or self._job.ended is not None:
            return False
        lighter = await self._fallback.below(plan, self._role)
        if lighter is None:
            return False
        self._begin(lighter)
        return True

    def _worker_job(self, plan: LoadPlan) -> WorkerJob:
        return self._pool.job(plan, self._request, self._role, named=self._named)

    def _begin(self, plan: LoadPlan) -> None:
        ended = self._job.ended
        self._job = self._worker_job(plan)
        if ended is not None:
            self._job.cancel(ended)
