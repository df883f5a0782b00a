"""``provider:*``: who writes the text, and where the keys are kept. Keys go in and never come out."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .common import Reply, Request
from .fill_tokens import QWEN_FILL

EMBEDDED = "embedded"
"""Id of the provider that is always there, needs nothing and is the default."""

PROVIDER_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}\Z"
ProviderId = Annotated[
    str,
    Meta(
        pattern=PROVIDER_ID_PATTERN,
        description="Id of a provider: lowercase letters, digits and dashes.",
    ),
]
PROVIDER_TYPE_PATTERN = r"^[a-z][a-z0-9_]{0,63}\Z"
ProviderType = Annotated[str, Meta(pattern=PROVIDER_TYPE_PATTERN)]
FormField = Literal["api_version", "context_window"]
"""Fields of `ProviderFields` that only some types have."""
FillMode = Literal["off", "suffix", "infill", "tokens"]
KeyPlace = Literal["none", "environment", "keyring", "file", "session"]
KeepKey = Literal["auto", "session"]
Seconds = Annotated[float, Meta(ge=0.1, le=3600.0)]
Key = Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+\Z")]
"""Visible ASCII; other characters are not allowed in an HTTP header."""


class ProviderFields(Request, frozen=True, kw_only=True):
    """What a person configures of a provider."""

    type: ProviderType
    """API type of the server: `ollama`, `openai`, `azure_openai`, `gemini`, `openai_compatible`, or a type
    that an installed package provides."""
    name: Annotated[str, Meta(max_length=100)] = ""
    """Display name. Empty uses the id."""
    base_url: Annotated[str, Meta(max_length=2048)] = ""
    """Address of its API, such as `http://127.0.0.1:8080/v1`. Empty uses the vendor's URL."""
    model: Annotated[str, Meta(max_length=256)] = ""
    """Model name at the provider; for Azure, the name of the deployment."""
    timeout_seconds: Seconds = 300.0
    """Time limit for a complete answer; the partial answer is kept."""
    connect_timeout_seconds: Seconds = 10.0
    """Time limit for opening a connection."""
    silence_timeout_seconds: Seconds = 60.0
    """Idle timeout, also before the first byte of an answer. A slow machine may need minutes for a prompt."""
    fill: FillMode = "off"
    """Fill-in-the-middle format of an `openai_compatible` server: `suffix` uses the field `suffix` of the
    completions API, `infill` the route of llama-server, `tokens` a raw prompt from ``fill_template``."""
    fill_template: Annotated[str, Meta(max_length=512)] = QWEN_FILL
    """Raw prompt for `tokens`: the fill-in-the-middle tokens around `{prefix}` and `{suffix}`."""
    api_version: Annotated[str, Meta(pattern=r"^[0-9A-Za-z.-]{0,64}\Z")] = ""
    """Version of Azure's dated API, such as `2024-10-21`. Empty uses the `v1` API."""
    context_window: Annotated[int, Meta(ge=0, le=1_048_576)] = 0
    """Context window for Ollama. 0 uses Ollama's default; longer prompts are silently truncated."""
    allow_unencrypted_key: bool = False
    """Allow sending the key to another machine over unencrypted HTTP."""


class ProviderListRequest(Request, frozen=True, kw_only=True):
    """Asks for all of them."""


class ProviderIdRequest(Request, frozen=True, kw_only=True):
    """Names a provider."""

    id: ProviderId


class ProviderSaveRequest(ProviderFields, frozen=True, kw_only=True):
    """Add a provider, or replace what is configured of one."""

    id: ProviderId
    key: Key | None = None
    """A key to keep. None leaves the one that is kept; moving to another host forgets that."""
    keep_key: KeepKey = "auto"

    def __repr__(self) -> str:
        return f"ProviderSaveRequest(id={self.id!r}, type={self.type!r})"


class ProviderSetKeyRequest(Request, frozen=True, kw_only=True):
    """Keep a key."""

    id: ProviderId
    key: Key
    keep: KeepKey = "auto"
    """`session` forgets it when the server ends; `auto` takes the safest lasting place there is."""

    def __repr__(self) -> str:
        return f"ProviderSetKeyRequest(id={self.id!r}, keep={self.keep!r})"


class ProviderKind(Reply, frozen=True, kw_only=True):
    """What the providers of one type have in common."""

    type: ProviderType
    title: str
    base_url: str
    """The address that an empty one stands for; empty where the user has to say it."""
    key_needed: bool
    key_variables: tuple[str, ...]
    """Environment variables that may hold a key for the vendor's own hosts."""
    fills: tuple[FillMode, ...]
    """The ways of filling in the middle that can be chosen."""
    form_fields: tuple[FormField, ...] = ()
    """Fields of the form that only some types have."""


class ProviderPrice(Reply, frozen=True, kw_only=True):
    """US dollars for a million tokens, as the user has written it down."""

    input: float
    cached_input: float | None
    """Of the input tokens that the provider had computed before; null: as the others."""
    output: float


class ProviderInfo(Reply, frozen=True, kw_only=True):
    """A provider as it is configured, without its key."""

    id: ProviderId
    type: ProviderType
    name: str
    base_url: str
    model: str
    timeout_seconds: float
    connect_timeout_seconds: float
    silence_timeout_seconds: float
    fill: FillMode
    fill_template: str
    api_version: str
    context_window: int
    allow_unencrypted_key: bool
    active: bool
    key: KeyPlace
    """Where its key is. `environment` wins over what is kept."""
    key_needed: bool
    """Whether it is of a type that answers nothing without one."""
    problem: str
    """A sentence that says why it cannot be used now; empty where nothing is known to be wrong."""
    completes: bool
    """Whether it is configured for fill-in-the-middle, so that it can complete while typing."""
    remote: bool
    """Whether using it opens a connection; the air gap keeps it shut."""
    in_use: int
    """Requests that run on it."""
    price: ProviderPrice | None
    """Of its model; null where the table of prices has none."""
    updated_at: str = ""
    """When its settings or its key were last saved, ISO 8601 in UTC; empty where that is not known."""
    configured: bool = False
    """Whether the configuration of the server defines it: it can be used and given a key, not changed."""


class KeyStorage(Reply, frozen=True, kw_only=True):
    """Where a key would be kept that is entered now."""

    place: Literal["keyring", "file", "session"]
    note: str
    """The same in a sentence for a person, with what would make it better."""


class ProviderList(Reply, frozen=True, kw_only=True):
    """All providers, `embedded` first."""

    providers: tuple[ProviderInfo, ...]
    kinds: tuple[ProviderKind, ...]
    """The types that there are, `embedded` first."""
    active: ProviderId
    key_storage: KeyStorage
    path: str
    """The file that keeps the configurations."""
    prices_path: str
    """The file with the user's own prices, whether it is there or not."""
    problem: str
    """A sentence that says what is wrong with these files; empty where nothing is."""
    locked: bool = False
    """Whether the administrator has fixed which providers there are, and which one is active."""


class ProviderDeleted(Reply, frozen=True, kw_only=True):
    """Answer of ``provider:delete``."""

    note: str
    """Roles that the embedded provider takes over, as sentences for the user; empty if there are none."""


class ProviderTested(Reply, frozen=True, kw_only=True):
    """Answer of ``provider:test``: address and key are right."""

    id: ProviderId
    models: tuple[str, ...]
    """Models that the provider lists; for Azure those of the resource, not its deployments."""
    latency_ms: float
    model_listed: bool | None
    """Whether the configured model is among them; None where none is configured or listed."""
