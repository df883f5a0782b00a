"""How a prompt becomes a request to the embedded engine: its model, its sampling, its size.

Shared by the nouns that generate; it serves no operation itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from ..contract import backend, generation, wire
from ..contract.common import Sampling, SamplingOptions
from ..contract.providers import EMBEDDED
from ..engine.completion_budget import budget
from ..engine.fallback_job import FallbackJob
from ..engine.load_plan import LoadPlan, Role
from ..engine.model_fallback import ModelFallback
from ..engine.pool import WorkerPool
from ..engine.running_costs import RunningCosts
from ..errors import OutOfMemory
from ..settings import LocalCoderSettings
from .run import OutputGate, Ready, Run
from .slow_model_hint import SlowModelHint
from .speeds import SpeedRecord


class EngineRequests:
    """The embedded engine, as the operations see it.

    Parameters
    ----------
    latency_ms
        Answers the time within which a completion is to come.
    """

    def __init__(
        self,
        settings: LocalCoderSettings,
        pool: WorkerPool,
        fallback: ModelFallback,
        pace: SlowModelHint,
        *,
        latency_ms: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._fallback = fallback
        self._slow_model_hint = pace
        self._latency_ms = latency_ms
        self._record = SpeedRecord()
        self._costs = RunningCosts()

    def budget(self) -> backend.Calibration:
        """What a completion may read and write to come in time."""
        supervisor = self._pool.serving("code")
        loaded, plan = supervisor.loaded, supervisor.plan
        costs: Mapping[int, float] = loaded.costs if loaded else {}
        if plan is not None:
            costs = self._costs.now(plan.digest, costs)
        window = loaded.n_ctx if loaded else 4096
        return budget(costs, window, self._latency_ms())

    def apply_residency(self) -> None:
        """Let an idle model stay as long as the settings say."""
        settings = self._settings.current
        stays = settings.keep_resident or settings.idle_minutes == 0
        self._pool.idle_seconds = None if stays else settings.idle_minutes * 60

    def sampling(self, options: SamplingOptions) -> Sampling:
        """The sampling of a request, complete: what it leaves open comes from the settings."""
        settings = self._settings.current
        seed = options.seed
        return Sampling(
            temperature=_first(options.temperature, settings.temperature),
            top_k=_first(options.top_k, settings.top_k),
            top_p=_first(options.top_p, settings.top_p),
            min_p=_first(options.min_p, settings.min_p),
            repeat_penalty=_first(options.repeat_penalty, settings.repeat_penalty),
            seed=random.SystemRandom().randrange(2**32 - 1) if seed is None else seed,
        )

    async def make_ready(self, role: Role, *, model: str | None) -> LoadPlan:
        """Load the model that would answer a request, or a smaller one; answer what is loaded.

        Raises
        ------
        OutOfMemory
            There is nothing smaller.
        BackendUnavailable
            Too many workers have crashed: only a person has the model loaded again.
        """
        plan, _ = await self._fallback.choose(role, model=model)
        while True:
            self.apply_residency()
            try:
                await self._pool.ensure(plan, role, named=model is not None)
                return plan
            except OutOfMemory as failure:
                self._fallback.failed(plan)
                named = model is not None
                lighter = None if named else await self._fallback.below(plan, role)
                if lighter is None:
                    raise await self._fallback.refusal(plan, role, failure, named=named) from None
                plan = lighter

    def run(
        self,
        kind: str,
        role: Role,
        request: wire.GenerateFrame,
        sampling: Sampling,
        *,
        model: str | None,
        profile: str | None = None,
        timeout_ms: int | None,
        gate: OutputGate | None = None,
        mild: bool = False,
    ) -> Run:
        """Make a run; nothing happens until somebody iterates over it."""
        answers = isinstance(request.prompt, wire.ChatPrompt)

        async def prepare() -> Ready:
            plan, use = await self._fallback.choose(role, model=model, profile=profile, answers=answers)
            self.apply_residency()
            job = FallbackJob(self._pool, self._fallback, plan, request, use, named=model is not None)
            return Ready(job, sampling)

        kept = self._settings.current.max_reasoning_chars if answers else None
        return Run(kind, prepare, timeout_ms, gate, kept, mild=mild)

    def remember_speed(self, done: generation.Done) -> None:
        """Take note of how fast a request was."""
        if done.provider != EMBEDDED:
            return
        self._slow_model_hint.observe(done)
        self._record.observe(done)
        if done.confidence is not None:
            # A completion: commands draft from their prompt, and are faster than it can be.
            self._costs.observe(done)

    @property
    def speeds(self) -> backend.Speeds:
        """How fast the model was of late that was used last."""
        plan = self._pool.front.plan
        return self._record.of(plan.digest if plan is not None else None)


def wire_request(
    prompt: wire.ChatPrompt | wire.FillPrompt,
    sampling: Sampling,
    *,
    max_tokens: int,
    stop: tuple[str, ...],
    priority: wire.Priority,
    fresh: bool,
    scope: str,
    lookup: bool = False,
    confidence: bool = False,
    report: bool = False,
) -> wire.GenerateFrame:
    """A prompt and how to answer it, as the frame that the worker takes; the supervisor gives it its id."""
    return wire.GenerateFrame(
        id=0,
        prompt=prompt,
        draw=wire.Draw(
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            min_p=sampling.min_p,
            repeat_penalty=sampling.repeat_penalty,
            seed=sampling.seed,
        ),
        max_tokens=max_tokens,
        stop=stop,
        priority=priority,
        fresh=fresh,
        scope=scope,
        lookup=lookup,
        confidence=confidence,
        report=report,
    )


def cache_scope(kind: str, name: str = "") -> str:
    """Whose computation may be built upon: a notebook's completion, the commands, a chat."""
    return f"{kind}:{name}"


def _first(given: Any, otherwise: Any) -> Any:
    return otherwise if given is None else given
