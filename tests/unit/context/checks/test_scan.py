"""Where code stands at its end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.context.checks import scan as scanning
from jupyter_localcoder.context.checks.scan import Scan, scan


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("", Scan()),
        ("f(a[1", Scan(brackets="([")),
        ("f(a[1])", Scan()),
        ("f(a))", Scan(unmatched=1)),
        ("(]", Scan(brackets="(", unmatched=1)),
        ('x = "a(', Scan(quote='"')),
        ('x = "a\\"(', Scan(quote='"')),
        ("x = 'it\\\\'(", Scan(brackets="(")),
        ('x = "a\n(', Scan(brackets="(", broken=1)),
        ('"""a "b\n(', Scan(quote='"""')),
        ('"""a""" (', Scan(brackets="(")),
        ('x = ""', Scan()),
        ("# (\n[", Scan(brackets="[")),
        ("x  # it's", Scan(comment=True)),
        ('df["', Scan(quote='"', brackets="[")),
        ("[''''", Scan(quote="'''", brackets="[", begun=1)),
        ("'''a'b''", Scan(quote="'''", begun=2)),
        ("'''a\\''", Scan(quote="'''", begun=1)),
    ],
)
def test_strings_comments_and_brackets_are_told_apart(code: str, end: Scan) -> None:
    assert scan(code) == end


@given(st.text("ab()[]{}\"'\\#\n", max_size=30))
def test_what_closes_all_that_is_open_closes_it(code: str) -> None:
    end = scan(code)
    closed = scan(code + ("\n" if end.comment else "") + end.closing)
    if not code.endswith("\\"):
        assert closed.brackets == ""


@given(st.text("ab()[]\"'\\#\n", max_size=60), st.integers(0, 60))
def test_pieces_in_which_it_is_read_do_not_matter(code: str, at: int) -> None:
    whole = scan(code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "PIECE_CHARS", 2)
        assert scan(code) == whole
    line = code.find("\n", at) + 1
    assert scan(code[line:], "#", scan(code[:line])) == whole
