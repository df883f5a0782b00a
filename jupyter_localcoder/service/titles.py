"""``title:*``: a few words over each answer, made when nobody wants anything else.

A title is made by the model that is loaded, when nothing else is asked of it, and given up the moment
something is: it is tried again when that has ended. No model is loaded for a title. Whatever fails is silent,
and the name of the model stands in, as it does from the beginning.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple

import msgspec

from .. import title_words
from ..contract import history, queue, registry, wire
from ..contract.backend import WorkerState
from ..contract.common import SamplingOptions
from ..contract.history import Response, ResponseInfo, TitleConfig
from ..contract.providers import EMBEDDED
from ..errors import (
    Canceled,
    FileReadError,
    LocalCoderError,
    NoAnswer,
    ProviderNotFound,
    ResponseNotFound,
    SourceFileNotFound,
    Timeout,
    TitleConfigInvalid,
    TitleProviderError,
    TitleResponseNotFound,
    TitleTimeout,
)
from ..events import EventHub
from ..history.title_file import TitleFile
from ..reasoning import Pieces, split
from ..supervisor import Job, LoadPlan
from .engine import Engine, cache_scope, wire_request
from .history import title_by_hand
from .pool import WorkerPool
from .recorder import Recorder

MAX_WAITING = 100
"""So many answers may wait for a title; the oldest ones keep the name of their model."""
TIMEOUT_SECONDS = (10.0, 120.0)
QUIET_SECONDS = 0.4
"""Nothing is asked of the model for so long before it is asked for a title: requests come in bursts."""

_SCOPE = cache_scope("title")

Ask = Callable[[queue.CallRequest], Coroutine[Any, Any, queue.QueueAnswer]]


class _Made(NamedTuple):
    title: str
    model: str


class Titles:
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
        recorder: Recorder,
        pool: WorkerPool,
        engine: Engine,
        events: EventHub,
        ask: Ask,
        log: logging.Logger | logging.LoggerAdapter[Any],
        *,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._recorder = recorder
        self._store = recorder.store
        self._file = TitleFile(recorder.store.root / "titles.json", log.warning)
        self._pool = pool
        self._engine = engine
        self._events = events
        self._ask = ask
        self._log = log
        self._quiet_seconds = quiet_seconds
        self._waiting: collections.deque[Response] = collections.deque()
        self._worker: asyncio.Task[None] | None = None
        self._one = asyncio.Lock()
        self._job: Job | None = None
        self._moved = asyncio.Event()
        self.check_provider: Callable[[str], None] = lambda _: None
        """Raises `ProviderNotFound` where there is no provider of this id. May block."""
        self._leave = events.listen(self._heard)
        pool.on_demand = self._make_way
        recorder.on_kept = self._kept

    # Operations

    async def title_config_get(self, _request: history.TitleConfigGetRequest) -> TitleConfig:
        """How titles are made."""
        return await self._read_config()

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
        if "provider" in given:
            try:
                await asyncio.to_thread(self.check_provider, given["provider"] or EMBEDDED)
            except ProviderNotFound as failure:
                raise TitleConfigInvalid(
                    failure.message, recovery=failure.recovery, field="provider"
                ) from None
        return await asyncio.to_thread(
            self._file.change, lambda config: msgspec.structs.replace(config, **given)
        )

    def forget_provider(self, id_: str) -> bool:
        """Let the embedded engine make the titles if this provider was to; answers whether. Blocks.

        Raises
        ------
        FileWriteError, DiskFull
        """
        if self._file.read().provider != id_:
            return False
        # The model is one of that provider's.
        self._file.change(
            lambda config: (
                msgspec.structs.replace(config, provider="", model="") if config.provider == id_ else config
            )
        )
        return True

    async def title_generate(self, request: history.ResponseRequest) -> ResponseInfo:
        """Make one for a person who waits for it."""
        config = await self._read_config()
        try:
            await self._recorder.settled()
            response = await asyncio.to_thread(self._store.get, request.id)
        except (ResponseNotFound, SourceFileNotFound, FileReadError) as failure:
            raise TitleResponseNotFound(failure.message) from None
        self._tell(response, "pending")
        try:
            made = await asyncio.wait_for(self._make(response, config), config.timeout_seconds)
            return await self._set(response.id, made.title, "generated", made.model)
        except BaseException as failure:
            self._tell(response, "failed", model=response.model)
            if isinstance(failure, asyncio.TimeoutError):
                raise TitleTimeout from None
            raise

    async def title_set(self, request: history.TitleSetRequest) -> ResponseInfo:
        """Take one that a person wrote."""
        return await self._set(request.id, title_by_hand(request.title), "hand", "")

    async def close(self) -> None:
        """Give up what is being made."""
        self._leave()
        self._recorder.on_kept = lambda _: None  # what is kept from now on stays without
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])

    # Behind the answers

    def _kept(self, response: Response) -> None:
        """An answer is there that has no title. The turns of a conversation share the one of the first."""
        if response.parent_id:
            return
        if len(self._waiting) == MAX_WAITING:
            self._tell(self._waiting.popleft(), "failed")
        self._waiting.append(response)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        while self._waiting:
            response = self._waiting.popleft()
            config = await self._read_config()
            if not config.enabled:
                continue
            self._tell(response, "pending")
            try:
                made = await self._make(response, config)
                info = await asyncio.to_thread(self._store.get, response.id)
                if info.title_source == "model":  # a person may have been quicker
                    await self._set(response.id, made.title, "generated", made.model)
            except LocalCoderError as failure:
                self._log.info("No title for %s: %s", response.id, failure)
                self._tell(response, "failed")
            except Exception:
                self._log.exception("No title for %s", response.id)
                self._tell(response, "failed")

    async def _make(self, response: Response, config: TitleConfig) -> _Made:
        """A title.

        Raises
        ------
        TitleTimeout, TitleProviderError
        """
        asked = title_words.question(response.prompt, response.content)
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
        title = title_words.title_of(said)
        if not title:
            raise TitleProviderError("The model answered no title.")
        return _Made(title, model)

    async def _by_a_provider(self, asked: str, config: TitleConfig) -> tuple[str, str]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + config.timeout_seconds
        request = queue.CallRequest(
            prompt=f"{title_words.SYSTEM}\n\n{asked}",
            provider=config.provider,
            model=config.model,
            max_tokens=title_words.MAX_TOKENS,
            timeout_ms=round(config.timeout_seconds * 1000),
            priority="low",
            private=True,
        )
        said = await self._asked(request)
        if said is None:
            left_ms = round((ends_at - loop.time()) * 1000)
            if left_ms <= 0:
                raise TitleTimeout
            more = title_words.MAX_TOKENS + title_words.MAX_THOUGHT_TOKENS
            said = await self._asked(msgspec.structs.replace(request, max_tokens=more, timeout_ms=left_ms))
        if said is None:
            raise TitleProviderError("The model used up all of its tokens before it wrote a title.")
        return said, config.model or config.provider

    async def _asked(self, request: queue.CallRequest) -> str | None:
        """What a provider answers; None where it was cut off in its first line, which may be reasoning."""
        try:
            answer = await self._ask(request)
        except NoAnswer as failure:
            if failure.details.get("reasoned"):
                return None
            raise
        begun = answer.text.strip()
        return None if answer.finish == "length" and "\n" not in begun else answer.text

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
        said = await self._once(asked, ends_at, title_words.MAX_TOKENS, plan)
        if said is not None and said.reasoning.strip() and not said.text.strip():
            # Its template did not keep it from reasoning.
            more = title_words.MAX_TOKENS + title_words.MAX_THOUGHT_TOKENS
            said = await self._once(asked, ends_at, more, plan)
        return None if said is None else said.text

    async def _once(self, asked: str, ends_at: float, max_tokens: int, plan: LoadPlan) -> Pieces | None:
        """What the model says in so many tokens; None where something else was asked for meanwhile."""
        turns = (wire.Turn("system", title_words.SYSTEM), wire.Turn("user", asked))
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
        try:
            async with contextlib.aclosing(job.__aiter__()) as frames:
                async for frame in frames:
                    if isinstance(frame, wire.Text):
                        parts.append(frame.text)
                    elif frame.finish == "timeout":
                        raise TitleTimeout
                    elif frame.finish == "canceled":
                        return None
        except Canceled:
            return None
        finally:
            timer.cancel()
            self._job = None
        return split("".join(parts))

    async def _quiet(self, config: TitleConfig) -> LoadPlan:
        """Return what is loaded when nothing was asked for a moment: the model for questions, if that is.

        Raises
        ------
        TitleProviderError
            No model is loaded, or another one than the titles are to be made by.
        """
        while True:
            self._moved.clear()
            plan, state = self._maker(config)
            if state in ("stopped", "unloading", "failed", "backoff") or plan is None:
                raise TitleProviderError(
                    "No model is loaded.", recovery="Load one: none is loaded for a title alone."
                )
            if state in ("ready", "busy") and config.model not in ("", plan.model):
                raise TitleProviderError(
                    f"{config.model} is not loaded, and {plan.model} is.",
                    recovery="Load it, or choose another model for the titles.",
                )
            if state != "ready":
                await self._moved.wait()
                continue
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._moved.wait(), self._quiet_seconds)
                continue
            return plan

    def _maker(self, config: TitleConfig) -> tuple[LoadPlan | None, WorkerState]:
        """What is to make them, and whether it can: while another one computes, it is busy too."""
        ones = self._pool.holding
        named = next((one for one in ones if one.plan and one.plan.model == config.model), None)
        one = named or self._pool.serving("general")
        working = next((each for each in ones if each.state == "busy"), one)
        return one.plan, working.state if one.state == "ready" else one.state

    def _make_way(self, request: wire.Generate | None) -> None:
        """Something else is asked of the worker: it must not wait for a title."""
        if request is None or (request.scope != _SCOPE and request.priority != "warm"):
            self._give_up()

    def _heard(self, event: registry.Event, _payload: msgspec.Struct) -> None:
        if event is registry.BACKEND_STATE:
            self._moved.set()
            if self._job is not None and not self._pool.holds(self._job.plan):
                # It would otherwise load its own model again.
                self._give_up()

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
        self._tell(info, "completed", model=model)
        changed = history.HistoryChanged(
            reason="titled", response_id=id_, conversation_id=info.conversation_id
        )
        self._events.tell(registry.HISTORY_CHANGED, changed)
        return info

    def _tell(
        self, response: ResponseInfo, status: Literal["pending", "completed", "failed"], model: str = ""
    ) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = history.TitleStatus(
            response_id=response.id, status=status, title=response.title, time=now, model=model
        )
        self._events.tell(registry.TITLE_STATUS, told)

    async def _read_config(self) -> TitleConfig:
        # Read again each time: another server or a person may have changed it.
        return await asyncio.to_thread(self._file.read)
