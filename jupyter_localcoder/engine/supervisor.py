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

It only connects the parts: `worker_slot` (the worker and its state), `worker_link` (frames and the
watchdog), `current_change` (single flight), `restart_policy` and `idle_timer`. It knows nothing of HTTP,
prompts or files. All of it runs in one event loop; nothing here blocks.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
from traitlets import Float, Integer
from traitlets.config import LoggingConfigurable

from ..contract import wire
from ..contract.backend import BackendState, WorkerState
from ..errors import BackendUnavailable
from .crash import Crash
from .crash_cause import CrashEvidence, Verdict
from .current_change import CurrentChange
from .idle_timer import IdleTimer
from .job import WorkerJob
from .load_plan import LoadPlan
from .process import WorkerExit, WorkerProcess
from .restart_policy import RestartPolicy
from .watchdog import WatchdogTimeouts
from .worker_link import LinkTimeouts, Spawn
from .worker_slot import WorkerSlot


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
        on_silence: Callable[[], None] = lambda: None,
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
        self._on_loaded = on_loaded
        self._on_restart = on_restart
        self._on_out_of_memory = on_out_of_memory
        self._on_demand = on_demand
        self._make_room = make_room
        self._ids = ids or itertools.count(1)
        self._slot = WorkerSlot(
            spawn=spawn,
            log=self.log,
            ids=self._ids,
            timeouts=self._timeouts,
            evidence=evidence or CrashEvidence(),
            on_state=on_state,
            on_exit=self._handle_crash,
            on_free=self._note_free,
            on_silence=on_silence,
            clock=clock,
        )
        self._change = CurrentChange()
        self._restarts = RestartPolicy(self, clock)
        self._idle = IdleTimer(self._unload_idle)
        self._admitting = 0
        """Requests that wait for their model: it is not idle, however long the load took."""

    # What it looks like from outside

    @property
    def state(self) -> WorkerState:
        """State of the worker."""
        return self._slot.state

    @property
    def generation(self) -> int:
        """Number of workers so far."""
        return self._slot.generation

    @property
    def plan(self) -> LoadPlan | None:
        """The plan that is loaded, or being loaded."""
        return self._slot.plan

    @property
    def changing(self) -> bool:
        """Whether a worker is being started, loaded or ended, or another model waits for that."""
        return self._change.task is not None

    @property
    def wanted(self) -> LoadPlan | None:
        """The plan that will be loaded when the change under way has ended; None where none is under way."""
        return self._change.plan

    @property
    def loaded(self) -> wire.Loaded | None:
        """What the worker reported of the loaded model."""
        return self._slot.loaded

    @property
    def hello(self) -> wire.Hello | None:
        """What the last worker reported of the machine."""
        return self._slot.hello

    @property
    def reason(self) -> str:
        """The sentence that says why it is in this state, or that the worker does not respond."""
        return self._slot.reason

    @property
    def pid(self) -> int | None:
        """Process id of the worker."""
        return self._slot.link.worker.pid if self._slot.link else None

    @property
    def idle_seconds(self) -> float | None:
        """Unload after this time without a request, in seconds; None: never."""
        return self._idle.seconds

    @idle_seconds.setter
    def idle_seconds(self, seconds: float | None) -> None:
        self._idle.seconds = seconds
        self._restart_idle_timer()

    # What it does

    async def load(self, plan: LoadPlan) -> wire.Loaded:
        """Load a model, or share the load that is under way.

        Raises
        ------
        OutOfMemory, InvalidModel, LoadTimeout, BackendUnavailable, Canceled
        """
        if self.state == "failed":
            self._restarts.reset()
            self._slot.move("reset", "Trying again.")
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
        """Make a request with a new id; nothing happens before the first iteration."""
        return WorkerJob(self, plan, msgspec.structs.replace(request, id=next(self._ids)))

    async def admit(self, job: WorkerJob) -> None:
        """Send a request when its model is loaded."""
        self._on_demand(job.request)
        await self.ensure(job.plan)
        # No other task has run since the model was there: the request cannot miss its worker.
        link = self._slot.link
        assert link is not None  # noqa: S101 - its model is loaded
        self._idle.stop()
        link.send(job)
        if self.state == "ready":
            self._slot.move("work", "Answering.")

    async def ping(self, timeout_seconds: float = 2.0) -> wire.Pong | None:
        """Ask the worker for a sign of life; None: there is no worker, or no sign."""
        link = self._slot.link
        return await link.ping(timeout_seconds) if link is not None else None

    async def check_response(self, timeout_seconds: float) -> None:
        """Find out whether the worker responds: if not, `reason` says so."""
        if self._slot.link is not None:
            await self._slot.link.check_response(timeout_seconds)

    async def unload(self, reason: str = "The model was unloaded.") -> None:
        """End the worker. What runs ends with `BackendUnavailable`; a load under way is abandoned."""
        task = self._change.task
        if task is None or self._change.kind != "unload":
            # In its place at once: what waits for that load must not begin another one in between.
            task = self._change.begin("unload", self._unload(task, reason))
        await asyncio.shield(task)

    async def release(self, plan: LoadPlan, reason: str) -> None:
        """End the worker of this plan when it has answered; nothing is cut short.

        It returns when the plan is not loaded any more, also where that comes about in another way.
        """
        while (task := self._change.task) is not None:
            if self.state == "backoff" and not self._admitting:
                break  # Nothing waits for it: it need not come back to be ended.
            await asyncio.wait([task])
        if self.plan != plan:
            return
        if self._slot.link is None:
            await self.unload(reason)
            return
        await asyncio.wait([self._change.begin("release", self._release(reason))])

    def keep_within(self, memory_bytes: int) -> None:
        """Let a worker that is started again take no more private memory than this."""
        if self._slot.plan is not None:
            self._slot.plan = replace(self._slot.plan, memory_bytes=memory_bytes)

    async def close(self) -> None:
        """End everything; nothing is started after it."""
        self._slot.closed = True
        self._idle.stop()
        await self.unload("The service has stopped.")

    # Changes: one at a time, each a task

    async def _ensure(self, plan: LoadPlan) -> wire.Loaded:
        while True:
            if self._slot.closed:
                raise BackendUnavailable("The service has stopped.")
            self._require_not_failed()
            if self.changing:
                await self._change.wait(plan)
            elif self.loaded is not None and self.plan == plan:
                return self.loaded
            else:
                self._change.begin("load", self._switch(plan), plan)

    async def _switch(self, plan: LoadPlan) -> wire.Loaded:
        self._on_demand(None)
        await self._slot.wait_until_free()
        self._require_not_failed()  # What ran may have ended by a crash.
        if self._slot.link is not None:
            await self._slot.end(f"Freeing memory for {plan.model}.")
        if self._make_room is not None:
            plan = await self._make_room(plan)
        # No other task runs in between: who makes room sees at once that this plan takes it.
        return await self._load_now(plan, "start")

    async def _load_now(self, plan: LoadPlan, move: str) -> wire.Loaded:
        loaded = await self._slot.start_and_load(plan, move)
        assert self.hello is not None  # noqa: S101 - the worker has started
        self._restarts.note_loaded()
        self._slot.move("loaded", self._slot.ready_reason)
        self._on_loaded(plan, loaded, self.hello)
        self._restart_idle_timer()
        return loaded

    async def _release(self, reason: str) -> None:
        self._on_demand(None)
        await self._slot.wait_until_free()
        if self._slot.link is not None:  # It may have crashed meanwhile.
            await self._slot.end(reason)

    async def _unload(self, change: asyncio.Task[Any] | None, reason: str) -> None:
        """End the worker, after the change under way was abandoned."""
        if change is not None:
            change.cancel()
            await asyncio.wait([change])
        await self._slot.wait_until_ended()
        if self.state == "failed":
            self._slot.move("reset", reason)
        if self.state != "stopped":
            await self._slot.end(reason)

    async def _restart(self, plan: LoadPlan, delay: float, before: asyncio.Task[Any] | None) -> None:
        if before is not None:
            await asyncio.wait([before])  # A load that the crash has ended, and that does not know it yet.
        await asyncio.sleep(delay)
        await self._load_now(plan, "retry")
        self._on_restart(plan.model)

    def _unload_idle(self) -> None:
        """Unload the model. A request that comes now waits, and loads it again."""
        if not (self._slot.busy or self._admitting or self.loaded is None or self.changing):
            self._change.begin("unload", self._slot.end("The model was unloaded because it was idle."))

    # Crashes

    def _handle_crash(self, how: WorkerExit) -> None:
        self.log.warning("%s Its last output:\n%s", how.sentence, how.last_words)
        busy = self._slot.busy
        crash, link = self._slot.take_crashed(how)
        self._idle.stop()
        self._restarts.note_crash(loading=crash.loading)
        gives_up = self._restarts.gives_up
        reason = crash.reason(self._restarts.crashes, gives_up=gives_up)
        self._slot.move("give_up" if gives_up else "crash", reason)
        if crash.verdict and crash.plan is not None:
            self._on_out_of_memory(crash.plan, crash.verdict)
        if link is not None:
            link.abandon(*crash.errors(busy=busy))
        if gives_up or crash.plan is None:
            self._slot.plan = None
        elif crash.verdict or (self.changing and not crash.loading):
            self._slot.plan = None
            # The same would end the same: the next request decides what is loaded. Or it is decided already:
            # another model waited until this one had answered.
            self._slot.move("unload", reason)
        else:
            self._begin_restart(crash.plan, crash)

    def _begin_restart(self, plan: LoadPlan, crash: Crash) -> None:
        delay = self._restarts.delay_seconds(loading=crash.loading)
        self.log.info(
            "Restarting the worker in %.1f s (it was %s).", delay, "loading" if crash.loading else "loaded"
        )
        self._change.begin("load", self._restart(plan, delay, self._change.task), plan)

    # Small parts

    def _timeouts(self) -> LinkTimeouts:
        return LinkTimeouts(
            start=self.start_timeout_seconds,
            load=self.load_timeout_seconds,
            cancel=self.cancel_timeout_seconds,
            stop=self.stop_grace_seconds,
            watchdog=WatchdogTimeouts(
                self.ping_interval_seconds, self.ping_timeout_seconds, self.progress_timeout_seconds
            ),
        )

    def _require_not_failed(self) -> None:
        if self.state == "failed":
            raise BackendUnavailable(
                self.reason, recovery="Load a model again manually, or choose a smaller one."
            )

    def _note_free(self) -> None:
        """The last request has ended."""
        if self.state == "busy":
            self._slot.move("idle", self._slot.ready_reason)
        self._restart_idle_timer()

    def _restart_idle_timer(self) -> None:
        self._idle.stop()
        if self.loaded is not None and not self._slot.busy:
            self._idle.restart()
