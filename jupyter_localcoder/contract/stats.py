"""Operations on the counts of suggestions: how many were shown, accepted, dismissed and kept."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .common import Reply, Request

Outcome = Literal["shown", "accepted", "accepted_line", "accepted_word", "dismissed", "kept"]
"""What becomes of a suggestion.

The first accepted part decides whether it is `accepted` (all of it), `accepted_line` or `accepted_word`.
"""


class SuggestionOutcome(Request, frozen=True, kw_only=True):
    """One event of one suggestion; never its text."""

    outcome: Outcome
    model: Annotated[str, Meta(max_length=256)] = ""
    """Id of the model; empty where it is not known yet."""
    language: Annotated[str, Meta(max_length=64)] = ""


class StatsRecordRequest(Request, frozen=True, kw_only=True):
    """Counts outcomes, in the order in which they happened."""

    outcomes: Annotated[tuple[SuggestionOutcome, ...], Meta(min_length=1, max_length=200)]


class StatsGetRequest(Request, frozen=True, kw_only=True):
    """Asks for the counts."""


class StatsEraseRequest(Request, frozen=True, kw_only=True):
    """Removes all counts."""


class SuggestionCounts(Reply, frozen=True, kw_only=True):
    """Number of suggestions by what became of them, of one model in one language."""

    model: str = ""
    language: str = ""
    shown: int = 0
    accepted: int = 0
    """First accepted whole."""
    accepted_line: int = 0
    """First accepted by a line."""
    accepted_word: int = 0
    """First accepted by a word."""
    dismissed: int = 0
    kept: int = 0
    """Accepted, and still in the cell a minute later."""


class SuggestionStats(Reply, frozen=True, kw_only=True):
    """Answer of ``stats:get``."""

    enabled: bool
    """Whether suggestions are counted (the setting `suggestion_counts`)."""
    since: str = ""
    """When counting began (ISO 8601, UTC); empty where nothing was counted."""
    counts: tuple[SuggestionCounts, ...] = ()
    """The most shown first."""
    total: SuggestionCounts = SuggestionCounts()
    recent_shown: int = 0
    """Number of the last suggestions that the threshold depends on."""
    recent_accepted: int = 0
    min_probability: float | None = None
    """Probability below which an automatic suggestion ends now; None: there is no limit."""
