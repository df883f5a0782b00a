"""Columns that a frame does not have."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_localcoder.context.checks.columns import unknown_column
from jupyter_localcoder.context.checks.surroundings import Surroundings
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookCell, NotebookContext

NAMES = ("longitude", "latitude", "median_income")


def frame(name: str = "df", kind: str = "DataFrame", width: int = 3) -> KernelVariable:
    columns = tuple(Column(name=column, dtype="float64") for column in NAMES)
    return KernelVariable(name=name, type=kind, shape=(10, width), columns=columns)


def named(
    line: str, before: str = "", rest: str = "", suffix: str = "", *cells: NotebookCell, **more: Any
) -> str:
    notebook = NotebookContext(cells=cells, variables=(more.pop("variable", frame()),))
    return unknown_column(before, line, rest, Surroundings(before, rest + suffix, notebook=notebook))


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ('x = df["longitude"]', ""),
        ('x = df["longitud"]', "longitud"),
        ("x = df['nothing'].mean()", "nothing"),
        ('x = df[["longitude", "area"]]', "area"),
        ('x = df[["longitude", "latitude"]]', ""),
        ('df["ratio"] = 1', ""),
        ('df["ratio"] += 1', "ratio"),
        ('df["ratio"] == 1', "ratio"),
        ('other["nothing"]', ""),
        ('self.df["nothing"]', ""),
        ('df[f"{x}"]', ""),
        ("df[nothing]", ""),
        ('# df["nothing"]', ""),
        ("print(\"df['nothing']\")", ""),
        ("y = df.median_incme", ".median_incme"),
        ("y = df.median_income", ""),
        ("y = df.shape", ""),
        ("y = df.describe()", ""),
        ("y = df.describe", ""),
        ("y = df.geo.area", ""),
        ("df.median_incme = 1", ""),
    ],
)
def test_a_name_is_held_against_the_frame(line: str, unknown: str) -> None:
    assert named(line) == unknown


def test_a_name_that_was_begun_before_the_cursor_counts_and_one_that_was_whole_does_not() -> None:
    assert named('gitud"]', 'x = df["lon') == "longitud"
    assert named("gitud", 'x = df["lon', '"]') == "longitud"
    assert named(" + 1", 'x = df["nothing"]') == ""


@pytest.mark.parametrize(
    "before",
    [
        "df = df.dropna()\n",
        "df: object = load()\n",
        "for df in frames:\n    ",
        "def f(df):\n    ",
        "with a as df:\n    ",
        "df, y = load()\n",
        "x, df = load()\n",
        "if (df := load()) is not None:\n    ",
    ],
)
def test_a_frame_that_is_bound_anew_may_have_any_column(before: str) -> None:
    assert named('df["nothing"]', before) == ""
    assert named('df["nothing"]', "", "", "", NotebookCell(source=before)) == ""


def test_a_cell_that_has_run_is_known_to_the_kernel() -> None:
    done = NotebookCell(source="df = df.dropna()", execution_count=3, status="ok")
    assert named('df["nothing"]', "", "", "", done) == "nothing"


@pytest.mark.parametrize("said", ['df["ratio"] = 1\n', "df.assign(ratio=1)\n", "x = 'ratio'\n"])
def test_a_name_that_somebody_wrote_may_become_a_column(said: str) -> None:
    assert named('df["ratio"]', said) == ""
    assert named('df["ratio"]', suffix="\n" + said) == ""
    assert named('df["ratio"]', "", "", "", NotebookCell(source=said, execution_count=1)) == ""


def test_a_frame_that_is_not_wholly_known_is_not_held_against() -> None:
    assert named('df["nothing"]', variable=frame(width=4)) == ""
    assert named('df["nothing"]', variable=KernelVariable(name="df", type="DataFrame")) == ""


def test_only_pandas_has_columns_as_attributes() -> None:
    other = frame(kind="polars.DataFrame")
    assert named("df.median_incme", variable=other) == ""
    assert named('df["nothing"]', variable=other) == "nothing"


def test_a_string_above_is_a_string_below() -> None:
    assert named('df["nothing"]', 'text = """\n') == ""
