"""Suggestions that say again what stands there."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.checks.repetition import last_line, repeats, without_overlap


@pytest.mark.parametrize(
    ("line", "neighbour", "same"),
    [
        ("plt.show()", "    plt.show()", True),
        ("plt.show()", "plt.plot()", False),
        ("}", "}", False),
        ("---", "---", False),
        ("pass", "pass", True),
        ("", "", False),
    ],
)
def test_a_line_repeats_its_neighbour_when_it_says_something(line: str, neighbour: str, same: bool) -> None:
    assert repeats(line, neighbour) is same


def test_the_last_line_is_the_last_that_says_something() -> None:
    assert last_line("a\nb\n\n  \n") == "b"
    assert last_line(" \n") == ""


@pytest.mark.parametrize(
    ("before", "line", "rest", "kept"),
    [
        ("print(", "x)", ")", "x"),
        ("f(g(", "x)", ")", "x)"),
        ("f(g(", "x))", ")", "x)"),
        ("f(g(", "x))", "))", "x"),
        ('df["', 'ocean"]', '"]', "ocean"),
        ('df["', "ocean", '"]', "ocean"),
        ("x = ", "f(a)", "", "f(a)"),
        ("x = ", "f(a)", "  # note", "f(a)"),
        ("if a", " > 1:", ":", " > 1:"),
        ("return ", "total / count", "/ count", "total "),
        ("", "", ")", ""),
        ("y = (a", " + b", ")", " + b"),
    ],
)
def test_an_end_that_doubles_what_follows_is_trimmed(before: str, line: str, rest: str, kept: str) -> None:
    assert without_overlap(before, line, rest) == kept
