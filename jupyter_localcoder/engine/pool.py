"""Which worker serves a plan: one for each model that is in memory, at most two.

There are two uses of a model, code and questions (`load_plan.Role`), and each is served by one `Supervisor`,
which is one worker. Where both uses have the same model, one supervisor serves both. Where they have two, and
both fit into memory, each has its own, so that neither is loaded again when the other is asked. Where they do
not fit, one is put out for the other, once it has answered; `residency` says why.

- *Whether both fit* is asked right before each load (`CoexistencePolicy.beside`), with what the other one
  holds and will still take. The first of two loads at once is seen by the second: see `Supervisor._switch`.
- *Memory that runs out* with two in memory is no fault of either: the pair is not put side by side again, the
  one that failed is tried alone. Only what fails alone is told to `on_out_of_memory`.
- *Processor*: both workers keep all of their threads. A completion beside a long answer takes little longer
  than alone (0.95 s and 0.85 s, two 0.5B models on two cores); without its own worker it would wait for the
  end of that answer and for a load. Fewer threads or a lower rank for questions would make every answer
  slower, also while nobody types.

Which model answers is decided elsewhere; this module knows nothing of settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec
from traitlets import Integer
from traitlets.config import LoggingConfigurable

from ..contract import wire
from ..contract.backend import BackendState, ResidentModel
from ..errors import OutOfMemory
from ..events import Listeners
from .acceleration import warning
from .crash_cause import CrashEvidence, Verdict
from .job import WorkerJob
from .load_plan import LoadPlan, Role
from .process import WorkerProcess
from .supervisor import Supervisor
from .worker_link import Spawn

_ROLES: tuple[Role, Role] = ("code", "general")


@dataclass(frozen=True)
class Coexistence:
    """Whether a model may be loaded beside another one."""

    fits: bool
    reason: str = ""
    """The sentence that says why not."""
    memory_bytes: int = 0
    """Most private memory of the new one; 0: no limit."""
    other_memory_bytes: int = 0
    """The same for the one that is there, from now on."""


class CoexistencePolicy(Protocol):
    """Who knows the memory of this machine."""

    async def beside(self, plan: LoadPlan, other: LoadPlan, other_pid: int | None) -> Coexistence:
        """Whether ``plan`` fits beside ``other``, which is loaded or being loaded."""

    def keep_within(self, pid: int, plan: LoadPlan) -> None:
        """Let a worker take no more private memory than its plan says."""


class _Routed:
    """A request on its way to a supervisor; see `WorkerJob`."""

    def __init__(self, pool: WorkerPool, role: Role, named: bool) -> None:
        self._pool, self._role, self._named = pool, role, named

    async def admit(self, job: WorkerJob) -> None:
        with self._pool._on_the_way(job.plan, self._role, self._named) as supervisor:
            await supervisor.admit(job)


class WorkerPool(LoggingConfigurable):
    """Manages one worker for each model in memory.

    Where a person is told of one state, one model or one worker, it is that of `front`.

    Parameters
    ----------
    neighbours
        Returns who decides whether two models fit into memory together; None: no two are loaded together.
    """

    resident_models = Integer(
        2,
        min=1,
        max=2,
        config=True,
        help="Maximum number of models in memory. 2: the model for code and the model for questions both "
        "stay loaded if both fit, each in a separate process. 1: each is unloaded when the other is "
        "needed, which leaves more memory to the kernels.",
    )

    def __init__(
        self,
        *,
        on_state: Callable[[BackendState], None] = lambda _: None,
        on_restart: Callable[[str], None] = lambda _: None,
        neighbours: Callable[[], CoexistencePolicy | None] = lambda: None,
        evidence: CrashEvidence | None = None,
        spawn: Spawn = WorkerProcess.spawn,
        clock: Callable[[], float] = time.monotonic,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._on_state = on_state
        self.on_loaded: Listeners[[LoadPlan, wire.Loaded, wire.Hello]] = Listeners()
        """Told of each model that has been loaded."""
        self.on_out_of_memory: Listeners[[LoadPlan, Verdict]] = Listeners()
        """Told of each plan that memory does not suffice for, though no other model was loaded."""
        self.on_demand: Listeners[[wire.GenerateFrame | None]] = Listeners()
        """Told of each request before it is sent to a worker, and with None before another model is loaded:
        a request that uses the worker while it is free can make way."""
        self.spawn = spawn
        self._neighbours = neighbours
        self._ids = ids = itertools.count(1)

        def made(number: int) -> Supervisor:
            return Supervisor(
                on_state=lambda state: self._moved(number, state),
                on_silence=self._report_front,
                on_loaded=lambda plan, loaded, hello: self._loaded_one(number, plan, loaded, hello),
                on_restart=on_restart,
                on_out_of_memory=lambda plan, verdict: self._ran_out(number, plan, verdict),
                on_demand=self.on_demand.notify,
                make_room=lambda plan: self._make_room(number, plan),
                evidence=evidence,
                spawn=lambda **how: self.spawn(**how),
                clock=clock,
                ids=ids,
                **kwargs,
            )

        self.supervisors = tuple(made(number) for number in range(self.resident_models))
        self._serves: dict[Role, Supervisor] = {}
        """Who is asked for what, once it was. A supervisor that nobody asks any more ends its worker."""
        self._last = self.supervisors[0]
        self._models: dict[int, str] = {}
        """By the number of a supervisor: the model that it had last."""
        self._asked: dict[Role, str] = {}
        self._under_way: list[tuple[LoadPlan, Supervisor]] = []
        self._apart: list[tuple[LoadPlan, LoadPlan]] = []
        """Pairs that memory did not suffice for."""
        self._reason = ""
        self._by_name: dict[Supervisor, LoadPlan] = {}
        """What was last asked of a supervisor by its name: it stays though it serves no use."""
        self._retiring: dict[Supervisor, asyncio.Task[None]] = {}

    # What it looks like from outside

    @property
    def front(self) -> Supervisor:
        """The one that was used last; another one where that has nothing to tell."""
        if self._last.state == "stopped":
            return next((one for one in self.supervisors if one.state != "stopped"), self._last)
        return self._last

    @property
    def generation(self) -> int:
        """How many workers there have been."""
        return sum(one.generation for one in self.supervisors)

    @property
    def holding(self) -> tuple[Supervisor, ...]:
        """Those that have a model, or are loading one."""
        return tuple(one for one in self.supervisors if one.plan is not None)

    def holds(self, plan: LoadPlan) -> bool:
        """Whether this plan is loaded, or being loaded."""
        return any(one.plan == plan for one in self.supervisors)

    def has_loaded(self, plan: LoadPlan) -> bool:
        """Whether this plan is loaded."""
        return any(one.plan == plan and one.loaded is not None for one in self.supervisors)

    def serving(self, role: Role) -> Supervisor:
        """Who is asked for this; where that one has no model, and another has, the other one."""
        own = self._serves.get(role, self.supervisors[0])
        return own if own.plan is not None else next(iter(self.holding), own)

    @property
    def resident(self) -> tuple[ResidentModel, ...]:
        """What is in memory, or on its way, and what has failed; the model for code first."""
        ordered = sorted(self.supervisors, key=lambda one: one is not self._serves.get("code"))
        return tuple(self._resident(one) for one in ordered if one.state != "stopped")

    def _resident(self, one: Supervisor) -> ResidentModel:
        plan, loaded = one.plan, one.loaded
        return ResidentModel(
            model=plan.model if plan else self._models.get(self.supervisors.index(one), ""),
            profile=plan.profile if plan else "",
            state=one.state,
            reason=one.reason,
            roles=tuple(role for role in _ROLES if self._serves.get(role) is one),
            context_window=loaded.n_ctx if loaded else 0,
            warning=warning(plan, loaded) if plan else None,
        )

    @property
    def residency(self) -> str:
        """The sentence that says why two models take turns; empty where they do not."""
        if len(self.supervisors) == 1 and len(set(self._asked.values())) == 2:
            code, general = self._asked["code"], self._asked["general"]
            return f"`{code}` and `{general}` take turns: this server keeps one model in memory at a time."
        return self._reason

    # The same for all of them

    @property
    def idle_seconds(self) -> float | None:
        """Unload a model after so many seconds without a request for it; None never does."""
        return self.supervisors[0].idle_seconds

    @idle_seconds.setter
    def idle_seconds(self, seconds: float | None) -> None:
        for one in self.supervisors:
            one.idle_seconds = seconds

    # What it does

    def job(
        self, plan: LoadPlan, request: wire.GenerateFrame, role: Role = "code", *, named: bool = False
    ) -> WorkerJob:
        """Make a request of its own; nothing happens until somebody iterates over it.

        Parameters
        ----------
        role
            What it is asked for, which says whose place its model takes.
        named
            Whether the request names its model: it changes nothing then where that is in memory.
        """
        request = msgspec.structs.replace(request, id=next(self._ids))
        return WorkerJob(_Routed(self, role, named), plan, request)

    async def load(self, plan: LoadPlan, roles: frozenset[Role] = frozenset({"code"})) -> wire.Loaded:
        """Load a model by hand, for these uses; see `Supervisor.load`."""
        first: Role = "general" if roles == {"general"} else "code"
        with self._on_the_way(plan, first, named=False) as one:
            loaded = await self._with_room(plan, one.load)
        for role in roles:
            self._serves[role] = one
        self._retire_unasked()
        return loaded

    async def ensure(self, plan: LoadPlan, role: Role = "code", *, named: bool = False) -> wire.Loaded:
        """Load a model as a request would; see `Supervisor.ensure` and `job`."""
        with self._on_the_way(plan, role, named) as one:
            return await self._with_room(plan, one.ensure)

    async def _with_room(self, plan: LoadPlan, load: Callable[[LoadPlan], Any]) -> wire.Loaded:
        try:
            loaded: wire.Loaded = await load(plan)
        except OutOfMemory:
            if not await self.retreat(plan):
                raise
            loaded = await load(plan)
        return loaded

    async def retreat(self, plan: LoadPlan) -> bool:
        """Memory has run out for this plan: put the other model out, if there is one.

        Returns
        -------
        bool
            Whether it was not alone, so that it makes sense to try it again.
        """
        other = next((one for one in self.holding if one.plan != plan), None)
        if other is None or other.plan is None:
            return any(plan in pair for pair in self._apart)
        beside = other.plan
        self._keep_apart(plan, beside)
        one = next((one for one in self.holding if one.plan == plan and one.loaded is not None), None)
        if one is not None:
            # It lives. Only a new worker has the memory of both.
            if "busy" in (one.state, other.state):
                return False
            why = f"Freeing memory for {plan.model}."
            await asyncio.gather(other.release(beside, why), one.release(plan, why))
        return True

    async def check_response(self, timeout_seconds: float) -> None:
        """Find out whether the workers respond: for one that does not, the reason of its state says so."""
        await asyncio.gather(*(one.check_response(timeout_seconds) for one in self.supervisors))

    async def unload(self, reason: str = "The model was unloaded.", *, model: str | None = None) -> None:
        """End the worker of a model, or all of them; see `Supervisor.unload`."""
        ones = [one for one in self.supervisors if model is None or self._concerns(one, model)]
        await asyncio.gather(*(one.unload(reason) for one in ones))
        if model is None:
            self._serves.clear()
            self._asked.clear()
            self.forget()

    def uses(self, model: str) -> bool:
        """Whether a model is loaded, being loaded or about to be."""
        return any(self._concerns(one, model) for one in self.supervisors)

    def forget(self) -> None:
        """Let models be side by side again that memory did not suffice for."""
        self._apart.clear()
        self._reason = ""

    async def makes_room(self, plan: LoadPlan, role: Role, model: str) -> bool:
        """Whether a model that is in memory would be put out by a plan that is loaded for a role."""
        if self.holds(plan):
            return False
        holder = next((one for one in self.holding if one.plan and one.plan.model == model), None)
        if holder is None or holder.plan is None:
            return False
        if holder is self._route(plan, role):
            return True
        beside = await self._beside(plan, holder.plan, holder.pid)
        self._reason = beside.reason
        return not beside.fits

    async def close(self) -> None:
        """End everything; nothing is started after it."""
        for task in self._retiring.values():
            task.cancel()
        await asyncio.gather(*(one.close() for one in self.supervisors))

    # Who serves what

    @contextlib.contextmanager
    def _on_the_way(self, plan: LoadPlan, role: Role, named: bool) -> Iterator[Supervisor]:
        """The supervisor for a plan; until the end, everybody else with this plan finds the same."""
        found = self._found(plan)
        one = found or self._route(plan, role)
        if not named:
            self._by_name.pop(one, None)
        elif not found or one not in self._serves.values():
            self._by_name[one] = plan
        if not (named and found):
            self._asked[role] = plan.model
            self._serves[role] = one
            self._retire_unasked()
        entry = (plan, one)
        self._under_way.append(entry)
        try:
            yield one
        finally:
            self._under_way.remove(entry)

    def _found(self, plan: LoadPlan) -> Supervisor | None:
        """Who has this plan, or will have it."""
        for one in self.supervisors:
            if plan in (one.plan, one.wanted):
                return one
        return next((one for known, one in self._under_way if known == plan), None)

    def _route(self, plan: LoadPlan, role: Role) -> Supervisor:
        """Who is to load it: whoever has this model with another context, or what it takes the place of."""
        for one in self.supervisors:
            if one.plan is not None and one.plan.model == plan.model:
                return one
        own, other = self._serves.get(role), self._serves.get("general" if role == "code" else "code")
        if own is not None and own is not other:
            return own
        # What serves the other use stays, where there is another one.
        return next((one for one in self.supervisors if one is not other), self.supervisors[0])

    def _retire_unasked(self) -> None:
        for one in self.supervisors:
            plan, going = one.plan, self._retiring.get(one)
            if one in self._serves.values() or one.state == "stopped":
                continue
            if (plan is not None and self._by_name.get(one) == plan) or (going and not going.done()):
                continue
            gone = "Another model is used instead."
            ending = one.release(plan, gone) if plan is not None else one.unload(gone)
            self._retiring[one] = asyncio.ensure_future(ending)

    def _concerns(self, one: Supervisor, model: str) -> bool:
        return any(plan is not None and plan.model == model for plan in (one.plan, one.wanted))

    # Room for two

    async def _make_room(self, number: int, plan: LoadPlan) -> LoadPlan:
        """See to it that a plan can be loaded, and say with how much memory."""
        while True:
            other = self._other(number)
            if other is None or other.plan is None:
                return plan
            there, pid = other.plan, other.pid
            beside = await self._beside(plan, there, pid)
            if other.plan != there or other.pid != pid:
                continue
            self._reason = beside.reason
            if beside.fits:
                self._keep_within(other, beside.other_memory_bytes)
                return replace(plan, memory_bytes=beside.memory_bytes)
            await other.release(there, f"Freeing memory for {plan.model}.")

    def _other(self, number: int) -> Supervisor | None:
        return next((one for i, one in enumerate(self.supervisors) if i != number), None)

    async def _beside(self, plan: LoadPlan, other: LoadPlan, pid: int | None) -> Coexistence:
        if self._are_apart(plan, other):
            return Coexistence(False, _ran_out(other, plan))
        policy = self._neighbours()
        return Coexistence(False) if policy is None else await policy.beside(plan, other, pid)

    def _keep_within(self, one: Supervisor, memory_bytes: int) -> None:
        one.keep_within(memory_bytes)
        policy = self._neighbours()
        if policy is not None and one.pid is not None and one.plan is not None:
            policy.keep_within(one.pid, one.plan)

    def _keep_apart(self, plan: LoadPlan, other: LoadPlan) -> None:
        if not self._are_apart(plan, other):
            self._apart.append((plan, other))
        self._reason = _ran_out(other, plan)

    def _are_apart(self, plan: LoadPlan, other: LoadPlan) -> bool:
        return any(plan in pair and other in pair for pair in self._apart)

    # What the supervisors say

    def _moved(self, number: int, state: BackendState) -> None:
        one = self.supervisors[number]
        if state.state != "stopped":
            self._last = one
        if state.model is not None:
            self._models[number] = state.model
        if one is not self.front:
            # This one has gone, and another is there: that is what there is to tell.
            self._report_front()
            return
        self._report(state)

    def _report_front(self) -> None:
        front = self.front
        plan = front.plan
        self._report(
            BackendState(
                state=front.state,
                generation=0,
                reason=front.reason,
                model=plan.model if plan else None,
                profile=plan.profile if plan else "",
            )
        )

    def _report(self, state: BackendState) -> None:
        self._on_state(
            msgspec.structs.replace(
                state, generation=self.generation, resident=self.resident, residency=self.residency
            )
        )

    def _loaded_one(self, number: int, plan: LoadPlan, loaded: wire.Loaded, hello: wire.Hello) -> None:
        self.on_loaded.notify(plan, loaded, hello)
        one = self.supervisors[number]
        if one.plan is not None and one.plan.memory_bytes != plan.memory_bytes:
            # Another one came beside it while it was loading.
            self._keep_within(one, one.plan.memory_bytes)

    def _ran_out(self, number: int, plan: LoadPlan, verdict: Verdict) -> None:
        other = self._other(number)
        if other is None or other.plan is None:
            self.on_out_of_memory.notify(plan, verdict)
        else:
            self._keep_apart(plan, other.plan)


def _ran_out(one: LoadPlan, other: LoadPlan) -> str:
    return f"`{one.model}` and `{other.model}` take turns: memory ran out with both of them loaded."
