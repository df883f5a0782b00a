"""The types of providers as a table: what they differ in, and how a provider of each is made.

The modules that speak to a server, and httpx with them, are imported when a provider is made, not before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..contract.providers import FillMode, FormField, ProviderFields, ProviderKind, ProviderType
from .address import Address
from .base import Provider
from .failures import Failures

if TYPE_CHECKING:
    from .remote import RemoteOptions


@dataclass(frozen=True)
class ProviderSetup:
    """What a provider is made of: its settings, its key, and the parts that `RemoteProvider` needs."""

    fields: ProviderFields
    """What the user has configured."""
    address: Address
    """Address of its API, checked; `address.url` has no slash at its end."""
    failures: Failures
    """Turns failures of its server into errors, without the key."""
    options: RemoteOptions
    """Default model, time limits in seconds, retries."""
    key: str | None = field(default=None, repr=False)
    """Its key; None if it needs none and has none."""

    @property
    def bearer(self) -> dict[str, str]:
        """The header ``Authorization: Bearer KEY``; empty without a key."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


@dataclass(frozen=True)
class Kind:
    """One type of provider.

    Parameters
    ----------
    title
        Its name in forms and messages.
    base_url
        Address of its API. Empty: the user must enter it.
    make
        Makes a provider; called once for each configuration, in a thread. It opens no connection. None only
        for the embedded provider.
    key_needed
        Whether it does not answer without a key.
    key_variables
        Environment variables that by convention contain a key for the vendor's own hosts.
    vendor_hosts
        Hosts that a key of these variables may be sent to; one that begins with a dot includes subdomains.
    fills
        Fill-in-the-middle formats that the user can choose. A type with a format of its own has
        ``always_fills`` instead.
    always_fills
        Whether it supports fill-in-the-middle without a choice.
    form_fields
        Fields of its form that only some types have: `api_version`, `context_window`.
    """

    title: str
    base_url: str = ""
    make: Callable[[ProviderSetup], Provider] | None = None
    key_needed: bool = False
    key_variables: tuple[str, ...] = ()
    vendor_hosts: tuple[str, ...] = ()
    fills: tuple[FillMode, ...] = ("off",)
    always_fills: bool = False
    form_fields: tuple[FormField, ...] = ()

    def listed(self, type_: ProviderType) -> ProviderKind:
        """The same for clients.

        Parameters
        ----------
        type_
            Its type.

        Returns
        -------
        ProviderKind
            An entry of `kinds` in `provider:list`.
        """
        return ProviderKind(
            type=type_,
            title=self.title,
            base_url=self.base_url,
            key_needed=self.key_needed,
            key_variables=self.key_variables,
            fills=self.fills,
            form_fields=self.form_fields,
        )


def _ollama(setup: ProviderSetup) -> Provider:
    from .ollama import OllamaProvider

    return OllamaProvider(
        setup.address,
        setup.failures,
        setup.options,
        setup.bearer,
        context_window=setup.fields.context_window,
    )


def _openai(setup: ProviderSetup) -> Provider:
    from .openai import OpenAIProvider

    return OpenAIProvider(setup.address, setup.failures, setup.options, setup.bearer)


def _azure_openai(setup: ProviderSetup) -> Provider:
    from .azure_openai import AzureOpenAIProvider

    return AzureOpenAIProvider(
        setup.address,
        setup.failures,
        setup.options,
        {"api-key": setup.key or ""},
        api_version=setup.fields.api_version,
    )


def _gemini(setup: ProviderSetup) -> Provider:
    from .gemini import GeminiProvider

    return GeminiProvider(setup.address, setup.failures, setup.options, {"x-goog-api-key": setup.key or ""})


def _openai_compatible(setup: ProviderSetup) -> Provider:
    from .openai_compatible import OpenAICompatibleProvider

    return OpenAICompatibleProvider(
        setup.address,
        setup.failures,
        setup.options,
        setup.bearer,
        fill=setup.fields.fill,
        fill_template=setup.fields.fill_template,
    )


BUILT_IN: dict[ProviderType, Kind] = {
    "embedded": Kind("Embedded", always_fills=True),
    "ollama": Kind(
        "Ollama", "http://127.0.0.1:11434", _ollama, always_fills=True, form_fields=("context_window",)
    ),
    "openai": Kind(
        "OpenAI",
        "https://api.openai.com/v1",
        _openai,
        key_needed=True,
        key_variables=("OPENAI_API_KEY",),
        vendor_hosts=("api.openai.com", ".api.openai.com"),
    ),
    "azure_openai": Kind(
        "Azure OpenAI",
        make=_azure_openai,
        key_needed=True,
        key_variables=("AZURE_OPENAI_API_KEY",),
        # The rest of azure.com is also for what customers run there.
        vendor_hosts=tuple(
            f".{service}.azure.{country}"
            for service in ("openai", "cognitiveservices", "services.ai")
            for country in ("com", "us", "cn")
        ),
        form_fields=("api_version",),
    ),
    "gemini": Kind(
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        _gemini,
        key_needed=True,
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        vendor_hosts=("generativelanguage.googleapis.com",),
    ),
    "openai_compatible": Kind(
        "OpenAI-compatible", make=_openai_compatible, fills=("off", "suffix", "infill", "tokens")
    ),
}


def is_vendor_host(kind: Kind, host: str) -> bool:
    """Whether the vendor itself is behind this host."""
    return any(
        host == known or (known.startswith(".") and host.endswith(known)) for known in kind.vendor_hosts
    )
