"""Which names a cell reads, and how their values are copied."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from jupyter_localcoder.trial.inputs import chosen, loop_names, names_read, read_inputs, write_inputs

python = TransformerManager().transform_cell


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("y = x + f(z.a)", {"x", "f", "z"}),
        ("def g():\n    return x", {"x"}),
        ("%timeit f(x)", {"f", "x"}),
        ("%%time\ny = x", {"x"}),
        ("!ls {x}", {"x"}),
        ("x +", {"x"}),
        ("[x for q in z]", {"x", "z"}),
        ("await f(x)", {"f", "x"}),
        ("    x", {"x"}),
        ("", set()),
    ],
)
def test_the_names_that_a_cell_reads(code: str, expected: set[str]) -> None:
    namespace = dict.fromkeys(("x", "z", "f", "unused", "In", "Out", "get_ipython", "__name__"))
    assert set(chosen(names_read(code, python), namespace)) == expected


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("for i in x: y = i", {"i"}),
        ("for i, (a, b) in x: pass", {"i", "a", "b"}),
        ("i = 1\nfor i in x: pass", set()),
        ("for i in x:\n    for i in y: pass", {"i"}),
        ("x = (", set()),
    ],
)
def test_the_variables_of_loops(code: str, names: set[str]) -> None:
    assert loop_names(code, python) == names


def test_values_are_copied_together(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {"a": [1], "bad": threading.Lock(), "d": {"x": 1}}
    namespace["c"] = namespace["a"]
    namespace["nested"] = [namespace["bad"]]
    copied, left_out = write_inputs(tmp_path, list(namespace), namespace, 1_000_000)
    assert copied == ["a", "d", "c"]
    assert left_out == {"bad": "(lock) cannot be copied", "nested": "(list) cannot be copied"}
    into: dict[str, Any] = {}
    read_inputs(tmp_path, into)
    assert into == {"a": [1], "c": [1], "d": {"x": 1}}
    assert into["a"] is into["c"]


def test_arrays_stay_writable_and_are_counted(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    namespace = {"large": numpy.zeros(100_000), "small": numpy.arange(3)}
    copied, left_out = write_inputs(tmp_path, namespace, namespace, 100_000)
    assert copied == ["small"]
    assert left_out == {"large": "is too large to copy (the limit is 100 kB)"}
    into: dict[str, Any] = {}
    read_inputs(tmp_path, into)
    into["small"][0] = 7
    assert into["small"].tolist() == [7, 1, 2]
    assert namespace["small"].tolist() == [0, 1, 2]


def test_a_value_that_fails_while_it_is_copied_is_left_out(tmp_path: Path) -> None:
    class Angry:
        def __reduce__(self) -> Any:
            raise RuntimeError("no")

    namespace = {"angry": Angry(), "x": 1}
    assert write_inputs(tmp_path, namespace, namespace, 10_000) == (
        ["x"],
        {"angry": "(Angry) cannot be copied"},
    )
