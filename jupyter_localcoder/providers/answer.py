"""An answer put together from the pieces of a provider: bounded, stopped, with exactly one end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import msgspec

from ..errors import ConnectionFailed, Timeout
from .base import Delta, End, EndReason, ProviderRequest, Usage
from .deadline import Deadline, TimeUp
from .failures import Failures
from .stops import StopStrings

MAX_CHARS_PER_TOKEN = 32
"""Of any answer as a whole; real ones have about four. Who writes more does not count its tokens."""
_AFTER_THE_END_SECONDS = 2.0
"""For the usage, which some send after the last piece, and some never."""


@dataclass(frozen=True)
class Piece:
    """What one message of a provider says; most say one of these things."""

    text: str = ""
    reason: EndReason | None = None
    usage: Usage | None = None
    model: str = ""
    last: bool = False
    """Nothing comes after it."""


Read = Callable[[bytes], Piece]
"""Reads one message; a `LocalCoderError` where it is one, a `msgspec.DecodeError` where it is none."""


async def answer(
    messages: AsyncGenerator[bytes, None],
    read: Read,
    request: ProviderRequest,
    deadline: Deadline,
    failures: Failures,
) -> AsyncGenerator[Delta | End, None]:
    """Turn messages into the frames that `Provider.stream` promises; closing it closes the messages."""
    stops = StopStrings(request.stop)
    room = request.max_tokens * MAX_CHARS_PER_TOKEN
    reason: EndReason | None = None
    usage, model, began = Usage(), "", False
    async with contextlib.aclosing(messages):
        try:
            async for message in messages:
                piece = _read(read, message, failures)
                usage, model = piece.usage or usage, piece.model or model
                text = stops.feed(piece.text)[:room]
                if text:
                    began = True
                    room -= len(text)
                    yield Delta(text)
                if stops.found or room <= 0:
                    reason = "stop" if stops.found else "length"
                    break
                if piece.reason is not None:
                    reason = piece.reason
                    deadline.shorten(_AFTER_THE_END_SECONDS)
                if piece.last:
                    break
        except TimeUp as up:
            if not began and reason is None:
                raise Timeout(str(up), provider=failures.provider) from None
            reason = reason or "timeout"
        except ConnectionFailed:
            if reason is None:
                raise
    if reason is None:
        raise failures.unreachable(f"{failures.name} ended its answer before it was complete.")
    rest = stops.finish()
    if rest:
        yield Delta(rest)
    yield End(reason, usage, model)


def _read(read: Read, message: bytes, failures: Failures) -> Piece:
    try:
        return read(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise failures.unreadable("something that cannot be read") from None
