"""Google's Gemini API: ``streamGenerateContent`` with server-sent events.

The key travels in a header, never in the URL, which proxies and servers log.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct, field

from ..errors import InvalidArgument
from .answer import AnswerPart, Read
from .base import AnswerDelta, ChatTurn, End, EndReason, Fill, Messages, ProviderRequest, ReportedUsage
from .deadline import Deadline
from .endings import end_reason
from .failures import Failures
from .fields import Fields, content_parts, count_of, fields_of, first_of, text_of
from .remote import RemoteProvider, without_system

MAX_STOPS = 5
"""More are refused; the rest are looked for on this side."""


class GeminiProvider(RemoteProvider):
    """Chats with Google's models."""

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """See `Provider.stream`."""
        if isinstance(request.input, Fill):
            raise self.no_fill(
                "Use the embedded model, or a server with a model trained for fill-in-the-middle."
            )
        model = self.model_of(request).removeprefix("models/")
        url = f"{self.address.url}/models/{quote(model, safe='')}:streamGenerateContent?alt=sse"
        while True:
            began = False
            try:
                frames = self.ask(url, _body(request), _reader(self.failures), request)
                async with contextlib.aclosing(frames):
                    async for frame in frames:
                        began = True
                        yield frame
                return
            except InvalidArgument as refusal:
                folded = without_system(request, refusal)
                if began or folded is None:
                    raise
                request = folded

    async def model_names(self, deadline: Deadline) -> list[str]:
        """Ask for the list of models that write text."""
        document = await self.listed(f"{self.address.url}/models?pageSize=1000", deadline)
        models = msgspec.convert(document, _GeminiModelList).models
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


def _as_turn(prompt: Any) -> ChatTurn:
    # There is no way around the chat: it is asked to go on.
    return ChatTurn("user", prompt.text)


def _reader(failures: Failures) -> Read:
    def read(response: Fields) -> AnswerPart:
        blocked = fields_of(response.get("promptFeedback"), "promptFeedback").get("blockReason")
        if blocked:
            why = failures.scrubbed(str(blocked))
            raise InvalidArgument(
                f"{failures.name} does not answer this prompt ({why}).",
                recovery="Change the prompt, or use another provider.",
                provider=failures.provider,
                provider_message=why,
            )
        candidate = first_of(response.get("candidates"), "candidates")
        parts = fields_of(candidate.get("content"), "content").get("parts")
        said = content_parts(parts)
        return AnswerPart(
            text=said.text,
            reasoning=said.reasoning,
            calls=isinstance(parts, list)
            and any("functionCall" in fields_of(part, "part") for part in parts),
            reason=_reason(candidate, failures),
            usage=_usage(response.get("usageMetadata")),
            model=text_of(response.get("modelVersion")),
        )

    return read


def _reason(candidate: Fields, failures: Failures) -> EndReason | None:
    said = candidate.get("finishReason")
    reason = end_reason(said, failures)
    # All but these say that something was cut or held back.
    return "filter" if reason == "stop" and said != "STOP" else reason


def _usage(usage: Any) -> ReportedUsage | None:
    if not isinstance(usage, dict):
        return None
    written = count_of(usage.get("candidatesTokenCount"))
    thought = count_of(usage.get("thoughtsTokenCount"))
    # What it thinks is billed as what it writes.
    total = written if thought is None else (written or 0) + thought
    return ReportedUsage(
        count_of(usage.get("promptTokenCount")),
        count_of(usage.get("cachedContentTokenCount")),
        total,
        thought or None,
    )


class _GeminiModel(Struct):
    name: str
    methods: list[str] = field(default_factory=list, name="supportedGenerationMethods")


class _GeminiModelList(Struct):
    models: list[_GeminiModel] = field(default_factory=list)
