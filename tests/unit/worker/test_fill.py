"""Fill in the middle: the marks of the families, and the window."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.contract.fill_tokens import FILL_FAMILIES, FillFamily, ModelIdentity, can_fill
from jupyter_localcoder.worker.fill import FillTokens, template_of, window


class Vocabulary:
    def __init__(
        self,
        marks: dict[str, int],
        own: tuple[int, int, int] = (-1, -1, -1),
        identity: ModelIdentity | None = None,
    ) -> None:
        self._marks = marks
        self.fill_tokens = own
        self.identity = identity or ModelIdentity()

    def control_token(self, text: str) -> int:
        return self._marks.get(text, -1)

    def token_text(self, token: int) -> str:
        return next((text for text, known in self._marks.items() if known == token), "")


def of_family(family: FillFamily) -> ModelIdentity:
    return ModelIdentity("llama", family.named)


def test_the_files_own_ids_come_first() -> None:
    vocabulary = Vocabulary({"<fim_prefix>": 7, "<fim_suffix>": 8, "<fim_middle>": 9}, (1, 2, 3))
    assert template_of(vocabulary) == FillTokens(1, 2, 3)


@pytest.mark.parametrize("family", FILL_FAMILIES)
def test_a_family_is_known_by_its_spelling(family: FillFamily) -> None:
    ids = dict(zip((*family.tokens, family.file), (7, 8, 9, 10), strict=False))
    model = of_family(family)
    wanted = FillTokens(7, 8, 9 if family.middle else -1, order=family.order, file=10 if family.file else -1)
    assert template_of(Vocabulary(ids, identity=model)) == wanted
    assert can_fill(model, lambda part: False, ids.__contains__), (
        "who only reads the header must say the same"
    )
    del ids[family.suffix]
    assert template_of(Vocabulary(ids, identity=model)) is None
    assert not can_fill(model, lambda part: False, ids.__contains__)


@pytest.mark.parametrize("family", FILL_FAMILIES)
def test_the_order_is_the_familys_though_the_file_names_the_tokens(family: FillFamily) -> None:
    ids = dict(zip((*family.tokens, "?", family.file), (7, 8, 9, 10), strict=False))
    found = template_of(Vocabulary(ids, (7, 8, 9), of_family(family)))
    assert found is not None
    assert (found.order, found.middle) == (family.order, 9 if family.middle else -1)


@pytest.mark.parametrize(
    "model",
    [
        ModelIdentity("gpt-oss", "Gpt Oss 20b"),
        ModelIdentity("gemma4", "Gemma 4 12B It"),
        ModelIdentity("llama", "Devstral Small 2507", "tekken"),
        ModelIdentity("llama", "of my own", "tekken"),
        ModelIdentity("phi3", "Phi 4"),
        ModelIdentity("llama", "phi-4"),
        ModelIdentity("smollm3", "SmolLM3 3B"),
    ],
)
@pytest.mark.parametrize("family", FILL_FAMILIES)
def test_a_model_that_was_not_trained_for_it_cannot_though_it_has_the_tokens(
    model: ModelIdentity, family: FillFamily
) -> None:
    ids = dict(zip(family.tokens, (7, 8, 9), strict=False))
    assert template_of(Vocabulary(ids, identity=model)) is None
    assert template_of(Vocabulary(ids, (7, 8, 9), model)) is None
    assert not can_fill(model, lambda part: True, ids.__contains__)


@pytest.mark.parametrize(
    "model",
    [
        ModelIdentity("llama", "Codestral-22B-v0.1"),
        ModelIdentity("gemma", "codegemma-7b"),
        ModelIdentity("qwen2", "Dolphin 3.0 Qwen2.5 Coder"),
        ModelIdentity("qwen3moe", "Qwen3-Coder-30B-A3B-Instruct"),
        ModelIdentity("granitehybrid", "Granite 4.0 H Tiny"),
    ],
)
def test_a_model_that_was_trained_for_it_can(model: ModelIdentity) -> None:
    ids = dict(zip(FILL_FAMILIES[0].tokens, (7, 8, 9), strict=True))
    assert template_of(Vocabulary(ids, identity=model)) == FillTokens(7, 8, 9)


def test_an_id_in_the_file_counts_as_its_token() -> None:
    model = ModelIdentity()
    assert can_fill(model, lambda part: True, lambda text: False)
    assert can_fill(model, lambda part: part == "middle", {"<PRE>", "<SUF>"}.__contains__)
    assert not can_fill(model, lambda part: part == "prefix", lambda text: False)


def test_prefix_then_suffix_then_middle() -> None:
    assert FillTokens(1, 2, 3).lay_out([10, 11], [20]).tokens == [1, 10, 11, 2, 20, 3]


def test_codestral_wants_the_suffix_first_and_knows_no_middle() -> None:
    template = template_of(Vocabulary({"[PREFIX]": 7, "[SUFFIX]": 8}))
    assert template is not None
    assert template.lay_out([10, 11], [20]).tokens == [8, 20, 7, 10, 11]


def test_a_model_without_marks_cannot() -> None:
    assert template_of(Vocabulary({"<fim_prefix>": 7})) is None


PIECES = st.lists(st.integers(1, 400), min_size=1, max_size=60)


@given(PIECES, st.integers(0, 300), st.integers(50, 4_000))
def test_the_window_fits_and_keeps_at_least_what_is_near(pieces: list[int], line: int, room: int) -> None:
    start = window(pieces, line, room)
    total = sum(pieces)
    assert 0 <= start <= total + line
    assert total + line - start <= room
    if total + line <= room * 0.9:
        assert start == 0
    elif line <= room * 0.1:
        assert total - start >= room * 0.4 - 1


@given(PIECES, st.integers(100, 4_000))
def test_typing_a_whole_line_never_moves_the_window(pieces: list[int], room: int) -> None:
    starts = {window(pieces, line, room) for line in range(int(room * 0.1))}
    assert len(starts) == 1


@given(PIECES, st.integers(500, 4_000))
def test_while_lines_are_added_the_window_moves_in_big_steps(pieces: list[int], room: int) -> None:
    starts = [window([*pieces[:-1], pieces[-1] + typed], 0, room) for typed in range(0, 2 * room, 10)]
    moves = [b - a for a, b in itertools.pairwise(starts) if a != b]
    assert all(move > 0 for move in moves)
    assert len(moves) <= 10


@given(st.lists(st.integers(10, 60), min_size=10, max_size=60), st.integers(500, 2_000))
def test_the_window_begins_at_a_border_where_cells_are_small(pieces: list[int], room: int) -> None:
    start = window(pieces, 5, room)
    assert start == 0 or start in set(itertools.accumulate(pieces))
