"""What a kernel knows, in comment lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.context import kernel
from jupyter_localcoder.contract.notebook import Column, KernelVariable


def frame(name: str, *columns: tuple[str, str], rows: int = 3, kind: str = "DataFrame") -> KernelVariable:
    named = tuple(Column(name=column, dtype=dtype) for column, dtype in columns)
    return KernelVariable(name=name, type=kind, shape=(rows, len(named)), columns=named)


HOUSING = frame("housing", ("longitude", "float64"), ("latitude", "float64"), ("ocean", "object"), rows=20640)
X = KernelVariable(name="X", type="ndarray[float64]", shape=(100, 8))
N = KernelVariable(name="n", type="int")
CLEAN = KernelVariable(name="clean", type="function", signature="(df, *, drop=True)")
MODEL = KernelVariable(name="Model", type="class", signature="(layers: int = 2)")


def told(*variables: KernelVariable, sources: tuple[str, ...] = (), most: int = 10_000) -> list[str]:
    return kernel.lines(variables, sources, "python", most)[0]


def test_frames_come_with_their_columns_by_type_and_functions_with_their_signature() -> None:
    assert told(N, X, HOUSING, CLEAN, MODEL) == [
        '# housing: DataFrame 20640x3, float64 ["longitude", "latitude"], object ["ocean"]',
        "# class Model(layers: int = 2)",
        "# def clean(df, *, drop=True)",
        "# X: ndarray[float64] 100x8",
        "# n: int",
    ]


def test_the_order_of_use_does_not_change_the_text() -> None:
    assert told(N, X, HOUSING) == told(HOUSING, N, X)


def test_a_function_that_the_model_reads_anyway_is_not_told_again() -> None:
    assert told(CLEAN, MODEL, sources=("x = 1\ndef clean(df): ...", "class Model:\n    pass")) == []
    assert told(CLEAN, sources=("clean(df)",)) == ["# def clean(df, *, drop=True)"]


def test_what_was_used_last_stays_where_room_is_short() -> None:
    old = [KernelVariable(name=f"old_{i}", type="int") for i in range(50)]
    lines, left_out = kernel.lines([N, *old], (), "python", 40)
    assert "# n: int" in lines
    assert len("\n".join(lines)) <= 40
    assert left_out == sum(len(f"# {v.name}: int") + 1 for v in [N, *old]) - sum(len(x) + 1 for x in lines)


def test_a_wide_frame_is_cut_and_says_by_how_much() -> None:
    (line,) = told(frame("wide", *((f"c{i}", "int64") for i in range(100))))
    assert '"c59"' in line
    assert '"c60"' not in line
    assert line.endswith("40 more")


NASTY = st.text(max_size=30)


@given(NASTY, NASTY, NASTY)
def test_no_name_breaks_out_of_the_comment(name: str, column: str, dtype: str) -> None:
    variable = frame(name, (column, dtype), kind=dtype)
    for line in told(variable, KernelVariable(name=name, type=dtype, signature=column)):
        assert line.startswith("#")
        assert len(line.splitlines()) == 1
