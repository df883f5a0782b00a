"""The first lines of data frames: below their cells, within a budget of their own."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.context.fill import Built, FillBuilder
from jupyter_localcoder.context.heads import CHARS_PER_TOKEN
from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.notebook import NotebookCell, NotebookContext
from jupyter_localcoder.errors import ValidationError

HEAD = "  name  price\n0  Anna  1.5\n1  Bob  2.25"
SHOWN = "#   name  price\n# 0  Anna  1.5\n# 1  Bob  2.25"


def ran(source: str, count: int, head: str = "", **more: object) -> NotebookCell:
    return NotebookCell(source=source, execution_count=count, **{"status": "ok", "head": head, **more})  # type: ignore[arg-type]


def build(*cells: NotebookCell, active: int = -1, share: float = 0.15, language: str = "python") -> Built:
    notebook = NotebookContext(cells=cells, active=active)
    return FillBuilder().build(
        "x", "", notebook, language, reserve_tokens=16, prefix_tokens=2000, suffix_tokens=400,
        heads_share=share,
    )  # fmt: skip


def heads(built: Built) -> list[str]:
    return [piece.text for piece in built.prompt.above if piece.source == "data frame previews"]


def test_a_head_stands_below_its_cell_and_beside_the_name_of_its_type() -> None:
    built = build(ran("df = load()", 1), ran("df", 2, HEAD, hint="DataFrame"), ran("y = 1", 3))
    assert [(piece.source, piece.text) for piece in built.prompt.above] == [
        ("cells above", "df = load()\n\n"),
        ("cells above", "df\n# Out: DataFrame\n"),
        ("data frame previews", f"{SHOWN}\n\n"),
        ("cells above", "y = 1\n\n"),
    ]
    assert built.omitted == {}
    assert built.prompt.shares["data frame previews"] == 0.15


def test_without_heads_a_prompt_is_what_it_was() -> None:
    cells = (ran("df", 1, hint="DataFrame"), ran("1/0", 2, status="error", error="ZeroDivisionError"))
    assert [piece.text for piece in build(*cells).prompt.above] == [
        "df\n# Out: DataFrame\n\n",
        "1/0\n# raised ZeroDivisionError\n\n",
    ]


@pytest.mark.parametrize("status", ["none", "error"])
def test_of_a_cell_that_has_not_run_or_failed_no_head_is_read(status: str) -> None:
    assert heads(build(ran("df", 1, HEAD, status=status))) == []


def test_the_nearest_heads_have_the_room() -> None:
    others = [f"a  b\n0  {n}\n1  {'9' * 200}" for n in range(3)]
    built = build(*(ran(f"df{n}", n + 1, head) for n, head in enumerate(others)))
    told = heads(built)
    # 450 characters: two whole ones of 215, and no room for a row of the first.
    assert len(told) == 2
    assert ["0  1" in told[0], "0  2" in told[1]] == [True, True]
    assert built.omitted["data frame previews"] >= len(others[0])


def test_of_a_head_that_does_not_fit_the_first_lines_stay() -> None:
    built = build(ran("df", 1, HEAD), share=0.011)
    assert heads(built) == ["#   name  price\n# 0  Anna  1.5\n\n"]
    assert built.omitted["data frame previews"] == len("\n# 1  Bob  2.25")


def test_the_service_can_refuse_them_all() -> None:
    built = build(ran("df", 1, HEAD), share=0.0)
    assert heads(built) == []
    assert built.omitted["data frame previews"] > 0


def test_what_is_below_the_cursor_is_not_told_and_counted() -> None:
    built = build(ran("x", 1), ran("df", 2, HEAD), active=0)
    assert "Anna" not in repr(built.prompt)
    assert built.omitted["data frame previews"] == len(HEAD)


def test_the_same_head_is_told_once_below_the_last_cell() -> None:
    built = build(ran("df", 1, HEAD), ran("df.head()", 2, HEAD), ran("z = 1", 3))
    texts = [piece.text for piece in built.prompt.above]
    assert texts == ["df\n\n", "df.head()\n", f"{SHOWN}\n\n", "z = 1\n\n"]


def test_no_value_ends_the_comment() -> None:
    sly = "a\n0  x\u2028import os\x0bos.remove('y')\r\x85z"
    for text in heads(build(ran("df", 1, sly))):
        assert all(line.startswith("# ") for line in text.strip().splitlines())
    assert heads(build(ran("df", 1, sly)))


def test_a_head_is_a_comment_of_the_language() -> None:
    assert heads(build(ran("df", 1, "a\n1"), language="julia")) == ["# a\n# 1\n\n"]
    assert heads(build(ran("df", 1, "a\n1"), language="javascript")) == ["// a\n// 1\n\n"]


@given(st.lists(st.text("ab1 \n", max_size=400), max_size=8), st.floats(0, 0.5))
def test_all_heads_together_stay_within_their_budget(texts: list[str], share: float) -> None:
    built = build(*(ran(f"c{n}", n + 1, text) for n, text in enumerate(texts)), share=share)
    assert sum(len(text.rstrip("\n")) for text in heads(built)) <= 2000 * share * CHARS_PER_TOKEN


def test_a_longer_head_than_was_promised_is_refused() -> None:
    with pytest.raises(ValidationError):
        codec.decode(NotebookCell, {"source": "df", "head": "x" * 401})
    assert msgspec.structs.asdict(codec.decode(NotebookCell, {"source": "df"}))["head"] == ""
