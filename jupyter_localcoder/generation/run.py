"""A run: one request for text from its start to its end, whoever asked for it and over whatever transport.

Each run has an id, by which it is cancelled, and ends exactly once: with `Done`, or with an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Literal, Protocol

from ..contract import wire
from ..contract.common import ModelStamp, Sampling, Timings, Usage
from ..contract.generation import Confidence, Delta, Done, Doubt, Finish, Started
from ..engine.job import EndReason
from ..engine.load_plan import LoadPlan
from ..errors import Canceled, NoAnswer, Timeout
from ..text.digest import text_digest
from ..text.reasoning import AnswerParts, Pieces, bounded

RunFrame = Started | Delta | Done


def now() -> str:
    """The time for a frame, ISO 8601 in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


class FrameSource(Protocol):
    """A request in the hands of the supervisor; see `supervisor.WorkerJob`."""

    @property
    def plan(self) -> LoadPlan:
        """What answers."""

    def cancel(self, reason: EndReason = "canceled") -> None:
        """End it."""

    def __aiter__(self) -> AsyncGenerator[wire.Text | wire.Finished, None]:
        """Its frames."""


@dataclass(frozen=True)
class Ready:
    """What a run needs before it can begin: made in its own time, since it may take a while."""

    job: FrameSource
    sampling: Sampling


class OutputGate(Protocol):
    """Decides what of an answer is shown, and when."""

    @property
    def withheld(self) -> Doubt:
        """Why nothing is shown."""

    @property
    def doubt(self) -> Doubt:
        """What speaks against what is shown."""

    @property
    def ended(self) -> bool:
        """Whether the rest of the answer is not wanted."""

    @property
    def slow(self) -> bool:
        """Whether it reads so much around the answer that the event loop is not the place for it."""

    def take(self, text: str, log_probability: float | None = None) -> str:
        """Take the next piece of the answer, and return what may be shown now."""

    def finish(self, finish: Finish, log_probability: float | None = None) -> str:
        """Return what is left when the answer has ended."""


class AnyRun(Protocol):
    """A request for text, whoever answers it; iterate over it once for its frames."""

    @property
    def id(self) -> str:
        """By which it is cancelled."""

    @property
    def kind(self) -> str:
        """What asked."""

    @property
    def about(self) -> About | None:
        """What people know it by; None: it is not listed."""

    @property
    def segments(self) -> tuple[wire.Segment, ...]:
        """What the model has read, once the run is done, where that is reported."""

    def cancel(self, reason: EndReason = "canceled") -> None:
        """End it: what came so far is kept, in a `Done` that says why."""

    def __aiter__(self) -> AsyncGenerator[RunFrame, None]:
        """Its frames: `Started`, any number of `Delta`, then `Done` or an error."""


@dataclass(frozen=True)
class About:
    """What a person knows a run by: one that has it is listed."""

    kind: Literal["generate", "chat"]
    command: str
    provider: str
    """Who answers."""
    notebook: str
    cell: str
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


class OpenGate:
    """Shows everything at once."""

    withheld: Doubt = ""
    doubt: Doubt = ""
    ended = False
    slow = False

    def take(self, text: str, log_probability: float | None = None) -> str:
        """Return it."""
        return text

    def finish(self, finish: Finish, log_probability: float | None = None) -> str:
        """Nothing was held back."""
        return ""


async def passed(gate: OutputGate, step: Callable[[], str]) -> str:
    """What a gate lets through; in a thread where it reads much."""
    return await asyncio.to_thread(step) if gate.slow else step()


