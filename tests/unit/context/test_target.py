"""What of a cell a command changes, and what stays."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.target import Unplaceable, take_apart, target_of
from jupyter_localcoder.contract.generation import GenerateRequest
from jupyter_localcoder.errors import InvalidArgument

CELLS = [
    "x = 1",
    "\n\nx = 1\n\n",
    "%matplotlib inline\nimport x\nx.f()\n%timeit f()\nprint(2)\ndf?",
    "%%bash\nls\n\nfor i in a; do\n  echo $i\ndone\n",
    "    if a:\n        b()",
    "# first\n%load_ext a\n# second\n%load_ext b\nx = 1\n\n%time x",
    "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nimport x\n",
    "%%capture\n%%bash\nls",
    "%%time\n\n%matplotlib inline\nx = 1",
    "for i in x:\n    %time f(i)",
]


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_taken_apart_is_put_together_again(cell: str) -> None:
    assert take_apart(cell, "python").whole == cell


@pytest.mark.parametrize(
    ("cell", "language", "code"),
    [
        ("%%bash\nls -l", "bash", "ls -l"),
        ("%%writefile a.sql\nselect 1", "sql", "select 1"),
        ("%%time\nx = 1", "python", "x = 1"),
        ("%%capture out\n%%html\n<p>", "html", "<p>"),
        ("%%mermaid\ngraph TD; A-->B;", "mermaid", "graph TD; A-->B;"),
        ("%%my_own\nx = f(1)", "python", "x = f(1)"),
        ("%matplotlib inline\n!pip install x\n\nimport x\n\nx.y?", "python", "import x"),
        ("#!/bin/sh\nls", "python", "ls"),
        ("x = 1  # coding: see below\ny = 2", "python", "x = 1  # coding: see below\ny = 2"),
        ("  %%time\n  x = 1\n  y = 2", "python", "x = 1\ny = 2"),
    ],
)
def test_a_model_reads_the_code_alone_and_its_language(cell: str, language: str, code: str) -> None:
    target = take_apart(cell, "python")
    assert (target.language, target.code) == (language, code)


@pytest.mark.parametrize("language", ["r", "julia", "bash"])
def test_other_kernels_have_no_magics(language: str) -> None:
    assert take_apart("%% x\n!y\nz?", language).code == "%% x\n!y\nz?"


def test_a_part_of_a_cell_is_in_the_language_of_its_magic() -> None:
    assert take_apart("echo a", "python", "%%bash").language == "bash"
    assert take_apart("x = 1", "python", "%%time\n").language == "python"


@pytest.mark.parametrize("command", ["improve", "fix", "document"])
def test_magics_alone_are_not_changed(command: str) -> None:
    with pytest.raises(InvalidArgument, match="contains only magics"):
        target_of(GenerateRequest(command=command, code="%matplotlib inline\n!pip install x\n"))  # type: ignore[arg-type]


def test_magics_alone_are_explained() -> None:
    assert target_of(GenerateRequest(command="explain", code="!ls")).code == ""


@pytest.mark.parametrize(
    ("cell", "answer", "changed"),
    [
        # What is at the ends is put back, once.
        ("%%bash\nls", "ls -l", "%%bash\nls -l"),
        ("%%bash\nls", "%%bash\nls -l", "%%bash\nls -l"),
        ("%%time\nx = 1", "%%timeit\nx = 2", "%%time\nx = 2"),
        ("%matplotlib inline\nx = 1", "%matplotlib inline\nx = 2", "%matplotlib inline\nx = 2"),
        ("%cd ..\nx = 1", "import y\n%cd ..\nx = 2", "%cd ..\nimport y\nx = 2"),
        ("x = 1\n\ndf?", "x = 2", "x = 2\n\ndf?"),
        ("x = 1\n", "x = 2\n\n\n", "x = 2\n"),
        # What is in the middle stays, or is put back beside what was around it.
        ("a = 1\n%time f()\nb = 2", "a = 10\n%time f()\nb = 20", "a = 10\n%time f()\nb = 20"),
        ("a = 1\n%time f()\nb = 2", "a = 10\nb = 2", "a = 10\n%time f()\nb = 2"),
        ("a = 1\n%time f()\nb = 2", "a = 1\nb = 20", "a = 1\n%time f()\nb = 20"),
        ("a = 1\n!pip list x\nb", "a\n!pip list x --quiet\nb(1)", "a\n!pip list x\nb(1)"),
        ("a = 1\n%time f()\nb = 2", "a = 10\n# %time f()\nb = 20", "a = 10\n%time f()\nb = 20"),
        ("if x:\n    %time f(i)\n    g(i)", "if x:\n    g(i)", "if x:\n    %time f(i)\n    g(i)"),
        ("a()\nfs = !ls\nprint(fs)", "a()\nprint(fs)", "a()\nfs = !ls\nprint(fs)"),
        ("a()\n!x \\\n  y\nb()", "a(1)\nb()", "a(1)\n!x \\\n  y\nb()"),
        ("a()\n%x\nb()\n%x\nc()", "a()\nb()\nc()", "a()\n%x\nb()\n%x\nc()"),
        # The margin is kept.
        ("    if a:\n        b()", "if a:\n    c()\n\n    d()", "    if a:\n        c()\n\n        d()"),
        ("    x()\n    %time y()\n    z()", "x()\nz(1)", "    x()\n    %time y()\n    z(1)"),
        ("#!/usr/bin/python\nx = 1\n", "x = 2", "#!/usr/bin/python\nx = 2\n"),
    ],
)  # fmt: skip
def test_magics_stay_where_they_are(cell: str, answer: str, changed: str) -> None:
    assert take_apart(cell, "python").put_back(answer) == changed


def test_a_magic_without_a_place_is_not_lost_silently() -> None:
    with pytest.raises(Unplaceable, match="%time f"):
        take_apart("a = 1\n%time f()\nb = 2", "python").put_back("c = 3")


def test_a_line_of_a_magic_in_a_string_is_none() -> None:
    cell = "s = '''\n%time\n'''"
    assert take_apart(cell, "python").put_back("s = 1") == "s = 1"
