"""The person who types in the benchmark, and what is counted."""

from __future__ import annotations

import time

import pytest

from tests.benchmarks import picture
from tests.benchmarks.simulation.person import type_cell
from tests.benchmarks.simulation.sides import Plugin, is_multiline
from tests.benchmarks.simulation.tally import Seen, Tally, invented


class Suggests:
    """Suggests one text at one place, and keeps it while it is typed."""

    def __init__(self, at: str, text: str) -> None:
        self._at, self._text = at, text
        self._prefix = ""

    def changed(self, prefix: str) -> None:
        self._prefix = prefix

    @property
    def ghost(self) -> str:
        begin, text = self.shown
        return text[len(self._prefix) - begin :] if text else ""

    @property
    def shown(self) -> tuple[int, str]:
        typed = self._prefix.removeprefix(self._at)
        fits = self._prefix.startswith(self._at) and self._text.startswith(typed)
        return (len(self._at), self._text) if fits else (-1, "")

    def leave(self) -> None:
        self._prefix = ""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def typed(source: str, at: str, text: str) -> Tally:
    tally = Tally()
    type_cell(source, Suggests(at, text), tally)
    return tally


def test_nothing_is_saved_without_suggestions() -> None:
    tally = typed("if a:\n    b = 1", "?", "")
    # The line break and the indentation are one key.
    assert (tally.keys, tally.keys_needed, tally.saved, tally.shown) == (11, 11, 0.0, 0)


def test_all_of_a_suggestion_is_accepted_by_one_key() -> None:
    tally = typed("x = total(y)\nz = 1", "x = ", "total(y)\nz")
    assert (tally.accepted, tally.keys) == (1, 4 + 1 + 4)
    assert tally.seen == [Seen("total(y)\nz", "total(y)\nz = 1", "x = ")]
    assert (tally.followed, tally.share_followed) == ([False], 0.0)
    assert (tally.right, tally.wrong, tally.reading_seconds) == (10, 0, 0.0)


def test_the_first_line_or_word_is_accepted_where_the_rest_is_wrong() -> None:
    assert typed("x = total(y)\nz = 1", "x = ", "total(y)\nprint(z)").keys == 4 + 1 + 6
    assert typed("x = total(y)\nz = 1", "x = ", "total(y)\nprint(z)").followed == []
    assert typed("x = total + y", "x = ", "total - y").keys == 4 + 1 + 4


def test_what_is_wrong_is_read_once_and_counted_once() -> None:
    tally = typed("x = mean(y)", "x = ", "median(y)")
    assert (tally.accepted, tally.keys, tally.reading_seconds) == (0, 11, 0.5)
    assert (tally.right, tally.wrong) == (2, 7)
    # It stays while it is typed: before `m`, `e` and `a`.
    assert tally.shown == 3


def test_a_short_part_is_not_worth_a_key() -> None:
    assert typed("x = ab", "x = ", "ab").accepted == 0


@pytest.mark.parametrize(
    ("before", "text", "target", "found"),
    [
        ("x = ", 'df["b"]', 'df["a"]', ["df['b']"]),
        ("x = ", 'df["a"]', 'df["a"]', []),
        ("", 'df["b"] = 1', 'df["c"] = 1', []),
        ('x = df["', 'b"]', 'a"]', ["df['b']"]),
        ("x = ", "df.meen()", "df.mean()", ["df.meen"]),
        ("x = ", "df.me", "df.mean()", []),
        ("x = ", "df.mo", "df.mean()", ["df.mo"]),
        ("x = ", "other.thing", "df.mean()", []),
    ],
)
def test_what_the_kernel_does_not_have_is_invented(
    before: str, text: str, target: str, found: list[str]
) -> None:
    assert invented(Seen(text, target, before), {"df": ["a"]}, {"df": ["mean", "a"]}) == found


@pytest.mark.parametrize(
    ("prefix", "expected"), [("", True), ("f(", True), ("if a:", True), ("x = ", False), ("# Sum", True)]
)
def test_where_the_page_asks_for_several_lines(prefix: str, expected: bool) -> None:
    assert is_multiline(prefix) is expected


def test_the_plug_in_finds_an_answer_further_to_the_left() -> None:
    plugin = Plugin(None, Tally())  # type: ignore[arg-type] - it is not asked
    plugin.known["above\n", "x = "] = "total(y)"
    assert plugin.found("above\n", "x = to") == "tal(y)"
    assert plugin.found("above\n", "x = me") is None
    assert plugin.found("above\n", "x = total(y)") is None
    assert plugin.split("a\nb\n    ") == ("a\nb\n", "")
    assert plugin.split("a\nb = ") == ("a\n", "b = ")


def test_the_picture_shows_the_table() -> None:
    rows = picture.shares((picture.DOCS / "performance.md").read_text(encoding="utf-8"))
    assert picture.PICTURE.read_text(encoding="utf-8") == picture.drawn(rows)
    with pytest.raises(ValueError, match="keystrokes saved"):
        picture.shares("### Keystrokes saved\n")
