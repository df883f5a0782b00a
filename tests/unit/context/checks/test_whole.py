"""Where a line that was cut off ends."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_localcoder.context.checks.scan import scan
from jupyter_localcoder.context.checks.whole import whole_part
from tests.unit.context.checks.test_gate import gate, shown


@pytest.mark.parametrize(
    ("before", "line", "whole"),
    [
        ("x = ", "compute(a, b).resu", "compute(a, b)"),
        ("x = ", "compute(a, b)", "compute(a, b)"),
        ("x = ", "compute(a, b) + oth", "compute(a, b)"),
        ("x = ", "compute(a, b) +", "compute(a, b)"),
        ("", 'df.groupby("a").agg({"x": "mean", "y": "su', 'df.groupby("a").agg'),
        ("", "values = [1, 2, 3, 4", "values"),
        ("plt.plot(", 'x, y, label="data", col', 'x, y, label="data"'),
        ("plt.plot(", "x, y", "x"),
        ("plt.plot(", "x, y)", "x, y)"),
        ("x = ", "3.14159", ""),
        ("x = 3", ".14159 + y + z", ".14159 + y"),
        ("", "return value.upp", "return value"),
        ("", "for item in ite", "for item"),
        ("", "for item in items:", "for item in items:"),
        ("", "if a and b or", "if a and b"),
        ("", "# computes the mean of the val", "# computes the mean of the"),
        ('"""Compute ', "the mean of the val", "the mean of the"),
        ("x = 'a", "bc def'", "bc def'"),
        ("", "résumé_länge = größ", "résumé_länge"),
        ("", "supercalifragilistic", ""),
        ("", "pass", ""),
    ],
)
def test_it_ends_after_a_whole_word_with_no_bracket_open(before: str, line: str, whole: str) -> None:
    assert whole_part(before, line) == whole


@example("'a", "'['")
@given(st.sampled_from(["", "f(", "x = [", "'a"]), st.text("ab1_ .,()[]{}'\"#=+:", max_size=40))
def test_it_is_a_beginning_that_opens_nothing(before: str, line: str) -> None:
    whole = whole_part(before, line)
    assert line.startswith(whole)
    if whole:
        rest = line[len(whole) :]
        assert not (whole[-1].isalnum() and (not rest or rest[0].isalnum()))
        at_start, at_end = scan(before), scan(scan(before).brackets + scan(before).quote + whole)
        assert at_start.brackets.startswith(at_end.brackets) or at_end.comment
        assert at_end.quote in ("", at_start.quote)


def test_only_a_line_that_the_limit_cuts_is_trimmed() -> None:
    assert shown(gate("x = ", trim=True), "f(a).resu", "length") == "f(a)"
    assert shown(gate("x = ", trim=True), "f(a).resu", "timeout") == "f(a)"
    assert shown(gate("x = ", trim=True), "f(a).resu", "stop") == "f(a).resu"
    assert shown(gate("x = "), "f(a).resu", "length") == "f(a).resu"
    assert shown(gate("x = ", trim=True), "f(a)\ny = [1, 2", "length") == "f(a)\ny"
    assert shown(gate("x = ", trim=True), "f(a)\n[1, 2", "length") == "f(a)"
    assert shown(gate("x = ", trim=True), "[1, 2", "length") == ""
