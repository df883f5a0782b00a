"""The embedded engine as a provider, for what is asked through the queue."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

from ..contract import wire
from ..contract.common import Sampling
from ..contract.generation import Delta as RunDelta
from ..contract.generation import Done
from ..engine.load_plan import Role
from ..engine.planner import Planner
from ..errors import Canceled
from ..models.store import ModelStore
from ..providers.base import (
    MAX_MODELS,
    AnswerDelta,
    AnswerOrigin,
    Check,
    End,
    Fill,
    Messages,
    ProviderRequest,
    RawPrompt,
    ReportedUsage,
)
from .engine_requests import EngineRequests, cache_scope, wire_request


class EmbeddedProvider:
    """Answers with the model on this machine; beside what is asked of the engine directly, not before it."""

    def __init__(self, store: ModelStore, planner: Planner, engine: EngineRequests) -> None:
        self._store = store
        self._planner = planner
        self._engine = engine

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """Write the answer; see `Provider.stream`. It also raises what a load raises."""
        sampling = self._engine.sampling(request.sampling)
        prompt, role = _prompt(request)
        asked = wire_request(
            prompt,
            sampling,
            max_tokens=request.max_tokens,
            stop=request.stop,
            priority=_priority(request),
            fresh=request.sampling.seed is not None,
            scope=cache_scope("call", request.scope),
        )
        timeout = request.timeout_seconds
        run = self._engine.run(
            "call",
            role,
            asked,
            sampling,
            model=request.model or None,
            timeout_ms=None if timeout is None else round(timeout * 1000),
        )
        async with contextlib.aclosing(run.__aiter__()) as frames:
            chars = 0
            async for frame in frames:
                if isinstance(frame, RunDelta):
                    chars += len(frame.text)
                    if frame.text or frame.reasoning:
                        yield AnswerDelta(frame.text, frame.reasoning)
                elif isinstance(frame, Done):
                    self._engine.remember_speed(frame)
                    yield _end(frame, sampling, moved=chars - len(frame.text))

    async def check(self) -> Check:
        """Find the model that would answer. Nothing is loaded for it.

        Raises
        ------
        ModelNotReady
            It is not on this machine.
        """
        start = time.monotonic()
        await asyncio.to_thread(self._planner.plan, "general")
        infos = await asyncio.to_thread(self._store.infos, 0)
        return Check(
            models=tuple(info.id for info in infos if info.state == "ready")[:MAX_MODELS],
            latency_ms=(time.monotonic() - start) * 1000,
        )

    async def close(self) -> None:
        """Nothing is held: the worker belongs to the service."""


def _priority(request: ProviderRequest) -> wire.Priority:
    if request.background:
        return "background"
    return "completion" if isinstance(request.input, Fill) else "command"


def _prompt(request: ProviderRequest) -> tuple[wire.ChatPrompt | wire.FillPrompt, Role]:
    asked = request.input
    if isinstance(asked, Messages):
        return wire.ChatPrompt(
            tuple(wire.PromptTurn(turn.role, turn.content) for turn in asked.turns)
        ), "general"
    before, after = (asked.text, "") if isinstance(asked, RawPrompt) else (asked.prefix, asked.suffix)
    return wire.FillPrompt(prefix=before, suffix=after, reserve_tokens=request.max_tokens), "code"


def _end(done: Done, sampling: Sampling, *, moved: int) -> End:
    if done.finish == "canceled":
        raise Canceled
    return End(
        reason=done.finish,
        usage=ReportedUsage(
            prompt_tokens=done.usage.prompt_tokens,
            cached_tokens=done.usage.cached_tokens,
            completion_tokens=done.usage.completion_tokens,
            reasoning_tokens=done.usage.reasoning_tokens,
        ),
        moved=moved,
        model=done.model.id,
        origin=AnswerOrigin(
            model=done.model,
            sampling=sampling,
            prompt_sha256=done.prompt_sha256,
            timings=done.timings,
        ),
    )
