"""When two values are the same, and how it is said where they are not."""

from __future__ import annotations

import datetime
import math
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from jupyter_localcoder.trial.comparing import Uncomparable, difference

Pair = namedtuple("Pair", "a b")


@dataclass
class Point:
    x: float


DAY = datetime.date(2026, 1, 2)
FRAME = pd.DataFrame({"n": [1, 2, 3], "t": ["a", None, "c"], "f": [0.1, math.nan, 0.3]})
CYCLE: list[Any] = []
CYCLE.append(CYCLE)
OTHER_CYCLE: list[Any] = []
OTHER_CYCLE.append(OTHER_CYCLE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (0.1 + 0.2, 0.3),
        (math.nan, math.nan),
        (1, np.int64(1)),
        (np.float64(0.5), 0.5),
        ([1, [2.0]], [1, [2.0 + 1e-15]]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1, 2}, {2, 1}),
        (Pair(1, 2), Pair(1, 2)),
        (Point(0.3), Point(0.1 + 0.2)),
        (DAY, datetime.date(2026, 1, 2)),
        (np.array([0.1 + 0.2, math.nan]), np.array([0.3, math.nan])),
        (np.array(["2026", "NaT"], dtype="M8[s]"), np.array(["2026", "NaT"], dtype="M8[s]")),
        (FRAME, FRAME.copy()),
        (FRAME, FRAME.assign(n=FRAME.n.astype("int32"))),
        (FRAME.f, FRAME.f + 1e-15),
        (FRAME.t.astype("category"), FRAME.t.astype("category")),
        (pd.Series([1, None], dtype="Int64"), pd.Series([1, None], dtype="Int64")),
        (pd.date_range("2026", periods=2), pd.date_range("2026", periods=2)),
        (pd.DataFrame(), pd.DataFrame()),
        (pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [1, None]})),
        (CYCLE, OTHER_CYCLE),
    ],
)
def test_the_same(old: Any, new: Any) -> None:
    assert difference(old, new) == ""
    assert difference(new, old) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (1, 1.0, "float instead of int"),
        (True, 1, "int instead of bool"),
        (1, 2, "2 instead of 1"),
        (0.5, 0.6, "0.6 instead of 0.5"),
        ("a", "b", "'b' instead of 'a'"),
        (None, 0, "int instead of NoneType"),
        ([1, 2], [1], "1 instead of 2 elements"),
        ([1, 2], [2, 1], "2 elements"),
        ({"a": 1}, {}, "without the key 'a'"),
        ({}, {"a": 1}, "with the key 'a'"),
        ({"a": [1]}, {"a": [2]}, "1 element at 'a'"),
        (OrderedDict(a=1), {"a": 1}, "dict instead of OrderedDict"),
        ({1, 2}, {2, 3}, "2 elements"),
        (Point(1.0), Point(2.0), "2.0 instead of 1.0 at 'x'"),
        (np.zeros(2), np.zeros(3), "shape (3,) instead of (2,)"),
        (np.zeros(2), np.ones(2), "2 elements"),
        (np.zeros(2), np.zeros(2, dtype=int), "int64 instead of float64"),
        (FRAME, FRAME.assign(n=[1, 2, 4]), "1 row"),
        (FRAME, FRAME.assign(n=[1, 2, 4], t=["a", "b", "c"]), "2 rows"),
        (FRAME, FRAME[:2], "2 instead of 3 rows"),
        (FRAME, FRAME.drop(columns="t"), "without the column 't'"),
        (FRAME, FRAME.assign(z=1), "with the column 'z'"),
        (FRAME, FRAME[["t", "n", "f"]], "another order of columns"),
        (FRAME, FRAME.assign(n=FRAME.n.astype(float)), "column 'n': float64 instead of int64"),
        (FRAME, FRAME.set_index(pd.Index([0, 1, 9])), "index: 1 label"),
        (FRAME.n, FRAME.n.rename("m"), "named 'm' instead of 'n'"),
        (FRAME.n, FRAME.n.to_frame(), "DataFrame instead of Series"),
        (FRAME.f, pd.Series([0.1, 0.2, 0.3], name="f"), "1 element"),
        (FRAME.f, pd.Series([0.1, math.nan, math.nan], name="f"), "1 element"),
        (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 3]}), "1 row"),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]}), "without the column 'a'"),
    ],
)
def test_not_the_same(old: Any, new: Any, said: str) -> None:
    assert difference(old, new) == said


class Opaque:
    """Equal to itself alone, and with nothing to look at."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("old", "new"), [(object(), object()), (Opaque(), Opaque()), ([object()], [object()])]
)
def test_not_known(old: Any, new: Any) -> None:
    with pytest.raises(Uncomparable):
        difference(old, new)


def test_what_is_nested_too_deep_is_not_known() -> None:
    def deep() -> list[Any]:
        made: list[Any] = []
        for _ in range(500):
            made = [made]
        return made

    with pytest.raises(Uncomparable):
        difference(deep(), deep())
