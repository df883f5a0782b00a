"""``generate`` and ``chat``: commands and conversations, streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from .. import prompts
from ..contract import generation, wire
from ..history.names import prompt_id_of
from ..planning import Planner, Role
from ..runs import RunFrame, Runs
from ..settings import LocalCoderSettings
from .engine import Engine, cache_scope, wire_request
from .inspections import Inspections
from .recorder import Asked, Recorder


class Generation:
    """Answers commands and turns of conversations."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        planner: Planner,
        engine: Engine,
        runs: Runs,
        inspections: Inspections,
        recorder: Recorder,
    ) -> None:
        self._settings = settings
        self._planner = planner
        self._engine = engine
        self._runs = runs
        self._inspections = inspections
        self._recorder = recorder

    def generate(self, request: generation.GenerateRequest) -> AsyncGenerator[RunFrame, None]:
        """Run a command."""
        prompt = prompts.command_prompt(request)
        role: Role = "general" if request.command == "prompt" else "code"
        lookup = self._planner.drafts and request.command in prompts.REPEATS_ITS_PROMPT
        asked = _asked(request, prompts.asked(request), command=request.command)
        return self._begin(asked, prompt, role, request, lookup=lookup)

    def chat(self, request: generation.ChatRequest) -> AsyncGenerator[RunFrame, None]:
        """Answer the next turn of a conversation."""
        prompt = prompts.chat_prompt(request)
        first = next(message.content for message in request.messages if message.role == "user")
        asked = _asked(request, request.messages[-1].content, prompt_id=prompt_id_of(f"chat\n{first}"))
        return self._begin(asked, prompt, "general", request)

    def _begin(
        self,
        kept: Asked,
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
            scope=cache_scope(kept.kind),
            lookup=lookup,
            report=True,
        )
        run = self._engine.run(
            kept.kind,
            role,
            asked,
            sampling,
            model=request.model,
            profile=request.profile,
            timeout_ms=request.timeout_ms,
        )
        frames = self._inspections.of(run, self._runs.frames(run), asked.scope)
        return self._recorder.watch(kept, frames)


def _asked(
    request: generation.GenerationOptions, prompt: str, *, command: str = "", prompt_id: str = ""
) -> Asked:
    return Asked(
        kind="generate" if command else "chat",
        prompt=prompt,
        prompt_id=prompt_id,
        command=command,
        notebook=request.origin.notebook,
        cell=request.origin.cell,
        private=request.private,
    )
