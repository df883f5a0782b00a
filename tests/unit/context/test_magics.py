"""Lines of magics in a cell, held against IPython's own reader."""

from __future__ import annotations

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from jupyter_localcoder.context import languages, magics

CELLS = [
    "x = 1",
    "%matplotlib inline\nimport x",
    "import x\n%timeit f(1)\nprint(2)",
    "total = (10\n  % 3)\nprint(total)",
    "total = 10 \\\n  % 3",
    "s = '''\n%notamagic\n!no\n'''\n%yes",
    'd = {\n  "a": 5\n  % 2,\n}',
    "files = !ls *.py\nprint(files)",
    "a, b = %sql select 1",
    "for i in range(3):\n    %time f(i)\n    !echo {i}",
    "!pip install a \\\n  b \\\n  c\nimport a",
    "df.head?\nx = 1",
    "?df\n??df",
    "x = 'is it?'\n# is it?\ny = 1",
    "print('''a\n?''')",
    '!echo "it\'s"\nx = 1\n%time y',
    "%%time\nx = 1",
    "if x:\n    pass\n%load_ext autoreload\n%autoreload 2",
    "f(x,\n  y)\n!ls",
    "x = {'a': 1}\nx['a'] = !ls",
    "a = b % c\na %= 2\n",
    "x = y != z",
    's = "a\\"b"\n%time s',
    "s = 'a#b'  # %no\n%yes",
    "os.path?",
    "%cd ..\n%env A=1",
]


def heard_by_ipython(cell: str) -> set[int]:
    """Lines that IPython turns into something else, apart from a cell magic of the whole."""
    lines = cell.split("\n")
    got = set()
    for at, line in enumerate(lines):
        if not line.strip():
            continue
        marked = [*lines[:at], line, *lines[at + 1 :]]
        text = TransformerManager().transform_cell("\n".join(["0", *marked]))
        if "get_ipython()" in text and line not in text.split("\n"):
            got.add(at)
    return got


@pytest.mark.parametrize("cell", CELLS)
def test_the_lines_are_those_of_ipython(cell: str) -> None:
    lines = cell.split("\n")
    found = {at for first, end in magics.find(lines) for at in range(first, end)}
    assert found == heard_by_ipython(cell)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if not cell.startswith("%%")])
def test_without_magics_a_cell_is_python_of_as_many_lines(cell: str) -> None:
    python = magics.neutral(cell.split("\n"))
    assert len(python) == len(cell.split("\n"))
    compile("\n".join(python), "<cell>", "exec")


@pytest.mark.parametrize(
    "line", ["pip install pandas", "pip3 install -q x", "cd ..", "cat notes.txt", "conda install x"]
)
def test_commands_without_a_mark_count_too(line: str) -> None:
    assert magics.find([line]) == [(0, 1)]


@pytest.mark.parametrize("line", ["pip = 1", "ls - x", "rm - 1", "cd", "cat.head()", "ls[0]"])
def test_names_of_commands_stay_python(line: str) -> None:
    assert magics.find([line]) == []


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("%%bash", "bash"),
        ("  %%HTML", "html"),
        ("%%time", "python"),
        ("%%timeit -n 5", "python"),
        ("%%writefile notes/a.sh", "bash"),
        ("%%writefile -a setup.py", "python"),
        ("%%writefile README", "text"),
        ("%%file Dockerfile", "dockerfile"),
        ("%%script --bg ruby", "ruby"),
        ("%%sql sqlite://", "sql"),
        ("%%R -i df", "r"),
        ("%%mermaid", None),
        ("x = 1", None),
    ],
)
def test_a_cell_magic_says_the_language(line: str, language: str | None) -> None:
    assert languages.of_magic(line) == language
