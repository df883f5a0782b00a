"""The bench of the gate: its places, and what it counts."""

from __future__ import annotations

import math

from jupyter_localcoder.context.checks.surroundings import Surroundings
from tests.benchmarks.gate import Answer, figure, places, rules

SOURCE = "total = sum(values)\nif total > limit:\n    print(total)\n"


def answer(*pieces: tuple[str, float], end: float = -3.0) -> Answer:
    return Answer("mark", Surroundings("x = ", ""), "f(a) + 1", pieces, "stop", end)


def test_places_are_the_same_each_time_and_of_their_kind() -> None:
    found = places(SOURCE, 1)
    assert found == places(SOURCE, 1)
    assert [at for _, at in found] == sorted(at for _, at in found)
    for where, at in found:
        before, after = SOURCE[at - 1], SOURCE[at]
        if where == "word":
            assert (before + after).isalnum()
        elif where == "mark":
            assert before in " .(,=["
        else:
            assert before in " \n"
            assert SOURCE[:at].rpartition("\n")[2].strip() == ""


def test_one_answer_is_shown_as_far_as_each_threshold_says() -> None:
    one = answer(("f(a)", -0.1), (" + 2", -1.5), ("\nmore", -2.0))
    assert one.shown(rules(0.5)) == "f(a)"
    assert one.shown(rules(0.2)) == "f(a) + 2"
    assert one.shown(rules(0.95)) == ""
    assert one.shown(rules(0.0)) == "f(a) + 2\nmore"


def test_a_whole_answer_is_taken_or_left_by_its_first_line() -> None:
    one = answer(("f(a)", -0.1), (" + 2", -1.5), ("\nmore", -2.0))
    assert one.whole(-2.1) == "f(a) + 2\nmore"
    assert one.whole(-1.9) == ""
    # The end of a single line is the end of the answer.
    assert answer(("f(a)", -0.1), end=-1.0).whole(-0.9) == ""
    assert answer(("f(a)", -0.1), end=-1.0).whole(-1.1) == "f(a)"


def test_characters_and_places_are_counted() -> None:
    counted = figure([("f(a)", "f(a) + 1"), ("f(b)", "f(a) + 1"), ("", "f(a)"), (" ", "f(a)")], "here")
    assert counted.numbers == {"places": 4, "shown": 2, "right": 1, "right_chars": 6, "wrong_chars": 2}
    assert math.isclose(counted.value.value, 75.0)
