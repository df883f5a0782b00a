"""What is loaded for a request: what a person has loaded, else what the settings say, else one step down.

Where memory does not suffice, the next smaller model answers, and the person is told.

What a person loads stays in charge until another is loaded, it is unloaded, or models are chosen in the
settings. Where the settings name it for one thing alone, such as completion, they still decide the rest: the
person hears when it makes room for that, where both are not kept in memory (`pool`).

What memory did not suffice for is not tried again by itself, so that there is no loop: not until a person
loads it by hand, unloads, or changes the settings. It serves no operation itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import msgspec

from ..contract import registry
from ..contract.backend import Notice
from ..contract.models import ModelInfo
from ..contract.settings import Settings
from ..errors import InvalidArgument, LocalCoderError, ModelNotReady, OutOfMemory
from ..events import EventHub
from ..models.store import ModelStore
from .crash_cause import Verdict
from .load_plan import LoadPlan, Role
from .memory_admission import MemoryAdmission
from .planner import Planner
from .pool import WorkerPool
from .process import require_engine

_ROLES: tuple[Role, Role] = ("code", "general")
_DOES: dict[Role, str] = {"code": "completes and works on code", "general": "answers questions"}
_LEAST_CONTEXT = 1024
_LIGHT_BATCH = 128
FRESH_SECONDS = 1.0
"""So long the plan of a loaded model is taken as it was made.

