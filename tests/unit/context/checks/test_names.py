"""Names that cells below read must stay bound; others may go."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.checks.names import lost


@pytest.mark.parametrize(
    ("before", "after", "below"),
    [
        ("total = 1", "amount = 1", "print(total)"),
        ("def load(): pass", "load_all = print", "rows = load()"),
        ("import numpy as np", "import math", "np.zeros(3)"),
        ("for i in range(3): pass", "list(range(3))", "print(i)"),
        ("a, b = 1, 2", "a = 1", "x = f'{b}'"),
        ("with open('x') as f: pass", "pass", "f.closed"),
        ("n = 0", "pass", "n += 1"),
        ("n = 0", "pass", "def f():\n    return n"),
        ("n = 0", "pass", "[n for x in y]"),
        ("n = 0", "pass", "%%time\n!ls\nprint(n)"),
        ("    n = 0", "pass", "    print(n)"),
        ("n = 0", "pass", "n = n + 1"),
        ("n = 0", "pass", "del n"),
        ("x = 1", "pass", "for x in x: pass"),
        ("x = 1", "pass", "with open(x) as x: pass"),
        ("class A: pass", "pass", "@A\ndef f(): pass"),
    ],
)
def test_a_name_that_is_read_below_is_lost(before: str, after: str, below: str) -> None:
    assert lost(before, after, [below])


@pytest.mark.parametrize(
    ("before", "after", "below"),
    [
        ("total = 1", "total = 2", "print(total)"),
        ("total = 1", "amount = 1", "print(amount)"),
        ("x = 1", "pass", "def f(x):\n    return x"),
        ("x = 1", "pass", "[x for x in y]"),
        ("x = 1", "pass", "{x for x in y}"),
        ("x = 1", "pass", "{x: x for x in y}"),
        ("x = 1", "pass", "[[x for x in z] for z in y if [x for x in z]]"),
        ("x = 1", "pass", "def f(y):\n    return [x for x in y]"),
        ("[x for x in y]", "pass", "x"),
        ("{x: z for x, z in y}", "pass", "x, z"),
        ("x = 1", "pass", "x = 2\nprint(x)"),
        ("x = 1", "pass", "for x in y:\n    print(x)"),
        ("x = 1", "pass", "with open('a') as x:\n    print(x)"),
        ("x = 1", "pass", "y.x"),
        ("x = 1", "pass", "'x'  # x"),
        ("x = 1", "pass", "broken ("),
        ("x = (", "pass", "x"),
        ("x = 1", "x = (", "x"),
        ("x = 1", "x: int = 1", "x"),
        ("x = 1", "(x := 1)", "x"),
        ("x = 1", "if y:\n    x = 1", "x"),
        ("x = 1", "await f()\nx = 1", "x"),
    ],
)
def test_a_name_that_is_bound_or_not_read_is_not(before: str, after: str, below: str) -> None:
    assert lost(before, after, [below]) == ""


def test_cells_above_and_below_may_bind_it_first() -> None:
    assert lost("x = 1", "pass", ["print(x)"], above=["x = 0"]) == ""
    assert lost("x = 1", "pass", ["x = 2", "print(x)"]) == ""
    assert lost("x = 1", "pass", ["y = 2", "print(x)"]) == "x"


def test_very_long_code_is_not_read() -> None:
    assert lost("x = 1\n" * 20_000, "pass", ["print(x)"]) == ""
