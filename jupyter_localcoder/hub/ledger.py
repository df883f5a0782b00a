"""Limits of users and groups: requests at once, tokens per minute and per day. Pure; the clocks are given.

A request reserves its estimated tokens before it waits, and pays what it has used when it ends. A reservation
that does not fit is refused, so that requests sent at the same moment cannot exceed a limit together.
"""

from __future__ import annotations

import datetime
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ..errors import LocalCoderError, QueueFull, QuotaExceeded, ValidationError
from .identity import Person

MINUTE_SECONDS = 60.0
EVERYBODY = "*"
_Limit = Annotated[int, Meta(ge=0)] | None | UnsetType


class UsageLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one user or group. None: no limit. 0: nothing is allowed. Unset: see `LimitTable.of`."""

    at_once: _Limit = UNSET
    """Requests that run or wait."""
    tokens_per_minute: _Limit = UNSET
    """Tokens of prompts and answers in any 60 seconds."""
    tokens_per_day: _Limit = UNSET
    """Tokens of prompts and answers from midnight to midnight, in the time zone of the service."""


@dataclass(frozen=True)
class LimitTable:
    """Limits by name, as configured.

    Parameters
    ----------
    users
        Of single users; `*` holds for all.
    groups
        Of each member of a group.
    totals
        Of all members of a group together.
    """

    users: Mapping[str, UsageLimits] = field(default_factory=dict)
    groups: Mapping[str, UsageLimits] = field(default_factory=dict)
    totals: Mapping[str, UsageLimits] = field(default_factory=dict)

    def of(self, person: Person) -> UsageLimits:
        """The limits of a person.

        For each limit the first that sets it counts: the entry of the user, the entries of the user's groups
        (the most generous one), the entry `*`. A limit that none sets is not limited.
        """
        groups = [self.groups[name] for name in person.groups if name in self.groups]
        own = [self.users[person.name]] if person.kind == "user" and person.name in self.users else []
        everybody = [self.users[EVERYBODY]] if EVERYBODY in self.users else []
        found = {}
        for name in UsageLimits.__struct_fields__:
            levels = ([getattr(each, name) for each in level] for level in (own, groups, everybody))
            values = next((given for level in levels if (given := _set(level))), [None])
            found[name] = None if None in values else max(values)
        return UsageLimits(**found)

    def of_groups(self, person: Person) -> list[tuple[str, UsageLimits]]:
        """The limits that the person shares with others, by the names of the groups."""
        return [(name, self.totals[name]) for name in person.groups if name in self.totals]


def limit_table(users: Any, groups: Any, totals: Any) -> LimitTable:
    """Read the configured limits.

    Raises
    ------
    ValidationError
        ``field`` in the details names the trait.
    """
    read = {}
    for name, given in (("user_limits", users), ("group_limits", groups), ("group_totals", totals)):
        try:
            read[name] = msgspec.convert(given, dict[str, UsageLimits])
        except msgspec.ValidationError as failure:
            raise ValidationError(f"{failure}.", field=name) from None
    return LimitTable(read["user_limits"], read["group_limits"], read["group_totals"])


@dataclass
class _Account:
    """What one user, or one group, has used and has reserved."""

    open: int = 0
    reserved: int = 0
    recent: deque[tuple[float, int]] = field(default_factory=deque)
    day: datetime.date | None = None
    today: int = 0

    def roll(self, now: float, day: datetime.date) -> None:
        """Forget what is older than a minute, or of another day."""
        while self.recent and self.recent[0][0] <= now - MINUTE_SECONDS:
            self.recent.popleft()
        if self.day != day:
            self.day, self.today = day, 0

    def spend(self, now: float, tokens: int) -> None:
        if tokens:
            self.recent.append((now, tokens))
            self.today += tokens

    def fits_after(self, now: float, tokens: int, limit: int) -> float:
        """Seconds until so many tokens more fit into a minute; what is reserved counts as used now."""
        left = sum(used for _, used in self.recent) + self.reserved + tokens - limit
        if left <= 0:
            return 0.0
        for at, used in self.recent:
            left -= used
            if left <= 0:
                return at + MINUTE_SECONDS - now
        return MINUTE_SECONDS


@dataclass
class Reservation:
    """Tokens that a request may use; closed once, with those that it has used."""

    tokens: int
    _ledger: Ledger
    _keys: tuple[str, ...]
    _open: bool = True

    def close(self, used: int) -> None:
        """Pay for a request that has ended."""
        if self._open:
            self._open = False
            self._ledger.settle(self._keys, self.tokens, used)


class Ledger:
    """Keeps the accounts.

    Parameters
    ----------
    monotonic
        Seconds that never go back.
    wall
        The local time, with its zone.
    spent_today
        What a key (`user:ada`, `group:staff`) has used today before this process started.
    """

    def __init__(
        self,
        table: LimitTable,
        *,
        monotonic: Callable[[], float],
        wall: Callable[[], datetime.datetime],
        spent_today: Mapping[str, int] | None = None,
    ) -> None:
        self._table = table
        self._monotonic = monotonic
        self._wall = wall
        day = wall().date()
        self._accounts = {key: _Account(day=day, today=used) for key, used in (spent_today or {}).items()}

    def reserve(self, person: Person, tokens: int) -> Reservation:
        """Reserve the tokens of a request.

        Raises
        ------
        QueueFull
            The person has too many requests that run or wait.
        QuotaExceeded
            The tokens do not fit; ``retry_after_seconds`` in the details if they will.
        """
        limits = [(person.key, "You have", self._table.of(person))]
        limits += [
            (f"group:{name}", f"The group {name} has", each) for name, each in self._table.of_groups(person)
        ]
        for key, whose, each in limits:
            if (refusal := self._refusal(key, whose, each, tokens)) is not None:
                raise refusal
        keys = (person.key, *(f"group:{name}" for name in person.groups))
        for key in keys:
            account = self._account(key)
            account.open += 1
            account.reserved += tokens
        return Reservation(tokens, self, keys)

    def settle(self, keys: Iterable[str], reserved: int, used: int) -> None:
        """Turn a reservation into what was used."""
        for key in keys:
            account = self._account(key)
            account.open -= 1
            account.reserved -= reserved
            account.spend(self._monotonic(), used)
            if not (account.open or account.recent or account.today):
                self._accounts.pop(key, None)

    def _account(self, key: str) -> _Account:
        account = self._accounts.setdefault(key, _Account())
        account.roll(self._monotonic(), self._wall().date())
        return account

    def _refusal(self, key: str, whose: str, limits: UsageLimits, tokens: int) -> LocalCoderError | None:
        account = self._account(key)
        if (most := limits.at_once) == 0:
            return _never(whose, "requests")
        if isinstance(most, int) and account.open >= most:
            return QueueFull(
                f"{whose} {account.open} requests that run or wait, which is the limit.",
                recovery="Wait until one of them has ended.",
                retry_after_seconds=1,
            )
        for name, limit in (("day", limits.tokens_per_day), ("minute", limits.tokens_per_minute)):
            if not isinstance(limit, int):
                continue
            if limit == 0:
                return _never(whose, f"tokens a {name}")
            if tokens > limit:
                return QuotaExceeded(
                    f"This request can use {tokens:,} tokens. The limit is {limit:,} a {name}.",
                    recovery="Send a shorter text, or ask for a shorter answer (`max_tokens`).",
                    limit=limit,
                )
            seconds = self._seconds_left(account, name, tokens, limit)
            if seconds > 0:
                return self._later(whose, name, limit, seconds)
        return None

    def _seconds_left(self, account: _Account, name: str, tokens: int, limit: int) -> float:
        now = self._monotonic()
        if name == "minute":
            return account.fits_after(now, tokens, limit)
        if account.today + account.reserved + tokens <= limit:
            return 0.0
        wall = self._wall()
        midnight = datetime.datetime.combine(wall.date() + datetime.timedelta(days=1), datetime.time.min)
        return max(1.0, (midnight.replace(tzinfo=wall.tzinfo) - wall).total_seconds())

    def _later(self, whose: str, name: str, limit: int, seconds: float) -> QuotaExceeded:
        at = self._wall() + datetime.timedelta(seconds=seconds)
        again = at.isoformat(timespec="seconds")
        return QuotaExceeded(
            f"{whose} used the {limit:,} tokens that are allowed a {name}. It goes on at {again}.",
            retry_after_seconds=math.ceil(seconds),
            retry_at=again,
            limit=limit,
        )


def _never(whose: str, what: str) -> QuotaExceeded:
    return QuotaExceeded(
        f"{whose} no {what} here: the limit is 0.", recovery="Ask the administrator of the server.", limit=0
    )


def _set(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not UNSET]
