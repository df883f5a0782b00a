"""A run that another provider than the embedded one answers: the same frames, from a server somewhere."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import time
from collections.abc import AsyncGenerator
from functools import partial

from ..contract import wire
from ..contract.common import ModelStamp, Timings, Usage
from ..contract.generation import Delta, Done, Finish, Started
from ..engine.job import EndReason
from ..errors import Canceled, ConnectionFailed, Timeout, TokenLimitExceeded
from ..providers import base
from ..providers.choice import ChosenProvider
from ..text.digest import text_digest
from ..text.reasoning import bounded
from .run import About, OpenGate, OutputGate, RunFrame, now, passed, rate


class ProviderRun:
    """One request for text; implements `run.AnyRun`.

    A conversation that is too long for the provider's model is sent again without its oldest turns: half of
    them, then half of the rest. Its server counts the tokens, so it alone can say that they are too many; a
    request that it refuses for that has cost nothing.

    Parameters
    ----------
    prompt
        What is sent; of a chat's turns those that it says may be left out.
    request
        How it is to be answered; its input is made here.
    gate
        What the answer passes through; default: all of it is shown.
    reasoning_chars
        So much of the reasoning before the answer is kept; None: it is not even shown.
    ends_at
        By the clock of the event loop, the moment at which it ends with what it has, which is no failure.
        The provider's own time limit then ends it in the same way. None: the request's alone counts.
    """

    def __init__(
        self,
        kind: str,
        chosen: ChosenProvider,
        prompt: wire.ChatPrompt | base.Fill,
        request: base.ProviderRequest,
        gate: OutputGate | None = None,
        reasoning_chars: int | None = None,
        *,
        ends_at: float | None = None,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.kind = kind
        self.about: About | None = None
        self.segments: tuple[wire.Segment, ...] = ()
        self._chosen = chosen
        self._prompt = prompt
        self._request = request
        self._gate: OutputGate = gate or OpenGate()
        self._reasoning_chars = reasoning_chars
        self._ends_at = ends_at
        self._pull: asyncio.Future[base.AnswerDelta | base.End] | None = None
        self.ended: EndReason | None = None

    def cancel(self, reason: EndReason = "canceled") -> None:
        """End it: what came so far is kept, in a `Done` that says why."""
        self.ended = self.ended or reason
        if self._pull is not None:
            self._pull.cancel()

    async def __aiter__(self) -> AsyncGenerator[RunFrame, None]:
        timer = self._start_timer()
        try:
            yield Started(run=self.id, provider=self._chosen.id, started_at=now())
            async with contextlib.aclosing(self._answered()) as frames:
                async for frame in frames:
                    yield frame
        finally:
            if timer is not None:
                timer.cancel()

    def _start_timer(self) -> asyncio.TimerHandle | None:
        if self._ends_at is None:
            return None
        return asyncio.get_running_loop().call_at(self._ends_at, self.cancel, "timeout")

    async def _answered(self) -> AsyncGenerator[Delta | Done, None]:
        start = time.monotonic()
        earlier = self._prompt.earlier_turns if isinstance(self._prompt, wire.ChatPrompt) else 0
        left_out = 0
        while True:
            pieces = _Pieces(start)
            try:
                if self.ended is not None:
                    raise Timeout if self.ended == "timeout" else Canceled
                asked = _input(self._prompt, left_out)
                self.segments = _segments(asked)
                async with contextlib.aclosing(self._frames(asked)) as frames:
                    async for frame in frames:
                        thought = frame.reasoning if isinstance(frame, base.AnswerDelta) else ""
                        text = pieces.add(await self._through_gate(frame), thought)
                        if text or (thought and self._reasoning_chars is not None):
                            yield Delta(run=self.id, text=text, reasoning=thought)
                        if not isinstance(frame, base.AnswerDelta) or self._gate.ended:
                            end = frame if isinstance(frame, base.End) else None
                            yield self._done(pieces, end, left_out)
                            return
                raise ConnectionFailed("The provider closed the connection before the answer was complete.")
            except Timeout:
                if self._ends_at is None:
                    raise
                self.ended = "timeout"
                yield self._done(pieces, None, left_out)
                return
            except TokenLimitExceeded:
                if pieces.began or left_out >= earlier:
                    raise
                left_out += (earlier - left_out + 1) // 2

    async def _through_gate(self, frame: base.AnswerDelta | base.End | None) -> str:
        """What of the answer is shown now."""
        gate = self._gate
        if isinstance(frame, base.AnswerDelta):
            return await passed(gate, partial(gate.take, frame.text))
        return await passed(gate, partial(gate.finish, _finish(frame, self.ended)))

    async def _frames(
        self, asked: base.Messages | base.Fill
    ) -> AsyncGenerator[base.AnswerDelta | base.End | None, None]:
        """The provider's frames; None as the last one where the run was cancelled."""
        request = dataclasses.replace(self._request, input=asked)
        async with contextlib.aclosing(self._chosen.provider.stream(request)) as frames:
            # The run may be cancelled while the caller holds a frame, and nothing is pulled.
            while not self._is_ended():
                # A task of its own, which can be cancelled without the caller's.
                pull = self._pull = asyncio.ensure_future(frames.__anext__())
                try:
                    await asyncio.wait({pull})
                finally:
                    self._pull = None
                    if not pull.done():
                        pull.cancel()
                        await asyncio.wait({pull})
                if self._is_ended() and (pull.cancelled() or pull.exception() is not None):
                    break
                try:
                    yield pull.result()
                except StopAsyncIteration:
                    return
            yield None

    def _is_ended(self) -> bool:
        """Whether it was cancelled. It may be during any ``await``, which a type checker does not see."""
        return self.ended is not None

    def _done(self, pieces: _Pieces, end: base.End | None, left_out: int) -> Done:
        usage = end.usage if end is not None else base.ReportedUsage()
        moved = end.moved if end is not None else 0
        text = pieces.text[moved:]
        thoughts = "" if end is not None and end.taken_back else pieces.reasoning
        now = time.monotonic()
        first = pieces.first_at or now
        prefill_ms, decode_ms = (first - pieces.start) * 1000, (now - first) * 1000
        read = (usage.prompt_tokens or 0) - (usage.cached_tokens or 0)
        return Done(
            run=self.id,
            text=text,
            reasoning=bounded(pieces.text[:moved] + thoughts, self._reasoning_chars or 0),
            # It was not the caller who ended it.
            finish="stop" if self._gate.ended and self.ended is None else _finish(end, self.ended),
            usage=Usage(
                prompt_tokens=usage.prompt_tokens,
                cached_tokens=usage.cached_tokens,
                completion_tokens=usage.completion_tokens,
                reasoning_tokens=usage.reasoning_tokens,
            ),
            timings=Timings(
                queue_ms=0.0,
                prefill_ms=prefill_ms,
                decode_ms=decode_ms,
                total_ms=(now - pieces.start) * 1000,
                prefill_tokens_per_second=rate(read, prefill_ms),
                decode_tokens_per_second=rate(max(0, (usage.completion_tokens or 0) - 1), decode_ms),
            ),
            model=ModelStamp(
                id=(end.model if end is not None else "")
                or self._request.model
                or self._chosen.model
                or self._chosen.id,
                digest="",
                quantization="",
            ),
            sampling=None,
            prompt_sha256="",
            text_sha256=text_digest(text),
            provider=self._chosen.id,
            cost_usd=end.cost_usd if end is not None else None,
            withheld=self._gate.withheld,
            doubt=self._gate.doubt,
            left_out_turns=left_out,
        )


