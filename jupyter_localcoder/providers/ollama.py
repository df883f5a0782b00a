"""Ollama's own API: a JSON document on each line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from .address import Address
from .answer import Piece, Read
from .base import Delta, End, EndReason, Fill, Messages, ProviderRequest, Usage
from .deadline import Deadline
from .failures import Failures, words_of
from .remote import NDJSON, RemoteOptions, RemoteProvider

_REASONS: dict[str, EndReason] = {"length": "length"}


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

    def stream(self, request: ProviderRequest) -> AsyncGenerator[Delta | End, None]:
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
        return self.ask(self.address.url + path, body, _reader(self.failures), request, media_type=NDJSON)

    async def model_names(self, deadline: Deadline) -> list[str]:
        """Ask for the list of the models that it has."""
        document = await self.transport.document(f"{self.address.url}/api/tags", deadline)
        return [model.name for model in msgspec.convert(document, _List).models]

    def _options(self, request: ProviderRequest) -> dict[str, Any]:
        return {
            **request.sampling_given,
            "num_predict": request.max_tokens,
            **({"num_ctx": self._context_window} if self._context_window else {}),
            **({"stop": list(request.stop)} if request.stop else {}),
        }


class _Message(Struct):
    content: str = ""


class _Line(Struct):
    model: str = ""
    message: _Message | None = None
    """Of a chat."""
    response: str = ""
    """Of everything else."""
    done: bool = False
    done_reason: str = ""
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Line)


def _reader(failures: Failures) -> Read:
    def read(message: bytes) -> Piece:
        line = _decoder.decode(message)
        if line.error:
            raise failures.in_stream(words_of(message))
        return Piece(
            text=line.message.content if line.message else line.response,
            reason=_REASONS.get(line.done_reason, "stop") if line.done else None,
            usage=Usage(line.prompt_eval_count, None, line.eval_count) if line.done else None,
            model=line.model,
            last=line.done,
        )

    return read


class _Model(Struct):
    name: str


class _List(Struct):
    models: list[_Model]
