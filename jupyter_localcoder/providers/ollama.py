"""Ollama's own API: a JSON document on each line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from .address import Address
from .answer import AnswerPart, Read
from .base import AnswerDelta, End, Fill, Messages, ProviderRequest, ReportedUsage
from .deadline import Deadline
from .endings import end_reason
from .failures import Failures
from .fields import Fields, content_parts, count_of, fields_of, reasoning_of, text_of
from .remote import RemoteOptions, RemoteProvider


class OllamaProvider(RemoteProvider):
    """Chats, continues and fills in with the models of an Ollama server."""

    def __init__(
        self,
        address: Address,
        failures: Failures,
        options: RemoteOptions,
        headers: Mapping[str, str],
        *,
        context_window: int = 0,
    ) -> None:
        super().__init__(address, failures, options, headers)
        self._context_window = context_window

    def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """See `Provider.stream`."""
        body: dict[str, Any] = {
            "model": self.model_of(request),
            "stream": True,
            "options": self._options(request),
        }
        if isinstance(request.input, Messages):
            path = "/api/chat"
            body["messages"] = [{"role": turn.role, "content": turn.content} for turn in request.input.turns]
        elif isinstance(request.input, Fill):
            path = "/api/generate"
            # An empty suffix is none for it, and the prefix then a question to answer.
            body |= {"prompt": request.input.prefix, "suffix": request.input.suffix or "\n"}
        else:
            path = "/api/generate"
            body |= {"prompt": request.input.text, "raw": True}
        return self.ask(self.address.url + path, body, _reader(self.failures), request)

    async def model_names(self, deadline: Deadline) -> list[str]:
        """Ask for the list of the models that it has."""
        document = await self.listed(f"{self.address.url}/api/tags", deadline)
        return [model.name for model in msgspec.convert(document, _OllamaModelList).models]

    def _options(self, request: ProviderRequest) -> dict[str, Any]:
        return {
            **request.sampling_given,
            "num_predict": request.max_tokens,
            **({"num_ctx": self._context_window} if self._context_window else {}),
            **({"stop": list(request.stop)} if request.stop else {}),
        }


def _reader(failures: Failures) -> Read:
    def read(line: Fields) -> AnswerPart:
        # A chat has a message, everything else a response.
        message = fields_of(line.get("message"), "message")
        said = content_parts(message.get("content"))
        done = line.get("done") is True
        usage = ReportedUsage(count_of(line.get("prompt_eval_count")), None, count_of(line.get("eval_count")))
        return AnswerPart(
            text=said.text or text_of(line.get("response")),
            reasoning=said.reasoning or reasoning_of(message) or reasoning_of(line),
            calls=bool(message.get("tool_calls")),
            reason=(end_reason(line.get("done_reason"), failures) or "stop") if done else None,
            usage=usage if done else None,
            model=text_of(line.get("model")),
            last=done,
        )

    return read


class _OllamaModel(Struct):
    name: str


class _OllamaModelList(Struct):
    models: list[_OllamaModel]
