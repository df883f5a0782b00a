"""What the types of providers differ in, as a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.providers import FillMode, ProviderType


@dataclass(frozen=True)
class Kind:
    """One type of provider."""

    title: str
    base_url: str = ""
    """Where its API is; empty: the user has to say it."""
    key_needed: bool = False
    key_variables: tuple[str, ...] = ()
    """Environment variables that by convention hold a key for the vendor's own hosts."""
    vendor_hosts: tuple[str, ...] = ()
    """Hosts, or their ends, that a key of these variables may be sent to."""
    fills: tuple[FillMode, ...] = ("off",)
    """The ways of filling in the middle that can be chosen."""
    always_fills: bool = False
    """It has one way of its own, which needs no choice."""


KINDS: dict[ProviderType, Kind] = {
    "embedded": Kind("Embedded", always_fills=True),
    "ollama": Kind("Ollama", "http://127.0.0.1:11434", always_fills=True),
    "openai": Kind(
        "OpenAI",
        "https://api.openai.com/v1",
        key_needed=True,
        key_variables=("OPENAI_API_KEY",),
        vendor_hosts=("api.openai.com", ".api.openai.com"),
    ),
    "azure_openai": Kind(
        "Azure OpenAI",
        key_needed=True,
        key_variables=("AZURE_OPENAI_API_KEY",),
        # The rest of azure.com is also for what customers run there.
        vendor_hosts=tuple(
            f".{service}.azure.{country}"
            for service in ("openai", "cognitiveservices", "services.ai")
            for country in ("com", "us", "cn")
        ),
    ),
    "gemini": Kind(
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        key_needed=True,
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        vendor_hosts=("generativelanguage.googleapis.com",),
    ),
    "openai_compatible": Kind("OpenAI-compatible", fills=("off", "suffix", "infill", "tokens")),
}


def is_vendor_host(kind: Kind, host: str) -> bool:
    """Whether the vendor itself is behind this host."""
    return any(
        host == known or (known.startswith(".") and host.endswith(known)) for known in kind.vendor_hosts
    )
