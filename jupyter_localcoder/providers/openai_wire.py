"""The format that OpenAI made and many servers speak: chat and completions, as requests and pieces. Pure.

Fields of messages are read with care: servers leave out, add and null what the original never does.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from .answer import AnswerPart, Read
from .base import Messages, ProviderRequest, ReportedUsage
from .endings import end_reason
from .failures import Failures, error_in
from .fields import Fields, content_parts, count_of, fields_of, first_of, reasoning_of, text_of

Body = dict[str, Any]

MAX_STOPS = 4
"""More are refused; the rest are looked for on this side."""
_OTHER_NAME = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}
_NEEDED = frozenset({"model", "messages", "prompt", "suffix"})
_WITH = {"stream": ("stream_options",)}
"""What makes no sense without another option."""
_REFUSES = re.compile(
    r"support|unknown|unrecogni[sz]ed|unexpected|permitted|allowed|invalid|extra|additional|deprecated"
    r"|not a valid|cannot be|only the default|must be",
    re.IGNORECASE,
)


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
        **request.extra,
    }


def refused_field(body: Body, named: str, message: str) -> str:
    """The option of a request that an error says is not taken, or an empty string.

    Some models take no temperature, some servers no ``stream_options``, and the limit has two names.
    """
    field_ = named.partition(".")[0]
    if field_ not in body:
        # Not every server has a field for the name of the field, and not every one quotes it.
        quotes = ("'", '"', "`")
        field_ = next((name for name in body if any(f"{q}{name}{q}" in message for q in quotes)), "")
        if not field_ and _REFUSES.search(message):
            named_ = [(at.start(), name) for name in body if (at := re.search(rf"\b{name}\b", message))]
            # `model` and the like stand in many sentences: what can be left out is looked for first.
            left = [each for each in named_ if each[1] not in _NEEDED]
            field_ = min(left, default=(0, ""))[1]
    return "" if field_ in _NEEDED else field_


def without(body: Body, refused: set[str]) -> Body:
    """The same request without the options that were refused; the limit then goes by its other name."""
    dropped = refused | {name for field_ in refused for name in _WITH.get(field_, ())}
    fewer = {name: value for name, value in body.items() if name not in dropped}
    for name, other in _OTHER_NAME.items():
        if name in body and name in refused and other not in refused:
            fewer[other] = body[name]
    return fewer


def reader(failures: Failures) -> Read:
    """A reader of the messages of one stream, or of the one message that is a whole answer."""

    def read(chunk: Fields) -> AnswerPart:
        choice = first_of(chunk.get("choices"), "choices")
        if (error := error_in({"error": choice.get("error")})) is not None:
            raise failures.in_stream(error)
        whole = choice.get("message") is not None
        # The whole message where no stream is sent, or where it ends.
        message = fields_of(choice.get("delta") or choice.get("message"), "delta")
        said = content_parts(message.get("content"))
        reason = end_reason(choice.get("finish_reason"), failures)
        calls = message.get("tool_calls") or message.get("function_call")
        return AnswerPart(
            text=said.text or text_of(choice.get("text")),
            reasoning=said.reasoning or reasoning_of(message),
            refusal=text_of(message.get("refusal")),
            calls=bool(calls),
            reason=reason or ("stop" if whole else None),
            usage=_usage(chunk.get("usage")),
            model=text_of(chunk.get("model")),
        )

    return read


def _usage(usage: Any) -> ReportedUsage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    written = usage.get("completion_tokens_details")
    thought = written.get("reasoning_tokens") if isinstance(written, dict) else None
    return ReportedUsage(
        count_of(usage.get("prompt_tokens")),
        count_of(cached),
        count_of(usage.get("completion_tokens")),
        # Servers that do not count it say 0.
        count_of(thought) or None,
    )


class _Listed(Struct):
    id: str


class _OpenAIModelList(Struct):
    data: list[_Listed]


def model_ids(document: Any) -> list[str]:
    """Ids out of a list of models, bare or in an object; a `msgspec.ValidationError` where it is none."""
    if isinstance(document, list) and document:
        document = {"data": document}
    return [model.id for model in msgspec.convert(document, _OpenAIModelList).data]
