"""The format that OpenAI made and many servers speak: chat and completions, as requests and pieces. Pure.

Fields of messages are read with care: servers leave out, add and null what the original never does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from .answer import Piece
from .base import EndReason, Messages, ProviderRequest, Usage
from .failures import Failures, words_of

Body = dict[str, Any]

MAX_STOPS = 4
"""More are refused; the rest are looked for on this side."""
_OTHER_NAME = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}
_NEEDED = frozenset({"model", "messages", "prompt", "suffix", "stream"})
_REASONS: dict[str, EndReason] = {"length": "length", "max_tokens": "length", "content_filter": "filter"}


class _PromptDetails(Struct):
    cached_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Delta(Struct):
    content: str | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    """Of a chat."""
    text: str | None = None
    """Of a completion."""
    finish_reason: str | None = None


class _Chunk(Struct):
    choices: list[_Choice] | None = field(default_factory=list)
    usage: _Usage | None = None
    model: str | None = None
    error: Any = None
    message: str | None = None
    """Some send an error as the whole message."""


_decoder = msgspec.json.Decoder(_Chunk)


def chat_body(request: ProviderRequest, turns: Messages, model: str, *, max_tokens_field: str) -> Body:
    """A request for the next turn of a conversation."""
    return {
        **({"model": model} if model else {}),
        "messages": [{"role": turn.role, "content": turn.content} for turn in turns.turns],
        max_tokens_field: request.max_tokens,
        **_options(request),
    }


def completion_body(request: ProviderRequest, prompt: str, model: str, suffix: str | None = None) -> Body:
    """A request for how a text goes on, or for what stands between two texts."""
    return {
        **({"model": model} if model else {}),
        "prompt": prompt,
        **({} if suffix is None else {"suffix": suffix}),
        "max_tokens": request.max_tokens,
        **_options(request),
    }


def _options(request: ProviderRequest) -> Body:
    return {
        "stream": True,
        "stream_options": {"include_usage": True},
        **request.sampling_given,
        **({"stop": list(request.stop[:MAX_STOPS])} if request.stop else {}),
    }


def refused_field(body: Body, named: str, message: str) -> str:
    """The option of a request that an error says is not taken, or an empty string.

    Some models take no temperature, some servers no ``stream_options``, and the limit has two names.
    """
    field_ = named.partition(".")[0]
    if field_ not in body:
        # Not every server has a field for the name of the field.
        quotes = ("'", '"', "`")
        field_ = next((name for name in body if any(f"{q}{name}{q}" in message for q in quotes)), "")
    return "" if field_ in _NEEDED else field_


def without(body: Body, refused: set[str]) -> Body:
    """The same request without the options that were refused; the limit then goes by its other name."""
    fewer = {name: value for name, value in body.items() if name not in refused}
    for name, other in _OTHER_NAME.items():
        if name in body and name in refused and other not in refused:
            fewer[other] = body[name]
    return fewer


def reader(failures: Failures) -> Callable[[bytes], Piece]:
    """A reader of the messages of one stream."""

    def read(message: bytes) -> Piece:
        if message.strip() == b"[DONE]":
            return Piece(last=True)
        chunk = _decoder.decode(message)
        if chunk.error or (chunk.message and not chunk.choices):
            raise failures.in_stream(words_of(message))
        choice = chunk.choices[0] if chunk.choices else _Choice()
        text = choice.text if choice.text is not None else choice.delta.content if choice.delta else None
        return Piece(
            text=text or "",
            reason=_REASONS.get(choice.finish_reason, "stop") if choice.finish_reason else None,
            usage=_usage(chunk.usage),
            model=chunk.model or "",
        )

    return read


def _usage(usage: _Usage | None) -> Usage | None:
    if usage is None:
        return None
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
    return Usage(usage.prompt_tokens, cached, usage.completion_tokens)


class _Listed(Struct):
    id: str


class _List(Struct):
    data: list[_Listed]


def model_ids(document: Any) -> list[str]:
    """Ids out of a list of models; a `msgspec.ValidationError` where it is none."""
    return [model.id for model in msgspec.convert(document, _List).data]
