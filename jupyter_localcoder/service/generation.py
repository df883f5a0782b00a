"""``generate`` and ``chat``: commands and conversations, streamed, from the embedded engine or a provider.

Also what they were answered from (``context:inspect``), and where their code goes (``code:place``).
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypedDict

import msgspec

from ..context.checks.loops import LoopGate
from ..context.target import target_of
from ..contract import generation, registry, wire
from ..contract.notebook import Reference
from ..contract.providers import EMBEDDED
from ..engine.load_plan import Role
from ..engine.planner import Planner
from ..errors import InvalidArgument
from ..generation import prompts
from ..generation.engine_requests import EngineRequests, cache_scope, wire_request
from ..generation.inspections import Inspections, parts_of
from ..generation.instructions import Instructions
from ..generation.provider_run import ProviderRun
from ..generation.rules import rules_text
from ..generation.run import About, AnyRun, OutputGate, Run, RunFrame
from ..generation.runs import ObservedRun, Runs
from ..generation.second_answer import TwiceAskedRun
from ..history.dialogue import Dialogue
from ..history.names import prompt_id_of
from ..history.notebooks import Notebooks
from ..history.recorder import Recorder, RequestMetadata
from ..providers.base import Messages, ProviderRequest
from ..providers.choice import ChosenProvider, ProviderChoice
from ..settings import LocalCoderSettings
from ..text.answers import change_of, placed
from .dispatch import serves

AnotherPrompt = Callable[[generation.Done], Awaitable[wire.ChatPrompt | None]]
"""Answers how to ask once more after an end; None where the answer is good."""


class _Guidance(TypedDict):
    rules: str
    instructions: Instructions


class GenerationOperations:
    """Answers commands and turns of conversations."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        planner: Planner,
        engine: EngineRequests,
        runs: Runs,
        inspections: Inspections,
        recorder: Recorder,
        dialogue: Dialogue,
        notebooks: Notebooks,
        choice: ProviderChoice,
        root: Callable[[], Path | None],
        instructions: Instructions,
    ) -> None:
        self._settings = settings
        self._planner = planner
        self._engine = engine
        self._runs = runs
        self._inspections = inspections
        self._recorder = recorder
        self._dialogue = dialogue
        self._notebooks = notebooks
        self._choice = choice
        self._root = root
        self._instructions = instructions

    @serves(registry.GENERATE)
    def generate(self, request: generation.GenerateRequest) -> AsyncGenerator[RunFrame, None]:
        """Run a command."""
        return self._runs.stream(partial(self._prepare_command, request))

    @serves(registry.CHAT)
    def chat(self, request: generation.ChatRequest) -> AsyncGenerator[RunFrame, None]:
        """Answer the next turn of a conversation."""
        if request.conversation is not None:
            return self._runs.stream(partial(self._prepare_turn, request))
        if request.parent is not None or request.regenerate is not None:
            raise InvalidArgument(
                "An earlier turn was given without a conversation.",
                recovery="Also give the id of the conversation.",
                field="conversation",
            )
        prompts.check_asks(request)  # before it waits
        first = next(message.content for message in request.messages if message.role == "user")
        asked = _request_metadata(
            request,
            request.messages[-1].content,
            prompt_id=prompt_id_of(f"chat\n{first}"),
            references=request.references,
        )
        return self._runs.stream(partial(self._prepare_chat, asked, request))

    @serves(registry.CONTEXT_INSPECT)
    async def context_inspect(self, request: generation.InspectRequest) -> generation.Inspection:
        """Show what a request was answered from."""
        return self._inspections.find(request.run)

    @serves(registry.CODE_PLACE)
    async def code_place(self, request: generation.PlaceRequest) -> generation.Change:
        """Say what becomes of a cell."""
        return await asyncio.to_thread(placed, request)

    async def _located(
        self, asked: RequestMetadata, request: generation.GenerationOptions
    ) -> RequestMetadata:
        """The same, with the path at which the notebook is now."""
        notebook = await self._notebooks.current(asked.notebook, request.origin.kernel)
        return dataclasses.replace(asked, notebook=notebook, mark=self._notebooks.mark)

    async def _guidance(self, request: generation.GenerationOptions, notebook: str) -> _Guidance:
        """What the model is told besides the request, with the rules of the project of a notebook."""
        root = self._root() if request.rules and self._settings.current.rules else None
        rules = "" if root is None else await asyncio.to_thread(rules_text, root, notebook)
        return {"rules": rules, "instructions": self._instructions}

    async def _prepare_chat(self, asked: RequestMetadata, request: generation.ChatRequest) -> ObservedRun:
        """The next turn of a conversation that is not remembered."""
        asked = await self._located(asked, request)
        prompt = prompts.chat_prompt(request, **await self._guidance(request, asked.notebook))
        return await self._observed(asked, prompt, "general", request)

    async def _prepare_command(self, request: generation.GenerateRequest) -> ObservedRun:
        # A long text is read line by line, which would hold up everybody else.
        target = await asyncio.to_thread(target_of, request)
        spoken = msgspec.structs.replace(request, language=target.language)
        asked = await self._located(
            _request_metadata(request, prompts.request_text(spoken), command=request.command), request
        )
        guidance = await self._guidance(request, asked.notebook)
        prompting = partial(prompts.command_prompt, request, target, **guidance)
        prompt = await asyncio.to_thread(prompting)
        role: Role = "general" if request.command == "prompt" else "code"
        lookup = self._planner.drafts and request.command in generation.CHANGES
        gate: Callable[[], LoopGate] | None = None
        if request.command != "prompt":
            gate = partial(LoopGate, "\n".join((request.code, request.instruction, request.error)))
        second = False

        async def change(done: generation.Done) -> generation.Change:
            return await asyncio.to_thread(change_of, request, target, done.text, done.finish, again=second)

        async def judge(done: generation.Done) -> generation.Done:
            return msgspec.structs.replace(done, change=await change(done))

        async def another(done: generation.Done) -> wire.ChatPrompt | None:
            nonlocal second
            problem = (await change(done)).problem
            if not problem or done.finish != "stop":
                return None
            second = True
            return await asyncio.to_thread(prompting, problem=problem)

        is_code = request.command in prompts.PROPOSES_CODE
        observed = await self._observed(
            asked, prompt, role, request, lookup=lookup, gate=gate, another=another if is_code else None
        )
        return observed if request.command == "explain" else dataclasses.replace(observed, judge=judge)

    async def _prepare_turn(self, request: generation.ChatRequest) -> ObservedRun:
        """The next turn of a conversation that is remembered."""
        turn = await self._dialogue.next_turn(request)
        asked = dataclasses.replace(
            _request_metadata(request, turn.words, prompt_id=turn.conversation, references=turn.references),
            conversation_id=turn.conversation,
            parent_id=turn.parent,
        )
        asked = await self._located(asked, request)
        limit = request.max_tokens or self._settings.current.max_tokens
        prompt = prompts.turn_prompt(
            turn.before,
            turn.words,
            turn.references,
            instruction=turn.instruction,
            reserve_tokens=limit,
            variables=request.variables,
            **await self._guidance(request, asked.notebook),
        )
        return await self._observed(asked, prompt, "general", request, omitted=turn.omitted)

    async def _observed(
        self,
        kept: RequestMetadata,
        prompt: wire.ChatPrompt,
        role: Role,
        request: generation.GenerationOptions,
        *,
        lookup: bool = False,
        omitted: int = 0,
        gate: Callable[[], OutputGate] | None = None,
        another: AnotherPrompt | None = None,
    ) -> ObservedRun:
        """Choose the provider; the answer is saved and can be inspected.

        Parameters
        ----------
        kept
            What is saved with the answer; its notebook is where it is now (`_located`).
        gate
            Makes what each answer passes through.
        another
            Answers how to ask once more after this end, None where the answer is good.
        """
        scope = cache_scope(kept.kind, kept.conversation_id)
        chosen = await self._choice.choose(request.named_provider)

        def asking(prompt: wire.ChatPrompt, request: generation.GenerationOptions) -> AnyRun:
            passing = gate() if gate else None
            if chosen.id == EMBEDDED:
                return self._own_run(kept, chosen, prompt, role, request, scope, lookup=lookup, gate=passing)
            return self._provider_run(kept, chosen, prompt, request, passing)

        run: AnyRun = asking(prompt, request)
        if another is not None:
            run = TwiceAskedRun(run, partial(_retried, another, asking, request))
        annotate = [parts_of(run)]
        if kept.conversation_id:
            annotate.append(partial(_in_conversation, kept, omitted))
        observers = (self._inspections.observer(run, scope), self._recorder.observer(kept))
        return ObservedRun(run, annotate, observers=observers)

    def _own_run(
        self,
        kept: RequestMetadata,
        chosen: ChosenProvider,
        prompt: wire.ChatPrompt,
        role: Role,
        request: generation.GenerationOptions,
        scope: str,
        *,
        lookup: bool,
        gate: OutputGate | None,
    ) -> Run:
        """The embedded engine answers."""
        sampling = self._engine.sampling(request.sampling)
        limit = None if chosen.timeout_seconds is None else round(chosen.timeout_seconds * 1000)
        asked = wire_request(
            prompt,
            sampling,
            max_tokens=request.max_tokens or self._settings.current.max_tokens,
            stop=request.stop,
            priority="command",
            fresh=request.sampling.seed is not None,
            scope=scope,
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
            timeout_ms=limit if request.timeout_ms is None else request.timeout_ms,
            gate=gate,
        )
        run.about = _about(kept, EMBEDDED)
        return run

    def _provider_run(
        self,
        kept: RequestMetadata,
        chosen: ChosenProvider,
        prompt: wire.ChatPrompt,
        request: generation.GenerationOptions,
        gate: OutputGate | None,
    ) -> ProviderRun:
        """Another provider answers."""
        asked = ProviderRequest(
            input=Messages(()),
            model=request.model or "",
            max_tokens=request.max_tokens or self._settings.current.max_tokens,
            sampling=request.sampling,
            stop=request.stop,
            timeout_seconds=None if request.timeout_ms is None else request.timeout_ms / 1000,
        )
        run = ProviderRun(
            kept.kind,
            chosen,
            prompt,
            asked,
            gate,
            reasoning_chars=self._settings.current.max_reasoning_chars,
        )
        run.about = _about(kept, chosen.id)
        return run


