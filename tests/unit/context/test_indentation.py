"""The blanks before the cursor are the model's to write, and are not written twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.context.indentation import Outdent, split_indentation


@pytest.mark.parametrize(
    ("prefix", "head", "indentation"),
    [
        ("", "", ""),
        ("    ", "", "    "),
        ("x = ", "x = ", ""),
        ("if x:\n    ", "if x:\n", "    "),
        ("if x:\n\t", "if x:\n", "\t"),
        ("if x:\n    y", "if x:\n    y", ""),
        ("if x:\n", "if x:\n", ""),
    ],
)
def test_only_a_line_of_blanks_is_split(prefix: str, head: str, indentation: str) -> None:
    assert split_indentation(prefix) == (head, indentation)


@given(st.text(alphabet="a\n \t"))
def test_nothing_of_a_prefix_is_lost(prefix: str) -> None:
    assert "".join(split_indentation(prefix)) == prefix


@given(st.lists(st.text(alphabet="ab \t\n", max_size=4)), st.text(alphabet=" \t", max_size=5))
def test_an_answer_loses_at_most_the_indentation(pieces: list[str], indentation: str) -> None:
    outdent = Outdent(indentation)
    answer = "".join(pieces)
    out = "".join(outdent.take(piece) for piece in pieces)
    taken = answer[: len(answer) - len(out)]
    assert answer == taken + out
    assert indentation.startswith(taken)
    # More is taken off only where the answer differs from it, or has ended.
    assert taken == indentation or not out or out[0] != indentation[len(taken)]
