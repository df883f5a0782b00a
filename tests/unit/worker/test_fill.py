"""Fill in the middle: the marks of the families, and the window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.worker.fill import FillTemplate, template_of, window


class Vocabulary:
    def __init__(self, marks: dict[str, int], own: tuple[int, int, int] = (-1, -1, -1)) -> None:
        self._marks = marks
        self.fill_tokens = own

    def control_token(self, text: str) -> int:
        return self._marks.get(text, -1)


def test_the_files_own_ids_come_first() -> None:
    vocabulary = Vocabulary({"<fim_prefix>": 7, "<fim_suffix>": 8, "<fim_middle>": 9}, (1, 2, 3))
    assert template_of(vocabulary) == FillTemplate(1, 2, 3)


def test_a_family_is_known_by_its_spelling() -> None:
    vocabulary = Vocabulary({"<fim_prefix>": 7, "<fim_suffix>": 8, "<fim_middle>": 9})
    assert template_of(vocabulary) == FillTemplate(7, 8, 9)


def test_prefix_then_suffix_then_middle() -> None:
    assert FillTemplate(1, 2, 3).lay_out([10, 11], [20]) == [1, 10, 11, 2, 20, 3]


def test_codestral_wants_the_suffix_first_and_knows_no_middle() -> None:
    template = template_of(Vocabulary({"[PREFIX]": 7, "[SUFFIX]": 8}))
    assert template is not None
    assert template.lay_out([10, 11], [20]) == [8, 20, 7, 10, 11]


def test_a_model_without_marks_cannot() -> None:
    assert template_of(Vocabulary({"<fim_prefix>": 7})) is None


@given(st.integers(0, 20_000), st.integers(3, 4_000))
def test_the_window_fits_and_keeps_at_least_half(length: int, budget: int) -> None:
    start = window(length, budget)
    assert 0 <= start <= length
    assert length - start <= budget
    if length > budget:
        assert length - start >= budget // 2


def test_the_window_stays_where_it_is_while_a_line_is_typed() -> None:
    starts = {window(length, 3000) for length in range(5000, 5080)}
    assert len(starts) <= 2
