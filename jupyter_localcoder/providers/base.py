"""The interface between the service and the providers that generate text.

::

    async with contextlib.aclosing(provider.stream(request)) as frames:
        async for frame in frames:
            ...  # any number of `AnswerDelta`, then one `End`; or an error of `errors`

Closing the generator cancels the request: it closes the connection, and the server stops.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ..contract.common import ModelStamp, Sampling, SamplingOptions, Timings

Role = Literal["system", "user", "assistant"]
EndReason = Literal["stop", "length", "filter", "timeout"]


@dataclass(frozen=True)
class ChatTurn:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Messages:
    """A conversation, of which the next turn is requested."""

    turns: tuple[ChatTurn, ...]

    @property
    def has_system(self) -> bool:
        """Whether there are system messages that can be moved into a user message."""
        roles = [turn.role for turn in self.turns]
        return "system" in roles and "user" in roles

    def without_system(self) -> Messages:
        """Move the system messages into the first user message.

        Returns
        -------
        Messages
            A conversation without system messages.
        """
        system = [turn.content for turn in self.turns if turn.role == "system"]
        turns = [turn for turn in self.turns if turn.role != "system"]
        first = next(at for at, turn in enumerate(turns) if turn.role == "user")
        turns[first] = ChatTurn("user", "\n\n".join([*system, turns[first].content]))
        return Messages(tuple(turns))


@dataclass(frozen=True)
class RawPrompt:
    """A text to continue, without a chat template."""

    text: str


@dataclass(frozen=True)
class Fill:
    """The text before and after a cursor, for fill-in-the-middle."""

    prefix: str
    suffix: str = ""


@dataclass(frozen=True)
class ProviderRequest:
    """A request to a provider."""

    input: Messages | RawPrompt | Fill
    model: str = ""
    """Model name at the provider. Empty uses the model configured for the provider."""
    max_tokens: int = 1024
    """Maximum length of the answer in tokens. Also limits what is read from a server that does not stop."""
    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    """Values that are None are not sent: the provider then uses its defaults."""
    stop: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    """Time limit for the whole answer, in seconds. None uses the limit configured for the provider."""
    background: bool = False
    """Whether interactive requests take precedence, if the provider supports priorities."""
    scope: str = ""
    """Requests of one scope have a beginning in common, which a provider may keep computed."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Fields for one kind of server, added to the body of a request in OpenAI's format."""

    @property
    def sampling_given(self) -> dict[str, float | int]:
        """The given sampling parameters, by the names of `SamplingOptions`, which many servers share."""
        given = {name: getattr(self.sampling, name) for name in self.sampling.__struct_fields__}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class AnswerDelta:
    """The next piece of the answer or of its reasoning; never empty."""

    text: str
    reasoning: str = ""


@dataclass(frozen=True)
class ReportedUsage:
    """Token counts of the provider; None if it did not report them."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens that were already cached."""
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    """Number of `completion_tokens` used for reasoning."""


@dataclass(frozen=True)
class AnswerOrigin:
    """Model, sampling, prompt digest and timings of an answer of the embedded engine."""

    model: ModelStamp
    sampling: Sampling
    prompt_sha256: str
    timings: Timings


@dataclass(frozen=True)
class End:
    """The last frame of an answer."""

    reason: EndReason
    """`timeout`: time limit reached, with a partial answer; `filter`: truncated by the provider."""
    usage: ReportedUsage = ReportedUsage()
    model: str = ""
    """Name of the model that answered, at the provider."""
    cost_usd: float | None = None
    """Estimated cost in US dollars from the user's price table; None if there is no price."""
    origin: AnswerOrigin | None = None
    """The values needed for replay; only for the embedded engine."""
    moved: int = 0
    """Number of leading characters of the text pieces that turned out to be reasoning."""
    taken_back: bool = False
    """Whether the reasoning turned out to be the answer, which was sent as the last piece of text."""


@dataclass(frozen=True)
class Check:
    """Result of a connection test."""

    models: tuple[str, ...]
    """Models in the order of the provider, at most `MAX_MODELS`; empty if it has no list."""
    latency_ms: float
    """Milliseconds from the request to the complete response, including connecting."""


MAX_MODELS = 500


class Provider(Protocol):
    """One configured provider."""

    def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """Generate the answer: any number of `AnswerDelta`, then one `End`.

        Parameters
        ----------
        request
            The input, the model, and the limits of the answer.

        Yields
        ------
        AnswerDelta or End
            Pieces of the answer in their order, then exactly one `End`.

        Raises
        ------
        AuthError
            The key is missing or not accepted.
        ConnectionFailed
            The provider cannot be reached, closed the connection, failed, or sent an unreadable response.
        NoAnswer
            It finished normally, but without an answer to a conversation.
        RateLimited
            The rate limit is reached; ``details["retry_after_seconds"]`` if the provider reported it.
        TokenLimitExceeded
            The prompt is too long for the model.
        InvalidArgument
            The request was refused for another reason, quoted from the provider.
        Timeout
            The time limit expired before the first piece; after it, the answer ends with `End("timeout")`.

        """

    async def check(self) -> Check:
        """Test address and key with a request that costs nothing.

        Returns
        -------
        Check
            The models that the provider lists, and the time in milliseconds.

        Raises
        ------
        LocalCoderError
            As for `stream`.
        """

    async def close(self) -> None:
        """Close all open connections."""
