"""Google's Gemini API: ``streamGenerateContent`` with server-sent events.

The key travels in a header, never in the URL, which proxies and servers log.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct, field

from ..errors import InvalidArgument
from .answer import Piece, Read
from .base import Delta, End, EndReason, Fill, Messages, ProviderRequest, Turn, Usage
from .deadline import Deadline
from .failures import Failures, words_of
from .remote import RemoteProvider

MAX_STOPS = 5
"""More are refused; the rest are looked for on this side."""
_REASONS: dict[str, EndReason] = {"STOP": "stop", "MAX_TOKENS": "length"}
"""All others say that something was cut or held back: `SAFETY`, `RECITATION`, `BLOCKLIST` and so on."""


class GeminiProvider(RemoteProvider):
    """Chats with Google's models."""

    def stream(self, request: ProviderRequest) -> AsyncGenerator[Delta | End, None]:
        """See `Provider.stream`."""
        if isinstance(request.input, Fill):
            raise self.no_fill("Use the embedded model, or a server with a model that was trained for it.")
        model = self.model_of(request).removeprefix("models/")
        url = f"{self.address.url}/models/{quote(model, safe='')}:streamGenerateContent?alt=sse"
        return self.ask(url, _body(request), _reader(self.failures), request)

    async def model_names(self, deadline: Deadline) -> list[str]:
        """Ask for the list of models that write text."""
        document = await self.transport.document(f"{self.address.url}/models?pageSize=1000", deadline)
        models = msgspec.convert(document, _List).models
        writing = [model for model in models if "generateContent" in model.methods]
        return [model.name.removeprefix("models/") for model in writing]


def _body(request: ProviderRequest) -> dict[str, Any]:
    turns = request.input.turns if isinstance(request.input, Messages) else (_as_turn(request.input),)
    system = "\n\n".join(turn.content for turn in turns if turn.role == "system")
    sampling = request.sampling
    given = {
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k or None,
        "seed": sampling.seed if sampling.seed is None or sampling.seed < 2**31 else None,
        "maxOutputTokens": request.max_tokens,
        "stopSequences": list(request.stop[:MAX_STOPS]) or None,
    }
    return {
        **({"systemInstruction": {"parts": [{"text": system}]}} if system else {}),
        "contents": [
            {"role": "model" if turn.role == "assistant" else "user", "parts": [{"text": turn.content}]}
            for turn in turns
            if turn.role != "system"
        ],
        "generationConfig": {name: value for name, value in given.items() if value is not None},
    }


def _as_turn(prompt: Any) -> Turn:
    # There is no way around the chat: it is asked to go on.
    return Turn("user", prompt.text)


class _Part(Struct):
    text: str = ""
    thought: bool = False


class _Content(Struct):
    parts: list[_Part] = field(default_factory=list)


class _Candidate(Struct):
    content: _Content | None = None
    finishReason: str = ""  # noqa: N815 - theirs


class _UsageMetadata(Struct, rename="camel"):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int = 0


class _Feedback(Struct, rename="camel"):
    block_reason: str = ""


class _Response(Struct, rename="camel"):
    candidates: list[_Candidate] = field(default_factory=list)
    prompt_feedback: _Feedback | None = None
    usage_metadata: _UsageMetadata | None = None
    model_version: str = ""
    error: Any = None


_decoder = msgspec.json.Decoder(_Response)


def _reader(failures: Failures) -> Read:
    def read(message: bytes) -> Piece:
        response = _decoder.decode(message)
        if response.error:
            raise failures.in_stream(words_of(message))
        if response.prompt_feedback is not None and response.prompt_feedback.block_reason:
            why = failures.scrubbed(response.prompt_feedback.block_reason)
            raise InvalidArgument(
                f"{failures.name} does not answer this prompt ({why}).",
                recovery="Change the prompt, or use another provider.",
                provider=failures.provider,
                provider_message=why,
            )
        candidate = response.candidates[0] if response.candidates else _Candidate()
        parts = candidate.content.parts if candidate.content else []
        reason = candidate.finishReason
        return Piece(
            text="".join(part.text for part in parts if not part.thought),
            reason=_REASONS.get(reason, "filter") if reason else None,
            usage=_usage(response.usage_metadata),
            model=response.model_version,
        )

    return read


def _usage(usage: _UsageMetadata | None) -> Usage | None:
    if usage is None:
        return None
    written = usage.candidates_token_count
    # What it thinks is billed as what it writes.
    total = None if written is None else written + usage.thoughts_token_count
    return Usage(usage.prompt_token_count, usage.cached_content_token_count, total)


class _Model(Struct):
    name: str
    methods: list[str] = field(default_factory=list, name="supportedGenerationMethods")


class _List(Struct):
    models: list[_Model] = field(default_factory=list)
