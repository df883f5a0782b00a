"""OpenAI's format, as this service reads and writes it. Pure.

Fields that this service does not know are ignored, except those that change what an answer is: an answer
without them would be wrong, so they are refused by name.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from ..contract import codec
from ..contract.common import MinP, RepeatPenalty, SamplingOptions, Seed, Temperature, TopK, TopP
from ..errors import InvalidArgument, LocalCoderError, ValidationError
from ..providers.base import ChatTurn, End, EndReason, Fill, Messages, ProviderRequest, RawPrompt, Role

_BYTES_PER_TOKEN = 3
"""For estimates, which must rather be too high: code has about four characters a token."""
_TOKENS_PER_TURN = 8
_MAX_CHARS_PER_TOKEN = 32
_FINISH: dict[EndReason, str] = {"stop": "stop", "length": "length", "filter": "content_filter"}
_UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "n": (None, 1),
    "best_of": (None, 1),
    "echo": (None, False),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "tools": (None, []),
    "functions": (None, []),
    "tool_choice": (None, "none", "auto"),
    "response_format": (None, {"type": "text"}),
    "logit_bias": (None, {}),
}
"""Fields that change what an answer is, and the values with which they do not."""

_MaxTokens = Annotated[int, Meta(ge=1)]


class StreamOptions(Struct):
    """Options of a stream."""

    include_usage: bool = False


class TextPart(Struct):
    """A part of a message."""

    type: Literal["text"]
    text: str


class ChatMessage(Struct):
    """A message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart] | None = None

    @property
    def turn(self) -> ChatTurn:
        """The same for a provider."""
        content = self.content or ""
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        role: Role = "system" if self.role == "developer" else self.role
        return ChatTurn(role, text)


class Asked(Struct, kw_only=True):
    """What chats and completions have in common."""

    model: str = ""
    max_tokens: _MaxTokens | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    top_k: TopK | None = None
    min_p: MinP | None = None
    repeat_penalty: RepeatPenalty | None = None
    seed: Seed | None = None
    stop: str | list[str] | None = None
    prompt_cache_key: Annotated[str, Meta(max_length=256)] | None = None
    """Requests with the same key have a beginning in common; the scope of a notebook."""

    def input(self) -> Messages | RawPrompt | Fill:
        """The text that is sent."""
        raise NotImplementedError

    @property
    def limit(self) -> int | None:
        """Tokens of the answer at most, if the request says it."""
        return self.max_tokens

    @property
    def usage_wanted(self) -> bool:
        """Whether the stream ends with the counts of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    def request(self, model: str, max_tokens: int, *, background: bool) -> ProviderRequest:
        """The same for a provider."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return ProviderRequest(
            input=self.input(),
            model=model,
            max_tokens=max_tokens,
            sampling=SamplingOptions(
                temperature=self.temperature,
                top_k=self.top_k,
                top_p=self.top_p,
                min_p=self.min_p,
                repeat_penalty=self.repeat_penalty,
                seed=self.seed,
            ),
            stop=tuple(each for each in stop if each),
            background=background,
        )


class ChatAsked(Asked, kw_only=True):
    """The body of `/v1/chat/completions`."""

    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    max_completion_tokens: _MaxTokens | None = None

    @property
    def limit(self) -> int | None:
        """See `Asked.limit`."""
        return self.max_completion_tokens or self.max_tokens

    def input(self) -> Messages:
        """See `Asked.input`."""
        return Messages(tuple(message.turn for message in self.messages))


class CompletionAsked(Asked, kw_only=True):
    """The body of `/v1/completions`; with `suffix`, the middle is filled in."""

    prompt: str | Annotated[list[str], Meta(min_length=1, max_length=1)]
    suffix: str | None = None

    def input(self) -> RawPrompt | Fill:
        """See `Asked.input`."""
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt[0]
        return RawPrompt(prompt) if self.suffix is None else Fill(prompt, self.suffix)


def read(body: bytes, type_: type[Asked]) -> Asked:
    """Read the body of a request.

    Raises
    ------
    ValidationError
        It is no JSON, or a field has the wrong type or value. The message quotes no value.
    InvalidArgument
        It has a field that this service does not support.
    """
    fields = codec.decode_json(body)
    if not isinstance(fields, dict):
        raise ValidationError("The body must be a JSON object.")
    asked = codec.decode(type_, fields)
    for name, harmless in _UNSUPPORTED.items():
        if name in fields and fields[name] not in harmless:
            raise InvalidArgument(
                f"`{name}` is not supported by this service.",
                recovery=f"Send the request without `{name}`.",
                field=name,
            )
    return asked