Making it reads the folder of the models, in a thread: with each key of who types, that is time in which
nothing is computed."""


@dataclass
class _Spent:
    """A plan that memory did not suffice for."""

    plan: LoadPlan
    verdict: Verdict
    stand_in: LoadPlan | None = None
    told: bool = False


@dataclass(frozen=True)
class _PlanMemo:
    """The last plan that was made, and for what."""

    plan: LoadPlan
    wanted: tuple[Role, str | None, str | None]
    settings: Settings
    at: float


@dataclass
class _ByHand:
    """What a person has loaded."""

    model: str
    profile: str | None
    roles: frozenset[Role]
    """What it answers."""
    told: bool = False
    """Whether the person has heard that it made room."""


class ModelFallback:
    """Decides what is loaded for a request.

    Parameters
    ----------
    clock
        Answers the time, in seconds.
    """

    def __init__(
        self,
        store: ModelStore,
        planner: Planner,
        pool: WorkerPool,
        room: MemoryAdmission,
        events: EventHub,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._planner = planner
        self._pool = pool
        self._room = room
        self._events = events
        self.clock = clock
        self._spent: list[_Spent] = []
        self._made: dict[Role, _PlanMemo] = {}
        self._by_hand: _ByHand | None = None

    async def choose(
        self, role: Role, *, model: str | None, profile: str | None = None, answers: bool = False
    ) -> tuple[LoadPlan, Role]:
        """Return the plan for a request, or for a smaller model, and the role that it is for.

        Parameters
        ----------
        model
            The model that the request names; another model then never answers instead.
        answers
            Whether the request needs a model that answers questions. If the model for code only completes,
            the model for general questions is used instead, and the returned role is `general`.

        Raises
        ------
        OutOfMemory
            There is nothing smaller, or the request names its model; the sentence says which (`refusal`).
        InvalidArgument
            `answers`, and the request names a model that only completes.
        PackageMissing
            There is no engine to load it.
        ModelNotReady
            The model is not downloaded; or `answers`, and there is no model that answers.
        ModelNotFound, ChecksumMismatch, ValidationError
        """
        self._require_engine()
        plan = await self._plan(role, model, profile)
        if answers and not self._can_answer(plan):
            if model is not None:
                raise InvalidArgument(
                    f"`{model}` completes code and was not trained to answer.",
                    recovery="Choose a model with the role `general`, or none: the settings then choose one.",
                    field="model",
                )
            if role == "code":
                role = "general"
                plan = await self._plan(role, None, profile)
            if not self._can_answer(plan):
                raise ModelNotReady(
                    f"No model on this machine answers: `{plan.model}` only completes code.",
                    recovery="Download another one, for example with `jupyter localcoder models pull "
                    "qwen2.5-coder-1.5b`.",
                    model=plan.model,
                )
        return await self._admitted_or_smaller(plan, role, model), role

    def _can_answer(self, plan: LoadPlan) -> bool:
        return self._store.catalogue.answers(plan.model)

    def _require_engine(self) -> None:
        """Say it before a model is asked for: without an engine it would be downloaded in vain."""
        if not self._pool.holding:
            require_engine()

    async def _admitted_or_smaller(self, plan: LoadPlan, role: Role, model: str | None) -> LoadPlan:
        """A plan that fits into memory: this one, or a smaller one unless the request names its model."""
        spent = self._find(plan)
        try:
            if spent is not None:
                raise _not_again(plan)
            chosen = await self._room.require(plan)
        except OutOfMemory as failure:
            lighter = None if model else await self.below(plan, role)
            if lighter is None:
                raise await self.refusal(plan, role, failure, named=model is not None) from None
            chosen = lighter
        if model is None:
            await self._notify_replaced_load(chosen, role)
        return chosen

    @contextlib.asynccontextmanager
    async def by_hand(
        self, model: str, profile: str | None
    ) -> AsyncIterator[tuple[LoadPlan, frozenset[Role]]]:
        """Give the plan of a model that a person wants loaded, and what it answers from now on.

        That holds from the first moment, and where the load fails, what was before holds again.

        Raises
        ------
        ModelNotFound, ModelNotReady, ChecksumMismatch, ValidationError
        """
        plan = await asyncio.to_thread(self._planner.plan, "code", model=model, profile=profile)
        hand = _ByHand(model, profile, await asyncio.to_thread(self._roles, model))
        # At once: a request that comes while it is loaded must not have another one loaded after it.
        before, self._by_hand = self._by_hand, hand
        self._made.clear()
        try:
            yield replace(plan, note=_note_by_hand(hand)), hand.roles
        except BaseException:
            if self._by_hand is hand:
                self._by_hand = before
            raise

    def release_choice(self, model: str | None = None) -> None:
        """Let the settings alone decide again; with a model, only where that is the one loaded by hand."""
        if model is None or (self._by_hand is not None and self._by_hand.model == model):
            self._by_hand = None
        self._made.clear()

    def _roles(self, model: str) -> frozenset[Role]:
        """What a model answers that a person has loaded: what it is chosen for, else all that it can."""
        chosen = set()
        for role in _ROLES:
            with contextlib.suppress(LocalCoderError):
                if self._planner.plan(role).model == model:
                    chosen.add(role)
        info = self._store.info(model, 0)
        return frozenset(chosen or info.roles)

    async def standing(self, role: Role, *, model: str | None) -> LoadPlan:
        """Return the plan that a request would be answered by as things are; nothing is decided or told."""
        plan = await self._plan(role, model, None)
        spent = self._find(plan)
        return spent.stand_in if spent and spent.stand_in and not model else plan

    async def _plan(self, role: Role, model: str | None, profile: str | None) -> LoadPlan:
        """The plan that was made a moment ago, where it is the one of what is loaded; else a new one."""
        wanted, settings, now = (role, model, profile), self._planner.settings, self.clock()
        made = self._made.get(role)
        if (
            made is not None
            and made.wanted == wanted
            and made.settings is settings
            and self._pool.holds(made.plan)
            and now - made.at < FRESH_SECONDS
        ):
            return made.plan
        plan = None
        if model is None and profile is None:
            plan = await self._plan_by_hand(role)
        if plan is None:
            plan = await asyncio.to_thread(self._planner.plan, role, model=model, profile=profile)
        self._made[role] = _PlanMemo(plan, wanted, settings, now)
        return plan

    async def _plan_by_hand(self, role: Role) -> LoadPlan | None:
        hand = self._by_hand
        if hand is None or role not in hand.roles:
            return None
        try:
            plan = await asyncio.to_thread(self._planner.plan, "code", model=hand.model, profile=hand.profile)
        except LocalCoderError:
            # It was removed, or is not what it was.
            if self._by_hand is hand:
                self._by_hand = None
            return None
        return replace(plan, note=_note_by_hand(hand))

    async def _notify_replaced_load(self, plan: LoadPlan, role: Role) -> None:
        """Say that what a person has loaded makes room for another one; once for each time it is loaded."""
        hand = self._by_hand
        if hand is None or hand.told or plan.model == hand.model:
            return
        if not await self._pool.makes_room(plan, role, hand.model) or hand.told:
            return
        hand.told = True
        why = self._pool.residency or "One model is in memory at a time."
        keep = "pause suggestions, or load a model that can complete too"
        if role == "general":
            keep = f"choose `{hand.model}` for questions too"
        self._events.notify(
            registry.NOTICE,
            Notice(
                severity="info",
                message=f"`{hand.model}`, which you loaded, is unloaded for `{plan.model}`, which "
                f"{_DOES[role]}. {why}",
                action=f"To keep it in memory, {keep}.",
            ),
        )

    async def below(self, plan: LoadPlan, role: Role) -> LoadPlan | None:
        """Take one step down from a plan that memory did not suffice for; None where nothing is smaller."""
        spent = self._find(plan)
        if spent is not None and spent.stand_in is not None and self._find(spent.stand_in) is None:
            return await self.admitted(spent.stand_in)
        lighter = await self._smaller_model(plan, role)
        if lighter is None and spent is not None and spent.verdict == "probably":
            # Nobody has said that it was memory: the same model, with less of everything.
            lighter = await self.admitted(_with_less(plan))
        if lighter is None:
            return None
        lighter = replace(lighter, note=_note(plan, lighter))
        if spent is None:
            spent = self._add(plan, "said")
        spent.stand_in = lighter
        self._notify_smaller_model(spent, lighter)
        return lighter

    def failed(self, plan: LoadPlan, verdict: Verdict = "said") -> None:
        """Note what memory did not suffice for."""
        if self._find(plan) is None:
            self._add(plan, verdict)

    def forget(self, model: str | None = None) -> None:
        """Let a model be tried again; None lets all."""
        self._pool.forget()
        self._spent = [spent for spent in self._spent if model is not None and spent.plan.model != model]

    def is_spent(self, plan: LoadPlan) -> bool:
        """Whether memory did not suffice for a plan."""
        return self._find(plan) is not None

    def _add(self, plan: LoadPlan, verdict: Verdict) -> _Spent:
        spent = _Spent(plan, verdict)
        self._spent.append(spent)
        return spent

    def _find(self, plan: LoadPlan) -> _Spent | None:
        return next((spent for spent in self._spent if spent.plan == plan), None)

    async def refusal(self, plan: LoadPlan, role: Role, failure: OutOfMemory, *, named: bool) -> OutOfMemory:
        """Return the failure with why no smaller model answers, and what a person can do.

        Parameters
        ----------
        named
            Whether the request names its model.
        """
        smaller = await self._smaller(plan, role)
        instead = await self._first_admitted(smaller, role) if named else None
        why, recovery = _why_no_other(plan.model, smaller, instead.model if instead else None, named=named)
        details = {**failure.details, "model": plan.model, "smaller": instead.model if instead else ""}
        return OutOfMemory(f"{failure.message} {why}", recovery=recovery, **details)

    async def _smaller_model(self, plan: LoadPlan, role: Role) -> LoadPlan | None:
        return await self._first_admitted(await self._smaller(plan, role), role)

    async def _smaller(self, plan: LoadPlan, role: Role) -> list[str]:
        """Ids of the smaller models that are here and can answer, the largest first."""
        infos = await asyncio.to_thread(self._store.infos, self._planner.terms())
        sizes = {info.id: info.size_bytes for info in infos}
        answering = any(info.id == plan.model and "general" in info.roles for info in infos)
        smaller = [
            info
            for info in infos
            if _serves(info, role)
            and info.size_bytes < sizes.get(plan.model, 0)
            # What it stands in for may be an answer.
            and ("general" in info.roles or not answering)
        ]
        return [info.id for info in sorted(smaller, key=lambda info: -info.size_bytes)]

    async def _first_admitted(self, models: list[str], role: Role) -> LoadPlan | None:
        for model in models:
            try:
                candidate = await asyncio.to_thread(self._planner.plan, role, model=model)
            except LocalCoderError:
                continue  # It was changed or removed meanwhile: not this one, then.
            admitted = await self.admitted(candidate)
            if admitted is not None:
                return admitted
        return None

    async def admitted(self, plan: LoadPlan) -> LoadPlan | None:
        """The plan with its limit of memory; None where it does not fit, or did not suffice before."""
        if self._find(plan) is not None:
            return None
        try:
            return await self._room.require(plan)
        except OutOfMemory:
            return None

    def _notify_smaller_model(self, spent: _Spent, lighter: LoadPlan) -> None:
        if spent.told:
            return
        spent.told = True
        big = spent.plan.model
        why = (
            "There was probably not enough memory"
            if spent.verdict == "probably"
            else "There was not enough memory"
        )
        instead = (
            f"`{lighter.model}` is used instead"
            if lighter.model != big
            else f"it is loaded with a context of {lighter.load.n_ctx} tokens instead"
        )
        self._events.notify(
            registry.NOTICE,
            Notice(
                severity="warning",
                message=f"{why} for `{big}`: {instead}.",
                action="To try the larger model again, close notebooks or other programs, and load "
                f"`{big}` in the sidebar or with `jupyter localcoder load {big}`.",
                try_model=big,
            ),
        )


def _note_by_hand(hand: _ByHand) -> str:
    does = " and ".join(_DOES[role] for role in _ROLES if role in hand.roles)
    return f"It was loaded manually: it {does} until it is unloaded or another model is loaded."


def _serves(info: ModelInfo, role: Role) -> bool:
    if info.state != "ready":
        return False
    # Who asks for code may want the middle filled in.
    return "general" in info.roles if role == "general" else info.fill_in_the_middle is not False


def _with_less(plan: LoadPlan) -> LoadPlan:
    load = plan.load
    n_ctx = max(min(load.n_ctx, _LEAST_CONTEXT), load.n_ctx // 2)
    batch = min(load.n_batch, _LIGHT_BATCH)
    less = msgspec.structs.replace(
        load, n_ctx=n_ctx, n_cells=n_ctx, n_batch=batch, n_ubatch=batch, use_mlock=False, draft_path=""
    )
    return replace(plan, load=less)


def _note(plan: LoadPlan, lighter: LoadPlan) -> str:
    if plan.model == lighter.model:
        return (
            f"Its context is limited to {lighter.load.n_ctx} tokens, probably because of insufficient memory."
        )
    return (
        f"It replaces `{plan.model}`, for which there was not enough memory; load that model to try it again."
    )


def _not_again(plan: LoadPlan) -> OutOfMemory:
    return OutOfMemory(f"There was not enough memory for `{plan.model}`, so it is not retried automatically.")


def _why_no_other(model: str, smaller: list[str], instead: str | None, *, named: bool) -> tuple[str, str]:
    """Why no smaller model answers in the place of one, and what a person can do."""
    again = f"close notebooks or other programs, and load `{model}`"
    if instead is not None:
        return (
            f"The request names `{model}`, so no other model is used; the smaller model `{instead}` is "
            "installed.",
            f"Send the request without a model, or name `{instead}`. To try `{model}` again, {again}.",
        )
    prefix = f"The request names `{model}`" if named else ""
    if smaller:
        known = ", ".join(f"`{id_}`" for id_ in smaller)
        why = f"there is not enough memory for a smaller installed model either ({known})."
        return _sentence(prefix, why), _sentence("", f"{again} or a smaller one.")
    why = "no smaller usable model is installed."
    return _sentence(prefix, why), _sentence("", f"{again} again; or download a smaller model.")


def _sentence(prefix: str, rest: str) -> str:
    return f"{prefix}, and {rest}" if prefix else rest[0].upper() + rest[1:]
