"""Counts of suggestions, and the threshold that follows from them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.contract.stats import Outcome, SuggestionCounts, SuggestionOutcome
from jupyter_localcoder.errors import FileWriteError
from jupyter_localcoder.history import suggestion_counts
from jupyter_localcoder.history.suggestion_counts import (
    LEAST_PROBABILITY,
    LEAST_RECENT,
    MOST_PROBABILITY,
    RECENT,
    SuggestionLog,
    adapted,
    total_of,
)

CONFIGURED = 0.5


def outcomes(*names: Outcome, model: str = "coder", language: str = "python") -> list[SuggestionOutcome]:
    return [SuggestionOutcome(outcome=name, model=model, language=language) for name in names]


def accepting(share: float, count: int = 200, seed: int = 1) -> Iterator[Outcome]:
    """A person who accepts this share of what is shown."""
    generator = random.Random(seed)
    for _ in range(count):
        yield "shown"
        if generator.random() < share:
            yield "accepted"


def test_what_was_counted_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "suggestions.json"
    log = SuggestionLog(path)
    log.add(outcomes("shown", "accepted", "kept", "shown", "dismissed", "shown", "accepted_word"))
    log.add(outcomes("shown", "accepted_line", model="other", language="r"))
    before = log.read()
    log.save()
    assert not log.unsaved
    since, rows = SuggestionLog(path).read()
    assert (since, rows) == before
    assert rows == [
        SuggestionCounts(
            model="coder", language="python", shown=3, accepted=1, accepted_word=1, dismissed=1, kept=1
        ),
        SuggestionCounts(model="other", language="r", shown=1, accepted_line=1),
    ]
    assert total_of(rows) == SuggestionCounts(
        shown=4, accepted=1, accepted_line=1, accepted_word=1, dismissed=1, kept=1
    )


def test_two_servers_add_to_the_same_counts(tmp_path: Path) -> None:
    one, other = SuggestionLog(tmp_path / "s.json"), SuggestionLog(tmp_path / "s.json")
    for log in (one, other, one):
        log.add(outcomes("shown"))
        log.save()
    assert total_of(one.read()[1]).shown == total_of(other.read()[1]).shown == 3


def test_what_cannot_be_written_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = SuggestionLog(tmp_path / "s.json")
    log.add(outcomes("shown"))
    with monkeypatch.context() as patched:
        patched.setattr(suggestion_counts.JsonFile, "change", _refusing)
        log.save()
    assert log.unsaved
    assert len(log.recent()) == 1
    log.save()
    assert total_of(SuggestionLog(tmp_path / "s.json").read()[1]).shown == 1


def _refusing(_self: object) -> None:
    raise FileWriteError("The disk is read-only.")


def test_erased_is_erased_also_what_was_not_written_yet(tmp_path: Path) -> None:
    log = SuggestionLog(tmp_path / "s.json")
    log.add(outcomes("shown", "accepted"))
    log.save()
    log.add(outcomes("shown"))
    log.erase()
    log.save()
    assert log.read() == ("", [])
    assert log.recent() == []
    assert set(json.loads((tmp_path / "s.json").read_text())) == {"format"}


def test_the_number_of_rows_is_limited(tmp_path: Path) -> None:
    log = SuggestionLog(tmp_path / "s.json")
    for number in range(suggestion_counts.MOST_ROWS + 20):
        log.add(outcomes("shown", model=f"m{number}"))
    log.save()
    _, rows = log.read()
    assert len(rows) == suggestion_counts.MOST_ROWS + 1
    assert total_of(rows).shown == suggestion_counts.MOST_ROWS + 20


@pytest.mark.parametrize(
    "content", ["{", '{"format": 1, "counts": [{"shown": "x"}]}', '{"format": 1, "recent": 3}']
)
def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "s.json").write_text(content)
    log = SuggestionLog(tmp_path / "s.json")
    assert log.read() == ("", [])
    log.add(outcomes("shown"))
    log.save()
    assert total_of(log.read()[1]).shown == 1


def threshold(log: SuggestionLog) -> float:
    found = adapted(CONFIGURED, log.recent())
    assert found is not None
    return found


def test_who_accepts_much_is_shown_more_and_who_accepts_little_less(tmp_path: Path) -> None:
    found = []
    for share in (0.0, 0.15, 0.25, 0.4, 0.9):
        log = SuggestionLog(tmp_path / f"{share}.json")
        log.add(outcomes(*accepting(share)))
        found.append(threshold(log))
    assert found == sorted(found, reverse=True)
    assert (found[0], found[-1]) == (MOST_PROBABILITY, LEAST_PROBABILITY)
    assert abs(found[2] - CONFIGURED) <= 0.1


def test_a_person_whose_habits_change_is_followed_and_erasing_begins_anew(tmp_path: Path) -> None:
    log = SuggestionLog(tmp_path / "s.json")
    assert threshold(log) == CONFIGURED
    log.add(outcomes(*accepting(0.0)))
    assert threshold(log) == MOST_PROBABILITY
    log.add(outcomes(*accepting(1.0)))
    assert threshold(log) == LEAST_PROBABILITY
    log.save()
    assert len(log.recent()) == RECENT
    again = SuggestionLog(tmp_path / "s.json")
    again.read()
    assert threshold(again) == LEAST_PROBABILITY, "it is the same after a restart"
    again.erase()
    assert threshold(again) == CONFIGURED


def test_a_few_suggestions_move_nothing() -> None:
    assert adapted(CONFIGURED, [False] * (LEAST_RECENT - 1)) == CONFIGURED
    assert adapted(CONFIGURED, [False] * LEAST_RECENT) == MOST_PROBABILITY


@pytest.mark.parametrize("configured", [None, 0.1, 0.9])
def test_no_limit_and_one_out_of_bounds_stay_as_an_administrator_has_set_them(
    configured: float | None,
) -> None:
    for recent in ([False] * RECENT, [True] * RECENT):
        assert adapted(configured, recent) == configured


@given(st.floats(LEAST_PROBABILITY, MOST_PROBABILITY), st.lists(st.booleans(), max_size=2 * RECENT))
def test_the_threshold_stays_within_its_bounds(configured: float, recent: list[bool]) -> None:
    found = adapted(configured, recent)
    assert found is not None
    assert LEAST_PROBABILITY <= found <= MOST_PROBABILITY
    assert found == adapted(configured, recent)
