"""``tab:*``: fill in the middle, while somebody types; ``context:probe``: what a kernel is asked for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

import msgspec

from ..context import probes
from ..context.checks.gate import Rules, SuggestionGate
from ..context.checks.surroundings import Surroundings
from ..context.fill import Built, FillBuilder
from ..context.flatten import flatten
from ..context.indentation import split_indentation
from ..contract import generation, registry, wire
from ..contract.common import Empty, SamplingOptions
from ..contract.notebook import NotebookContext, Probe, ProbeRequest
from ..contract.providers import EMBEDDED
from ..contract.settings import Settings
from ..engine.completion_budget import MOST_TOKENS
from ..engine.job import EndReason, WorkerJob
from ..engine.model_fallback import ModelFallback
from ..engine.planner import Planner
from ..engine.pool import WorkerPool
from ..errors import Canceled, Disabled, InvalidArgument, RunNotFound
from ..generation.background import AT_ONCE_CHARS, BackgroundWork
from ..generation.engine_requests import EngineRequests, cache_scope, wire_request
from ..generation.inspections import Inspections, parts_of
from ..generation.provider_run import ProviderRun
from ..generation.run import AnyRun, RunFrame
from ..generation.runs import ObservedRun, Runs
from ..generation.shown_part import VisibleGate
from ..providers.base import Fill, Messages, ProviderRequest
from ..providers.choice import ProviderChoice
from ..settings import LocalCoderSettings
from .dispatch import serves

PREFIX_TOKENS, SUFFIX_TOKENS = 2048, 512
"""Most that another provider is sent: with the answer it fits into a window of 4096 tokens, which the
smallest servers have."""
_EACH_CHARS = 50
"""As so many characters count what is more than its text: a cell, a name, a column."""
_MANY = AT_ONCE_CHARS // _EACH_CHARS + 1
"""Of these, whatever is in them is much."""


class _Turn:
    """What is read ahead for one scope, from the wait for its model on."""

    job: WorkerJob | None = None

    def cancel(self) -> None:
        if self.job is not None:
            self.job.cancel()


class CompletionOperations:
    """Completes at the cursor, and reads ahead of it.

    Parameters
    ----------
    rules
        Answers what is asked of a suggestion.
    heads_share
        Answers which share of the tokens before the cursor first lines of data frames may take.
    """

    def __init__(
        self,
        settings: LocalCoderSettings,
        pool: WorkerPool,
        planner: Planner,
        fallback: ModelFallback,
        engine: EngineRequests,
        runs: Runs,
        inspections: Inspections,
        rules: Callable[[], Rules],
        choice: ProviderChoice,
        heads_share: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._planner = planner
        self._fallback = fallback
        self._engine = engine
        self._runs = runs
        self._inspections = inspections
        self._rules = rules
        self._choice = choice
        self._heads_share = heads_share
        self._builder = FillBuilder()
        self._aside = BackgroundWork()
        self._turns: dict[str, _Turn] = {}

    @serves(registry.TAB_COMPLETE)
    def tab_complete(self, request: generation.CompleteRequest) -> AsyncGenerator[RunFrame, None]:
        """Fill in the middle."""
        return self._runs.stream(partial(self._prepare, request))

    async def _prepare(self, request: generation.CompleteRequest) -> ObservedRun:
        settings = self._enabled()
        provider = request.provider or settings.completion_provider
        if provider != EMBEDDED and request.ahead:
            raise Disabled(
                "Only the embedded model continues a suggestion that is not accepted yet.",
                recovery="Turn off *Look ahead* in the settings of completion.",
            )
        if provider != EMBEDDED:
            return await self._by_provider(provider, request, settings)
        return await self._by_engine(request, settings)

    async def _by_engine(self, request: generation.CompleteRequest, settings: Settings) -> ObservedRun:
        """The embedded engine fills in."""
        sizes = self._engine.budget()
        max_tokens = _most_tokens(request, settings) or sizes.completion_tokens
        ends_at = asyncio.get_running_loop().time() + _seconds(request, settings)
        built = await self._built(request, max_tokens, sizes.prefix_tokens, sizes.suffix_tokens)
        self.stop_warming()
        sampling = self._engine.sampling(
            SamplingOptions(temperature=_temperature(request, settings), seed=request.seed)
        )
        asked = wire_request(
            built.prompt,
            sampling,
            max_tokens=max_tokens,
            stop=_stop(request),
            # Work for what may never be wanted delays nobody.
            priority="background" if request.ahead else "completion",
            fresh=request.seed is not None,
            scope=cache_scope("tab", request.scope),
            confidence=True,
            report=True,
            lookup=self._planner.drafts,
        )
        run = self._engine.run(
            "tab",
            "code",
            asked,
            sampling,
            model=request.model,
            timeout_ms=max(1, round((ends_at - asyncio.get_running_loop().time()) * 1000)),
            gate=self._gate(request),
            mild=True,
        )
        return self._inspected(run, asked.scope, built.omitted, ahead=request.ahead)

    async def _by_provider(
        self, name: str, request: generation.CompleteRequest, settings: Settings
    ) -> ObservedRun:
        """Another provider than the embedded one fills in."""
        ends_at = asyncio.get_running_loop().time() + _seconds(request, settings)
        max_tokens = _most_tokens(request, settings) or MOST_TOKENS
        built = await self._built(request, max_tokens, PREFIX_TOKENS, SUFFIX_TOKENS)
        chosen = await self._choice.choose(name)
        asked = ProviderRequest(
            input=Messages(()),
            model=request.model or "",
            max_tokens=max_tokens,
            sampling=SamplingOptions(temperature=_temperature(request, settings), seed=request.seed),
            stop=_stop(request),
        )
        fill = Fill(*flatten(built.prompt))
        run = ProviderRun("tab", chosen, fill, asked, self._gate(request), ends_at=ends_at)
        return self._inspected(run, cache_scope("tab", request.scope))

    def _inspected(
        self, run: AnyRun, scope: str, omitted: Mapping[str, int] | None = None, *, ahead: bool = False
    ) -> ObservedRun:
        observer = self._inspections.observer(run, scope, ahead=ahead)
        return ObservedRun(run, (parts_of(run, omitted),), observers=(observer,))

    @serves(registry.TAB_WARM)
    async def tab_warm(self, request: generation.WarmRequest) -> generation.Warmed:
        """Read a prompt ahead; a newer request of the same scope takes the place of an older one."""
        settings = self._enabled()
        start = time.monotonic()
        if settings.completion_provider != EMBEDDED:
            return _skipped()
        plan = await self._fallback.standing("code", model=request.model)
        resident = self._pool.has_loaded(plan)
        if not resident and not settings.prewarm:
            return _skipped()
        scope = cache_scope("tab", request.scope)
        turn = self._start_turn(scope)
        try:
            if not resident:
                # First of all: how much is read depends on how fast the loaded model has shown to be.
                plan = await self._engine.make_ready("code", model=request.model)
                if self._turns.get(scope) is not turn:
                    return _skipped("canceled")
            prompt = await self._ahead(request)
            if self._turns.get(scope) is not turn:
                return _skipped("canceled")
            if prompt is None:
                return _skipped("skipped" if resident else "stop")
            turn.job = self._pool.job(
                plan, self._warming(prompt, scope), "code", named=request.model is not None
            )
            end = await _last(turn.job)
        finally:
            if self._turns.get(scope) is turn:
                del self._turns[scope]
        return generation.Warmed(
            finish=end.finish,
            prompt_tokens=end.prompt_tokens,
            cached_tokens=end.cached_tokens,
            milliseconds=(time.monotonic() - start) * 1000,
        )

    def _warming(self, prompt: wire.FillPrompt, scope: str) -> wire.GenerateFrame:
        sampling = self._engine.sampling(SamplingOptions(temperature=0.0))
        return wire_request(
            prompt, sampling, max_tokens=0, stop=(), priority="warm", fresh=False, scope=scope
        )

    def _start_turn(self, scope: str) -> _Turn:
        """What is read ahead for a scope from now on; what was, is given up."""
        older = self._turns.pop(scope, None)
        if older is not None:
            older.cancel()
        self._turns[scope] = turn = _Turn()
        return turn

    async def _ahead(self, request: generation.WarmRequest) -> wire.FillPrompt | None:
        """The prompt to be read; None where nothing stands there yet.

        At the beginning of a notebook, where the cursor is when it is opened, nothing stands before it. The
        whole of it is read then: each later cell begins with a part of that.
        """
        sizes = self._engine.budget()
        size = (sizes.completion_tokens, sizes.prefix_tokens, sizes.suffix_tokens)
        with contextlib.suppress(InvalidArgument):
            return (await self._built(request, *size)).prompt
        if request.notebook is None:
            return None
        below = _without_cursor(request, request.notebook)
        with contextlib.suppress(InvalidArgument):
            whole = msgspec.structs.replace(request, prefix="", suffix="", notebook=below)
            return (await self._built(whole, *size)).prompt
        return None

    def close(self) -> None:
        """Read nothing more."""
        self.stop_warming()
        self._aside.close()

    def stop_warming(self) -> None:
        """A real completion is here: what is read ahead now would only stand in its way."""
        for turn in self._turns.values():
            turn.cancel()
        self._turns.clear()

    @serves(registry.TAB_CANCEL)
    async def tab_cancel(self, request: generation.CompleteCancelRequest) -> Empty:
        """End a completion."""
        run = self._runs.find(request.run, "tab")
        if run is None:
            raise RunNotFound(f"No completion {request.run!r} is running.")
        reason: EndReason = "timeout" if request.reason == "timeout" else "canceled"
        run.cancel(reason)
        return Empty()

    @serves(registry.CONTEXT_PROBE)
    async def context_probe(self, request: ProbeRequest) -> Probe:
        """Say how a kernel is asked what it knows."""
        return await asyncio.to_thread(probes.of, request.language)

    async def _built(
        self,
        request: generation.CompleteRequest | generation.WarmRequest,
        reserve_tokens: int,
        prefix_tokens: int,
        suffix_tokens: int,
    ) -> Built:
        def build() -> Built:
            prefix, _ = split_indentation(request.prefix)
            return self._builder.build(
                prefix,
                request.suffix,
                request.notebook,
                request.language,
                reserve_tokens=reserve_tokens,
                prefix_tokens=prefix_tokens,
                suffix_tokens=suffix_tokens,
                heads_share=heads_share,
            )

        heads_share = self._heads_share()
        return await self._aside.do(_chars(request), build)

    def _gate(self, request: generation.CompleteRequest) -> VisibleGate:
        around = Surroundings(
            request.prefix, request.suffix, request.language, request.notebook or NotebookContext()
        )
        # Who says how long it is to be gets all of it.
        rules = replace(self._rules(), trim=request.max_tokens is None)
        rules = rules if request.automatic else replace(rules, min_log_probability=None)
        return VisibleGate(SuggestionGate(around, rules), request.prefix)

    def _enabled(self) -> Settings:
        """The settings for all of a request.

        Raises
        ------
        Disabled
            They say that nothing completes.
        """
        settings = self._settings.current
        if not settings.tab_completion:
            raise Disabled(
                "Completion while typing is turned off on this server.",
                recovery="Turn it on with `jupyter localcoder config set tab_completion true`.",
            )
        return settings


def _seconds(request: generation.CompleteRequest, settings: Settings) -> float:
    """How long it may take, from the request on."""
    return settings.completion_timeout_seconds if request.timeout_ms is None else request.timeout_ms / 1000


def _most_tokens(request: generation.CompleteRequest, settings: Settings) -> int:
    """How long it may be, by its request or the settings; 0: by what comes in time."""
    return request.max_tokens or settings.completion_max_tokens


def _temperature(request: generation.CompleteRequest, settings: Settings) -> float:
    return settings.completion_temperature if request.temperature is None else request.temperature


def _without_cursor(request: generation.WarmRequest, notebook: NotebookContext) -> NotebookContext:
    """The notebook with the text of the cell with the cursor, which comes apart from it, and no cursor."""
    own = request.prefix + request.suffix
    cells = tuple(
        msgspec.structs.replace(cell, source=own) if own and index == notebook.active else cell
        for index, cell in enumerate(notebook.cells)
    )
    return msgspec.structs.replace(notebook, cells=cells, active=-1)


def _chars(request: generation.CompleteRequest | generation.WarmRequest) -> int:
    """About how much is to be read of a request; it is counted no further than up to what is much."""
    notebook = request.notebook or NotebookContext()
    chars = len(request.prefix) + len(request.suffix)
    chars += sum(len(cell.source) + _EACH_CHARS for cell in notebook.cells[:_MANY])
    chars += sum((1 + len(variable.columns)) * _EACH_CHARS for variable in notebook.variables[:_MANY])
    return chars


def _stop(request: generation.CompleteRequest) -> tuple[str, ...]:
    return request.stop if request.multiline else (*request.stop, "\n")


def _skipped(finish: Literal["skipped", "stop", "canceled"] = "skipped") -> generation.Warmed:
    return generation.Warmed(finish=finish, prompt_tokens=0, cached_tokens=0, milliseconds=0.0)


async def _last(job: WorkerJob) -> wire.Finished:
    async with contextlib.aclosing(job.__aiter__()) as frames:
        async for frame in frames:
            if isinstance(frame, wire.Finished):
                return frame
    raise Canceled