class Run:
    """One request for text; iterate over it once for its frames.

    Parameters
    ----------
    prepare
        Finds the model and makes the job; it may raise.
    timeout_ms
        After so many milliseconds the run ends: with what it has, or with `Timeout` where its model was
        not ready yet.
    gate
        What the answer passes through; default: all of it is shown.
    reasoning_chars
        So much of the reasoning before the answer is kept; None: what is written is code and no answer, so
        there is none.
    mild
        Where it would end with `Timeout`, it ends with a `Done` that says so, which is no failure.
    """

    def __init__(
        self,
        kind: str,
        prepare: Callable[[], Awaitable[Ready]],
        timeout_ms: int | None = None,
        gate: OutputGate | None = None,
        reasoning_chars: int | None = None,
        *,
        mild: bool = False,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.kind = kind
        self.about: About | None = None
        self.segments: tuple[wire.Segment, ...] = ()
        """What the model has read, once the run is done, where the request asked for a report."""
        self._mild = mild
        self._preparing: asyncio.Future[Ready] | None = None
        self._gate: OutputGate = gate or OpenGate()
        self._prepare = prepare
        self._timeout_ms = timeout_ms
        self._reasoning_chars = reasoning_chars
        self._job: FrameSource | None = None
        self.ended: EndReason | None = None

    def cancel(self, reason: EndReason = "canceled") -> None:
        """End it: what came so far is kept, in a `Done` that says why."""
        self.ended = self.ended or reason
        if self._job is not None:
            self._job.cancel(reason)
        elif self._preparing is not None:
            self._preparing.cancel()

    async def __aiter__(self) -> AsyncGenerator[RunFrame, None]:
        start = time.monotonic()
        timer = self._start_timer()
        written = Written(self._reasoning_chars)
        try:
            yield Started(run=self.id, started_at=now())
            ready = await self._wait_until_prepared()
            async with contextlib.aclosing(ready.job.__aiter__()) as frames:
                async for frame in frames:
                    text = await self._through_gate(ready.job, frame)
                    tokens = frame.tokens if isinstance(frame, wire.Text) else 0
                    for piece in written.add(text, tokens, final=isinstance(frame, wire.Finished)):
                        yield Delta(run=self.id, text=piece.text, reasoning=piece.reasoning)
                    if isinstance(frame, wire.Finished):
                        yield self._done(ready, written, frame, (time.monotonic() - start) * 1000)
        except Timeout:
            if not self._mild:
                raise
            yield self._timed_out(written, (time.monotonic() - start) * 1000)
        finally:
            if timer is not None:
                timer.cancel()

    async def _wait_until_prepared(self) -> Ready:
        """Prepare it. It may take a while, in which the run can be cancelled."""
        self._check_ended()
        self._preparing = preparing = asyncio.ensure_future(self._prepare())
        try:
            await asyncio.wait([preparing])
        finally:
            self._preparing = None
            preparing.cancel()
        if self.ended is not None and not preparing.cancelled():
            preparing.exception()  # Seen; it was ended before.
        self._check_ended()
        ready = preparing.result()
        self._job = ready.job
        return ready

    async def _through_gate(self, job: FrameSource, frame: wire.Text | wire.Finished) -> str:
        """What of the answer is shown now; what is not wanted any more is not computed either."""
        gate = self._gate
        if isinstance(frame, wire.Finished):
            return await passed(gate, partial(gate.finish, frame.finish, frame.log_probability))
        text = await passed(gate, partial(gate.take, frame.text, frame.log_probability))
        if gate.ended:
            job.cancel()
        return text

    def _start_timer(self) -> asyncio.TimerHandle | None:
        if self._timeout_ms is None:
            return None
        return asyncio.get_running_loop().call_later(self._timeout_ms / 1000, self.cancel, "timeout")

    def _check_ended(self) -> None:
        if self.ended == "timeout":
            raise Timeout
        if self.ended is not None:
            raise Canceled

    def _timed_out(self, written: Written, total_ms: float) -> Done:
        """The end of a run whose time was over before its model had begun, or had ended."""
        plan = self._job.plan if self._job is not None else None
        return Done(
            run=self.id,
            text=written.text,
            reasoning=written.reasoning,
            finish="timeout",
            usage=Usage(prompt_tokens=None, cached_tokens=None, completion_tokens=None),
            timings=Timings(
                queue_ms=total_ms, prefill_ms=0.0, decode_ms=0.0, total_ms=total_ms,
                prefill_tokens_per_second=0.0, decode_tokens_per_second=0.0,
            ),
            model=ModelStamp(
                id=plan.model if plan else "",
                digest=plan.digest if plan else "",
                quantization=plan.quantization if plan else "",
            ),
            sampling=None,
            prompt_sha256="",
            text_sha256=text_digest(written.text),
        )  # fmt: skip

    def _done(self, ready: Ready, written: Written, end: wire.Finished, total_ms: float) -> Done:
        plan, gate = ready.job.plan, self._gate
        written.check_answered(end.finish)
        self.segments = end.segments
        computed = end.prompt_tokens - end.cached_tokens
        # The first token comes out of the prefill; the others take the time of decoding.
        decoded = max(0, end.completion_tokens - 1)
        return Done(
            run=self.id,
            text=written.text,
            reasoning=written.reasoning,
            # It was not the caller who ended it.
            finish="stop" if gate.ended and self.ended is None else end.finish,
            usage=Usage(
                prompt_tokens=end.prompt_tokens,
                cached_tokens=end.cached_tokens,
                completion_tokens=end.completion_tokens,
                reasoning_tokens=written.reasoning_tokens,
                left_out_tokens=end.left_out_tokens,
            ),
            timings=Timings(
                queue_ms=max(0.0, total_ms - end.prefill_ms - end.decode_ms),
                prefill_ms=end.prefill_ms,
                decode_ms=end.decode_ms,
                total_ms=total_ms,
                prefill_tokens_per_second=rate(computed, end.prefill_ms),
                decode_tokens_per_second=rate(decoded, end.decode_ms),
            ),
            model=ModelStamp(id=plan.model, digest=plan.digest, quantization=plan.quantization),
            sampling=ready.sampling,
            prompt_sha256=end.prompt_sha256,
            text_sha256=text_digest(written.text),
            confidence=_confidence(end),
            withheld=gate.withheld,
            doubt=gate.doubt,
            left_out_turns=end.left_out_turns,
        )


class Written:
    """What a run has written so far: answer and reasoning.

    Parameters
    ----------
    reasoning_chars
        As for `Run`.
    """

    def __init__(self, reasoning_chars: int | None) -> None:
        self._limit = reasoning_chars
        self._parts = AnswerParts()
        self._plain: list[str] = []
        self._reasoned = 0

    def add(self, text: str, tokens: int, *, final: bool = False) -> list[Pieces]:
        """Take the next text, written with so many tokens in all; what of it can be shown."""
        if self._limit is None:
            self._plain.append(text)
            return [Pieces(text)] if text else []
        pieces = [self._parts.feed(text), self._parts.finish()] if final else [self._parts.feed(text)]
        if pieces[0].reasoning and tokens:
            self._reasoned = tokens
        return [piece for piece in pieces if piece.text or piece.reasoning]

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(self._plain) if self._limit is None else self._parts.text

    @property
    def reasoning(self) -> str:
        """What is kept of the reasoning."""
        return bounded(self._parts.reasoning, self._limit or 0)

    @property
    def reasoning_tokens(self) -> int | None:
        """How many tokens it took, its marks included; None where there was none."""
        return self._reasoned or None

    def check_answered(self, finish: Finish) -> None:
        """Make sure that there is an answer, where the model has ended by itself or at its limit.

        Raises
        ------
        NoAnswer
            There is reasoning, and nothing else.
        """
        if self.text.strip() or not self._parts.reasoning.strip() or finish not in ("stop", "length"):
            return
        if finish == "length":
            raise NoAnswer(
                "The model used all of its tokens for reasoning, before its answer began.",
                recovery="Allow a longer answer (`max_tokens`), or use a model that reasons less.",
                reasoned=True,
            )
        raise NoAnswer("The model reasoned, and finished without an answer.", reasoned=True)


def _confidence(end: wire.Finished) -> Confidence | None:
    if end.log_probability is None or end.first_token_margin is None:
        return None
    return Confidence(log_probability=end.log_probability, first_token_margin=end.first_token_margin)


def rate(tokens: int, milliseconds: float) -> float:
    """Tokens a second; 0 where there is nothing to tell it from."""
    return tokens / milliseconds * 1000 if tokens > 0 and milliseconds > 0 else 0.0
