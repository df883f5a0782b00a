"""Servers that speak OpenAI's format: vLLM, llama-server, LM Studio, TGI, llama-cpp-python and others.

They agree on chats. For filling in the middle each has its own way, which no request can find out, since a
server that does not know ``suffix`` may leave it out without a word: so the way is a setting.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

from ..contract.fill_tokens import QWEN_FILL
from ..contract.providers import FillMode
from . import openai_wire
from .address import Address
from .answer import AnswerPart, Read
from .base import AnswerDelta, End, Fill, ProviderRequest, ReportedUsage
from .failures import Failures
from .fields import Fields, content_parts, count_of, text_of
from .fill_template import FillPromptTemplate
from .openai import OpenAIProvider
from .openai_wire import Body
from .remote import RemoteOptions


class OpenAICompatibleProvider(OpenAIProvider):
    """Chats, continues and fills in on a server that speaks OpenAI's format."""

    max_tokens_field = "max_tokens"

    def __init__(
        self,
        address: Address,
        failures: Failures,
        options: RemoteOptions,
        headers: Mapping[str, str],
        *,
        fill: FillMode = "off",
        fill_template: str = QWEN_FILL,
    ) -> None:
        super().__init__(address, failures, options, headers)
        self._fill = fill
        self._template = FillPromptTemplate(fill_template)

    def model_of(self, request: ProviderRequest) -> str:
        """The model of a request; a server that has only one needs no name."""
        return request.model or self.options.model

    def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """See `Provider.stream`."""
        if isinstance(request.input, Fill) and self._fill == "infill":
            # llama-server's own route: not below the `/v1` of those that it has after OpenAI's.
            url = self.address.url.removesuffix("/v1") + "/infill"
            return self.ask(url, _infill_body(request, request.input), _infill_reader(self.failures), request)
        return super().stream(request)

    def fill_request(self, request: ProviderRequest, fill: Fill) -> tuple[str, Body]:
        """Path and body of a request that fills in the middle."""
        model = self.model_of(request)
        if self._fill == "suffix":
            body = openai_wire.completion_body(request, fill.prefix, model, fill.suffix)
        elif self._fill == "tokens":
            body = openai_wire.completion_body(request, self._template.filled(fill), model)
        else:
            raise self.no_fill(
                "If the server supports it, set the format in the provider's settings: `suffix`, "
                "`infill` or `tokens`."
            )
        return self.completions_path(model), body


def _infill_body(request: ProviderRequest, fill: Fill) -> Body:
    return {
        "input_prefix": fill.prefix,
        "input_suffix": fill.suffix,
        "n_predict": request.max_tokens,
        "stream": True,
        "cache_prompt": True,
        **request.sampling_given,
        **({"stop": list(request.stop)} if request.stop else {}),
        **request.extra,
    }


def _infill_reader(failures: Failures) -> Read:
    def read(part: Fields) -> AnswerPart:
        text = content_parts(part.get("content")).text
        if not part.get("stop"):
            return AnswerPart(text)
        # `stopped_limit` is of llama-server before 2025, which has no `stop_type`.
        limit = part.get("stop_type") == "limit" or part.get("stopped_limit") is True
        usage = ReportedUsage(
            prompt_tokens=count_of(part.get("tokens_evaluated")),
            completion_tokens=count_of(part.get("tokens_predicted")),
        )
        return AnswerPart(
            text,
            reason="length" if limit else "stop",
            usage=usage,
            model=text_of(part.get("model")),
            last=True,
        )

    return read
