"""The order of the cells, and how each is told."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.cells import order, render
from jupyter_localcoder.contract.notebook import NotebookCell, NotebookContext


def code(source: str, count: int | None = None, **more: object) -> NotebookCell:
    status = "ok" if count is not None else "none"
    return NotebookCell(source=source, execution_count=count, **{"status": status, **more})  # type: ignore[arg-type]


def text(source: str) -> NotebookCell:
    return NotebookCell(source=source, kind="markdown")


def above(*cells: NotebookCell, active: int = -1) -> list[str]:
    made = order(NotebookContext(cells=cells, active=active))
    return [cell.source for unit in (*made.far, *made.near) for cell in unit.cells]


def test_a_notebook_that_was_just_opened_is_read_from_top_to_bottom() -> None:
    assert above(code("a"), text("b"), code("c"), code("d")) == ["a", "b", "c", "d"]


def test_what_ran_is_read_in_the_order_in_which_it_ran() -> None:
    assert above(code("a", 5), code("b", 3), code("c", 4), code("last", 1)) == ["b", "c", "a", "last"]


def test_what_never_ran_or_failed_comes_first_and_so_is_the_first_to_go() -> None:
    cells = (code("a", 1), code("new"), code("bad", 9, status="error"), code("b", 2), code("last"))
    assert above(*cells) == ["new", "bad", "a", "b", "last"]


def test_text_goes_with_the_code_below_it_and_the_last_text_with_the_cursor() -> None:
    assert above(text("A"), code("a", 2), text("B"), code("b", 1), code("c", 3), text("C")) == [
        "B", "b", "A", "a", "c", "C",
    ]  # fmt: skip


def test_the_cell_with_the_cursor_and_what_is_below_it_stand_apart() -> None:
    cells = (code("a"), code("mine"), text("B"), code("c"), NotebookCell(source="x", kind="raw"), code(" "))
    made = order(NotebookContext(cells=cells, active=1))
    assert above(*cells, active=1) == ["a"]
    assert [cell.source for cell in made.below] == ["B", "c"]


@pytest.mark.parametrize("active", [7, -5])
def test_a_cursor_that_is_in_no_cell_stands_below_all(active: int) -> None:
    assert above(code("a"), code("b"), active=active) == ["a", "b"]


@pytest.mark.parametrize(
    ("cell", "session", "told"),
    [
        (code("x = 1\n\n"), False, "x = 1"),
        (code("x = 1"), True, "x = 1\n# not run"),
        (code("x = 1", 4), True, "x = 1"),
        (code("df", 4, hint="DataFrame\n  "), True, "df\n# Out: DataFrame"),
        (code("1/0", 4, status="error", error="ZeroDivisionError"), True, "1/0\n# raised ZeroDivisionError"),
        (code("1/0", 4, status="error"), True, "1/0\n# failed"),
        (text("## Title\r\n\r\ntext"), True, "# ## Title\n#\n# text"),
        (code("a\r\n  b\r\n"), False, "a\n  b"),
    ],
)
def test_what_became_of_a_cell_is_told_at_its_end(cell: NotebookCell, session: bool, told: str) -> None:
    assert render(cell, "python", session=session) == told


def test_text_becomes_a_comment_of_the_language() -> None:
    assert render(text("a\nb"), "javascript", session=False) == "// a\n// b"
    assert render(text("a"), "SQL", session=False) == "-- a"
    assert render(text("a"), "unheard-of", session=False) == "# a"


def test_a_long_text_is_shortened_and_a_picture_in_it_is_cut() -> None:
    picture = "![x](data:image/png;base64," + "A" * 100_000 + ")"
    told = render(text(picture + "\n" + "prose\n" * 500), "python", session=False)
    assert len(told) < 700
    assert told.endswith("# prose")
