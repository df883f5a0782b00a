"""One request to a worker, from the wait for its model to its last frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Literal, Protocol

from ..contract import wire
from ..errors import Canceled, LocalCoderError, Timeout
from .load_plan import LoadPlan

EndReason = Literal["canceled", "timeout"]


class JobAdmission(Protocol):
    """Finds the worker of a request: a `Supervisor`, or a pool of several."""

    async def admit(self, job: WorkerJob) -> None:
        """Load the model of a job, then send its request; see `WorkerJob.sent`."""


class JobCanceler(Protocol):
    """A worker that has the request of a job."""

    def cancel(self, id_: int, reason: EndReason) -> None:
        """Stop computing a request."""


class WorkerJob:
    """One request; iterate over it once for its frames, or `cancel` it.

    The iteration yields `wire.Text` and ends with `wire.Finished`; a failure is raised. A consumer that stops
    iterating cancels the request.
    """

    def __init__(self, admission: JobAdmission, plan: LoadPlan, request: wire.GenerateFrame) -> None:
        self._admission = admission
        self._worker: JobCanceler | None = None
        self.plan = plan
        self.request = request
        self.ended: EndReason | None = None
        """Why it was cancelled; None: it was not."""
        self.begun = False
        """Whether any text has come."""
        self._frames: asyncio.Queue[wire.Text | wire.Finished | LocalCoderError] = asyncio.Queue()
        self._admitting: asyncio.Task[Any] | None = None

    def sent(self, worker: JobCanceler) -> None:
        """Note which worker has the request."""
        self._worker = worker

    def cancel(self, reason: EndReason = "canceled") -> None:
        """Cancel it. If a worker computes it, the text so far is kept and `Finished` contains the reason."""
        if self.ended is not None:
            return
        self.ended = reason
        if self._worker is not None:
            self._worker.cancel(self.request.id, reason)
        elif self._admitting is not None:
            self._admitting.cancel()

    def deliver(self, frame: wire.Text | wire.Finished | LocalCoderError) -> None:
        """Give the next frame, or the failure, to the consumer."""
        self.begun = self.begun or (isinstance(frame, wire.Text) and bool(frame.text))
        self._frames.put_nowait(frame)

    def fail(self, error: LocalCoderError) -> None:
        """Deliver an error; if the job was already cancelled, deliver the cancellation instead."""
        ends: dict[EndReason, LocalCoderError] = {"canceled": Canceled(), "timeout": Timeout()}
        self.deliver(error if self.ended is None else ends[self.ended])

    async def __aiter__(self) -> AsyncGenerator[wire.Text | wire.Finished, None]:
        await self._begin()
        finished = False
        try:
            while not finished:
                frame = await self._frames.get()
                finished = not isinstance(frame, wire.Text)
                if isinstance(frame, LocalCoderError):
                    raise frame
                yield frame
        finally:
            if not finished:
                self.cancel()

    async def _begin(self) -> None:
        """Wait for the model, then send the request; the wait can be cancelled."""
        if self.ended is None:
            self._admitting = asyncio.ensure_future(self._admission.admit(self))
            try:
                await asyncio.wait([self._admitting])
            except asyncio.CancelledError:
                self.cancel()
                raise
            if not self._admitting.cancelled():
                self._admitting.result()
                return
        if self.ended == "timeout":
            raise Timeout("The request timed out before the model was ready.")
        raise Canceled
