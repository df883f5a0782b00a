"""An answer put together from the messages of a provider: bounded, stopped, with exactly one end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass

import msgspec

from ..errors import ConnectionFailed, NoAnswer, Timeout
from ..network.event_stream import StreamMessage
from ..text.reasoning import AnswerParts
from .base import AnswerDelta, End, EndReason, Messages, ProviderRequest, ReportedUsage
from .deadline import Deadline, TimeUp
from .failures import Failures, Words, error_in
from .fields import Fields, fields_of
from .stops import StopStrings

MAX_CHARS_PER_TOKEN = 32
"""Of any answer as a whole; real ones have about four. Who writes more does not count its tokens."""
AFTER_THE_END_SECONDS = 2.0
"""For the usage, which some send after the last piece, and some never."""
_DONE = frozenset({b"[DONE]", b'"[DONE]"', b'["DONE"]'})
_SHOWN_BYTES = 200
"""Of what cannot be read."""


@dataclass(frozen=True)
class AnswerPart:
    """What one message of a provider says; most say one of these things."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    """Why the model declines to answer, in its own words."""
    calls: bool = False
    """It wants a tool or a function to be called."""
    reason: EndReason | None = None
    usage: ReportedUsage | None = None
    model: str = ""
    last: bool = False
    """Nothing comes after it."""


Read = Callable[[Fields], AnswerPart]
"""Reads one message; a `LocalCoderError` where it is one, a `msgspec.DecodeError` where it is none."""


async def answer(
    messages: AsyncGenerator[StreamMessage, None],
    read: Read,
    request: ProviderRequest,
    deadline: Deadline,
    failures: Failures,
    unopened: set[str] | None = None,
    model_asked: str = "",
) -> AsyncGenerator[AnswerDelta | End, None]:
    """Turn messages into the frames that `Provider.stream` promises; closing it closes the messages.

    Parameters
    ----------
    unopened
        The models of this provider that begin their answers within the reasoning, as they have shown: kept
        up to date here.
    """
    unopened = set() if unopened is None else unopened
    stops = StopStrings(request.stop)
    room = request.max_tokens * MAX_CHARS_PER_TOKEN
    reason: EndReason | None = None
    usage, model, began = ReportedUsage(), "", False
    without = _Without()
    parts = AnswerParts(within=isinstance(request.input, Messages) and model_asked in unopened)
    last = False
    async with contextlib.aclosing(messages):
        try:
            async for message in messages:
                for piece in _pieces(read, message, failures):
                    usage, model = piece.usage or usage, piece.model or model
                    without.add(piece)
                    # Its length is that of the answer: who only reasons is bounded too.
                    thought = piece.reasoning[: max(0, room)]
                    room -= len(thought)
                    said = stops.feed(piece.text)[: max(0, room)]
                    room -= len(said)
                    told = [parts.add_reasoning(thought), parts.feed(said)]
                    for text, reasoning in told:
                        if text or reasoning:
                            began = True
                            yield AnswerDelta(text, reasoning)
                    if stops.found or room <= 0:
                        reason = "stop" if stops.found else "length"
                        last = True
                        break
                    if piece.reason is not None:
                        reason = piece.reason
                        deadline.shorten(AFTER_THE_END_SECONDS)
                    last = last or piece.last
                if last:
                    break
        except TimeUp as up:
            if not began and reason is None:
                raise Timeout(str(up), provider=failures.provider) from None
            reason = reason or "timeout"
        except ConnectionFailed:
            if reason is None:
                raise
    if reason is None:
        # Some name no reason: what they call the end of the stream is one.
        if not last or not without.said:
            raise failures.unreachable(
                f"{failures.name} closed the connection before the answer was complete."
            )
        reason = "stop"
    for text, reasoning in (parts.feed(stops.finish()), parts.finish()):
        if text or reasoning:
            yield AnswerDelta(text, reasoning)
    if parts.unopened:
        unopened.add(model_asked)
    taken_back = parts.guessing and reason in ("stop", "filter")
    if taken_back:
        # This time it has not reasoned.
        unopened.discard(model_asked)
        if text := parts.take_back():
            yield AnswerDelta(text)
    if isinstance(request.input, Messages) and not parts.text.strip():
        if reason == "timeout":
            raise Timeout(
                f"The request timed out while {failures.name} was still reasoning.",
                recovery="Allow more time, or use a model that reasons less.",
                provider=failures.provider,
            )
        raise without.error(reason, request, failures, reasoned=bool(parts.reasoning.strip()))
    yield End(reason, usage, model, moved=parts.moved, taken_back=taken_back)


class _Without:
    """What came beside an answer: the reason why there is none, where there is none."""

    def __init__(self) -> None:
        self.said = False
        """Whether anything came."""
        self._refusal = ""
        self._calls = False

    def add(self, piece: AnswerPart) -> None:
        """Take note of a piece."""
        self.said = self.said or bool(piece.text or piece.reasoning or piece.refusal or piece.calls)
        self._refusal += piece.refusal
        self._calls = self._calls or piece.calls

    def error(
        self, reason: EndReason, request: ProviderRequest, failures: Failures, *, reasoned: bool
    ) -> NoAnswer:
        """The sentence for an answer that is empty."""
        if self._refusal.strip():
            return failures.no_answer(f"declined to answer: {failures.scrubbed(self._refusal)}")
        if reason == "filter":
            return failures.no_answer("withheld its answer because of its content filter.")
        if self._calls:
            return failures.no_answer(
                "requested a tool call instead of answering, but no tools were offered."
            )
        if reason == "length":
            what = "reasoning" if reasoned else "nothing that is an answer"
            return failures.no_answer(
                f"used all of the {request.max_tokens} tokens available for {what} before its answer began.",
                recovery="Allow a longer answer (`max_tokens`), or use a model that reasons less.",
                reasoned=reasoned,
            )
        if reasoned:
            return failures.no_answer("reasoned, and finished without an answer.", reasoned=True)
        return failures.no_answer("finished without an answer.")


def _pieces(read: Read, message: StreamMessage, failures: Failures) -> Iterator[AnswerPart]:
    """What a message says; several things where it is a list of documents."""
    data = message.data.strip()
    if data in _DONE:
        yield AnswerPart(last=True)
        return
    if not data or data == b"null":
        return
    try:
        value = msgspec.json.decode(data)
        for each in value if isinstance(value, list) else [value]:
            fields = fields_of(each, "message")
            words = error_in(fields)
            if words is not None or message.event == "error":
                raise failures.in_stream(words or Words(message=data.decode()))
            yield read(fields)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = data[:_SHOWN_BYTES].decode("utf-8", "replace")
        if message.event == "error":
            raise failures.in_stream(Words(message=said)) from None
        raise failures.unreadable("something that cannot be read", said) from None
