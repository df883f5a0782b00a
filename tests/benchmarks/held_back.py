"""Lines held back from real notebooks: what an editor would ask when somebody begins one, or is half-way.

Deterministic for a notebook and a seed. Pure but for reading the file.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jupyter_localcoder.contract.notebook import NotebookCell, NotebookContext

Where = Literal["start", "middle"]
_TRIGGERS = " .(,=["
"""After these an editor asks most."""
_LEAST_CHARS = 12
_NO_LINE = ("#", ")", "]", "}", "%", "!", "@")


@dataclass(frozen=True)
class Cell:
    """A cell as it stands in the file."""

    kind: Literal["code", "markdown"]
    source: str


@dataclass(frozen=True)
class Request:
    """One request of an editor."""

    cells: tuple[Cell, ...]
    active: int
    above: str
    """Lines of the cell above the one that is typed."""
    typed: str
    expect: str
    """The rest of the line that was held back."""
    below: str
    """Lines of the cell below it."""

    @property
    def prefix(self) -> str:
        """The cell up to the cursor."""
        return self.above + self.typed

    @property
    def suffix(self) -> str:
        """The cell from the cursor on."""
        return self.below

    def notebook(self) -> NotebookContext:
        """The notebook of somebody who has run all cells above this one, and none below."""
        return NotebookContext(
            cells=tuple(
                NotebookCell(
                    source="" if i == self.active else cell.source,
                    kind=cell.kind,
                    execution_count=i + 1 if i < self.active and cell.kind == "code" else None,
                    status="ok" if i < self.active and cell.kind == "code" else "none",
                )
                for i, cell in enumerate(self.cells)
            ),
            active=self.active,
        )


def read(path: Path) -> tuple[Cell, ...]:
    """Cells of a notebook file, raw ones left out."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return tuple(
        Cell(cell["cell_type"], "".join(cell["source"]))
        for cell in cells
        if cell["cell_type"] in ("code", "markdown")
    )


def lines(cells: tuple[Cell, ...], count: int, seed: int = 0) -> list[tuple[int, int]]:
    """Lines to hold back, as (cell, line), in the document's order, at most two of a cell.

    A line says something of its own, and does not begin its cell.
    """
    candidates = [
        (i, j)
        for i, cell in enumerate(cells)
        if i and cell.kind == "code" and not cell.source.lstrip().startswith("%%")
        for j, line in enumerate(cell.source.split("\n"))
        if j and len(line.strip()) >= _LEAST_CHARS and not line.strip().startswith(_NO_LINE)
    ]
    random.Random(seed).shuffle(candidates)
    chosen: list[tuple[int, int]] = []
    for i, j in candidates:
        if len(chosen) < count and sum(1 for other, _ in chosen if other == i) < 2:
            chosen.append((i, j))
    return sorted(chosen)


def request(cells: tuple[Cell, ...], cell: int, line: int, where: Where) -> Request:
    """What is asked at the line's start (after its indentation), or about its middle."""
    all_lines = cells[cell].source.split("\n")
    text = all_lines[line].rstrip()
    at = len(text) - len(text.lstrip())
    if where == "middle":
        half = at + (len(text) - at) // 2
        at = next((k for k in range(half, len(text) - 3) if text[k - 1] in _TRIGGERS), half)
    above = "\n".join(all_lines[:line]) + "\n"
    below = "".join("\n" + other for other in all_lines[line + 1 :])
    return Request(cells, cell, above, text[:at], text[at:], below)


def same(answer: str, expect: str) -> bool:
    """Whether the first line of an answer is the expected one, up to white space and quotes."""
    return _bare(answer.strip("\n").partition("\n")[0]) == _bare(expect)


def _bare(line: str) -> str:
    return re.sub(r"\s", "", line).replace("'", '"')
