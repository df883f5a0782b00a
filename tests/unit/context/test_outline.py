"""What stays of a cell that has no room."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.outline import CONSTANT, DEFINITION, IMPORT, Outlines
from jupyter_localcoder.contract.wire import OutlineItem

CELL = '''\
"""import this_is_a_docstring
def neither
"""
import os, sys
from a.b import (
    c,
    d,
)
import x as y  # comment (
RATE = 0.5
lower = 1
@decorated
def load(path: str = "(", *,
         rows=10) -> "DataFrame":
    """Load."""
    import inner
    return path

async def fetch(url): return url

class Model(Base):
    """Docs."""

    kind = "x"

    def __init__(self, n):
        self.n = n

    def _private(self): ...

    def fit(
        self, X, y
    ):
        def nested(): pass
        return self

print(load("x"))
'''


def outline(source: str, language: str = "python") -> tuple[OutlineItem, ...]:
    return Outlines().of(source, language)


def test_imports_and_the_heads_of_definitions_stay() -> None:
    assert outline(CELL) == (
        OutlineItem("import os, sys\n", IMPORT),
        OutlineItem("from a.b import (\n    c,\n    d,\n)\n", IMPORT),
        OutlineItem("import x as y  # comment (\n", IMPORT),
        OutlineItem("RATE = 0.5\n", CONSTANT),
        OutlineItem('def load(path: str = "(", *,\n         rows=10) -> "DataFrame": ...\n', DEFINITION),
        OutlineItem("async def fetch(url): return url\n", DEFINITION),
        OutlineItem(
            "class Model(Base):\n    def __init__(self, n): ...\n"
            "    def fit(\n        self, X, y\n    ): ...\n",
            DEFINITION,
        ),
    )


@pytest.mark.parametrize(
    "source", ["", "def", "def f(", "class A(\n\n", "import", "from x import (", '"""', "%%bash\nls"]
)
def test_half_a_cell_is_no_trouble(source: str) -> None:
    assert all(brief.text.endswith("\n") for brief in outline(source))


def test_the_imports_of_other_languages_stay_too() -> None:
    assert outline("library(dplyr)\nx <- 1\n", "R") == (OutlineItem("library(dplyr)\n", IMPORT),)
    assert outline("using Plots\n", "julia") == (OutlineItem("using Plots\n", IMPORT),)
    assert outline("import x\n", "cobol") == ()


def test_a_cell_is_outlined_once() -> None:
    outlines = Outlines()
    assert outlines.of(CELL, "python") is outlines.of(str(CELL), "python")
