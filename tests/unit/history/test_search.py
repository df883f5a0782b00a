"""Full-text search: what a person types finds something or nothing, and is never an error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def found(store, words: str, **page) -> list[str]:
    return [each.response.prompt_id for each in store.search(words, **page).found]


@pytest.fixture
def library(store, kept):
    kept(
        prompt_id="frames",
        prompt="How do I read a CSV with pandas.read_csv?",
        content="Use `pd.read_csv(path)`.",
    )
    kept(prompt_id="lists", prompt="Sort a list", content="Call sorted(values); naïve sorting is slow.")
    kept(
        prompt_id="cafe",
        prompt="Translate café",
        content="コーヒー店 🎉",
        title="Drinks",
        title_source="generated",
    )
    return store


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pandas", ["frames"]),
        ("PANDAS csv", ["frames"]),
        ("pandas sorted", []),
        ("read_csv", ["frames"]),
        ("pd.read_csv(path)", ["frames"]),
        ("sor", ["lists"]),
        ("so", []),
        ('"sort a"', ["lists"]),
        ('"a sort"', []),
        ('"sort a', ["lists"]),
        ("naive", ["lists"]),
        ("cafe", ["cafe"]),
        ("drinks", ["cafe"]),
        ("コーヒー", ["cafe"]),
        ("a", ["lists", "frames"]),
        ("tiny", []),
        ("== ...", []),
        ("🎉", []),
        ("", []),
    ],
)
def test_what_is_found(library, words: str, expected: list[str]):
    assert found(library, words) == expected


@given(st.one_of(st.text(), st.text(alphabet='"*()^-+:{}[]\0ab OR AND NOT NEAR title'), st.just("x " * 500)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_typed_is_an_error(library, words: str):
    library.search(words)


def test_what_was_found_is_marked(library):
    (only,) = library.search("pandas").found
    assert "".join(piece.text for piece in only.excerpt) == "How do I read a CSV with pandas.read_csv?"
    assert [piece.text for piece in only.excerpt if piece.match] == ["pandas"]


def test_marks_cannot_be_forged(store, kept):
    kept(prompt="\x02one\x03 two \0 three")
    (only,) = store.search("three").found
    assert [piece.text for piece in only.excerpt if piece.match] == ["three"]


def test_pages_are_newest_first(store, kept):
    for n in range(5):
        kept(prompt_id=f"p{n}", content="same words")
    assert found(store, "words", limit=2) == ["p4", "p3"]
    assert store.search("words", limit=2).more
    last = store.search("words", limit=2, offset=4)
    assert [each.response.prompt_id for each in last.found] == ["p0"]
    assert not last.more
