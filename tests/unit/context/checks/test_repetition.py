"""Suggestions that say again what stands there."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.checks.repetition import (
    last_line,
    repeats,
    without_comment,
    without_overlap,
)


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


@pytest.mark.parametrize(
    ("before", "line", "rest", "after", "kept"),
    [
        # Quotes that the editor has closed, one or three of them.
        ('s = """', 'SELECT 1"""', '"""', "", "SELECT 1"),
        ('s = """', 'SELECT 1"""', '"""', '\ndef f():\n    """Doc."""\n', "SELECT 1"),
        ("s = f'''", "{a} {b}'''", "'''", "\nx = 1", "{a} {b}"),
        ('s = """', '\n    SELECT *\n"""', '"""', "", "\n    SELECT *\n"),
        ('x = "', 'hello"', '"', "\ny = 'a'", "hello"),
        ('x = f("', 'hello")', '")', "\ny = 1", "hello"),
        ('print(f"', '{x}")', '")', "", "{x}"),
        ('def f():\n    """', 'Return one."""', "", "\n    return 1", 'Return one."""'),
        ('print(x["', 'a"] + y["b"])', '"])', "\nz = 1", 'a"] + y["b'),
        # Brackets that stand below the line.
        ("foo(\n    a", ", b)", "", "\n)", ", b"),
        ("foo(bar(", "x))", "", "\n)", "x)"),
        ("d = {\n    'a': [1", ", 2]}", "", "\n}", ", 2]"),
        ("foo(\n    a,", "\n    b\n)", "", "\n)", "\n    b\n"),
        ("foo(a", ", b)", "", "\n\nbar(x)", ", b)"),
        # And those that close nothing anywhere.
        ("x = ", "f(a))", "", "", "f(a)"),
        ("x = f(", "a)", "", "", "a)"),
    ],
)
def test_what_the_text_around_it_closes_is_not_closed_again(
    before: str, line: str, rest: str, after: str, kept: str
) -> None:
    assert without_overlap(before, line, rest, after) == kept


def test_a_bracket_of_a_language_that_does_not_pair_them_stays() -> None:
    assert without_overlap("case $1 in\n", "start)", "", "\nesac", closes=False) == "start)"


@pytest.mark.parametrize(
    ("before", "line", "rest", "comment", "kept"),
    [
        ('print(x["', 'a"])  # the first', '"])', "#", 'a"])'),
        ("print(", "a  # the first", ")", "#", "a"),
        ("print(", 'a, "#"', ")", "#", 'a, "#"'),
        ("print(", 'a, "#")  # b # c', ")", "#", 'a, "#")'),
        ("x = ", "1  # one", "", "#", "1  # one"),
        ("x = ", "1  # one", "  # two", "#", "1  # one"),
        ("x  # ", "a # b", "c", "#", "a # b"),
        ("f(", "a // first", ")", "//", "a"),
        ("f(", "a // first", ")", "#", "a // first"),
        ("SELECT f(", "a -- first", ")", "--", "a"),
    ],
)
def test_a_comment_that_would_swallow_the_rest_of_the_line_is_cut(
    before: str, line: str, rest: str, comment: str, kept: str
) -> None:
    assert without_comment(before, line, rest, comment) == kept
