"""Whether a suggestion leaves the cell with a chance to become valid."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.checks.syntax import breaks, can_become_valid, python_of


@pytest.mark.parametrize(
    "code",
    [
        "x = 1",
        "x = (1,",
        "for i in range(3):",
        "for i in range(3):\n    ",
        "def f(a,",
        "class A:",
        "if x:\n    y = 1\nelse:",
        "try:\n    x = 1",
        "@decorator",
        "x = ",
        "df[",
        "with open('f') as",
        "x = [i for",
        '"""open',
        "await x",
        "lambda a",
        "import ",
        "from os import",
        "x = a if b",
        "{'a': ",
    ],
)
def test_what_only_lacks_its_end_is_fine(code: str) -> None:
    assert can_become_valid(code)
    assert can_become_valid(code, 0), "and where the parser cannot tell"


@pytest.mark.parametrize("code", ["x = )", "f(a))", "x = = 1", "for in x:", "def f(:", "1 2\n3", "x = 'a\ny"])
def test_what_nothing_can_save_is_not(code: str) -> None:
    assert not can_become_valid(code)
    assert not can_become_valid(code, 0)


@pytest.mark.parametrize(
    ("before", "line", "rest", "broken"),
    [
        ("x = f(", "a, b", ")", False),
        ("x = f(", "a, b)", ")", True),
        ("x = f(", "a b", ")", True),
        ('df["lon', 'gitude"]', "", False),
        ('df["lon', 'gitude"]]', "", True),
        ("import numpy as np\n", "for x in np.ones(3):", "", False),
        ("for x in y:\n    ", "print(x)", "", False),
        ("", "def f(x) return x", "", True),
        # What was broken before is not the suggestion's fault.
        ("x = )\n", "y = = 1", "", False),
        ("this is prose ", "and more", "", False),
        # IPython's own.
        ("%matplotlib inline\n!ls\nfiles = !ls *.py\n", "x = len(files)", "", False),
        ("%%time\n", "x = = 1", "", True),
        ("%%bash\n", "ls | grep (", "", False),
        ("df.head?\n", "x = 1", "", False),
        ("", "%timeit f(x)", "", False),
        ("for x in y:\n    ", "!echo {x}", "", False),
        ("", "df.head??", "", False),
        ("x = ", "%sql select 1", "", False),
        ("x, y = ", "!ls", "", False),
        ("%%time\n%load_ext foo\n", "x = 1", "", False),
        ("%%time\n%load_ext foo\n", "x = = 1", "", True),
        # A line that goes on with an operator is no magic, whichever magics stand elsewhere.
        ("x = (\n    a\n    ", "% b", "", False),
        ("%matplotlib inline\nx = (\n    a\n    ", "% b", ")", False),
        ("%matplotlib inline\nx = (\n    'a %d'\n    ", "% (b, c)", ")", False),
        ("!ls\nx = a \\\n    ", "% b", "", False),
        ("!ls\nassert (\n    a\n    ", "!= b", ")", False),
        ("!ls\nassert (\n    a\n    ", "!= = b", ")", True),
        ("!ls\nx = [\n    a\n    ", "/ b", "]", False),
        ('!ls\nx = """\n', "% not a magic", "", False),
        ("?x\n# is it?\n", "x = 1", "", False),
    ],
)
def test_a_line_is_held_against_the_cell_around_it(before: str, line: str, rest: str, broken: bool) -> None:
    assert breaks(before, line, rest) is broken


def test_magics_are_taken_out_line_by_line() -> None:
    python = python_of("if x:\n    %time f()\ny = !ls\n?x\n")
    assert python is not None
    assert python.splitlines()[::2] == ["if x:", "y = get_ipython().getoutput('ls')"]
    assert can_become_valid(python)
    assert python_of("%%time\n!ls") == "#%%time\nget_ipython().system('ls')"
    assert python_of("%%html\n<b>") is None
    assert python_of("a = b % c\n") == "a = b % c\n"


def test_a_giant_cell_is_not_parsed() -> None:
    assert breaks("x = 1\n" * 20_000, "y = = 1", "") is False


@pytest.mark.parametrize("code", ["\0", "(" * 10_000, "-" * 100_000 + "1"])
def test_code_that_the_parser_cannot_take_is_left_alone(code: str) -> None:
    assert isinstance(can_become_valid(code), bool)
