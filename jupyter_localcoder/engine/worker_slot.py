"""The place of one worker: its state, its model, and how both begin and end.

It makes the moves of the table in `states` and reports each of them. When something is loaded, ended or
started again is decided by the `Supervisor`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from ..contract import wire
from ..contract.backend import BackendState, WorkerState
from ..errors import BackendUnavailable, LocalCoderError
from .crash import Crash
from .crash_cause import CrashEvidence
from .load_plan import LoadPlan
from .process import WorkerExit
from .states import WorkerStateMachine
from .worker_link import LinkTimeouts, Log, Spawn, WorkerLink


class WorkerSlot:
    """At most one worker, with at most one model.

    Parameters
    ----------
    timeouts
        Returns the time limits of the next worker.
    on_state
        Called after each move.
    on_exit
        Called when the worker ends by itself.
    on_free
        Called when its last request has ended.
    on_silence
        Called when the worker does not respond, or responds again: `reason` is another one.
    """

    def __init__(
        self,
        *,
        spawn: Spawn,
        log: Log,
        ids: Iterator[int],
        timeouts: Callable[[], LinkTimeouts],
        evidence: CrashEvidence,
        on_state: Callable[[BackendState], None],
        on_exit: Callable[[WorkerExit], None],
        on_free: Callable[[], None],
        on_silence: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spawn = spawn
        self._log = log
        self._ids = ids
        self._timeouts = timeouts
        self.evidence = evidence
        self._on_state = on_state
        self._on_exit = on_exit
        self._on_free = on_free
        self._on_silence = on_silence
        self._clock = clock
        self._life = WorkerStateMachine()
        self._ending: asyncio.Task[None] | None = None
        self._kills_before: int | None = None
        self.link: WorkerLink | None = None
        """The worker; None: there is none, or it has not started yet."""
        self.plan: LoadPlan | None = None
        """The plan that is loaded, being loaded, or loaded again after a crash."""
        self.loaded: wire.Loaded | None = None
        """What the worker reported of the loaded model."""
        self.hello: wire.Hello | None = None
        """What the last worker reported of the machine."""
        self.closed = False
        """Whether nothing is loaded any more: the worker that ends saves nothing then."""
        self._reason = "No model is loaded."

    @property
    def state(self) -> WorkerState:
        """State of the worker."""
        return self._life.state

    @property
    def generation(self) -> int:
        """Number of workers so far."""
        return self._life.generation

    @property
    def busy(self) -> bool:
        """Whether the worker has requests that have not ended."""
        return self.link is not None and self.link.busy

    @property
    def reason(self) -> str:
        """The sentence that says why it is in this state, or that the worker does not respond."""
        return (self.link.silence if self.link is not None else "") or self._reason

    @property
    def ready_reason(self) -> str:
        """The sentence of a worker that waits for requests."""
        return (
            f"{self.plan.model} is ready. {self.plan.note}".rstrip() if self.plan else "The model is ready."
        )

    def move(self, move: str, reason: str) -> None:
        """Make a move of the table in `states`, and report the new state.

        Raises
        ------
        states.IllegalMove
            Nothing was changed.
        """
        self._life.move(move)
        self._reason = reason
        self._on_state(
            BackendState(
                state=self.state,
                generation=self.generation,
                reason=self.reason,
                model=self.plan.model if self.plan else None,
                profile=self.plan.profile if self.plan else "",
            )
        )

    async def wait_until_free(self) -> None:
        """Wait until all requests of the worker have ended."""
        if self.link is not None:
            await self.link.wait_until_free()

    async def start_and_load(self, plan: LoadPlan, move: str) -> wire.Loaded:
        """Start a worker and load a model into it. After a failure there is no worker.

        Parameters
        ----------
        move
            From the present state to `starting`.

        Raises
        ------
        OutOfMemory, InvalidModel, LoadTimeout, BackendUnavailable
        """
        self.plan = plan
        self.move(move, f"Starting the worker for {plan.model}.")
        self._kills_before = self.evidence.count()
        link = WorkerLink(
            ids=self._ids,
            timeouts=self._timeouts(),
            on_exit=self._note_exit,
            on_free=self._on_free,
            on_silence=self._note_silence,
            clock=self._clock,
        )
        try:
            self.hello = await link.start(self._spawn, self._log)
            self.link = link
            self.move("hello", f"Loading {plan.model}.")
            self.loaded = loaded = await link.load(plan)
        except BaseException as failure:
            await self._clean_up(failure)
            raise
        return loaded

    async def end(self, reason: str) -> None:
        """End the worker. Once begun this goes on to its end, also if the caller is cancelled."""
        if self._ending is None or self._ending.done():
            self._ending = asyncio.ensure_future(self._end(reason))
        await asyncio.shield(self._ending)

    async def wait_until_ended(self) -> None:
        """Wait for an `end` under way."""
        if self._ending is not None:
            await asyncio.wait([self._ending])

    def take_crashed(self, how: WorkerExit) -> tuple[Crash, WorkerLink | None]:
        """Remove the worker, which has ended by itself.

        Returns
        -------
        tuple
            What is known of the crash; the worker, whose requests have not been told yet.
        """
        plan, loaded, link = self.plan, self.loaded, self.link
        self.loaded = self.link = None
        if plan is not None and loaded is not None:
            # What the load has measured need not be measured again while requests wait.
            plan = replace(plan, costs=loaded.costs or plan.costs, costs_are_new=True)
        verdict = self.evidence.verdict(
            how.code,
            how.last_words,
            unexplained=how.unexplained_kill,
            kills_before=self._kills_before,
            held_bytes=link.held_bytes if link is not None else 0,
        )
        return Crash(how, verdict, plan, loading=loaded is None), link

    async def _clean_up(self, failure: BaseException) -> None:
        """After a failed start or load: leave no worker that holds half a model."""
        reason = failure.message if isinstance(failure, LocalCoderError) else "The load was cancelled."
        self.loaded = None
        if self.state in ("backoff", "failed", "stopped"):
            return  # It crashed, and `take_crashed` has removed it.
        if self._life.can("unload"):
            await self.end(reason)
        self.plan = None

    async def _end(self, reason: str) -> None:
        link, self.link = self.link, None
        self.loaded = None
        self.move("unload", reason)
        if link is not None:
            link.abandon(
                BackendUnavailable(f"The model was unloaded before the answer was complete. {reason}")
            )
            await link.stop(self._timeouts().stop, keep=not self.closed)
        self.plan = None
        if self._life.can("gone"):
            self.move("gone", reason)

    def _note_silence(self, link: WorkerLink) -> None:
        if link is self.link:
            self._on_silence()

    def _note_exit(self, link: WorkerLink, how: WorkerExit) -> None:
        if link is self.link and not how.expected:
            self._on_exit(how)
