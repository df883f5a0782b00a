"""One request from its arrival to its last byte: policy, model, limits, turn, text, counts."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..errors import (
    BackendUnavailable,
    Disabled,
    LocalCoderError,
    QueueFull,
    QuotaExceeded,
    Timeout,
    UnknownError,
)
from ..providers.base import AnswerDelta, End, Fill
from . import wire
from .fair_queue import FairQueue, Rank, stopping
from .identity import Person
from .ledger import Ledger
from .metrics import Metrics
from .policies import Policies
from .upstream import Upstream, model_named
from .usage import Counts, UsageCounts

_REFUSALS = (QuotaExceeded, QueueFull, Disabled)


@dataclass(frozen=True)
class Sizes:
    """Limits of each single request."""

    default_tokens: int
    """Tokens of an answer whose request names no limit."""
    max_tokens: int
    """Tokens of an answer at most; a request for more gets these."""
    completion_tokens: int
    """Tokens up to which filling in the middle has the rank of a completion."""
    wait_seconds: float
    """Time in the queue at most."""


@dataclass
class Progress:
    """What is known of a request while it is answered."""

    asked: wire.Asked
    writer: wire.Writer
    prompt_tokens: int
    """Estimated, until the end."""
    most_prompt: int
    max_tokens: int
    chars: int = 0
    began: bool = False
    """Whether it was sent to the model server."""
    free: bool = False
    """Whether the model server failed before it wrote anything, which costs nobody anything."""
    end: End | None = None

    @property
    def prompt_count(self) -> int:
        """Tokens of the prompt, as reported if that can be true."""
        if self.free:
            return 0
        reported = self.end.usage.prompt_tokens if self.end else None
        return wire.believable(reported, 0, self.most_prompt, self.prompt_tokens)

    @property
    def completion_count(self) -> int:
        """Tokens of the answer so far, as reported if that can be true."""
        reported = self.end.usage.completion_tokens if self.end else None
        return wire.believable(reported, self.chars, self.max_tokens, wire.estimate_text(self.chars))


class Requests:
    """Answers the requests of all users.

    Parameters
    ----------
    queue
        Decides whose turn it is.
    log
        Gets codes and names of users, and no text.
    """

    def __init__(
        self,
        upstream: Upstream,
        queue: FairQueue,
        ledger: Ledger,
        usage: UsageCounts,
        metrics: Metrics,
        policies: Policies,
        sizes: Sizes,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._upstream = upstream
        self.queue = queue
        self._ledger = ledger
        self._usage = usage
        self._metrics = metrics
        self._policies = policies
        self._sizes = sizes
        self._log = log
        self._open: set[asyncio.Task[Any]] = set()
        self._stopping = False

    async def models(self) -> Mapping[str, Any]:
        """The list of models, in OpenAI's format."""
        names = await self._upstream.models()
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "hub"} for name in names]
        return {"object": "list", "data": models}

    async def whole(self, person: Person, asked: wire.Asked, *, background: bool) -> Mapping[str, Any]:
        """Answer a request with one document.

        Raises
        ------
        LocalCoderError
            It was refused, or failed.
        """
        texts: list[str] = []
        thoughts: list[str] = []
        async with contextlib.aclosing(self._answer(person, asked, background=background)) as steps:
            async for progress, delta in steps:
                if delta is not None:
                    texts.append(delta.text)
                    thoughts.append(delta.reasoning)
                elif (end := progress.end) is not None:
                    text = "".join(texts)
                    reasoning = "".join(thoughts) + text[: end.moved]
                    return progress.writer.whole(
                        text[end.moved :], reasoning, end, progress.prompt_count, progress.completion_count
                    )
        raise UnknownError

    async def events(
        self, person: Person, asked: wire.Asked, *, background: bool
    ) -> AsyncGenerator[bytes, None]:
        """Answer a request with events. A failure after the first one is the last event.

        Raises
        ------
        LocalCoderError
            It was refused, or failed before the first piece.
        """
        began = False
        try:
            async with contextlib.aclosing(self._answer(person, asked, background=background)) as steps:
                async for progress, delta in steps:
                    began = True
                    if delta is not None:
                        yield progress.writer.piece(delta.text, delta.reasoning)
                    elif (end := progress.end) is not None:
                        yield progress.writer.end(end)
                        if asked.usage_wanted:
                            yield progress.writer.usage(
                                progress.prompt_count, progress.completion_count, end.usage.cached_tokens
                            )
        except LocalCoderError as failure:
            if not began:
                raise
            yield wire.event(wire.error_document(failure))
            return
        yield wire.DONE

    async def drain(self, seconds: float) -> None:
        """Refuse what comes and what waits; let what runs end, or cancel it after some time."""
        self._stopping = True
        self.queue.close()
        open_ = set(self._open)
        if open_:
            _, late = await asyncio.wait(open_, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=5.0)

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count the running task among those that `drain` waits for."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._open.add(task)
        try:
            yield
        finally:
            self._open.discard(task)

    @property
    def is_stopping(self) -> bool:
        """Whether the service is about to end."""
        return self._stopping

    async def _answer(
        self, person: Person, asked: wire.Asked, *, background: bool
    ) -> AsyncGenerator[tuple[Progress, AnswerDelta | None], None]:
        """Pieces of the answer, then None at its end."""
        rank = Rank.BACKGROUND if background else Rank.COMMAND
        model, outcome = "", "canceled"
        progress: Progress | None = None
        try:
            if self._stopping:
                raise stopping()
            policy = await asyncio.to_thread(self._policies.require, person)
            model = await model_named(self._upstream, asked.model, policy.models)
            progress = self._progress(asked, model)
            rank = self._rank(asked, progress.max_tokens, background=background)
            async with contextlib.aclosing(self._generate(person, progress, rank, model)) as deltas:
                async for delta in deltas:
                    yield progress, delta
            outcome = "ok"
            yield progress, None
        except LocalCoderError as failure:
            outcome = failure.code
            self._log.info("%s: %s (%s)", person.key, failure.code, rank.name.lower())
            raise
        finally:
            self._count(person, model, rank, outcome, progress)

    def _progress(self, asked: wire.Asked, model: str) -> Progress:
        input_ = asked.input()
        wanted = asked.limit or self._sizes.default_tokens
        return Progress(
            asked=asked,
            writer=wire.Writer(
                f"localcoder-{secrets.token_hex(12)}", model, chat=isinstance(asked, wire.ChatAsked)
            ),
            prompt_tokens=wire.estimate(input_),
            most_prompt=wire.most_tokens(input_),
            max_tokens=min(wanted, self._sizes.max_tokens),
        )

    def _rank(self, asked: wire.Asked, max_tokens: int, *, background: bool) -> Rank:
        """The rank of a request. A header can only lower it; a long completion is a command."""
        if background:
            return Rank.BACKGROUND
        fills = isinstance(asked.input(), Fill) and max_tokens <= self._sizes.completion_tokens
        return Rank.COMPLETION if fills else Rank.COMMAND

    async def _generate(
        self, person: Person, progress: Progress, rank: Rank, model: str
    ) -> AsyncGenerator[AnswerDelta, None]:
        cost = progress.prompt_tokens + progress.max_tokens
        reservation = self._ledger.reserve(person, cost)
        used = 0
        label = rank.name.lower()
        try:
            came = time.monotonic()
            async with self.queue.place(person.key, rank, cost, self._sizes.wait_seconds) as turn:
                turn.used = 0
                began = time.monotonic()
                self._metrics.waited.labels(label).observe(began - came)
                progress.began = True
                background = rank is Rank.BACKGROUND
                request = progress.asked.request(model, progress.max_tokens, background=background)
                try:
                    stream = self._upstream.stream(request, _scope(person, progress.asked))
                    async with contextlib.aclosing(stream) as frames:
                        async for frame in frames:
                            if isinstance(frame, End):
                                progress.end = frame
                                continue
                            if not progress.chars:
                                self._metrics.first.labels(label).observe(time.monotonic() - began)
                            progress.chars += len(frame.text) + len(frame.reasoning)
                            yield frame
                except LocalCoderError:
                    progress.free = not progress.chars
                    raise
                finally:
                    used = turn.used = progress.prompt_count + progress.completion_count
                    self._metrics.lasted.labels(label).observe(time.monotonic() - began)
                _check_end(progress)
        finally:
            reservation.close(used)

    def _count(self, person: Person, model: str, rank: Rank, outcome: str, progress: Progress | None) -> None:
        self._metrics.requests.labels(rank.name.lower(), outcome).inc()
        refused = outcome in {kind.code for kind in _REFUSALS}
        counts = Counts(refused=1) if refused else Counts(failed=0 if outcome in ("ok", "canceled") else 1)
        if progress is not None and progress.began:
            counts = Counts(
                requests=1,
                failed=counts.failed,
                prompt_tokens=progress.prompt_count,
                completion_tokens=progress.completion_count,
            )
            self._metrics.tokens.labels(model, "prompt").inc(counts.prompt_tokens)
            self._metrics.tokens.labels(model, "completion").inc(counts.completion_tokens)
        if counts != Counts():
            self._usage.add((person.key, *(f"group:{name}" for name in person.groups)), model, counts)


def _check_end(progress: Progress) -> None:
    """Raise for an answer without an end."""
    if progress.end is None:
        raise BackendUnavailable("The model server ended the answer without saying that it is complete.")
    if progress.end.reason == "timeout":
        raise Timeout("The answer took too long, and was ended.")


def _scope(person: Person, asked: wire.Asked) -> str:
    """The scope of a request; a key of one user never meets that of another."""
    key = hashlib.sha256((asked.prompt_cache_key or "").encode()).hexdigest()[:16]
    return f"{person.key} {key}"
