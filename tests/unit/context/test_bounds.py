"""Cuts by characters: they move in big steps, and never with the line that is typed."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.context.bounds import cut_head, cut_prefix, first_kept, tail_start

CODE = st.text("ab\n ", max_size=400)


@given(st.integers(0, 10_000), st.integers(1, 3000))
def test_the_end_fits_and_at_least_half_of_the_room_is_used(size: int, most: int) -> None:
    start = tail_start(size, most)
    assert 0 <= start <= size
    assert size - start <= most
    assert start == 0 or size - start >= most // 2 - 1


@given(st.integers(10, 1000))
def test_the_cut_moves_in_big_steps(most: int) -> None:
    moves = [
        b - a for a, b in itertools.pairwise(tail_start(size, most) for size in range(5 * most)) if a != b
    ]
    assert all(move >= most // 2 for move in moves)


@given(CODE, st.integers(1, 100))
def test_a_text_is_cut_at_its_head_and_nothing_is_lost_silently(text: str, most: int) -> None:
    kept, cut = cut_head(text, most)
    assert text.endswith(kept)
    assert len(kept) <= most
    assert len(kept) + cut == len(text)


@given(CODE, st.text("xyz", max_size=20), st.integers(25, 100))
def test_typing_a_line_does_not_move_the_cut(above: str, line: str, most: int) -> None:
    before, cut_before = cut_prefix(above + "\n", most)
    after, cut_after = cut_prefix(above + "\n" + line, most)
    assert after == before + line
    assert cut_after == cut_before


@given(CODE, st.integers(1, 100))
def test_a_prefix_keeps_its_end(text: str, most: int) -> None:
    kept, cut = cut_prefix(text, most)
    assert text.endswith(kept[-most:])
    assert len(kept) + cut == len(text)
    assert len(kept) <= 2 * most


@given(st.lists(st.integers(0, 300), max_size=50), st.integers(1, 2000))
def test_of_many_texts_the_last_ones_stay(sizes: list[int], most: int) -> None:
    first = first_kept(sizes, most)
    assert sum(sizes[first:]) <= most
    assert sum(sizes) > most or first == 0
