"""``title:*``: a few words over each answer, made when nobody wants anything else.

A title is made by the model that is loaded, when nothing else is asked of it, and given up the moment
something is: it is tried again when that has ended. No model is loaded for a title: the answers wait until
one is. Whatever fails is silent, and the name of the model stands in, as it does from the beginning; what may
go better later is tried again when the next answer comes, a bounded number of times.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple

import msgspec

from ..contract import history, queue, registry, wire
from ..contract.backend import WorkerState
from ..contract.common import SamplingOptions
from ..contract.history import Response, ResponseInfo, TitleConfig
from ..contract.providers import EMBEDDED
from ..contract.settings import SettingsUpdateRequest, SettingsView
from ..engine.job import WorkerJob
from ..engine.load_plan import LoadPlan
from ..engine.pool import WorkerPool
from ..errors import (
    Canceled,
    FileReadError,
    LocalCoderError,
    ModelNotFound,
    NoAnswer,
    ProviderNotFound,
    ResponseNotFound,
    SourceFileNotFound,
    Timeout,
    TitleConfigInvalid,
    TitleProviderError,
    TitleResponseNotFound,
    TitleTimeout,
    ValidationError,
)
from ..events import EventHub
from ..generation import title_prompt
from ..generation.engine_requests import EngineRequests, cache_scope, wire_request
from ..history.recorder import Recorder
from ..models.lookup import check_model, here_text
from ..models.store import ModelStore
from ..settings import LocalCoderSettings
from ..text.reasoning import Pieces, split
from .dispatch import serves
from .history import title_by_hand
from .providers import ProviderOperations

MAX_WAITING = 100
"""So many answers may wait for a title; the oldest ones keep the name of their model."""
MAX_TRIES = 3
"""Of one title: what has failed so often does not go better the next time."""
TIMEOUT_SECONDS = (10.0, 120.0)
QUIET_SECONDS = 0.4
"""Nothing is asked of the model for so long before it is asked for a title: requests come in bursts."""

_SCOPE = cache_scope("title")
_OUT: tuple[WorkerState, ...] = ("stopped", "unloading", "failed", "backoff")
"""States in which no model is loaded, nor will be by itself for a title."""
_SETTINGS = {
    "enabled": "titles",
    "provider": "title_provider",
    "model": "title_model",
    "timeout_seconds": "title_timeout_seconds",
}
"""The fields of `TitleConfig`, and the settings that they show."""

Ask = Callable[[queue.CallRequest], Coroutine[Any, Any, queue.QueueAnswer]]


class _CreatedTitle(NamedTuple):
    title: str
    model: str


class _Wanted(NamedTuple):
    """An answer that has no title."""

    response: Response
    tries: int = 0
    told: bool = False
    """That it has none for now."""


class _NotNow(TitleProviderError):
    """Nobody was asked: as things are, nobody can be."""


class _NoTitle(TitleProviderError):
    """What was answered is none, and the next time it would not be one either."""


class TitleOperations:
    """Makes titles, one at a time.

    Parameters
    ----------
    ask
        Asks another provider than the embedded one.
    quiet_seconds
        See `QUIET_SECONDS`.
    """

    def __init__(
        self,
        settings: LocalCoderSettings,
        store: ModelStore,
        recorder: Recorder,
        pool: WorkerPool,
        engine: EngineRequests,
        events: EventHub,
        ask: Ask,
        log: logging.Logger | logging.LoggerAdapter[Any],
        *,
        providers: ProviderOperations,
        change_settings: Callable[[SettingsUpdateRequest], Awaitable[SettingsView]],
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._recorder = recorder
        self._store = recorder.store
        self._settings = settings
        self._models = store
        self._pool = pool
        self._engine = engine
        self._events = events
        self._ask = ask
        self._log = log
        self.quiet_seconds = quiet_seconds
        self._waiting: collections.deque[_Wanted] = collections.deque()
        self._later: collections.deque[_Wanted] = collections.deque(maxlen=MAX_WAITING)
        """Those that could not be made, or have failed and may go better."""
        self._worker: asyncio.Task[None] | None = None
        self._closed = False
        self._one = asyncio.Lock()
        self._job: WorkerJob | None = None
        self._moved = asyncio.Event()
        self._providers = providers
        self._change_settings = change_settings
        self._listening = contextlib.ExitStack()
        for leave in (
            events.listen(self._on_event),
            pool.on_demand.listen(self._yield_to_request),
            recorder.on_kept.listen(self._on_response_saved),
        ):
            self._listening.callback(leave)

    # Operations

    @serves(registry.TITLE_CONFIG_GET)
    async def title_config_get(self, _request: history.TitleConfigGetRequest) -> TitleConfig:
        """How titles are made."""
        return await self._shown(self._settings.view())

    @serves(registry.TITLE_CONFIG_SET)
    async def title_config_set(self, request: history.TitleConfigSetRequest) -> TitleConfig:
        """Change it, and keep it."""
        given = {
            name: value
            for name, value in msgspec.structs.asdict(request).items()
            if value is not msgspec.UNSET
        }
        low, high = TIMEOUT_SECONDS
        seconds = given.get("timeout_seconds", low)
        if not low <= seconds <= high:
            raise TitleConfigInvalid(
                f"`timeout_seconds` must be from {low:g} to {high:g}.",
                field="timeout_seconds",
                low=low,
                high=high,
            )
        changes = {_SETTINGS[name]: value for name, value in given.items()}
        if "provider" in given:
            changes["title_provider"] = given["provider"] or EMBEDDED
        try:
            view = await self._change_settings(SettingsUpdateRequest(**changes))
        except (ProviderNotFound, ModelNotFound, ValidationError) as failure:
            field = "model" if failure.details.get("field") == "title_model" else "provider"
            raise TitleConfigInvalid(failure.message, recovery=failure.recovery, field=field) from None
        return await self._shown(view)

    async def checked(self, request: SettingsUpdateRequest) -> SettingsUpdateRequest:
        """The request, where who is to make titles is there; with a new provider, without the former's model.

        Raises
        ------
        ProviderNotFound, ModelNotFound
        """
        if request.title_provider is msgspec.UNSET and request.title_model is msgspec.UNSET:
            return request
        now = self._settings.current
        provider = now.title_provider
        if request.title_provider is not msgspec.UNSET:
            provider = request.title_provider or EMBEDDED
            if request.title_provider:
                await asyncio.to_thread(self._providers.check_there, provider)
            if request.title_model is msgspec.UNSET and provider != now.title_provider:
                return msgspec.structs.replace(request, title_model=None)
        if isinstance(request.title_model, str) and request.title_model:
            await self._check_model(provider, request.title_model)
        return request

    async def _check_model(self, provider: str, model: str) -> None:
        if provider == EMBEDDED:
            await asyncio.to_thread(check_model, self._models, "title_model", model)
            return
        try:
            listed = await self._providers.models_of(provider)
        except LocalCoderError:
            return  # Nobody can say now what it has; the first title will.
        if listed and model not in listed:
            some = ", ".join(f"`{name}`" for name in listed[:20])
            raise ModelNotFound(
                f"The provider {provider} does not list a model `{model}`.",
                recovery=f"Choose one of its models: {some}{'' if len(listed) <= 20 else ' …'}; or none, "
                "to use its configured model.",
                field="title_model",
            )

    @serves(registry.TITLE_GENERATE)
    async def title_generate(self, request: history.ResponseRequest) -> ResponseInfo:
        """Make one for a person who waits for it."""
        config = await self._read_config()
        try:
            await self._recorder.settled()
            response = await asyncio.to_thread(self._store.get, request.id)
        except (ResponseNotFound, SourceFileNotFound, FileReadError) as failure:
            raise TitleResponseNotFound(failure.message) from None
        if why := await self._obstacle(config):
            raise TitleProviderError(why, recovery="Or enter a title manually.")
        self._publish_status(response, "pending")
        try:
            made = await asyncio.wait_for(self._create_title(response, config), config.timeout_seconds)
            return await self._set(response.id, made.title, "generated", made.model)
        except BaseException as failure:
            self._publish_status(response, "failed", model=response.model)
            if isinstance(failure, asyncio.TimeoutError):
                raise TitleTimeout from None
            raise

    @serves(registry.TITLE_SET)
    async def title_set(self, request: history.TitleSetRequest) -> ResponseInfo:
        """Take one that a person wrote."""
        return await self._set(request.id, title_by_hand(request.title), "hand", "")

    async def close(self) -> None:
        """Give up what is being made."""
        self._closed = True
        self._listening.close()  # what is kept from now on stays without
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])

    # Behind the answers

    def _on_response_saved(self, response: Response) -> None:
        """An answer is there that has no title. The turns of a conversation share the one of the first."""
        if response.parent_id:
            return
        if len(self._waiting) == MAX_WAITING:
            self._publish_status(self._waiting.popleft().response, "failed")
        # What a title is made of: it may wait for long.
        short = msgspec.structs.replace(
            response,
            prompt=response.prompt[: title_prompt.ASKED_CHARS],
            content=response.content[: title_prompt.ASKED_CHARS],
            reasoning="",
            references=(),
        )
        self._waiting.append(_Wanted(short))
        self._again()

    def _again(self) -> None:
        """Work on what waits, and after it on what could not be made before."""
        while self._later and len(self._waiting) < MAX_WAITING:
            self._waiting.append(self._later.popleft())
        self._start()

    def _start(self) -> None:
        if self._waiting and not self._closed and (self._worker is None or self._worker.done()):
            self._worker = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        try:
            await self._work_off()
        except RuntimeError as failure:
            # Python ends its threads before it closes this service: a title that was just begun is given up.
            if not _is_shutdown(failure):
                raise

    async def _work_off(self) -> None:
        while self._waiting:
            wanted = self._waiting.popleft()
            config = await self._read_config()
            if not config.enabled:
                continue
            if await self._obstacle(config):
                self._postpone(wanted)
                continue
            self._publish_status(wanted.response, "pending")
            await self._try_one(wanted, config)

    async def _try_one(self, wanted: _Wanted, config: TitleConfig) -> None:
        response = wanted.response
        wanted = wanted._replace(told=False)
        try:
            if (await asyncio.to_thread(self._store.get, response.id)).title_source == "model":
                made = await self._create_title(response, config)
                info = await asyncio.to_thread(self._store.get, response.id)
                if info.title_source == "model":  # a person may have been quicker
                    await self._set(response.id, made.title, "generated", made.model)
                    return
            self._publish_status(await asyncio.to_thread(self._store.get, response.id), "completed")
        except _NotNow:
            self._postpone(wanted)
        except (TitleTimeout, TitleProviderError) as failure:
            self._log.info("No title for %s: %s", response.id, failure)
            self._publish_status(response, "failed")
            if not isinstance(failure, _NoTitle) and wanted.tries + 1 < MAX_TRIES:
                self._later.append(wanted._replace(tries=wanted.tries + 1, told=True))
        except LocalCoderError as failure:
            self._log.info("No title for %s: %s", response.id, failure)
            self._publish_status(response, "failed")
        except Exception as failure:
            if _is_shutdown(failure):
                raise
            self._log.exception("No title for %s", response.id)
            self._publish_status(response, "failed")

    def _postpone(self, wanted: _Wanted) -> None:
        """Nobody can make it now, so nobody was asked."""
        if not wanted.told:
            self._publish_status(wanted.response, "failed")
        self._later.append(wanted._replace(told=True))

    async def _obstacle(self, config: TitleConfig) -> str:
        """Why nobody can make titles as things are, in a sentence; empty where somebody can."""
        if config.provider in ("", EMBEDDED):
            plan, state = self._maker(config)
            if config.model and not await asyncio.to_thread(self._is_here, config.model):
                here = await asyncio.to_thread(here_text, self._models)
                return (
                    f"The model for titles, `{config.model}`, is not on this machine. Choose another "
                    f"model for titles, or none to use the loaded model. {here}"
                ).strip()
            if plan is None or state in _OUT:
                return (
                    "No model is loaded, and none is loaded only for titles: the answers get their "
                    "titles when a model is loaded. Load one, or use another provider for titles, which "
                    "then receives the beginning of each question and its answer."
                )
            if config.model not in ("", plan.model):
                return (
                    f"The model for titles is `{config.model}`, but {plan.model} is loaded: load "
                    f"`{config.model}`, or choose another model for titles."
                )
            return ""
        try:
            await asyncio.to_thread(self._providers.check_there, config.provider)
        except ProviderNotFound:
            return f"The provider for titles, {config.provider}, does not exist. Choose another."
        if self._settings.current.air_gap:
            return f"The air gap is on, so {config.provider} cannot generate titles."
        return ""

    def _is_here(self, model: str) -> bool:
        try:
            return self._models.info(model, 0).state == "ready"
        except LocalCoderError:
            return False

    async def _create_title(self, response: Response, config: TitleConfig) -> _CreatedTitle:
        """A title.

        Raises
        ------
        TitleTimeout, TitleProviderError
        """
        asked = title_prompt.question(response.prompt, response.content)
        try:
            if config.provider in ("", EMBEDDED):
                said, model = await self._by_the_loaded_model(asked, config)
            else:
                said, model = await self._by_a_provider(asked, config)
        except (TitleTimeout, TitleProviderError):
            raise
        except Timeout:
            raise TitleTimeout from None
        except LocalCoderError as failure:
            raise TitleProviderError(failure.message, recovery=failure.recovery) from None
        title = title_prompt.title_of(said)
        if not title:
            raise _NoTitle("The model returned no title.")
        return _CreatedTitle(title, model)

    async def _by_a_provider(self, asked: str, config: TitleConfig) -> tuple[str, str]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + config.timeout_seconds
        request = queue.CallRequest(
            prompt=f"{title_prompt.SYSTEM}\n\n{asked}",
            provider=config.provider,
            model=config.model,
            max_tokens=title_prompt.MAX_TOKENS,
            timeout_ms=round(config.timeout_seconds * 1000),
            priority="low",
            private=True,
        )
        said = await self._ask_provider(request)
        if said is None:
            left_ms = round((ends_at - loop.time()) * 1000)
            if left_ms <= 0:
                raise TitleTimeout
            more = title_prompt.MAX_TOKENS + title_prompt.MAX_THOUGHT_TOKENS
            said = await self._ask_provider(
                msgspec.structs.replace(request, max_tokens=more, timeout_ms=left_ms)
            )
        if said is None:
            raise _cut()
        return said, config.model or config.provider

    async def _ask_provider(self, request: queue.CallRequest) -> str | None:
        """What a provider answers; None where it was cut off in its first line, which may be reasoning.

        Raises
        ------
        TitleTimeout
            It was cut off by the time limit.
        """
        try:
            answer = await self._ask(request)
        except NoAnswer as failure:
            if failure.details.get("reasoned"):
                return None
            raise
        if not title_prompt.is_cut(answer.text, answer.finish or "stop"):
            return answer.text
        if answer.finish == "timeout":
            raise TitleTimeout
        return None

    async def _by_the_loaded_model(self, asked: str, config: TitleConfig) -> tuple[str, str]:
        async with self._one:
            while True:
                plan = await self._quiet(config)
                said = await self._try(asked, config, plan)
                if said is not None:
                    return said, plan.model

    async def _try(self, asked: str, config: TitleConfig, plan: LoadPlan) -> str | None:
        """What the model says; None where something else was asked for meanwhile."""
        ends_at = asyncio.get_running_loop().time() + config.timeout_seconds
        said = await self._once(asked, ends_at, title_prompt.MAX_TOKENS, plan)
        if said is not None and said.pieces.reasoning.strip() and not said.pieces.text.strip():
            # Its template did not keep it from reasoning.
            more = title_prompt.MAX_TOKENS + title_prompt.MAX_THOUGHT_TOKENS
            said = await self._once(asked, ends_at, more, plan)
        elif said is not None and said.is_cut:
            said = await self._once(asked, ends_at, title_prompt.MAX_LONG_TOKENS, plan)
        if said is not None and said.is_cut:
            raise _cut()
        return None if said is None else said.pieces.text

    async def _once(self, asked: str, ends_at: float, max_tokens: int, plan: LoadPlan) -> _Said | None:
        """What the model says in so many tokens; None where something else was asked for meanwhile."""
        turns = (wire.PromptTurn("system", title_prompt.SYSTEM), wire.PromptTurn("user", asked))
        request = wire_request(
            wire.ChatPrompt(turns, thinking=False),
            self._engine.sampling(SamplingOptions(temperature=0.0)),
            max_tokens=max_tokens,
            stop=(),
            priority="background",
            fresh=False,
            scope=_SCOPE,
        )
        job = self._job = self._pool.job(plan, request, "general", named=True)
        timer = asyncio.get_running_loop().call_at(ends_at, job.cancel, "timeout")
        parts: list[str] = []
        finish = "stop"
        try:
            async with contextlib.aclosing(job.__aiter__()) as frames:
                async for frame in frames:
                    if isinstance(frame, wire.Text):
                        parts.append(frame.text)
                    elif frame.finish == "timeout":
                        raise TitleTimeout
                    elif frame.finish == "canceled":
                        return None
                    else:
                        finish = frame.finish
        except Canceled:
            return None
        finally:
            timer.cancel()
            self._job = None
        pieces = split("".join(parts))
        return _Said(pieces, title_prompt.is_cut(pieces.text, finish))

    async def _quiet(self, config: TitleConfig) -> LoadPlan:
        """Return what is loaded when nothing was asked for a moment: the model for questions, if that is.

        Raises
        ------
        _NotNow
            No model is loaded, or another one than the titles are to be made by.
        """
        while True:
            self._moved.clear()
            plan, state = self._maker(config)
            if state in _OUT or plan is None:
                raise _NotNow("No model is loaded.", recovery="Load a model: none is loaded only for titles.")
            if state in ("ready", "busy") and config.model not in ("", plan.model):
                raise _NotNow(
                    f"{config.model} is not loaded, and {plan.model} is.",
                    recovery="Load it, or choose another model for titles.",
                )
            if state != "ready":
                await self._moved.wait()
                continue
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._moved.wait(), self.quiet_seconds)
                continue
            return plan

    def _maker(self, config: TitleConfig) -> tuple[LoadPlan | None, WorkerState]:
        """What is to make them, and whether it can: while another one computes, it is busy too."""
        ones = self._pool.holding
        named = next((one for one in ones if one.plan and one.plan.model == config.model), None)
        one = named or self._pool.serving("general")
        if one.plan is not None and not self._models.catalogue.answers(one.plan.model):
            # It only completes; the other one may answer.
            others = (each for each in ones if each.plan and self._models.catalogue.answers(each.plan.model))
            other = next(others, None)
            if other is None:
                return None, "stopped"
            one = other
        working = next((each for each in ones if each.state == "busy"), one)
        return one.plan, working.state if one.state == "ready" else one.state

    def _yield_to_request(self, request: wire.GenerateFrame | None) -> None:
        """Something else is asked of the worker: it must not wait for a title."""
        if request is None or (request.scope != _SCOPE and request.priority != "warm"):
            self._give_up()

    def _on_event(self, event: registry.Event, _payload: msgspec.Struct) -> None:
        if event is registry.SETTINGS_CHANGED:
            self._again()
        if event is registry.BACKEND_STATE:
            self._moved.set()
            if any(one.state == "ready" for one in self._pool.holding):
                self._retry_untried()
            if self._job is not None and not self._pool.holds(self._job.plan):
                # It would otherwise load its own model again.
                self._give_up()

    def _retry_untried(self) -> None:
        """A model is there: those that were not tried for want of one are. Those that failed wait longer."""
        untried = [wanted for wanted in self._later if not wanted.tries]
        if untried and not self._waiting:
            self._later = collections.deque((w for w in self._later if w.tries), MAX_WAITING)
            self._waiting.extend(untried)
            self._start()

    def _give_up(self) -> None:
        self._moved.set()
        if self._job is not None:
            self._job.cancel()

    # Parts

    async def _set(
        self, id_: str, title: str, source: Literal["generated", "hand"], model: str
    ) -> ResponseInfo:
        await self._recorder.settled()
        info = await asyncio.to_thread(self._store.set_title, id_, title, source)
        self._publish_status(info, "completed", model=model)
        changed = history.HistoryChanged(
            reason="titled", response_id=id_, conversation_id=info.conversation_id
        )
        self._events.notify(registry.HISTORY_CHANGED, changed)
        return info

    def _publish_status(
        self, response: ResponseInfo, status: Literal["pending", "completed", "failed"], model: str = ""
    ) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = history.TitleStatus(
            response_id=response.id, status=status, title=response.title, time=now, model=model
        )
        self._events.notify(registry.TITLE_STATUS, told)

    async def _read_config(self) -> TitleConfig:
        # Read again each time: another server or a person may have changed it.
        await self._settings.refresh()
        return _config_of(self._settings.view())

    async def _shown(self, view: SettingsView) -> TitleConfig:
        config = _config_of(view)
        problem = await self._obstacle(config) if config.enabled else ""
        return msgspec.structs.replace(config, problem=problem)


class _Said(NamedTuple):
    pieces: Pieces
    is_cut: bool


def _cut() -> _NoTitle:
    return _NoTitle("The model used all of its tokens before it wrote a title.")


def _config_of(view: SettingsView) -> TitleConfig:
    settings = view.settings
    return TitleConfig(
        enabled=settings.titles,
        provider="" if settings.title_provider == EMBEDDED else settings.title_provider,
        model=settings.title_model,
        timeout_seconds=settings.title_timeout_seconds,
        sources={field: view.sources.get(name, "default") for field, name in _SETTINGS.items()},
    )


def _is_shutdown(failure: Exception) -> bool:
    """Whether a thread could not be started because the interpreter exits."""
    return isinstance(failure, RuntimeError) and "cannot schedule new futures" in str(failure)
