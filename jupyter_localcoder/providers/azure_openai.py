"""Azure OpenAI: OpenAI's API at a resource's own address, where a model is a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from .address import Address
from .failures import Failures
from .openai import OpenAIProvider
from .remote import RemoteOptions


class AzureOpenAIProvider(OpenAIProvider):
    """Chats with the models of an Azure resource.

    With an ``api_version`` it speaks the dated API, in which the deployment stands in the path; without
    one the ``v1`` API, in which it is the model.
    """

    def __init__(
        self,
        address: Address,
        failures: Failures,
        options: RemoteOptions,
        headers: Mapping[str, str],
        *,
        api_version: str = "",
    ) -> None:
        super().__init__(address, failures, options, headers)
        self._api_version = api_version

    def chat_path(self, model: str) -> str:
        """Where a conversation goes on."""
        return self._path(model, "chat/completions")

    def completions_path(self, model: str) -> str:
        """Where a text goes on."""
        return self._path(model, "completions")

    def models_path(self) -> str:
        """Where the models of the resource are listed."""
        return f"/openai/models{self._query}" if self._api_version else "/openai/v1/models"

    @property
    def _query(self) -> str:
        return f"?api-version={quote(self._api_version, safe='')}"

    def _path(self, deployment: str, what: str) -> str:
        if not self._api_version:
            return f"/openai/v1/{what}"
        return f"/openai/deployments/{quote(deployment, safe='')}/{what}{self._query}"
