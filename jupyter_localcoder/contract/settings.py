"""``settings:get`` and ``settings:update``: what a person changes while it runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from msgspec import UNSET, Meta, UnsetType

from .common import Layer, MaxTokens, MinP, RepeatPenalty, Reply, Request, Temperature, TopK, TopP
from .providers import EMBEDDED, ProviderId

Acceleration = Literal["auto", "gpu", "cpu"]
RunMode = Literal["performance", "stability"]
ContextWindow = Annotated[
    int, Meta(ge=0, le=1_048_576, description="In tokens; 0 uses the value of the profile.")
]
CompletionSeconds = Annotated[
    float, Meta(ge=0.1, le=3600, description="In seconds, counted from the request.")
]
IdleMinutes = Annotated[float, Meta(ge=0, le=10_080, description="0 never unloads.")]
CompletionTokens = Annotated[
    int, Meta(ge=0, le=512, description="0 adapts the length to the speed of this machine.")
]
TitleSeconds = Annotated[float, Meta(ge=10, le=120)]
ReasoningChars = Annotated[int, Meta(ge=0, le=1_000_000)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]


def limits_of(number: Any) -> tuple[Any, Any]:
    """The smallest and the largest value of a number type.

    Parameters
    ----------
    number
        An annotated type with one `msgspec.Meta`, such as `IdleMinutes`.

    Returns
    -------
    Both values, in the unit of the type; None for a limit that it does not have.
    """
    (limits,) = (each for each in get_args(number) if isinstance(each, Meta))
    return limits.ge, limits.le


class SettingsGetRequest(Request, frozen=True, kw_only=True):
    """Asks for all of them."""


class Settings(Reply, frozen=True, kw_only=True):
    """The current settings."""

    profile: str
    """`auto`, or the name of a profile."""
    model: str
    """Model for code; empty takes the profile's."""
    general_model: str
    """Model for general questions; empty takes the profile's."""
    context_window: int
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repeat_penalty: float
    max_tokens: int
    """Longest answer of a command or a chat turn, with the reasoning before it."""
    max_reasoning_chars: int = 100_000
    """Maximum number of characters of reasoning saved with an answer; 0 saves none."""
    idle_minutes: float
    """Minutes without a request after which the model is unloaded; 0 never unloads it."""
    keep_resident: bool
    """Never unload the model automatically, regardless of ``idle_minutes``."""
    acceleration: Acceleration
    run_mode: RunMode
    air_gap: bool
    """Open no connection to another machine, for downloads included."""
    tab_completion: bool
    """Answer ``tab:complete``."""
    completion_provider: str
    """Id of the provider that completes; `embedded` whichever provider is active for the rest."""
    completion_timeout_seconds: float = 15.0
    """Default time limit of a completion, in seconds."""
    completion_max_tokens: int = 0
    """Longest completion where its request names no length; 0 sizes it by the speed of the machine."""
    completion_temperature: float = 0.0
    """Sampling temperature of a completion where its request names none; 0 is greedy."""
    prewarm: bool
    """Load the model when a notebook asks to read ahead (``tab:warm``), and not first when it completes."""
    suggestion_counts: bool = True
    """Count what becomes of suggestions, on this machine, and adapt their threshold to it."""
    rules: bool = True
    """Give commands and chats the rules of the project (`AGENTS.md`, `.localcoder/rules/*.md`)."""
    history: bool
    """Keep the answers of commands, chats and queued prompts in the history."""
    titles: bool = True
    """Make titles for the answers in the history."""
    title_provider: str = EMBEDDED
    """Id of the provider that makes them."""
    title_model: str = ""
    """The model that makes them; empty takes the one that is loaded, or that of the provider."""
    title_timeout_seconds: float = 60.0
    """Time limit for generating a title, in seconds."""


class SettingsView(Reply, frozen=True, kw_only=True):
    """The current settings and the source of each value."""

    settings: Settings
    sources: dict[str, Layer]
    path: str
    """The file that keeps what is changed at run time."""


class SettingsUpdateRequest(Request, frozen=True, kw_only=True):
    """Change some settings and keep them; ``null`` gives a setting back to the layers below."""

    profile: Name | UnsetType | None = UNSET
    model: Annotated[str, Meta(max_length=128)] | UnsetType | None = UNSET
    general_model: Annotated[str, Meta(max_length=128)] | UnsetType | None = UNSET
    context_window: ContextWindow | UnsetType | None = UNSET
    temperature: Temperature | UnsetType | None = UNSET
    top_k: TopK | UnsetType | None = UNSET
    top_p: TopP | UnsetType | None = UNSET
    min_p: MinP | UnsetType | None = UNSET
    repeat_penalty: RepeatPenalty | UnsetType | None = UNSET
    max_tokens: MaxTokens | UnsetType | None = UNSET
    max_reasoning_chars: ReasoningChars | UnsetType | None = UNSET
    idle_minutes: IdleMinutes | UnsetType | None = UNSET
    keep_resident: bool | UnsetType | None = UNSET
    acceleration: Acceleration | UnsetType | None = UNSET
    run_mode: RunMode | UnsetType | None = UNSET
    air_gap: bool | UnsetType | None = UNSET
    tab_completion: bool | UnsetType | None = UNSET
    completion_provider: ProviderId | UnsetType | None = UNSET
    completion_timeout_seconds: CompletionSeconds | UnsetType | None = UNSET
    completion_max_tokens: CompletionTokens | UnsetType | None = UNSET
    completion_temperature: Temperature | UnsetType | None = UNSET
    prewarm: bool | UnsetType | None = UNSET
    suggestion_counts: bool | UnsetType | None = UNSET
    rules: bool | UnsetType | None = UNSET
    history: bool | UnsetType | None = UNSET
    titles: bool | UnsetType | None = UNSET
    title_provider: ProviderId | UnsetType | None = UNSET
    title_model: Annotated[str, Meta(max_length=256)] | UnsetType | None = UNSET
    title_timeout_seconds: TitleSeconds | UnsetType | None = UNSET
