"""Places of a prompt: filled once, by the caller's own texts, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.errors import ValidationError
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
