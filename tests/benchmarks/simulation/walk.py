"""A notebook from top to bottom, as somebody writes it: a real kernel runs each cell before the next one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from jupyter_localcoder.contract.notebook import NotebookCell, NotebookContext

from .. import held_back
from .kernel import Kernel

_LEAST_CHARS, _MOST_CHARS = 80, 600


def walk(path: Path, count: int, kernel: Kernel) -> Iterator[tuple[int, str, NotebookContext]]:
    """Cells to write, as (index, source, notebook): so many of a notebook, in its order.

    The cell is empty in the notebook, and nothing is below it. When it is given out, the kernel has run all
    cells above.
    """
    read = held_back.read(path)
    cells = [NotebookCell(id=str(i), kind=cell.kind, source=cell.source) for i, cell in enumerate(read)]
    chosen = _chosen(read, count)
    for i, cell in enumerate(cells):
        if i in chosen:
            empty = msgspec.structs.replace(cell, source="")
            yield (
                i,
                cell.source,
                NotebookContext(
                    path="notebook.ipynb",
                    cells=(*cells[:i], empty),
                    active=i,
                    variables=kernel.variables(),
                ),
            )
        if cell.kind == "code":
            status: Literal["ok", "error"] = "ok" if kernel.run(cell.source) else "error"
            cells[i] = msgspec.structs.replace(cell, execution_count=i + 1, status=status)


def _chosen(cells: tuple[held_back.Cell, ...], count: int) -> set[int]:
    """Cells of some length, with something above them; spread over the notebook."""
    candidates = [
        i
        for i, cell in enumerate(cells)
        if i > 1
        and cell.kind == "code"
        and _LEAST_CHARS <= len(cell.source) <= _MOST_CHARS
        and not cell.source.lstrip().startswith(("%", "!"))
    ]
    random.Random(0).shuffle(candidates)
    return set(candidates[:count])
