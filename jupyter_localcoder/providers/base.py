"""The interface between who asks for text and who writes it.

::

    async with contextlib.aclosing(provider.stream(request)) as frames:
        async for frame in frames:
            ...  # any number of `AnswerDelta`, then one `End`; or an error of `errors`

Closing the generator is the cancel: it closes the connection, and the other side stops.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
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
    """A conversation; what is asked for is its next turn."""

    turns: tuple[ChatTurn, ...]

    @property
    def has_system(self) -> bool:
        """Whether there are system turns that can be said by the user instead."""
        roles = [turn.role for turn in self.turns]
        return "system" in roles and "user" in roles

    def without_system(self) -> Messages:
        """The same for a model that knows no system: its words stand in front of the user's first ones."""
        system = [turn.content for turn in self.turns if turn.role == "system"]
        turns = [turn for turn in self.turns if turn.role != "system"]
        first = next(at for at, turn in enumerate(turns) if turn.role == "user")
        turns[first] = ChatTurn("user", "\n\n".join([*system, turns[first].content]))
        return Messages(tuple(turns))


@dataclass(frozen=True)
class RawPrompt:
    """A text; what is asked for is how it goes on, with no chat template around it."""

    text: str


@dataclass(frozen=True)
class Fill:
    """The text around a cursor; what is asked for is what stands between."""

    prefix: str
    suffix: str = ""


@dataclass(frozen=True)
class ProviderRequest:
    """What a provider is asked for."""

    input: Messages | RawPrompt | Fill
    model: str = ""
    """As the provider calls it. Empty takes the one that the provider is configured with."""
    max_tokens: int = 1024
    """Also the bound on what is read: a server that does not stop is left."""
    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    """What is None is not sent: the provider then has its own default, and some models take no other."""
    stop: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    """For the whole answer. None takes the one that the provider is configured with."""
    background: bool = False
    """Nobody looks on while it is written: what somebody waits for goes first, where that can be said."""

    @property
    def sampling_given(self) -> dict[str, float | int]:
        """What it says about sampling, by the names of `SamplingOptions`, which many servers share."""
        given = {name: getattr(self.sampling, name) for name in self.sampling.__struct_fields__}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class AnswerDelta:
    """The next piece of the answer, or of the reasoning before it; never empty."""

    text: str
    reasoning: str = ""


@dataclass(frozen=True)
class ReportedUsage:
    """Tokens as the provider counted them; None where it did not say."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Those of the prompt that it had computed before."""
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    """Those of `completion_tokens` that were reasoning."""


@dataclass(frozen=True)
class AnswerOrigin:
    """Which weights answered what, how the tokens were drawn, and where the time went."""

    model: ModelStamp
    sampling: Sampling
    prompt_sha256: str
    timings: Timings


@dataclass(frozen=True)
class End:
    """The last frame of an answer."""

    reason: EndReason
    """`timeout`: the time limit, what came is kept; `filter`: the provider cut it off."""
    usage: ReportedUsage = ReportedUsage()
    model: str = ""
    """The model that answered, as the provider calls it."""
    cost_usd: float | None = None
    """An estimate by the user's own price table; None where it has no price."""
    origin: AnswerOrigin | None = None
    """What it takes to get the same answer again; of the embedded engine only."""
    moved: int = 0
    """So many characters of the pieces of text, the first ones, have turned out to be reasoning."""
    taken_back: bool = False
    """The pieces of reasoning have turned out to be the answer, which has come as the last piece of text."""


@dataclass(frozen=True)
class Check:
    """What a provider answered to a test of its connection."""

    models: tuple[str, ...]
    """Models that it lists, in its own order, at most `MAX_MODELS`; empty where it keeps no list."""
    latency_ms: float
    """From the request to the whole answer, connecting included."""


MAX_MODELS = 500


class Provider(Protocol):
    """One configured provider."""

    def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """Write the answer: `AnswerDelta` by `AnswerDelta`, then one `End`.

        Raises
        ------
        AuthError
            It does not accept the key, or there is none.
        ConnectionFailed
            It cannot be reached, broke off, failed, or answered what cannot be read.
        NoAnswer
            It ended as it should, with nothing that is an answer: to a conversation there is always one.
        RateLimited
            It wants fewer requests; ``details["retry_after_seconds"]`` where it said when.
        TokenLimitExceeded
            The prompt is too long for its model.
        InvalidArgument
            It refused the request for another reason, which is told in its own words.
        Timeout
            The time was over before the first piece; after it the answer ends with `End("timeout")`.

        """

    async def check(self) -> Check:
        """Ask for something that costs nothing, to see whether address and key are right.

        Raises what `stream` raises.
        """

    async def close(self) -> None:
        """Close the connections that are kept open."""
