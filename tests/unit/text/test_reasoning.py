"""Reasoning is told apart from the answer, however the text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.text.reasoning import AnswerParts, bounded, split

EXPLAINS = "Models write `<think>` before and `</think>` after:\n```\n<think>\nhm\n</think>\n```\nSo it is."
WHOLE = [
    ("<think>\nLet me see.\n</think>\n\nIt is 4.", "It is 4.", "\nLet me see.\n"),
    ("  \n<think>a</think>b", "b", "a"),
    ("<THINK>a</Think>b", "b", "a"),
    ("<thinking>a</thinking>b", "b", "a"),
    ("<thought>a</thought>b", "b", "a"),
    ("<reasoning>a</reasoning>b", "b", "a"),
    ("[THINK]a[/THINK]b", "b", "a"),
    ("\u25c1think\u25b7a\u25c1/think\u25b7b", "b", "a"),
    (
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>",
        "b",
        "a",
    ),
    ("<|start|>assistant<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>b", "b", "a"),
    ("<|channel|>final <|constrain|>json<|message|>{}", "{}", ""),
    ("<think>a</think><think>b</think>c", "c", "ab"),
    ("<think></think>b", "b", ""),
    # Never closed: all of it.
    ("<think>a\n```python\nx = 1\n```\n", "", "a\n```python\nx = 1\n```\n"),
    ("<|channel|>analysis<|message|>a", "", "a"),
    ("<think>a</thin", "", "a</thin"),
    # The template has opened it.
    ("Let me see.\n</think>\n\nIt is 4.", "It is 4.", "Let me see.\n"),
    ("\n</think>\n\nIt is 4.", "It is 4.", "\n"),
    # An indentation belongs to the code.
    ("<think>a</think>\n\n    x = 1\n", "    x = 1\n", "a"),
    # None of it is reasoning.
    (EXPLAINS, EXPLAINS, ""),
    ("```html\n<p>\n</think>\n```", "```html\n<p>\n</think>\n```", ""),
    ("Use </think> there.", "Use </think> there.", ""),
    ("  x = 1", "  x = 1", ""),
    ("a < b and a <", "a < b and a <", ""),
    ("<thin", "<thin", ""),
    ("<|channel", "<|channel", ""),
    ("", "", ""),
    ("\n\n", "\n\n", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(("said", "text", "reasoning"), WHOLE)
def test_answer_and_reasoning(said, text, reasoning, size):
    parts = AnswerParts()
    pieces = [parts.feed(said[at : at + size]) for at in range(0, len(said), size)]
    pieces.append(parts.finish())
    assert (parts.text, parts.reasoning) == (text, reasoning)
    given_ = "".join(piece.text for piece in pieces)
    assert given_[parts.moved :] == text
    assert given_[: parts.moved] + "".join(piece.reasoning for piece in pieces) == reasoning


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "<|channel|>analysis<|message|>", "<|end|>",
                              "a", " ", "\n", "```", "<", "\u0130", "final<|message|>"]), max_size=12),
    st.integers(1, 9),
)  # fmt: skip
def test_how_it_is_cut_makes_no_difference(parts, size):
    said = "".join(parts)
    cut = AnswerParts()
    for at in range(0, len(said), size):
        cut.feed(said[at : at + size])
    cut.finish()
    assert (cut.text, cut.reasoning) == split(said)


def test_what_is_kept_of_it_is_bounded():
    assert bounded("abc", 3) == "abc"
    assert bounded("abcd", 3) == "ab\u2026"
    assert bounded("abcd", 0) == ""


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("said", "text", "reasoning"),
    [
        ("Hm. So.\n</think>\n\nIt is 4.", "It is 4.", "Hm. So.\n"),
        ("<think>Hm.</think>It is 4.", "It is 4.", "Hm."),
        ("</think>It is 4.", "It is 4.", ""),
        # It marks no end: that was the answer.
        ("It is 4.", "", "It is 4."),
        ("Put `<think>` first:\n```\n</think>\n```", "", "Put `<think>` first:\n```\n</think>\n```"),
    ],
)
def test_an_answer_that_is_known_to_begin_within_the_reasoning(said, text, reasoning, size):
    parts = AnswerParts(within=True)
    pieces = [parts.feed(said[i : i + size]) for i in range(0, len(said), size)]
    pieces.append(parts.finish())
    assert (parts.text, parts.reasoning, parts.moved) == (text, reasoning, 0)
    assert "".join(piece.text for piece in pieces) == text
    assert "".join(piece.reasoning for piece in pieces) == reasoning
    assert parts.guessing == (text == "")
    assert parts.unopened == (bool(text) and not said.startswith("<think>"))
    if parts.guessing:
        assert parts.take_back() == said
        assert (parts.text, parts.reasoning, parts.guessing) == (said, "", False)


def test_where_reasoning_comes_apart_the_text_is_the_answer():
    parts = AnswerParts(within=True)
    parts.add_reasoning("Hm.")
    parts.feed("It is 4.")
    parts.finish()
    assert (parts.text, parts.reasoning) == ("It is 4.", "Hm.")
