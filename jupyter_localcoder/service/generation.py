"""``generate`` and ``chat``: commands and conversations, streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from .. import prompts
from ..contract import generation, wire
from ..planning import Planner, Role
from ..runs import RunFrame, Runs
from ..settings import LocalCoderSettings
from .engine import Engine, cache_scope, wire_request
from .inspections import Inspections


class Generation:
    """Answers commands and turns of conversations."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        planner: Planner,
        engine: Engine,
        runs: Runs,
        inspections: Inspections,
    ) -> None:
        self._settings = settings
        self._planner = planner
        self._engine = engine
        self._runs = runs
        self._inspections = inspections

    def generate(self, request: generation.GenerateRequest) -> AsyncGenerator[RunFrame, None]:
        """Run a command."""
        prompt = prompts.command_prompt(request)
        role: Role = "general" if request.command == "prompt" else "code"
        lookup = self._planner.drafts and request.command in prompts.REPEATS_ITS_PROMPT
        return self._begin("generate", prompt, role, request, lookup=lookup)

    def chat(self, request: generation.ChatRequest) -> AsyncGenerator[RunFrame, None]:
        """Answer the next turn of a conversation."""
        return self._begin("chat", prompts.chat_prompt(request), "general", request)

    def _begin(
        self,
        kind: str,
        prompt: wire.ChatPrompt,
        role: Role,
        request: generation.GenerationOptions,
        *,
        lookup: bool = False,
    ) -> AsyncGenerator[RunFrame, None]:
        sampling = self._engine.sampling(request.sampling)
        asked = wire_request(
            prompt,
            sampling,
            max_tokens=request.max_tokens or self._settings.current.max_tokens,
            stop=request.stop,
            priority="command",
            fresh=request.sampling.seed is not None,
            scope=cache_scope(kind),
            lookup=lookup,
            report=True,
        )
        run = self._engine.run(
            kind,
            role,
            asked,
            sampling,
            model=request.model,
            profile=request.profile,
            timeout_ms=request.timeout_ms,
        )
        return self._inspections.of(run, self._runs.frames(run), asked.scope)
