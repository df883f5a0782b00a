"""The connection to one worker process: what was sent to it, and is not answered yet.

It knows nothing of states and models: it sends frames, delivers the answers, notices a worker that hangs, and
ends everything that is open when the worker is gone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import msgspec

from ..contract import wire
from ..errors import BackendUnavailable, InvalidArgument, LoadTimeout, LocalCoderError, from_parts
from .job import EndReason, WorkerJob
from .load_plan import LoadPlan
from .process import WorkerExit
from .watchdog import WatchdogTimeouts, watch


class Worker(Protocol):
    """What is needed of a worker process; `WorkerProcess` is the real one."""

    @property
    def pid(self) -> int:
        """Process id."""

    def send(self, frame: wire.ToWorker) -> None:
        """Send a frame without waiting."""

    async def stop(self, grace_seconds: float) -> WorkerExit:
        """End it, whatever it takes."""

    def kill(self, because: str = "") -> None:
        """End it at once; the exit is reported, with this sentence."""


Spawn = Callable[..., Awaitable[tuple[Worker, wire.Hello]]]
SILENT_SECONDS = 3.0
"""A ping that is not answered for this long is reported; see `WorkerLink.silence`."""
Log: TypeAlias = "logging.Logger | logging.LoggerAdapter[Any]"


@dataclass(frozen=True)
class LinkTimeouts:
    """Time limits in seconds."""

    start: float
    load: float
    cancel: float
    """For the end of a cancelled request."""
    stop: float
    """Between asking a worker to stop and killing it."""
    watchdog: WatchdogTimeouts


class WorkerLink:
    """One worker, from its start to its end.

    Parameters
    ----------
    ids
        Ids of frames, unique for the service.
    on_exit
        Called when the worker ends by itself.
    on_free
        Called when the last of its requests has ended.
    on_silence
        Called when `silence` has changed.
    """

    def __init__(
        self,
        *,
        ids: Iterator[int],
        timeouts: LinkTimeouts,
        on_exit: Callable[[WorkerLink, WorkerExit], None],
        on_free: Callable[[], None],
        on_silence: Callable[[WorkerLink], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ids = ids
        self._timeouts = timeouts
        self._on_exit = on_exit
        self._on_free = on_free
        self._on_silence = on_silence
        self._clock = clock
        self._worker: Worker | None = None
        self._loop = asyncio.get_running_loop()
        self._gone = False
        self._jobs: dict[int, WorkerJob] = {}
        self._replies: dict[int, asyncio.Future[wire.FromWorker]] = {}
        self._free = asyncio.Event()
        self._free.set()
        self._watchdog: asyncio.Task[None] | None = None
        self.held_bytes = 0
        """Maximum resident memory that the worker reported."""
        self.silence = ""
        """The sentence that says that the worker does not respond; empty while it does."""

    @property
    def worker(self) -> Worker:
        """The process, once it has started."""
        if self._worker is None:
            raise RuntimeError("the worker has not started")
        return self._worker

    @property
    def busy(self) -> bool:
        """Whether it has requests that have not ended."""
        return bool(self._jobs)

    async def start(self, spawn: Spawn, log: Log) -> wire.Hello:
        """Start the worker, and its watchdog.

        Raises
        ------
        BackendUnavailable
            No process is left behind.
        """
        self._worker, hello = await spawn(
            on_frame=self.receive,
            on_exit=lambda how: self._on_exit(self, how),
            log=log,
            timeout_seconds=self._timeouts.start,
        )
        self._watchdog = asyncio.ensure_future(self._watch(self._worker))
        return hello

    async def load(self, plan: LoadPlan) -> wire.Loaded:
        """Load a model.

        Raises
        ------
        OutOfMemory, InvalidModel, LoadTimeout, BackendUnavailable
        """
        id_ = next(self._ids)
        reply = self._expect_reply(id_)
        self.worker.send(
            msgspec.structs.replace(
                plan.load,
                id=id_,
                costs=dict(plan.costs),
                costs_are_new=plan.costs_are_new,
                memory_bytes=plan.memory_bytes,
            )
        )
        seconds = self._timeouts.load
        try:
            loaded = await asyncio.wait_for(reply, seconds)
        except asyncio.TimeoutError:
            raise LoadTimeout(f"{plan.model} did not load within {seconds:g} seconds.") from None
        finally:
            self._replies.pop(id_, None)
        if not isinstance(loaded, wire.Loaded):
            raise BackendUnavailable("The inference worker sent an unexpected response to a load request.")
        return loaded

    async def ping(self, timeout_seconds: float) -> wire.Pong | None:
        """Ask for a sign of life; None: there was none in time."""
        id_ = next(self._ids)
        reply = self._expect_reply(id_)
        self.worker.send(wire.Ping(id=id_))
        try:
            # Not `wait_for`: where this process itself did not get on, it drops an answer that is there.
            await asyncio.wait([reply], timeout=timeout_seconds)
        finally:
            self._replies.pop(id_, None)
        if not reply.done() or reply.exception() is not None:
            return None
        pong = reply.result()
        return pong if isinstance(pong, wire.Pong) else None

    async def check_response(self, timeout_seconds: float) -> None:
        """Find out whether the worker responds, for at most this long; the result is `silence`."""
        # The watchdog hears of a response of a worker that is silent already.
        if not self.silence and await self.ping(timeout_seconds) is None:
            self._note_silence()

    def send(self, job: WorkerJob) -> None:
        """Send the request of a job, whose model must be loaded.

        Raises
        ------
        InvalidArgument
            The request is too large for a frame.
        """
        job.sent(self)
        self._jobs[job.request.id] = job
        self._free.clear()
        try:
            self.worker.send(job.request)
        except wire.FrameError as failure:
            self._remove(job.request.id)
            raise InvalidArgument(f"The request is too large: {failure}.") from None

    def cancel(self, id_: int, reason: EndReason) -> None:
        """Stop computing a request; a worker that does not is killed."""
        if self._gone:
            return
        self.worker.send(wire.Cancel(id=id_, reason=reason))
        if id_ in self._jobs:
            self._loop.call_later(self._timeouts.cancel, self._kill_if_deaf, id_)

    async def wait_until_free(self) -> None:
        """Wait until all requests have ended."""
        await self._free.wait()

    async def stop(self, grace_seconds: float, *, keep: bool) -> None:
        """End the process; see `abandon` first.

        Parameters
        ----------
        keep
            Whether the worker saves what it has computed, for the next load of the model.
        """
        if keep:
            self.worker.send(wire.UnloadFrame(id=next(self._ids)))
        await self.worker.stop(grace_seconds)

    def abandon(self, error: LocalCoderError, unbegun: LocalCoderError | None = None) -> None:
        """End everything that is open with an error. What the worker still sends is ignored.

        Parameters
        ----------
        unbegun
            The error of loads and pings, and of requests without any text yet; default: the same.
        """
        self._gone = True
        if self._watchdog is not None:
            self._watchdog.cancel()
        jobs, self._jobs = self._jobs, {}
        replies, self._replies = self._replies, {}
        self._free.set()
        for job in jobs.values():
            job.fail(error if job.begun else unbegun or error)
        for reply in replies.values():
            if not reply.done():
                reply.set_exception(unbegun or error)
                reply.exception()  # Retrieved, also if nobody waits any more.

    def receive(self, frame: wire.FromWorker) -> None:
        """Deliver a frame of the worker."""
        if self._gone:
            return
        if self.silence:
            self.silence = ""
            self._on_silence(self)
        if isinstance(frame, wire.Hello | wire.LoadProgress):
            return
        job = self._jobs.get(frame.id)
        if isinstance(frame, wire.Text):
            if job is not None:
                job.deliver(frame)
        elif isinstance(frame, wire.Finished):
            if job is not None:
                self._remove(frame.id)
                job.deliver(frame)
        elif isinstance(frame, wire.Error) and job is not None:
            self._remove(frame.id)
            job.deliver(_error_of(frame))
        elif (reply := self._replies.get(frame.id)) is not None and not reply.done():
            if isinstance(frame, wire.Error):
                reply.set_exception(_error_of(frame))
            else:
                reply.set_result(frame)

    def _expect_reply(self, id_: int) -> asyncio.Future[wire.FromWorker]:
        reply: asyncio.Future[wire.FromWorker] = self._loop.create_future()
        self._replies[id_] = reply
        return reply

    def _remove(self, id_: int) -> None:
        del self._jobs[id_]
        if not self._jobs:
            self._free.set()
            self._on_free()

    def _kill_if_deaf(self, id_: int) -> None:
        if id_ in self._jobs:
            self.worker.kill(
                "The inference worker did not stop a cancelled request within "
                f"{self._timeouts.cancel:g} seconds, so it was terminated."
            )

    async def _watch(self, worker: Worker) -> None:
        because = await watch(self._watched_ping, self._timeouts.watchdog, self._clock, self._note_memory)
        worker.kill(because)

    async def _watched_ping(self, timeout_seconds: float) -> wire.Pong | None:
        notice = self._loop.call_later(min(SILENT_SECONDS, timeout_seconds / 2), self._note_silence)
        try:
            return await self.ping(timeout_seconds)
        finally:
            notice.cancel()

    def _note_silence(self) -> None:
        if self._gone or self.silence:
            return
        self.silence = (
            "The inference worker does not respond. If it does not respond within "
            f"{self._timeouts.watchdog.answer:g} seconds, it is terminated and started again."
        )
        self._on_silence(self)

    def _note_memory(self, pong: wire.Pong) -> None:
        self.held_bytes = max(self.held_bytes, pong.rss_bytes)


def _error_of(frame: wire.Error) -> LocalCoderError:
    return from_parts(frame.code, frame.message, frame.recovery, dict(frame.details))
