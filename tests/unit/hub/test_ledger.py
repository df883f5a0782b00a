"""Limits hold, also for requests that come at the same moment, and say when it goes on."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from jupyter_localcoder.errors import QueueFull, QuotaExceeded, ValidationError
from jupyter_localcoder.hub.identity import Person
from jupyter_localcoder.hub.ledger import Ledger, UsageLimits, limit_table

ZONE = datetime.timezone(datetime.timedelta(hours=1))


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0
        self.start = datetime.datetime(2026, 12, 1, 9, tzinfo=ZONE)

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> datetime.datetime:
        return self.start + datetime.timedelta(seconds=self.seconds - 1000)


def ledger(clock: Clock, users: Any = None, groups: Any = None, totals: Any = None, **spent: int) -> Ledger:
    table = limit_table(users or {}, groups or {}, totals or {})
    given = {name.replace("_", ":"): used for name, used in spent.items()}
    return Ledger(table, monotonic=clock.monotonic, wall=clock.wall, spent_today=given)


ADA = Person("ada", ("students",))
BOB = Person("bob", ("students", "staff"))


def test_tokens_of_a_minute_come_back_when_they_are_a_minute_old() -> None:
    clock = Clock()
    book = ledger(clock, {"*": {"tokens_per_minute": 100}})
    book.reserve(ADA, 60).close(60)
    clock.seconds += 20
    with pytest.raises(QuotaExceeded) as caught:
        book.reserve(ADA, 60)
    assert caught.value.details["retry_after_seconds"] == 40
    assert caught.value.details["retry_at"] == "2026-12-01T09:01:00+01:00"
    clock.seconds += 40
    book.reserve(ADA, 60)


def test_reservations_count_until_they_are_paid() -> None:
    clock = Clock()
    book = ledger(clock, {"*": {"tokens_per_minute": 100, "tokens_per_day": 1000}})
    first = book.reserve(ADA, 60)
    with pytest.raises(QuotaExceeded):
        book.reserve(ADA, 60)
    first.close(5)
    first.close(1000)
    book.reserve(ADA, 60)


def test_the_day_ends_at_midnight_of_the_service() -> None:
    clock = Clock()
    book = ledger(clock, {"*": {"tokens_per_day": 100}})
    book.reserve(ADA, 100).close(100)
    with pytest.raises(QuotaExceeded) as caught:
        book.reserve(ADA, 1)
    assert caught.value.details["retry_at"] == "2026-12-02T00:00:00+01:00"
    clock.seconds += 15 * 3600
    book.reserve(ADA, 100)


def test_what_was_used_before_the_start_counts() -> None:
    clock = Clock()
    book = ledger(clock, {"*": {"tokens_per_day": 100}}, user_ada=90)
    with pytest.raises(QuotaExceeded):
        book.reserve(ADA, 20)
    book.reserve(ADA, 10)
    book.reserve(BOB, 100)


def test_requests_at_once() -> None:
    book = ledger(Clock(), {"*": {"at_once": 2}})
    one, _ = book.reserve(ADA, 1), book.reserve(ADA, 1)
    with pytest.raises(QueueFull):
        book.reserve(ADA, 1)
    book.reserve(BOB, 1)
    one.close(1)
    book.reserve(ADA, 1)


@pytest.mark.parametrize("name", ["at_once", "tokens_per_minute", "tokens_per_day"])
def test_zero_allows_nothing_and_never_goes_on(name: str) -> None:
    book = ledger(Clock(), {"*": {name: 0}})
    with pytest.raises(QuotaExceeded, match="limit is 0") as caught:
        book.reserve(ADA, 1)
    assert "retry_after_seconds" not in caught.value.details


def test_a_request_that_never_fits_is_not_told_to_wait() -> None:
    book = ledger(Clock(), {"*": {"tokens_per_minute": 100}})
    with pytest.raises(QuotaExceeded, match="can use 101 tokens") as caught:
        book.reserve(ADA, 101)
    assert "retry_after_seconds" not in caught.value.details


def test_the_more_special_limit_counts_and_of_groups_the_most_generous() -> None:
    table = limit_table(
        {"*": {"at_once": 1, "tokens_per_day": 10}, "eve": {"at_once": 9}},
        {"students": {"at_once": 2}, "staff": {"at_once": 5, "tokens_per_day": None}},
        {},
    )
    assert table.of(ADA) == UsageLimits(at_once=2, tokens_per_minute=None, tokens_per_day=10)
    assert table.of(BOB) == UsageLimits(at_once=5, tokens_per_minute=None, tokens_per_day=None)
    assert table.of(Person("eve", ("staff",))).at_once == 9
    # A service of the hub that has the name of a user is another one.
    assert table.of(Person("eve", kind="service")).at_once == 1


def test_a_group_has_limits_together() -> None:
    book = ledger(Clock(), totals={"students": {"tokens_per_minute": 100, "at_once": 2}})
    book.reserve(ADA, 60)
    with pytest.raises(QuotaExceeded, match="The group students"):
        book.reserve(BOB, 60)
    book.reserve(BOB, 10)
    with pytest.raises(QueueFull, match="The group students"):
        book.reserve(ADA, 1)


def test_a_refused_request_reserves_nothing() -> None:
    book = ledger(Clock(), {"*": {"at_once": 1}}, totals={"students": {"at_once": 0}})
    for _ in range(3):
        with pytest.raises(QuotaExceeded):
            book.reserve(ADA, 1)
    book.reserve(Person("zoe"), 1)


@pytest.mark.parametrize(
    ("users", "field"),
    [({"*": {"at_once": -1}}, "user_limits"), ({"*": {"per_hour": 1}}, "user_limits"), ([], "user_limits")],
)
def test_wrong_limits_are_refused_at_the_start(users: Any, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        limit_table(users, {}, {})
    assert caught.value.details["field"] == field
