"""Suggestions on their way to who asked: line by line, as far as nothing speaks against them."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.context.checks.gate import Rules, SuggestionGate
from jupyter_localcoder.context.checks.surroundings import Surroundings
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookContext

FRAME = KernelVariable(
    name="df", type="DataFrame", shape=(3, 1), columns=(Column(name="longitude", dtype="float64"),)
)


def gate(prefix: str = "", suffix: str = "", language: str = "python", **rules: Any) -> SuggestionGate:
    notebook = NotebookContext(variables=(FRAME,))
    return SuggestionGate(Surroundings(prefix, suffix, language, notebook), Rules(**rules))


def shown(made: SuggestionGate, answer: str, finish: Any = "stop", sure: float | None = -0.1) -> str:
    """What comes out when an answer comes in character by character, until it is not wanted any more."""
    out = ""
    for character in answer:
        out += made.take(character, sure)
        if made.ended:
            break
    return out + made.finish(finish, sure)


def test_the_first_line_is_held_back_until_it_is_complete() -> None:
    made = gate("x = ")
    assert made.take("f(a") == ""
    assert made.take(")") == ""
    assert made.take("\n") == "f(a)"
    assert made.take("y = 2") == ""
    assert made.take("\n") == "\ny = 2"
    assert made.finish("stop") == ""


def test_a_line_that_ends_with_the_answer_is_shown_then() -> None:
    assert shown(gate("x = "), "f(a)") == "f(a)"
    assert shown(gate("x = 1"), "\n\ny = 2\n\n") == "\n\ny = 2"
    assert shown(gate("x = 1"), "\n \n") == ""


def test_with_nothing_to_ask_everything_passes_at_once() -> None:
    made = gate("x = ", checks="off")
    assert [made.take(c) for c in "f(\n"] == ["f", "(", "\n"]
    assert made.finish("stop") == ""


def pieces(made: SuggestionGate, *tokens: str, sure: float = -0.1) -> list[str]:
    """What comes out for each token."""
    return [made.take(token, sure) for token in tokens]


def test_a_line_is_shown_as_it_comes_up_to_where_it_could_be_cut() -> None:
    made = gate("x = ", min_log_probability=-0.7)
    assert pieces(made, "total", "(", "values", ")", ".", "mean", "()", "\n") == [
        "", "total", "", "(values)", "", "", ".mean()", ""
    ]  # fmt: skip
    assert made.take("y = 2", -0.1) == ""
    assert made.finish("stop") == "\ny = 2"


def test_without_a_probability_a_line_is_held_back_until_it_is_complete() -> None:
    made = gate("x = ", min_log_probability=-0.7)
    assert [made.take(token) for token in ("total", "(values)", "\n")] == ["", "", "total(values)"]


@pytest.mark.parametrize(
    ("prefix", "suffix", "tokens"),
    [
        ("x = f(", ")", ("values", ", ", "weights", ")")),  # closes what the editor has closed
        ("total = 1\n", "\ntotal = count()", ("total", " = ", "count", "()")),  # may repeat the line below
        ("total = count()\n", "", ("total", " = ", "count", "()")),  # may repeat the line above
        ("", "", ("df", '["latitude"]', ".mean()")),  # names a column that the frame does not have
        ("", "", ("x", " = ", "1")),  # too short to be of use
    ],
)
def test_a_line_that_may_yet_fail_is_held_back(prefix: str, suffix: str, tokens: tuple[str, ...]) -> None:
    assert pieces(gate(prefix, suffix, min_log_probability=-0.7), *tokens) == [""] * len(tokens)


def test_what_is_shown_of_a_line_is_never_taken_back() -> None:
    made = gate("x = ", min_log_probability=-0.7)
    assert pieces(made, "total", "(a)", " +* 2", "\n") == ["", "total(a)", "", ""]
    assert (made.ended, made.withheld, made.doubt) == (True, "", "")
    assert made.finish("stop") == ""


def test_a_cut_leaves_what_is_shown() -> None:
    made = gate("x = ", min_log_probability=-0.7)
    assert pieces(made, "total", "(a)", ".mean") == ["", "total(a)", ""]
    assert made.take("(", -0.9) == ".mean"
    assert (made.ended, made.withheld) == (True, "")


@given(
    st.text("ab.( )[]\n='\"1#:", max_size=40),
    st.integers(0, 40),
    st.sampled_from(["x = ", "", "if a:\n    "]),
)
def test_what_comes_early_is_the_beginning_of_what_comes_in_the_end(
    answer: str, cut: int, prefix: str
) -> None:
    early, late = gate(prefix, min_log_probability=-0.7), gate(prefix, min_log_probability=-0.7)
    out = ""
    for index, character in enumerate(answer):
        out += early.take(character, -0.1 if index < cut else -0.9)
        if early.ended:
            break
    out += early.finish("stop", -0.1)
    whole = late.take(answer[:cut])
    if cut < len(answer) and not late.ended:
        whole += late.take(answer[cut], -0.9)
    whole += late.finish("stop", -0.1)
    assert out.startswith(whole) or whole.startswith(out)


def test_what_the_model_is_not_sure_of_from_the_beginning_on_is_not_shown() -> None:
    made = gate("x = ", min_log_probability=-0.5)
    assert shown(made, "f(a)\nmore", sure=-0.6) == ""
    assert (made.withheld, made.ended) == ("confidence", True)
    assert shown(gate("x = ", min_log_probability=-0.5), "f(a)", sure=-0.4) == "f(a)"
    assert shown(gate("x = ", min_log_probability=-0.5, checks="off"), "f(a) b", sure=-0.4) == "f(a) b"
    assert shown(gate("x = ", min_log_probability=-0.5), "f(a)", sure=None) == "f(a)"


@pytest.mark.parametrize("checks", ["off", "mark", "drop"])
@pytest.mark.parametrize(
    ("sure", "unsure", "kept"),
    [
        ("f(a)", " + wild", "f(a)"),
        ("f(a)", "\n", "f(a)"),
        ("f(a", ", wild", "f"),
        ("f(", "wild", "f"),
        ("df.gro", "upby", "df"),
        ("df.size", "\n", "df.size"),
        ("12", "34", ""),
        ("a if b ", "else", "a if b"),
        ('"a', 'b"', ""),
        ('g["a"]', "[wild", 'g["a"]'),
        ("1\ny = 2", "\n", "1\ny = 2"),
        ("1\ny = (2,", " 3)", "1\ny"),
        ("1\n", "y", "1"),
    ],
)
def test_it_is_cut_before_the_token_that_makes_it_too_unlikely(
    sure: str, unsure: str, kept: str, checks: str
) -> None:
    """And from there it goes back to where a line may end."""
    made = gate("x = ", min_log_probability=-0.5, checks=checks)
    out = made.take(sure, -0.2)
    assert not made.ended
    assert out + made.take(unsure, -3.0) == kept
    assert (made.ended, made.withheld) == (True, "" if kept else "confidence")
    assert made.take("more", -3.1) + made.finish("stop", -3.1) == ""


def test_a_bracket_before_the_cursor_may_stay_open() -> None:
    made = gate("x = f(", min_log_probability=-0.5)
    assert made.take("a, b", -0.2) + made.take(", wild", -3.0) == "a, b"


def test_the_end_of_an_answer_may_be_unlikely() -> None:
    """That it might go on does not make wrong what it says."""
    made = gate("x = ", min_log_probability=-0.5)
    assert made.take("f(a)", -0.2) + made.finish("stop", -1.3) == "f(a)"


def test_a_cut_line_is_checked_like_a_whole_one() -> None:
    made = gate("plt.plot(x)\n", min_log_probability=-0.5)
    assert made.take("plt.plot(x)", -0.2) + made.take("wild", -3.0) == ""
    assert made.withheld == "repetition"


def test_an_empty_answer_is_not_called_unsure() -> None:
    made = gate("x = ", min_log_probability=-0.5)
    assert made.finish("stop", -2.0) == ""
    assert made.withheld == ""


@pytest.mark.parametrize(
    ("prefix", "answer", "suffix", "why"),
    [
        ("plt.plot(x)\n", "plt.plot(x)\n", "", "repetition"),
        ("plt.plot(x)\nplt.", "plot(x)\n", "", "repetition"),
        ("", "plt.show()\n", "\nplt.show()", "repetition"),
        ("f(", ")", ")", "repetition"),
        ("x = f(", "a b\n", ")", "syntax"),
        ("x = ", "1 +* 2\n", "", "syntax"),
        ("", 'df["latitude"].mean()\n', "", "columns"),
    ],
)
def test_what_fails_is_withheld_and_the_reason_told(prefix: str, answer: str, suffix: str, why: str) -> None:
    made = gate(prefix, suffix)
    if why == "syntax" and suffix:
        answer = answer.strip()
    assert shown(made, answer) == ""
    assert (made.withheld, made.ended) == (why, True)


@pytest.mark.parametrize(("answer", "why"), [("1 +* 2", "syntax"), ('df["latitude"]', "columns")])
def test_it_can_be_marked_instead(answer: str, why: str) -> None:
    made = gate("x = ", checks="mark")
    assert shown(made, answer) == answer
    assert (made.withheld, made.doubt, made.ended) == ("", why, False)


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("a = 1\nb = 2\nb = 2\nc = 3\n", "a = 1\nb = 2"),
        ("a = 1\nend()\nc = 3\n", "a = 1"),
        ("a = 1\nb = = 2\nc = 3\n", "a = 1"),
        ('a = 1\nb = df["latitude"]\n', "a = 1"),
        ("a = (\n    1,\n)\nb = 2", "a = (\n    1,\n)\nb = 2"),
    ],
)
def test_a_later_line_that_fails_ends_the_suggestion(answer: str, kept: str) -> None:
    made = gate("", "\nend()")
    assert shown(made, answer) == kept
    assert made.withheld == ""


def test_a_bracket_that_stands_there_already_is_trimmed_and_ends_the_suggestion() -> None:
    made = gate("print(", ")\n")
    assert shown(made, "x)\nprint(y)\n") == "x"
    assert made.ended


def test_several_lines_within_brackets_are_held_against_what_follows_at_their_end() -> None:
    assert shown(gate("d = {", "}"), '\n    "a":\n    1,\n') == '\n    "a":\n    1,'


def test_what_a_limit_has_cut_off_is_not_blamed() -> None:
    assert shown(gate(), 'df["lat', finish="length") == 'df["lat'
    assert shown(gate("x = "), "'abc", finish="timeout") == "'abc"


def test_another_language_is_not_parsed() -> None:
    assert shown(gate(language="R"), "x <- = y\n") == "x <- = y"


@given(st.text("ab=()\"'\n ", max_size=40), st.text("ab()\n", max_size=10), st.text("ab)\n", max_size=10))
def test_what_is_shown_is_a_beginning_of_the_answer(answer: str, prefix: str, suffix: str) -> None:
    assert answer.startswith(shown(gate(prefix, suffix), answer))


@given(st.text("ab=()\"'\n ", max_size=40), st.integers(1, 7))
def test_the_pieces_in_which_an_answer_comes_do_not_matter(answer: str, size: int) -> None:
    made = gate("x")
    out = "".join(made.take(answer[i : i + size]) for i in range(0, len(answer), size))
    assert out + made.finish("stop") == shown(gate("x"), answer)


@pytest.mark.parametrize("checks", ["off", "mark", "drop"])
def test_the_indentation_before_the_cursor_is_not_written_twice(checks: str) -> None:
    before = "def f(a):\n    b = a\n    "
    assert shown(gate(before, checks=checks), "    return b") == "return b"
    assert shown(gate(before, checks=checks), "        return b").strip() in ("return b", "")
    assert shown(gate(before, checks=checks), "return b") == "return b"
    assert shown(gate(before, checks=checks), "    c = b\n    return c") == "c = b\n    return c"
    assert shown(gate("x = ", checks=checks), " 1") == " 1"


@pytest.mark.parametrize(
    ("prefix", "suffix", "answer", "kept"),
    [
        ('s = """', '"""\n\nx = 1', 'SELECT 1"""', "SELECT 1"),
        ('s = """', '"""', '\n    SELECT 1\n    FROM t\n"""\nrun(s)', "\n    SELECT 1\n    FROM t"),
        ('print(x["', '"])', 'a"])  # the first one', "a"),
        ('print(f"{x', '}")', ":.2f}", ":.2f"),
        ('print(f"{x', '}")', ':.2f}")', ":.2f"),
        ("plot(\n    x,\n    y", "\n)", ', label="a")', ', label="a"'),
        ("plot(\n    x,", "\n)\nshow()", "\n    y,\n)\nshow()", "\n    y,"),
        ("x = max(", ")", "a, b  # of both", "a, b"),
        ("x = [", "]  # all", "1, 2  # two", "1, 2"),
        ("x = ", "", "1  # one", "1  # one"),
    ],
)
def test_what_the_editor_has_closed_is_neither_doubled_nor_swallowed(
    prefix: str, suffix: str, answer: str, kept: str
) -> None:
    assert shown(gate(prefix, suffix), answer) == kept
    ast.parse(prefix + kept + suffix)


@pytest.mark.parametrize("quote", ['"', "'", '"""', "'''"])
@pytest.mark.parametrize("opened", ["s = ", "s = f", "f(", "f(g[", 'd = {"k": r'])
def test_whatever_is_open_is_closed_once(quote: str, opened: str) -> None:
    prefix = opened + quote
    closing = quote + "".join({"(": ")", "[": "]", "{": "}"}[c] for c in reversed(opened) if c in "([{")
    for end in range(len(closing) + 1):
        for tail in ("", "  # note", "\ny = 2"):
            answer = f"text{closing[:end]}{tail if end == len(closing) else ''}"
            text = shown(gate(prefix, f"{closing}\nz = 3\n"), answer)
            ast.parse(f"{prefix}{text}{closing}\nz = 3\n")
            assert text == "text"
