"""Places of a prompt: filled once, by the caller's own texts, or not at all."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.contract.notebook import MAX_TEXT_CHARS
from jupyter_localcoder.errors import TokenLimitExceeded, ValidationError
from jupyter_localcoder.queueing.places import fill_places


def test_places_are_filled_wherever_they_stand() -> None:
    filled = fill_places("{{a}} and {{ b }} and {{a}}", {"a": "1", "b": "2", "unused": "3"})
    assert filled == "1 and 2 and 1"


def test_what_is_missing_is_named_all_of_it_once() -> None:
    with pytest.raises(ValidationError) as caught:
        fill_places("{{b}} {{a}} {{b}} {{c}}", {"c": ""})
    assert caught.value.details["missing"] == ["a", "b"]
    assert "`a`, `b`" in caught.value.message


@pytest.mark.parametrize(
    "text", ["{{}}", "{{ 1 }}", "{{a.b}}", "{{ a | upper }}", "{ {a} }", "{{a\n}}", "{{{}}}"]
)
def test_other_braces_are_text(text: str) -> None:
    assert fill_places(text, {}) == text


@given(st.text())
def test_what_is_put_in_is_not_looked_through_again(cell: str) -> None:
    source = cell + "{{secret}} {{code}}"
    assert fill_places("Explain: {{code}}!", {"code": source, "secret": "leaked"}) == f"Explain: {source}!"


@pytest.mark.parametrize(
    ("prompt", "parameters"),
    [
        ("{{a}}" * 14_000, {"a": "x" * 60_000}),
        ("{{a}}{{b}}" * 7_000, {"a": "x" * 60_000, "b": "y"}),
        ("{{" + "a" * 64 + "}}" * 1, {"a" * 64: "x" * (MAX_TEXT_CHARS + 1)}),
        ("{{ a }}" * 800_000, {"a": "12345678"}),
        ("{{a}}" * 2 + "x" * 3_900_000, {"a": "y" * 100_000}),
        ("{{a}}" * 100 + "{{b}}" * 100, {"a": "界" * 30_000, "b": "é" * 30_000}),
        ("".join(f"{{{{p{i}}}}}" for i in range(256)) * 4, {f"p{i}": "x" * 4_000 for i in range(256)}),
        ("{{a}}" * 3, {"a": "😀" * 2_000_000}),
        ("{{\ta}}" * 1000, {"a": "x" * 5_000}),
        ("{{a}}{{a}}", {"a": "{{a}}" * 500_000}),
        (" " * MAX_TEXT_CHARS + "{{a}}", {"a": "x" * 10}),
    ],
)
def test_what_would_be_too_long_is_refused_before_it_is_made(prompt: str, parameters: dict[str, str]) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TokenLimitExceeded, match="characters") as caught:
            fill_places(prompt, parameters)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert caught.value.details["characters"] > MAX_TEXT_CHARS
    assert "`" in caught.value.recovery


def test_what_just_fits_is_filled() -> None:
    assert len(fill_places("{{a}}{{a}}", {"a": "x" * (MAX_TEXT_CHARS // 2)})) == MAX_TEXT_CHARS
    shorter = "{{" + " " * 100 + "a}}"
    assert fill_places(shorter * 30_000, {"a": ""}) == ""