class _Pieces:
    """What came so far, and when it began to come."""

    def __init__(self, start: float) -> None:
        self.start = start
        self.first_at: float | None = None
        self._parts: list[str] = []
        self._thoughts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def reasoning(self) -> str:
        return "".join(self._thoughts)

    @property
    def began(self) -> bool:
        return bool(self.text or self.reasoning)

    def add(self, text: str, reasoning: str) -> str:
        if self.first_at is None:
            self.first_at = time.monotonic()
        self._parts.append(text)
        self._thoughts.append(reasoning)
        return text


def _input(prompt: wire.ChatPrompt | base.Fill, left_out: int) -> base.Messages | base.Fill:
    """What the provider is asked, without so many of the earlier questions and their answers."""
    if isinstance(prompt, base.Fill):
        return prompt
    begin = len(prompt.turns) - 1 - 2 * prompt.earlier_turns
    turns = (*prompt.turns[:begin], *prompt.turns[begin + 2 * left_out :])
    return base.Messages(tuple(base.ChatTurn(_role(turn.role), turn.content) for turn in turns))


def _segments(asked: base.Messages | base.Fill) -> tuple[wire.Segment, ...]:
    """What is sent, for who wants to see it; nobody here counts its tokens."""
    if isinstance(asked, base.Fill):
        parts = [("before the cursor", asked.prefix), ("after the cursor", asked.suffix)]
    else:
        parts = [(turn.role, turn.content) for turn in asked.turns]
    shown = []
    for name, text in parts:
        shown.append(wire.Segment("", f"[{name}]\n", 0, control=True))
        shown.append(wire.Segment("", f"{text}\n\n", 0))
    return tuple(shown)


def _finish(end: base.End | None, ended: EndReason | None) -> Finish:
    if end is not None:
        return end.reason
    return "timeout" if ended == "timeout" else "canceled"


def _role(role: str) -> base.Role:
    return "system" if role == "system" else "assistant" if role == "assistant" else "user"
