"""Bytes of tokens become text: characters whole, stop strings never shown."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.worker.text import TextStream


def fed(pieces: list[bytes], stop: tuple[str, ...] = ()) -> tuple[list[str], bool]:
    stream = TextStream(stop)
    out = [stream.feed(piece) for piece in pieces]
    return [*out, stream.finish()], stream.stopped


def test_a_character_over_several_tokens_comes_whole() -> None:
    encoded = "é🎉".encode()
    out, _ = fed([encoded[i : i + 1] for i in range(len(encoded))])
    assert out == ["", "é", "", "", "", "🎉", ""]


def test_half_a_character_at_the_end_becomes_a_replacement() -> None:
    assert fed([b"a", b"\xf0\x9f"])[0] == ["a", "", "\ufffd"]


def test_a_stop_string_over_several_tokens_ends_the_text_before_it() -> None:
    out, stopped = fed([b"value\n", b"\n", b"#", b" next"], ("\n\n#",))
    assert ("".join(out), stopped) == ("value", True)


def test_what_only_began_like_a_stop_string_is_shown() -> None:
    out, stopped = fed([b"a\n", b"b"], ("\n\n",))
    assert (out, stopped) == (["a", "\nb", ""], False)


def test_the_first_of_several_stop_strings_counts() -> None:
    assert fed([b"one two three"], ("three", "two"))[0] == ["one ", ""]


def test_a_stop_string_inside_one_token() -> None:
    stream = TextStream(("\n",))
    assert stream.feed(b"a\nb\nc") == "a"
    assert stream.stopped
    assert stream.feed(b"more") == ""
    assert stream.finish() == ""


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=4), max_size=3), st.data())
def test_however_it_is_cut_the_result_is_the_same(text: str, stops: list[str], data: st.DataObject) -> None:
    encoded = text.encode("utf-8", "replace")
    text = encoded.decode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(encoded)), max_size=8)))
    bounds = [0, *cuts, len(encoded)]
    pieces = [encoded[a:b] for a, b in itertools.pairwise(bounds)]
    out, stopped = fed(pieces, tuple(stops))
    ends = [text.find(stop) for stop in stops if stop in text]
    assert "".join(out) == text[: min(ends)] if ends else "".join(out) == text
    assert stopped == bool(ends)


@pytest.mark.parametrize("size", [10_240])
def test_a_long_stop_string_costs_little(size: int) -> None:
    assert "".join(fed([b"x" * 50] * 400, ("x" * (size - 1) + "y",))[0]) == "x" * 20_000