def _about(kept: RequestMetadata, provider: str) -> About:
    return About(
        "chat" if kept.kind == "chat" else "generate", kept.command, provider, kept.notebook, kept.cell
    )


async def _retried(
    another: AnotherPrompt,
    asking: Callable[[wire.ChatPrompt, generation.GenerationOptions], AnyRun],
    request: generation.GenerationOptions,
    done: generation.Done,
) -> AnyRun | None:
    """The run of a second answer, in the time that is left."""
    prompt = await another(done)
    if prompt is None:
        return None
    limit = request.timeout_ms
    left = None if limit is None else max(1, limit - round(done.timings.total_ms))
    return asking(prompt, msgspec.structs.replace(request, timeout_ms=left))


def _in_conversation(asked: RequestMetadata, omitted: int, frame: RunFrame) -> RunFrame:
    """Name the conversation in the first frame and the last one."""
    if isinstance(frame, generation.Started):
        return msgspec.structs.replace(frame, conversation=asked.conversation_id)
    if isinstance(frame, generation.Done):
        return msgspec.structs.replace(
            frame,
            conversation=asked.conversation_id,
            parent=asked.parent_id,
            left_out_turns=frame.left_out_turns + omitted,
        )
    return frame


def _request_metadata(
    request: generation.GenerationOptions,
    prompt: str,
    *,
    command: str = "",
    prompt_id: str = "",
    references: tuple[Reference, ...] = (),
) -> RequestMetadata:
    said = msgspec.structs.asdict(request.sampling)
    given = {name: value for name, value in said.items() if value is not None}
    return RequestMetadata(
        kind="generate" if command else "chat",
        prompt=prompt,
        prompt_id=prompt_id,
        command=command,
        references=references,
        notebook=request.origin.notebook,
        cell=request.origin.cell,
        private=request.private,
        sampling=given,
    )
