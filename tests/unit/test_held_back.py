"""What the notebook bench is made of: the lines, and the guessed kernel."""

from __future__ import annotations

from tests.benchmarks import held_back, static_kernel
from tests.benchmarks.held_back import Cell

CELLS = (
    Cell("code", "import pandas as pd\n%matplotlib inline"),
    Cell("markdown", "# Look"),
    Cell("code", "housing = pd.read_csv('x.csv')\nmodel = LinearRegression()\na, b = split(housing)\n"
                 "def clean(df, how='x', *, n=1): pass\nhousing['early'] = 1"),
    Cell("code", "x = 1\nresult = housing['income'].mean()\nprint(result)"),
    Cell("code", "housing['late'] = 2\nhousing[['ocean', 'late']].head()"),
)  # fmt: skip


def test_lines_are_chosen_the_same_each_time_and_asked_in_order() -> None:
    chosen = held_back.lines(CELLS, 10)
    assert chosen == held_back.lines(CELLS, 10) == sorted(chosen)
    assert {cell for cell, _ in chosen} == {2, 3, 4}
    assert max(sum(1 for other, _ in chosen if other == cell) for cell, _ in chosen) == 2
    assert held_back.lines(CELLS, 1)[0] in chosen


def test_a_line_is_asked_for_at_its_start_and_in_its_middle() -> None:
    start = held_back.request(CELLS, 3, 1, "start")
    assert (start.prefix, start.expect) == ("x = 1\n", "result = housing['income'].mean()")
    assert start.suffix == "\nprint(result)"
    middle = held_back.request(CELLS, 3, 1, "middle")
    assert middle.typed + middle.expect == start.expect
    assert 10 < len(middle.typed) < len(start.expect)


def test_the_notebook_is_told_without_the_line() -> None:
    told = held_back.request(CELLS, 3, 1, "start").notebook()
    assert (told.active, told.cells[3].source) == (3, "")
    assert [cell.status for cell in told.cells] == ["ok", "none", "ok", "none", "none"]


def test_the_guessed_kernel_knows_what_stands_above_and_not_the_line_itself() -> None:
    told = {v.name: v for v in static_kernel.variables(held_back.request(CELLS, 3, 1, "start"))}
    assert list(told) == ["clean", "b", "a", "model", "housing"]
    assert told["clean"].signature == "(df, how=..., *, n=...)"
    assert told["model"].type == "LinearRegression"
    assert [column.name for column in told["housing"].columns] == ["early", "ocean"]


def test_white_space_and_quotes_do_not_count() -> None:
    assert held_back.same("f( 'a' )\nmore", 'f("a")')
    assert not held_back.same("f(b)", "f(a)")