def estimate(input_: Messages | RawPrompt | Fill) -> int:
    """Tokens of a prompt, estimated rather too high."""
    if isinstance(input_, Messages):
        return sum(_tokens(turn.content) + _TOKENS_PER_TURN for turn in input_.turns)
    if isinstance(input_, Fill):
        return _tokens(input_.prefix) + _tokens(input_.suffix) + _TOKENS_PER_TURN
    return _tokens(input_.text)


def most_tokens(input_: Messages | RawPrompt | Fill) -> int:
    """More tokens than a prompt can have: a token has at least one byte, but for those of the template."""
    return _BYTES_PER_TOKEN * estimate(input_) + 256


def believable(reported: int | None, chars: int, most: int, otherwise: int) -> int:
    """A count of tokens that a server has reported, within what the text allows; or an estimate."""
    least = math.ceil(chars / _MAX_CHARS_PER_TOKEN)
    return max(least, min(most, otherwise if reported is None else max(0, reported)))


def estimate_text(chars: int) -> int:
    """Tokens of a text that was received."""
    return math.ceil(chars / _BYTES_PER_TOKEN)


def _tokens(text: str) -> int:
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN)


class Writer:
    """Writes one answer.

    Parameters
    ----------
    id_
        Of the answer.
    model
        The name by which users know the model.
    chat
        Whether it answers a conversation.
    """

    def __init__(self, id_: str, model: str, *, chat: bool) -> None:
        self._chat = chat
        kind = "chat.completion" if chat else "text_completion"
        self._head = {"id": id_, "created": int(time.time()), "model": model}
        self._whole = {**self._head, "object": kind}
        self._chunk = {**self._head, "object": f"{kind}.chunk" if chat else kind}

    def piece(self, text: str, reasoning: str = "") -> bytes:
        """An event with a piece of the answer."""
        return self._event([self._choice(self._delta(text, reasoning), None)])

    def end(self, end: End) -> bytes:
        """The event that says how the answer has ended."""
        return self._event([self._choice({} if self._chat else {"text": ""}, _FINISH[end.reason])])

    def usage(self, prompt: int, completion: int, cached: int | None) -> bytes:
        """The event with the counts of tokens."""
        return self._event([], usage=_usage(prompt, completion, cached))

    def whole(self, text: str, reasoning: str, end: End, prompt: int, completion: int) -> Mapping[str, Any]:
        """The whole answer as one document."""
        said = self._delta(text, reasoning)
        choice = {
            "index": 0,
            "finish_reason": _FINISH[end.reason],
            **({"message": {"role": "assistant", "content": text, **said}} if self._chat else {"text": text}),
        }
        usage = _usage(prompt, completion, end.usage.cached_tokens)
        return {**self._whole, "choices": [choice], "usage": usage}

    def _delta(self, text: str, reasoning: str) -> dict[str, Any]:
        if not self._chat:
            return {"text": text}
        thought = {"reasoning_content": reasoning} if reasoning else {}
        return {**({"content": text} if text else {}), **thought}

    def _choice(self, said: Mapping[str, Any], finish: str | None) -> dict[str, Any]:
        said = {"delta": said} if self._chat else said
        return {"index": 0, **said, "finish_reason": finish}

    def _event(self, choices: Sequence[Mapping[str, Any]], **more: Any) -> bytes:
        return event({**self._chunk, "choices": choices, **more})


def event(document: Any) -> bytes:
    """A server-sent event."""
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def _usage(prompt: int, completion: int, cached: int | None) -> dict[str, Any]:
    details = {} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}}
    total = prompt + completion
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **details}


def error_document(failure: LocalCoderError) -> dict[str, Any]:
    """An error in OpenAI's format, with the code and the way out of this product."""
    message = f"{failure.message} {failure.recovery}".strip()
    facts = {name: failure.details[name] for name in _FACTS if name in failure.details}
    return {
        "error": {
            "message": message,
            "type": "localcoder_error",
            "param": failure.details.get("field"),
            "code": failure.code,
            "status": failure.http_status,
            **facts,
        }
    }


_FACTS = ("retry_after_seconds", "retry_at", "limit")
