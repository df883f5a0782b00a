"""OpenAI's API, and what differs in those that were made after it: `azure_openai`, `openai_compatible`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import ClassVar

from ..errors import ConnectionFailed, InvalidArgument, LocalCoderError
from . import openai_wire
from .base import AnswerDelta, End, Fill, Messages, ProviderRequest, RawPrompt
from .deadline import Deadline
from .openai_wire import Body
from .remote import RemoteProvider, without_system


class OpenAIProvider(RemoteProvider):
    """Chats with OpenAI's models."""

    max_tokens_field: ClassVar[str] = "max_completion_tokens"
    """The field that limits an answer; the reasoning models know no other."""

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """See `Provider.stream`."""
        refused: set[str] = set()
        began = False
        while True:
            path, whole = self.request_of(request)
            body = openai_wire.without(whole, refused)
            try:
                frames = self.ask(self.address.url + path, body, openai_wire.reader(self.failures), request)
                async with contextlib.aclosing(frames):
                    async for frame in frames:
                        began = True
                        yield frame
                return
            except (InvalidArgument, ConnectionFailed) as refusal:
                if began:
                    raise
                if (folded := without_system(request, refusal)) is not None:
                    request = folded
                    continue
                field = _refused_field(body, refusal)
                if not field:
                    raise
            refused.add(field)

    async def model_names(self, deadline: Deadline) -> list[str]:
        """Ask for the list of models."""
        return openai_wire.model_ids(await self.listed(self.address.url + self.models_path(), deadline))

    def request_of(self, request: ProviderRequest) -> tuple[str, Body]:
        """Path and body of a request."""
        if isinstance(request.input, Messages):
            model = self.model_of(request)
            body = openai_wire.chat_body(
                request, request.input, model, max_tokens_field=self.max_tokens_field
            )
            return self.chat_path(model), body
        if isinstance(request.input, RawPrompt):
            model = self.model_of(request)
            return self.completions_path(model), openai_wire.completion_body(
                request, request.input.text, model
            )
        return self.fill_request(request, request.input)

    def fill_request(self, request: ProviderRequest, fill: Fill) -> tuple[str, Body]:
        """Path and body of a request that fills in the middle."""
        raise self.no_fill("Use the embedded model, or a server with a model trained for fill-in-the-middle.")

    def chat_path(self, model: str) -> str:
        """Where a conversation goes on."""
        return "/chat/completions"

    def completions_path(self, model: str) -> str:
        """Where a text goes on."""
        return "/completions"

    def models_path(self) -> str:
        """Where the models are listed."""
        return "/models"


def _refused_field(body: Body, refusal: LocalCoderError) -> str:
    """The option that was refused before anything was computed, or an empty string."""
    details = refusal.details
    if details.get("status") not in (400, 422):
        return ""
    named, said = details.get("provider_field", ""), details.get("provider_message", "")
    return openai_wire.refused_field(body, str(named), str(said))
