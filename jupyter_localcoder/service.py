"""The service: every operation of the contract, one method each. No HTTP, no Jupyter.

`Service` is put together in `composition` out of the parts that do the work. A method is named after its
operation (`tab:cancel` → `tab_cancel`), takes its request and answers its response; an operation that
streams answers an async iterator of frames. Failures are `LocalCoderError`. All of it runs in one event
loop; what blocks goes to a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import psutil
from traitlets import Float, Integer
from traitlets.config import LoggingConfigurable

from . import prompts
from ._version import __version__
from .budgets import budget
from .contract import backend, generation, models, registry, wire
from .contract import settings as settings_contract
from .contract.common import Empty, Sampling, SamplingOptions
from .downloads import Downloads
from .errors import Canceled, Disabled, ModelInUse, RequestNotFound, RunNotFound
from .events import EventHub
from .models import memory
from .models.store import ModelStore
from .planning import Planner, Role
from .runs import Ready, Run, RunFrame, Runs
from .settings import LocalCoderSettings
from .supervisor import EndReason, Job, LoadPlan, Supervisor


class Service(LoggingConfigurable):
    """What the product does, for every way of reaching it."""

    max_requests = Integer(
        512, min=1, config=True, help="So many requests may run or wait; more are answered `QUEUE_FULL`."
    )
    completion_latency_ms = Float(
        400.0,
        min=50.0,
        config=True,
        help="Completions are sized to come within so many milliseconds, on a warm cache. Less makes them "
        "shorter, more lets them be longer.",
    )

    def __init__(
        self,
        *,
        settings: LocalCoderSettings,
        store: ModelStore,
        supervisor: Supervisor,
        events: EventHub,
        planner: Planner,
        accepted_by: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.events = events
        self._settings = settings
        self._store = store
        self._supervisor = supervisor
        self._planner = planner
        self._runs = Runs(self.max_requests, self._remember_speed)
        self._downloads = Downloads(store, events, accepted_by=accepted_by)
        self._speeds = backend.Speeds()
        self._warming: dict[str, Job] = {}
        self._began = time.monotonic()

    async def close(self) -> None:
        """End everything that is under way."""
        self._runs.cancel_all()
        self._stop_warming()
        await self._downloads.close()
        await self._supervisor.close()
        self._planner.close()

    # Backend

    async def backend_ping(self, _request: backend.PingRequest) -> backend.BackendStatus:
        """State, model, speeds, memory."""
        return await asyncio.to_thread(self._status)

    def _status(self) -> backend.BackendStatus:
        supervisor = self._supervisor
        settings = self._settings.current
        plan, loaded = supervisor.plan, supervisor.loaded
        available, total = memory.available()
        return backend.BackendStatus(
            version=__version__,
            state=supervisor.state,
            generation=supervisor.generation,
            reason=supervisor.reason,
            model=plan.model if plan else None,
            profile=plan.profile if plan else settings.profile,
            uptime_seconds=time.monotonic() - self._began,
            queue_length=len(self._runs),
            speeds=self._speeds,
            memory=backend.Memory(
                worker_bytes=_resident_bytes(supervisor.pid),
                server_bytes=_resident_bytes(os.getpid()),
                available_bytes=available,
                total_bytes=total,
            ),
            air_gap=settings.air_gap,
            acceleration=_acceleration(loaded),
            context_window=loaded.n_ctx if loaded else 0,
            calibration=self._budget() if loaded else None,
        )

    def _budget(self) -> backend.Calibration:
        """What a completion may read and write to come in time."""
        loaded = self._supervisor.loaded
        costs = loaded.costs if loaded else {}
        window = loaded.n_ctx if loaded else 4096
        return budget(costs, window, self.completion_latency_ms)

    # Models

    async def model_list(self, _request: models.ModelListRequest) -> models.ModelList:
        """All models that are known or here."""
        return await asyncio.to_thread(self._model_list)

    def _model_list(self) -> models.ModelList:
        profile, reason = self._planner.profile()
        window = self._planner.cells()
        catalogue = self._store.catalogue
        return models.ModelList(
            models=tuple(self._live(info) for info in self._store.infos(window)),
            licenses=tuple(catalogue.licenses.values()),
            profiles=tuple(catalogue.profiles.values()),
            active_profile=profile.name,
            profile_reason=reason,
            models_dir=str(self._store.models_dir),
        )

    def _info(self, model_id: str) -> models.ModelInfo:
        return self._live(self._store.info(model_id, self._planner.cells()))

    def _live(self, info: models.ModelInfo) -> models.ModelInfo:
        """Add what the store does not know: a download under way, the loaded model."""
        plan = self._supervisor.plan
        loaded = self._supervisor.loaded is not None and plan is not None and plan.model == info.id
        return self._downloads.live(msgspec.structs.replace(info, loaded=loaded))

    async def model_ensure(self, request: models.ModelEnsureRequest) -> models.ModelInfo:
        """Begin to make a model ready."""
        await self._downloads.ensure(request, air_gap=self._settings.current.air_gap)
        return await asyncio.to_thread(self._info, request.id)

    async def model_cancel_download(self, request: models.ModelRequest) -> models.ModelInfo:
        """Stop a download."""
        await self._downloads.cancel(request.id)
        return await asyncio.to_thread(self._info, request.id)

    async def model_import(self, request: models.ModelImportRequest) -> models.ModelInfo:
        """Take a file into the store."""
        id_ = await self._downloads.import_file(request)
        return await asyncio.to_thread(self._info, id_)

    async def model_export(self, request: models.ModelExportRequest) -> models.ModelExported:
        """Write a bundle."""
        path, size = await asyncio.to_thread(self._store.export, request.id, request.path)
        return models.ModelExported(path=str(path), size_bytes=size)

    async def model_delete(self, request: models.ModelDeleteRequest) -> models.DeletedModel:
        """Remove a model."""
        plan = self._supervisor.plan
        if plan is not None and plan.model == request.id:
            if not request.force:
                raise ModelInUse(f"The model {request.id} is loaded.")
            await self._supervisor.unload(f"{request.id} is being removed.")
        freed = await asyncio.to_thread(self._store.delete, request.id)
        self.events.tell(registry.MODEL_STATE, models.ModelStateEvent(id=request.id, state="idle"))
        return models.DeletedModel(id=request.id, freed_bytes=freed)

    async def model_load(self, request: models.ModelLoadRequest) -> models.LoadedModel:
        """Load a model now."""
        plan = await asyncio.to_thread(self._planner.plan, "code", model=request.id, profile=request.profile)
        loaded = await self._supervisor.load(plan)
        return models.LoadedModel(
            id=plan.model,
            digest=plan.digest,
            context_window=loaded.n_ctx,
            acceleration=_acceleration(loaded),
            load_ms=loaded.load_ms,
            fill_in_the_middle=loaded.fill_in_the_middle,
        )

    async def model_unload(self, _request: models.ModelUnloadRequest) -> Empty:
        """Free everything."""
        await self._supervisor.unload()
        self._planner.forget_choice()
        return Empty()

    # Settings

    async def settings_get(
        self, _request: settings_contract.SettingsGetRequest
    ) -> settings_contract.SettingsView:
        """Return the settings in force."""
        return await asyncio.to_thread(self._settings.view)

    async def settings_update(
        self, request: settings_contract.SettingsUpdateRequest
    ) -> settings_contract.SettingsView:
        """Change settings, and apply them at once."""
        await asyncio.to_thread(self._check_names, request)
        view = await asyncio.to_thread(self._settings.update, request)
        self._planner.forget_choice()
        self._apply(view.settings)
        return view

    def _check_names(self, request: settings_contract.SettingsUpdateRequest) -> None:
        """A profile or a model that does not exist is refused now, and not at the next request."""
        if request.profile:
            self._planner.profile(request.profile)
        for id_ in (request.model, request.general_model):
            if id_:
                self._store.info(id_, 0)

    def _apply(self, settings: settings_contract.Settings) -> None:
        stays = settings.keep_resident or settings.idle_minutes == 0
        self._supervisor.idle_seconds = None if stays else settings.idle_minutes * 60

    # Generation

    def generate(self, request: generation.GenerateRequest) -> AsyncGenerator[RunFrame, None]:
        """Run a command."""
        prompt = prompts.command_prompt(request)
        role: Role = "general" if request.command == "prompt" else "code"
        lookup = self._planner.drafts and request.command in prompts.REPEATS_ITS_PROMPT
        return self._command("generate", prompt, role, request, lookup=lookup)

    def chat(self, request: generation.ChatRequest) -> AsyncGenerator[RunFrame, None]:
        """Answer the next turn of a conversation."""
        return self._command("chat", prompts.chat_prompt(request), "general", request)

    def tab_complete(self, request: generation.CompleteRequest) -> AsyncGenerator[RunFrame, None]:
        """Fill in the middle."""
        if not self._settings.current.tab_completion:
            raise Disabled("Completion while typing is switched off in the settings.")
        sizes = self._budget()
        max_tokens = request.max_tokens or sizes.completion_tokens
        prompt = prompts.fill_prompt(
            request, max_tokens, prefix_tokens=sizes.prefix_tokens, suffix_tokens=sizes.suffix_tokens
        )
        self._stop_warming()
        sampling = self._sampling(SamplingOptions(temperature=request.temperature or 0.0, seed=request.seed))
        return self._begin(
            "tab",
            "code",
            _generate(
                prompt,
                sampling,
                max_tokens=max_tokens,
                stop=request.stop if request.multiline else (*request.stop, "\n"),
                priority="completion",
                fresh=request.seed is not None,
                scope=_scope("tab", request.scope),
                confidence=True,
            ),
            sampling,
            model=request.model,
            timeout_ms=request.timeout_ms,
        )

    def _command(
        self,
        kind: str,
        prompt: wire.ChatPrompt,
        role: Role,
        request: generation.GenerationOptions,
        *,
        lookup: bool = False,
    ) -> AsyncGenerator[RunFrame, None]:
        sampling = self._sampling(request.sampling)
        return self._begin(
            kind,
            role,
            _generate(
                prompt,
                sampling,
                max_tokens=request.max_tokens or self._settings.current.max_tokens,
                stop=request.stop,
                priority="command",
                fresh=request.sampling.seed is not None,
                scope=_scope(kind),
                lookup=lookup,
            ),
            sampling,
            model=request.model,
            profile=request.profile,
            timeout_ms=request.timeout_ms,
        )

    def _begin(
        self,
        kind: str,
        role: Role,
        request: wire.Generate,
        sampling: Sampling,
        *,
        model: str | None,
        profile: str | None = None,
        timeout_ms: int | None,
    ) -> AsyncGenerator[RunFrame, None]:
        async def prepare() -> Ready:
            plan = await asyncio.to_thread(self._planner.plan, role, model=model, profile=profile)
            self._apply(self._settings.current)
            return Ready(self._supervisor.job(plan, request), sampling)

        return self._runs.frames(Run(kind, prepare, timeout_ms))

    def _sampling(self, options: SamplingOptions) -> Sampling:
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

    async def tab_warm(self, request: generation.WarmRequest) -> generation.Warmed:
        """Read a prompt ahead; a newer request of the same scope takes the place of an older one."""
        settings = self._settings.current
        if not settings.tab_completion:
            raise Disabled("Completion while typing is switched off in the settings.")
        start = time.monotonic()
        sizes = self._budget()
        prompt = prompts.fill_prompt(
            request,
            sizes.completion_tokens,
            prefix_tokens=sizes.prefix_tokens,
            suffix_tokens=sizes.suffix_tokens,
        )
        plan = await asyncio.to_thread(self._planner.plan, "code", model=request.model)
        if not settings.prewarm and (self._supervisor.loaded is None or self._supervisor.plan != plan):
            return generation.Warmed(finish="skipped", prompt_tokens=0, cached_tokens=0, milliseconds=0.0)
        sampling = self._sampling(SamplingOptions(temperature=0.0))
        scope = _scope("tab", request.scope)
        job = self._supervisor.job(
            plan,
            _generate(prompt, sampling, max_tokens=0, stop=(), priority="warm", fresh=False, scope=scope),
        )
        older = self._warming.pop(scope, None)
        if older is not None:
            older.cancel()
        self._warming[scope] = job
        try:
            end = await _last(job)
        finally:
            if self._warming.get(scope) is job:
                del self._warming[scope]
        return generation.Warmed(
            finish=end.finish,
            prompt_tokens=end.prompt_tokens,
            cached_tokens=end.cached_tokens,
            milliseconds=(time.monotonic() - start) * 1000,
        )

    def _stop_warming(self) -> None:
        """A real completion is here: what is read ahead now would only stand in its way."""
        for job in self._warming.values():
            job.cancel()
        self._warming.clear()

    async def tab_cancel(self, request: generation.CompleteCancelRequest) -> Empty:
        """End a completion."""
        run = self._runs.find(request.run, "tab")
        if run is None:
            raise RunNotFound(f"No completion {request.run!r} is running.")
        reason: EndReason = "timeout" if request.reason == "timeout" else "canceled"
        run.cancel(reason)
        return Empty()

    async def llm_cancel(self, request: generation.LlmCancelRequest) -> Empty:
        """End one request."""
        run = self._runs.find(request.id)
        if run is None:
            raise RequestNotFound(f"No request {request.id!r} is running.")
        run.cancel()
        return Empty()

    async def llm_cancel_all(self, _request: generation.LlmCancelAllRequest) -> generation.CanceledCount:
        """End all requests."""
        return generation.CanceledCount(count=self._runs.cancel_all())

    # What the parts report

    def _remember_speed(self, done: generation.Done) -> None:
        """Keep the last speeds that were measured over enough tokens to mean something."""
        timings, usage = done.timings, done.usage
        computed = usage.prompt_tokens - usage.cached_tokens
        self._speeds = backend.Speeds(
            prefill_tokens_per_second=(
                timings.prefill_tokens_per_second
                if computed >= 32
                else self._speeds.prefill_tokens_per_second
            ),
            decode_tokens_per_second=(
                timings.decode_tokens_per_second
                if usage.completion_tokens >= 8
                else self._speeds.decode_tokens_per_second
            ),
            first_token_ms=timings.queue_ms + timings.prefill_ms,
        )

    def note_loaded(self, plan: LoadPlan, loaded: wire.Loaded, hello: wire.Hello) -> None:
        """Learn from a load what this machine can do, and how fast it is."""
        self._planner.learn(plan, loaded, hello)
        if self._settings.current.acceleration == "gpu" and not hello.gpu_offload:
            self.events.tell(
                registry.NOTICE,
                backend.Notice(
                    severity="warning",
                    message=f"{plan.model} runs on the CPU: llama-cpp-python was built without GPU support.",
                    action="Install a build with CUDA, Vulkan or Metal; the README says how.",
                ),
            )


def _generate(
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
) -> wire.Generate:
    return wire.Generate(
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
    )


def _scope(kind: str, name: str = "") -> str:
    """Whose computation may be built upon: a notebook's completion, the commands, a chat."""
    return f"{kind}:{name}"


async def _last(job: Job) -> wire.Finished:
    async with contextlib.aclosing(job.__aiter__()) as frames:
        async for frame in frames:
            if isinstance(frame, wire.Finished):
                return frame
    raise Canceled


def _first(given: Any, otherwise: Any) -> Any:
    return otherwise if given is None else given


def _acceleration(loaded: wire.Loaded | None) -> str:
    if loaded is None or loaded.n_gpu_layers == 0:
        return "cpu"
    return f"gpu ({loaded.n_gpu_layers} of {loaded.n_layers + 1} layers)"


def _resident_bytes(pid: int | None) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0
