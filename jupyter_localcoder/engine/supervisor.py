"""The policy over one worker: when it starts, what it holds, when it ends, and what follows a crash.

- *Single flight*: however many callers want a model, it is loaded once; they share the result, or the
  failure. Another model waits until what runs has finished.
- *A crash costs what was running*, with one typed error each, and nothing else: the worker is started again
  with the same model, at once where it had loaded it and this is its first crash in a while, else after a
  back-off. Nothing is replayed. Too many crashes in a short time end in ``failed``, until a person loads a
  model again.
- *A worker that hangs is ended*: it is asked for a sign of life, and whether it gets on; and it has a while
  to end what was cancelled.
- *What memory did not suffice for is not started again*: `on_out_of_memory` hears of it. A load under way,
  and each request of which nothing was shown yet, ends with `OutOfMemory`: a smaller model may answer it.
- *Idle unload*: after a time without a request the worker is ended, which frees all of its memory.

The state machine itself is the table in `states`. This module knows nothing of HTTP, prompts or files.
All of it runs in one event loop; nothing here blocks.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import msgspec
from traitlets import Float, Integer
from traitlets.config import LoggingConfigurable

from ..contract import wire
from ..contract.backend import BackendState, WorkerState
from ..errors import (
    BackendUnavailable,
    Canceled,
    InvalidArgument,
    LoadTimeout,
    LocalCoderError,
    OutOfMemory,
    Timeout,
    from_parts,
)
from .crash_cause import SENTENCES, CrashEvidence, Verdict
from .process import WorkerExit, WorkerProcess
from .states import WorkerStateMachine
from .watchdog import WatchdogTimeouts, watch

EndReason = Literal["canceled", "timeout"]


@dataclass(frozen=True)
class LoadPlan:
    """A model and how to load it; two equal plans are the same load."""

    model: str
    """Id of the model."""
    digest: str
    quantization: str
    profile: str
    load: wire.LoadFrame
    """Parameters of the worker; its ``id`` is not used."""
    gpu_asked: bool = False
    """Whether the settings ask for a GPU, and not only for what is there."""
    costs: Mapping[int, float] = field(default_factory=dict, compare=False)
    """Seconds of a batch by its tokens, where they were measured before."""
    costs_are_new: bool = field(default=False, compare=False)
    """Whether that was a moment ago."""
    memory_bytes: int = field(default=0, compare=False)
    """Most private memory that the worker may take; 0: no limit."""
    note: str = field(default="", compare=False)
    """What a person should know of this choice; said when it is ready."""


class Worker(Protocol):
    """What the supervisor needs of a worker process; `WorkerProcess` is the real one."""

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


class JobAdmission(Protocol):
    """Who finds the worker of a request: a `Supervisor`, or who has several of them."""

    async def admit(self, job: WorkerJob) -> None:
        """Have its model loaded, send it, and note in it who did."""


class WorkerJob:
    """One request in the hands of the supervisor: iterate over it for its frames, or `cancel` it.

    The iteration yields `wire.Text` and ends with `wire.Finished`; a failure is raised. Whoever stops
    iterating cancels.
    """

    def __init__(self, admits: JobAdmission, plan: LoadPlan, request: wire.GenerateFrame) -> None:
        self._admits = admits
        self.supervisor: Supervisor | None = None
        """Who has sent it; None before."""
        self.plan = plan
        self.request = request
        self.ended: EndReason | None = None
        self.begun = False
        """Whether any text has come."""
        self._frames: asyncio.Queue[wire.Text | wire.Finished | LocalCoderError] = asyncio.Queue()
        self._waiting: asyncio.Task[Any] | None = None

    @property
    def sent(self) -> bool:
        """Whether it has reached a worker."""
        return self.supervisor is not None

    def cancel(self, reason: EndReason = "canceled") -> None:
        """End it. With the worker already on it, what came so far is kept and `Finished` says why."""
        if self.ended is not None:
            return
        self.ended = reason
        if self.supervisor is not None:
            self.supervisor._cancel(self.request.id, reason)
        elif self._waiting is not None:
            self._waiting.cancel()

    def give(self, frame: wire.Text | wire.Finished | LocalCoderError) -> None:
        """Hand the next frame, or the failure, to who iterates."""
        self.begun = self.begun or (isinstance(frame, wire.Text) and bool(frame.text))
        self._frames.put_nowait(frame)

    def fail(self, error: LocalCoderError) -> None:
        """Raise this to who iterates; who has cancelled it has the end that was asked for."""
        ends: dict[EndReason, LocalCoderError] = {"canceled": Canceled(), "timeout": Timeout()}
        self.give(error if self.ended is None else ends[self.ended])

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
        """Wait for the model, then send the request; while it waits it can be cancelled."""
        if self.ended is None:
            self._waiting = asyncio.ensure_future(self._admits.admit(self))
            try:
                await asyncio.wait([self._waiting])
            except asyncio.CancelledError:
                self.cancel()
                raise
            if not self._waiting.cancelled():
                self._waiting.result()
                return
        if self.ended == "timeout":
            raise Timeout("The request timed out before the model was ready.")
        raise Canceled


class Supervisor(LoggingConfigurable):
    """Manages one worker process with at most one model."""

    start_timeout_seconds = Float(
        60.0, min=0.1, config=True, help="Time limit in seconds for a worker process to start."
    )
    load_timeout_seconds = Float(
        600.0,
        min=0.1,
        config=True,
        help="Time limit in seconds for loading a model. Increase it for a large model on a slow disk.",
    )
    stop_grace_seconds = Float(
        2.0,
        min=0.0,
        config=True,
        help="Grace period in seconds between asking a worker to stop and killing it.",
    )
    backoff_first_seconds = Float(
        0.5,
        min=0.0,
        config=True,
        help="Initial delay in seconds before a restart, doubled after each further crash. A worker with a "
        "loaded model restarts without delay after its first crash.",
    )
    backoff_max_seconds = Float(8.0, min=0.0, config=True, help="Maximum delay in seconds before a restart.")
    max_crashes = Integer(
        3,
        min=1,
        config=True,
        help="Number of crashes within `crash_window_seconds` after which the worker is not restarted.",
    )
    crash_window_seconds = Float(
        300.0, min=1.0, config=True, help="Period in seconds over which crashes are counted."
    )
    stable_seconds = Float(
        60.0,
        min=0.0,
        config=True,
        help="Time in seconds with a loaded model after which the crash count is reset.",
    )
    ping_interval_seconds = Float(
        5.0, min=0.01, config=True, help="Interval in seconds between health checks of the worker."
    )
    ping_timeout_seconds = Float(
        20.0,
        min=0.1,
        config=True,
        help="Time in seconds without a response after which a worker is terminated. Increase it on a "
        "machine that swaps.",
    )
    progress_timeout_seconds = Float(
        300.0,
        min=1.0,
        config=True,
        help="Time in seconds without progress after which a worker is terminated. A step of progress is one "
        "generated token, or a few hundred prompt tokens.",
    )
    cancel_timeout_seconds = Float(
        10.0,
        min=0.1,
        config=True,
        help="Time in seconds that a worker has to stop a cancelled request before it is terminated.",
    )

    def __init__(
        self,
        *,
        on_state: Callable[[BackendState], None] = lambda _: None,
        on_loaded: Callable[[LoadPlan, wire.Loaded, wire.Hello], None] = lambda *_: None,
        on_restart: Callable[[str], None] = lambda _: None,
        on_out_of_memory: Callable[[LoadPlan, Verdict], None] = lambda *_: None,
        on_demand: Callable[[wire.GenerateFrame | None], None] = lambda _: None,
        make_room: Callable[[LoadPlan], Awaitable[LoadPlan]] | None = None,
        evidence: CrashEvidence | None = None,
        spawn: Spawn = WorkerProcess.spawn,
        clock: Callable[[], float] = time.monotonic,
        ids: Iterator[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._on_state = on_state
        self._on_loaded = on_loaded
        self._on_restart = on_restart
        self._on_out_of_memory = on_out_of_memory
        self._make_room = make_room
        self._evidence = evidence or CrashEvidence()
        self._kills_before: int | None = None
        self._held_bytes = 0
        self._watch: asyncio.Task[None] | None = None
        self._loaded_at = 0.0
        self._spawn = spawn
        self._clock = clock
        self._on_demand = on_demand
        self._life = WorkerStateMachine()
        self._worker: Worker | None = None
        self._hello: wire.Hello | None = None
        self._plan: LoadPlan | None = None
        self._loaded: wire.Loaded | None = None
        self._change: asyncio.Task[wire.Loaded | None] | None = None
        self._change_plan: LoadPlan | None = None
        self._releasing: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._jobs: dict[int, WorkerJob] = {}
        self._answers: dict[int, asyncio.Future[wire.FromWorker]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ids = ids or itertools.count(1)
        self._crashes: collections.deque[float] = collections.deque()
        self._admitting = 0
        """Requests that wait for their model: it is not idle, however long the load took."""
        self._free = asyncio.Event()
        self._free.set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._idle_seconds: float | None = None
        self._reason = "No model is loaded."
        self._closed = False

    # What it looks like from outside

    @property
    def state(self) -> WorkerState:
        """Where the worker is in its life."""
        return self._life.state

    @property
    def generation(self) -> int:
        """How many workers there have been."""
        return self._life.generation

    @property
    def plan(self) -> LoadPlan | None:
        """The plan that is loaded, or being loaded."""
        return self._plan

    @property
    def wanted(self) -> LoadPlan | None:
        """The plan that will be loaded when the change under way has ended; None where none is under way."""
        return self._change_plan if self._changing else None

    @property
    def loaded(self) -> wire.Loaded | None:
        """What the worker said of the loaded model."""
        return self._loaded

    @property
    def hello(self) -> wire.Hello | None:
        """What the last worker said of the machine."""
        return self._hello

    @property
    def reason(self) -> str:
        """The sentence that says why it is in this state."""
        return self._reason

    @property
    def pid(self) -> int | None:
        """Process id of the worker."""
        return self._worker.pid if self._worker else None

    @property
    def idle_seconds(self) -> float | None:
        """Unload after so many seconds without a request; None never does."""
        return self._idle_seconds

    @idle_seconds.setter
    def idle_seconds(self, seconds: float | None) -> None:
        self._idle_seconds = seconds
        self._restart_idle_timer()

    # What it does

    async def load(self, plan: LoadPlan) -> wire.Loaded:
        """Load a model, or share the load that is under way.

        Raises
        ------
        OutOfMemory, InvalidModel, LoadTimeout, BackendUnavailable, Canceled
        """
        if self.state == "failed":
            self._crashes.clear()
            self._move("reset", "Trying again.")
        return await self._ensure(plan)

    async def ensure(self, plan: LoadPlan) -> wire.Loaded:
        """Load a model as a request would: it does not begin again after too many crashes.

        Raises
        ------
        OutOfMemory, InvalidModel, LoadTimeout, BackendUnavailable, Canceled
        """
        self._admitting += 1
        try:
            return await self._ensure(plan)
        finally:
            self._admitting -= 1

    def job(self, plan: LoadPlan, request: wire.GenerateFrame) -> WorkerJob:
        """Make a request of its own; nothing happens until somebody iterates over it."""
        return WorkerJob(self, plan, msgspec.structs.replace(request, id=next(self._ids)))

    async def ping(self, timeout_seconds: float = 2.0) -> wire.Pong | None:
        """Ask the worker for a sign of life; None where there is no worker, or no sign."""
        if self._worker is None:
            return None
        id_ = next(self._ids)
        self._answers[id_] = answer = asyncio.get_running_loop().create_future()
        self._send(wire.Ping(id=id_))
        try:
            # Not `wait_for`: where this process itself did not get on, it drops an answer that is there.
            await asyncio.wait([answer], timeout=timeout_seconds)
        finally:
            self._answers.pop(id_, None)
        if not answer.done() or answer.exception() is not None:
            return None
        pong = answer.result()
        return pong if isinstance(pong, wire.Pong) else None

    async def unload(self, reason: str = "The model was unloaded.") -> None:
        """End the worker. What runs ends with `BackendUnavailable`; a load under way is abandoned."""
        change = self._change if self._changing else None
        if change is None or self._change_plan is not None or change is self._releasing:
            # In its place at once: who waits for that load must not begin another one in between.
            self._change_plan = None
            self._change = change = asyncio.ensure_future(self._unload(change, reason))
            change.add_done_callback(_seen)
        await asyncio.shield(change)

    async def release(self, plan: LoadPlan, reason: str) -> None:
        """End the worker of this plan when it has answered; nothing is cut short.

        It returns when the plan is not loaded any more, also where that comes about in another way.
        """
        while self._change is not None and self._changing:
            if self.state == "backoff" and not self._admitting:
                break  # Nobody waits for it: it need not come back to be ended.
            await asyncio.wait([self._change])
        if self._plan != plan:
            return
        if self._worker is None:
            await self.unload(reason)
            return
        self._change_plan = None
        self._change = self._releasing = asyncio.ensure_future(self._release(reason))
        self._change.add_done_callback(_seen)
        await asyncio.wait([self._change])

    def keep_within(self, memory_bytes: int) -> None:
        """Let a worker that is started again take no more private memory than this."""
        if self._plan is not None:
            self._plan = replace(self._plan, memory_bytes=memory_bytes)

    async def close(self) -> None:
        """End everything; nothing is started after it."""
        self._closed = True
        self._stop_idle_timer()
        await self.unload("The service has stopped.")

    # Admission: a request gets a loaded model

    async def admit(self, job: WorkerJob) -> None:
        """Send a request when its model is loaded."""
        self._on_demand(job.request)
        self._admitting += 1
        try:
            await self._ensure(job.plan)
        finally:
            self._admitting -= 1
        # No other task has run since the model was there: the request cannot miss its worker.
        job.supervisor = self
        self._jobs[job.request.id] = job
        self._stop_idle_timer()
        self._free.clear()
        try:
            self._send(job.request)
        except wire.FrameError as failure:
            self._end_job(job.request.id)
            raise InvalidArgument(f"The request is too large: {failure}.") from None
        if self.state == "ready":
            self._move("work", "Answering.")

    async def _ensure(self, plan: LoadPlan) -> wire.Loaded:
        while True:
            if self._closed:
                raise BackendUnavailable("The service has stopped.")
            self._require_not_failed()
            if self._change is not None and self._changing:
                await self._wait_for(self._change, plan)
                continue
            if self._loaded is not None and self._plan == plan:
                return self._loaded
            self._change_plan = plan
            self._change = asyncio.ensure_future(self._switch(plan))

    async def _wait_for(self, change: asyncio.Task[wire.Loaded | None], plan: LoadPlan) -> None:
        """Wait for the change under way; its failure is ours where it is our plan."""
        same = self._change_plan == plan
        await asyncio.wait([change])
        if same and change.cancelled():
            raise Canceled("The load was cancelled.")
        if same and (failure := change.exception()) is not None:
            raise failure

    # Changes: one at a time, each a task

    async def _switch(self, plan: LoadPlan) -> wire.Loaded:
        self._on_demand(None)
        await self._free.wait()
        self._require_not_failed()  # What ran may have ended by a crash.
        if self._worker is not None:
            await self._end_worker(f"Freeing memory for {plan.model}.")
        if self._make_room is not None:
            plan = await self._make_room(plan)
        # No other task runs in between: who makes room sees at once that this plan takes it.
        return await self._start_and_load(plan, "start")

    async def _release(self, reason: str) -> None:
        self._on_demand(None)
        await self._free.wait()
        if self._worker is not None:  # It may have crashed meanwhile.
            await self._end_worker(reason)

    async def _unload(self, change: asyncio.Task[wire.Loaded | None] | None, reason: str) -> None:
        """End the worker, after the change under way was abandoned."""
        if change is not None:
            change.cancel()
            await asyncio.wait([change])
        if self._ending is not None:
            await asyncio.wait([self._ending])
        if self.state == "failed":
            self._move("reset", reason)
        if self.state != "stopped":
            await self._end_worker(reason)

    async def _start_and_load(self, plan: LoadPlan, move: str) -> wire.Loaded:
        self._loop = asyncio.get_running_loop()
        self._plan = plan
        self._move(move, f"Starting the worker for {plan.model}.")
        generation = self.generation
        self._kills_before, self._held_bytes = self._evidence.count(), 0
        try:
            self._worker, self._hello = await self._spawn(
                on_frame=lambda frame: self._take(generation, frame),
                on_exit=lambda how: self._exited(generation, how),
                log=self.log,
                timeout_seconds=self.start_timeout_seconds,
            )
            self._watch = asyncio.ensure_future(self._watch_over(self._worker))
            self._move("hello", f"Loading {plan.model}.")
            self._loaded = await self._load_into(plan)
        except BaseException as failure:
            await self._load_failed(failure)
            raise
        self._loaded_at = self._clock()
        self._move("loaded", self._ready_reason)
        self._on_loaded(plan, self._loaded, self._hello)
        self._restart_idle_timer()
        return self._loaded

    async def _load_into(self, plan: LoadPlan) -> wire.Loaded:
        id_ = next(self._ids)
        answer: asyncio.Future[wire.FromWorker] = asyncio.get_running_loop().create_future()
        self._answers[id_] = answer
        self._send(
            msgspec.structs.replace(
                plan.load,
                id=id_,
                costs=dict(plan.costs),
                costs_are_new=plan.costs_are_new,
                memory_bytes=plan.memory_bytes,
            )
        )
        try:
            loaded = await asyncio.wait_for(answer, self.load_timeout_seconds)
        except asyncio.TimeoutError:
            raise LoadTimeout(
                f"{plan.model} did not load within {self.load_timeout_seconds:g} seconds."
            ) from None
        finally:
            self._answers.pop(id_, None)
        if not isinstance(loaded, wire.Loaded):
            raise BackendUnavailable("The inference worker sent an unexpected response to a load request.")
        return loaded

    async def _load_failed(self, failure: BaseException) -> None:
        """Leave nothing behind: no worker that holds half a model."""
        reason = failure.message if isinstance(failure, LocalCoderError) else "The load was cancelled."
        self._loaded = None
        if self.state in ("backoff", "failed", "stopped"):
            return  # It crashed: `_exited` has seen to it.
        if self._life.can("unload"):
            await self._end_worker(reason)
        self._plan = None

    async def _end_worker(self, reason: str) -> None:
        """End the worker. Once begun it goes on to the end, even where who waits for it is cancelled."""
        if self._ending is None or self._ending.done():
            self._ending = asyncio.ensure_future(self._end_worker_now(reason))
        await asyncio.shield(self._ending)

    async def _end_worker_now(self, reason: str) -> None:
        self._stop_idle_timer()
        self._stop_watching()
        worker, self._worker = self._worker, None
        self._loaded = None
        self._move("unload", reason)
        self._fail_all(BackendUnavailable(f"The model was unloaded before the answer was complete. {reason}"))
        if worker is not None:
            if not self._closed:
                # It keeps what it has computed, for when the model comes back.
                worker.send(wire.UnloadFrame(id=next(self._ids)))
            await worker.stop(self.stop_grace_seconds)
        self._plan = None
        if self._life.can("gone"):
            self._move("gone", reason)

    async def _restart(
        self, plan: LoadPlan, delay: float, before: asyncio.Task[wire.Loaded | None] | None
    ) -> wire.Loaded:
        if before is not None:
            await asyncio.wait([before])  # A load that the crash has ended, and that does not know it yet.
        await asyncio.sleep(delay)
        loaded = await self._start_and_load(plan, "retry")
        self._on_restart(plan.model)
        return loaded

    # What the worker says

    def _take(self, generation: int, frame: wire.FromWorker) -> None:
        if generation != self.generation:
            return  # A late word of a worker that is gone.
        if isinstance(frame, wire.Hello | wire.LoadProgress):
            return
        job = self._jobs.get(frame.id)
        if isinstance(frame, wire.Text):
            if job is not None:
                job.give(frame)
        elif isinstance(frame, wire.Finished):
            self._end_job(frame.id)
            if job is not None:
                job.give(frame)
        elif isinstance(frame, wire.Error) and job is not None:
            self._end_job(frame.id)
            job.give(_raised(frame))
        elif (answer := self._answers.get(frame.id)) is not None and not answer.done():
            if isinstance(frame, wire.Error):
                answer.set_exception(_raised(frame))
            else:
                answer.set_result(frame)

    def _exited(self, generation: int, how: WorkerExit) -> None:
        if generation != self.generation or how.expected:
            return
        self.log.warning("%s Its last output:\n%s", how.sentence, how.last_words)
        plan, loading = self._plan, self._loaded is None
        if plan is not None and self._loaded is not None:
            # What the load has measured need not be measured again while somebody waits.
            plan = replace(plan, costs=self._loaded.costs or plan.costs, costs_are_new=True)
        self._worker = None
        self._loaded = None
        self._stop_idle_timer()
        self._stop_watching()
        self._count_crash(self._clock(), loading)
        verdict = self._evidence.verdict(
            how.code,
            how.last_words,
            unexplained=how.unexplained_kill,
            kills_before=self._kills_before,
            held_bytes=self._held_bytes,
        )
        give_up = len(self._crashes) >= self.max_crashes
        sentence = f"{how.sentence} {SENTENCES[verdict]}".rstrip()
        self._move("give_up" if give_up else "crash", self._crash_reason(sentence, give_up, verdict))
        if verdict and plan is not None:
            self._on_out_of_memory(plan, verdict)
        self._tell_crash(how, sentence, verdict)
        if give_up or plan is None:
            self._plan = None
        elif verdict or (self._changing and not loading):
            self._plan = None
            # The same would end the same: the next request decides what is loaded. Or it is decided already:
            # another model waited until this one had answered.
            self._move("unload", self._reason)
        else:
            self._begin_restart(plan, loading)

    def _tell_crash(self, how: WorkerExit, sentence: str, verdict: Verdict) -> None:
        """Tell everybody who waits."""
        unavailable = BackendUnavailable(sentence, signal=how.code)
        out_of_memory = OutOfMemory(sentence, stage="compute" if self._jobs else "load", signal=how.code)
        self._fail_all(
            out_of_memory if verdict == "said" else unavailable,
            unbegun=out_of_memory if verdict else unavailable,
        )

    def _begin_restart(self, plan: LoadPlan, loading: bool) -> None:
        # Somebody waits for the answer: one crash of what has worked is no reason to let them wait longer.
        waits = len(self._crashes) - (0 if loading else 1)
        delay = min(self.backoff_max_seconds, self.backoff_first_seconds * 2 ** (waits - 1)) if waits else 0.0
        self.log.info(
            "Restarting the worker in %.1f s (it was %s).", delay, "loading" if loading else "loaded"
        )
        self._change_plan = plan
        self._change = asyncio.ensure_future(self._restart(plan, delay, self._change))
        self._change.add_done_callback(_seen)

    def _crash_reason(self, sentence: str, give_up: bool, verdict: Verdict) -> str:
        if give_up:
            return (
                f"{sentence} It crashed {len(self._crashes)} times within a short period, so it is not "
                "restarted automatically: load a model to try again."
            )
        if verdict:
            return f"{sentence} The same load is not retried automatically."
        return f"{sentence} It is restarting."

    def _count_crash(self, now: float, loading: bool) -> None:
        if not loading and now - self._loaded_at > self.stable_seconds:
            self._crashes.clear()
        self._crashes.append(now)
        while self._crashes and now - self._crashes[0] > self.crash_window_seconds:
            self._crashes.popleft()

    # The watchdog

    async def _watch_over(self, worker: Worker) -> None:
        patience = WatchdogTimeouts(
            self.ping_interval_seconds, self.ping_timeout_seconds, self.progress_timeout_seconds
        )
        because = await watch(self.ping, patience, self._clock, self._note_pong)
        if self._worker is worker:
            worker.kill(because)

    def _note_pong(self, pong: wire.Pong) -> None:
        self._held_bytes = max(self._held_bytes, pong.rss_bytes)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    # Small parts

    @property
    def _changing(self) -> bool:
        """Whether a worker is being started, loaded or ended, or another model waits for that."""
        return self._change is not None and not self._change.done()

    def _require_not_failed(self) -> None:
        if self.state == "failed":
            raise BackendUnavailable(
                self._reason, recovery="Load a model again manually, or choose a smaller one."
            )

    def _send(self, frame: wire.ToWorker) -> None:
        if self._worker is not None:
            self._worker.send(frame)

    def _cancel(self, id_: int, reason: EndReason) -> None:
        """Have a request ended by the worker; one that does not is ended itself."""
        self._send(wire.Cancel(id=id_, reason=reason))
        if id_ in self._jobs and self._loop is not None:
            self._loop.call_later(self.cancel_timeout_seconds, self._end_deaf, self._worker, id_)

    def _end_deaf(self, worker: Worker | None, id_: int) -> None:
        if worker is not None and worker is self._worker and id_ in self._jobs:
            worker.kill(
                "The inference worker did not stop a cancelled request within "
                f"{self.cancel_timeout_seconds:g} seconds, so it was terminated."
            )

    def _end_job(self, id_: int) -> None:
        self._jobs.pop(id_, None)
        if not self._jobs:
            self._free.set()
            if self.state == "busy":
                self._move("idle", self._ready_reason)
            self._restart_idle_timer()

    @property
    def _ready_reason(self) -> str:
        plan = self._plan
        return f"{plan.model} is ready. {plan.note}".rstrip() if plan else "The model is ready."

    def _fail_all(self, error: LocalCoderError, unbegun: LocalCoderError | None = None) -> None:
        """Tell the requests, and what waits for a load or a ping, of a failure.

        Parameters
        ----------
        unbegun
            What those are told instead that have shown nothing yet.
        """
        jobs, self._jobs = self._jobs, {}
        answers, self._answers = self._answers, {}
        self._free.set()
        for job in jobs.values():
            job.fail(error if job.begun else unbegun or error)
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(unbegun or error)
                answer.exception()  # Seen, also where nobody waits any more.

    def _move(self, move: str, reason: str) -> None:
        self._life.move(move)
        self._reason = reason
        self._on_state(
            BackendState(
                state=self.state,
                generation=self.generation,
                reason=reason,
                model=self._plan.model if self._plan else None,
                profile=self._plan.profile if self._plan else "",
            )
        )

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _restart_idle_timer(self) -> None:
        self._stop_idle_timer()
        if self._idle_seconds is not None and self._loaded is not None and not self._jobs:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self._idle_seconds, self._unload_idle)

    def _unload_idle(self) -> None:
        """Nothing has come for long enough. A request that comes now waits, and loads it again."""
        self._idle_timer = None
        if self._jobs or self._admitting or self._loaded is None or self._changing:
            return
        self._change_plan = None
        self._change = asyncio.ensure_future(self._end_worker("The model was unloaded because it was idle."))
        self._change.add_done_callback(_seen)


def _raised(frame: wire.Error) -> LocalCoderError:
    return from_parts(frame.code, frame.message, frame.recovery, dict(frame.details))


def _seen(task: asyncio.Task[Any]) -> None:
    """Look at a failure that nobody waits for: it has been told as a state."""
    with contextlib.suppress(asyncio.CancelledError):
        task.exception()
