"""What a cell becomes where code of an answer takes its place: `placed`."""

from __future__ import annotations

import pytest

from jupyter_localcoder.contract.generation import Change, PlaceRequest
from jupyter_localcoder.text.answers import placed


def place(cell: str, code: str, info: str = "", language: str = "python") -> Change:
    return placed(PlaceRequest(code=code, info=info, cell=cell, language=language))


@pytest.mark.parametrize(
    ("cell", "code", "info", "whole"),
    [
        ("x = 1", "y = 2\n", "python", "y = 2"),
        ("", "y = 2", "python", "y = 2"),
        # The magics of the cell stay, once.
        ("%%time\nx = 1", "x = 2", "python", "%%time\nx = 2"),
        ("%%time\nx = 1", "%%time\nx = 2", "", "%%time\nx = 2"),
        ("%%bash --out files\nls", "ls -l", "sh", "%%bash --out files\nls -l"),
        ("%%bash\nls", "ls -l", "", "%%bash\nls -l"),
        ("%%html\n<p>", "<p>a</p>", "xml", "%%html\n<p>a</p>"),
        ("%%mermaid\ngraph TD; A-->B;", "graph TD; B-->A;", "mermaid", "%%mermaid\ngraph TD; B-->A;"),
        ("%matplotlib inline\nx.plot()", "x.plot(1)", "python", "%matplotlib inline\nx.plot(1)"),
        ("%%time\n%load_ext a\n\nx = 1", "x = 2", "", "%%time\n%load_ext a\n\nx = 2"),
        ("a = 1\n%time f()\nb = 2", "a = 10\nb = 2", "", "a = 10\n%time f()\nb = 2"),
        ("%load_ext a", "x = 1", "python", "%load_ext a\nx = 1"),
        # Who wrote the code saw the cell, and may say them otherwise.
        ("%%time\nx = 1", "%%timeit -n 3\nx = 2", "", "%%timeit -n 3\nx = 2"),
        ("x = 1", "%%time\nx = 2", "", "%%time\nx = 2"),
        ("%matplotlib inline\nx = 1", "%%time\nx = 2", "", "%%time\n%matplotlib inline\nx = 2"),
        ("%matplotlib inline\nx()", "%matplotlib widget\nx()", "", "%matplotlib widget\nx()"),
        ("!pip install a", "!pip install a b", "", "!pip install a b"),
        ("a()\n  \n!ls\nb()", "a(1)\n!ls -l\nb()", "", "a(1)\n!ls -l\nb()"),
        ("a()\nfs = !ls\nb()", "a()\nfs = !ls -l\nb()", "", "a()\nfs = !ls -l\nb()"),
        ("for i in x:\n    %time f(i)", "for i in y:\n    %time g(i)", "", "for i in y:\n    %time g(i)"),
        ("a()\n%time f()\n%time g()", "a()\n%time f(1)\n%time g()", "", "a()\n%time f(1)\n%time g()"),
        ("%%bash\nls", "%%python\nprint(1)", "", "%%python\nprint(1)"),
        # Another language than the notebook's gets the magic below which it runs.
        ("", "ls -l", "bash", "%%bash\nls -l"),
        ("", "<p>", "html", "%%html\n<p>"),
        ("", "%%bash\nls", "bash", "%%bash\nls"),
        ("x = 1", "ls", "shell", "%%bash\nls"),
        ("%%bash\nls", "<p>", "html", "%%html\n<p>"),
        ("", "select 1", "sql", "select 1"),
    ],
)  # fmt: skip
def test_code_takes_the_place_of_a_cell(cell: str, code: str, info: str, whole: str) -> None:
    made = place(cell, code, info)
    assert (made.problem, made.code.rstrip()) == ("", whole)


def test_other_kernels_have_no_magics() -> None:
    assert place("x <- 1", "y <- 2", "r", "r").code == "y <- 2"
    assert place("", "ls", "bash", "r").code == "ls"
    assert place("ls", "ls -l", "bash", "bash").code == "ls -l"


@pytest.mark.parametrize(
    ("cell", "code", "info", "problem"),
    [
        ("x = 1", " \n", "", "There is no code in the answer."),
        ("", "\u200b", "", "There is no code in the answer."),
        ("x = 1", "select 1", "sql", "not in the language of the code, which is python."),
        ("%%bash\nls", "import os\nos.listdir()", "", "not in the language of the code, which is bash."),
        ("%%bash\nls", "print(1)", "python", "not in the language of the code, which is bash."),
        ("a = 1\n%time f()\nb = 2", "c = 3", "", "omits `%time f()`"),
        ("x = 1", "x = (", "python", "not valid Python"),
    ],
)
def test_what_is_not_written_says_why_and_what_to_do(cell: str, code: str, info: str, problem: str) -> None:
    made = place(cell, code, info)
    assert problem in made.problem
    assert made.recovery


def test_a_cell_in_disorder_may_be_replaced() -> None:
    assert place("x = (", "x = ((", "python").problem == ""


def test_white_space_around_a_cell_stays_with_its_end() -> None:
    assert place("x = 1\n", "x = 2\n\n", "python").code == "x = 2\n"


def test_a_cell_that_is_too_long_is_left_alone() -> None:
    assert "too long" in place("x = 1\n" * 20_000, "x = 2").problem
