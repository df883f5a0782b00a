"""The cells of a notebook in the order in which a model reads them.

A cell goes together with the text above it. Before the cell with the cursor stand, from the top:

1. code that never ran, or failed: it is the first to be left out, and marked;
2. what ran, in the order in which it ran, which is the order of the document unless the person jumped about;
3. the code right above the cursor, whatever became of it.

While nothing has run, such as in a notebook that was just opened, all is in the document's order. The cell
with the cursor itself has no part in this: what stands above must not change while somebody types in it.
Marks stand at the end of a cell, so that running it changes as little as possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..contract.notebook import NotebookCell, NotebookContext
from . import marks
from .comments import comment

MOST_PROSE_LINES = 12
MOST_PROSE_CHARS = 600
MOST_PROSE_LINE_CHARS = 200
"""Of one text cell: prose says much in many words, and pictures stand in it as base64."""


@dataclass(frozen=True)
class Unit:
    """Code with the text above it; either may be missing."""

    cells: tuple[NotebookCell, ...]

    @property
    def code(self) -> NotebookCell | None:
        """The code cell, which is the last one."""
        last = self.cells[-1]
        return last if last.kind == "code" else None

    @property
    def chars(self) -> int:
        """Length of its sources."""
        return sum(len(cell.source) for cell in self.cells)


@dataclass(frozen=True)
class Order:
    """The cells around the cursor."""

    far: tuple[Unit, ...]
    """In reading order."""
    near: tuple[Unit, ...]
    """The code right above the cursor, and text between it and the cursor."""
    below: tuple[NotebookCell, ...]
    """In the document's order."""
    session: bool
    """Whether something has run, so that it means something that a cell has not."""


def order(notebook: NotebookContext) -> Order:
    """Put the cells in order."""
    active = notebook.active if 0 <= notebook.active < len(notebook.cells) else len(notebook.cells)
    above = [cell for cell in notebook.cells[:active] if _counts(cell)]
    below = tuple(cell for cell in notebook.cells[active + 1 :] if _counts(cell))
    others = [*above, *below]
    session = any(cell.kind == "code" and ran(cell) for cell in others)
    units = list(_units(above))
    cut = len(units)
    while cut and units[cut - 1].code is None:
        cut -= 1
    cut = max(0, cut - 1)
    far = units[:cut]
    if session:
        far.sort(key=_use)
    return Order(tuple(far), tuple(units[cut:]), below, session)


def ran(cell: NotebookCell) -> bool:
    """Whether a cell has run, in this session or, by its number, in the one that was saved."""
    return cell.status != "none" or cell.execution_count is not None


def render(cell: NotebookCell, language: str, *, session: bool) -> str:
    """A cell as code: text becomes comments, and what became of the cell a comment at its end."""
    source = cell.source.replace("\r\n", "\n").replace("\r", "\n")
    if cell.kind != "code":
        return comment(_shortened(source.strip()), language)
    mark = _mark(cell, session=session)
    return "\n".join([source.strip("\n").rstrip(), *([comment(mark, language)] if mark else [])])


def prose_left_out(cell: NotebookCell) -> int:
    """Characters of a text cell that `render` leaves out."""
    return (
        max(0, len(cell.source.strip()) - len(_shortened(cell.source.strip()))) if cell.kind != "code" else 0
    )


def _counts(cell: NotebookCell) -> bool:
    return cell.kind != "raw" and bool(cell.source.strip())


def _units(cells: Sequence[NotebookCell]) -> Iterator[Unit]:
    group: list[NotebookCell] = []
    for cell in cells:
        group.append(cell)
        if cell.kind == "code":
            yield Unit(tuple(group))
            group = []
    if group:
        yield Unit(tuple(group))


def _use(unit: Unit) -> tuple[int, int]:
    code = unit.code
    if code is None or not ran(code) or code.status == "error":
        return (0, 0)
    return (1, code.execution_count or 0)


def _mark(cell: NotebookCell, *, session: bool) -> str:
    if cell.status == "error":
        return f"{marks.RAISED} {_one_line(cell.error)}" if cell.error else marks.FAILED
    if session and not ran(cell):
        return marks.NOT_RUN
    return f"{marks.OUT} {_one_line(cell.hint)}" if cell.hint else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())[:80]


def _shortened(text: str) -> str:
    lines = [line[:MOST_PROSE_LINE_CHARS] for line in text.splitlines()[:MOST_PROSE_LINES]]
    while len(lines) > 1 and sum(len(line) + 1 for line in lines) > MOST_PROSE_CHARS:
        lines.pop()
    return "\n".join(lines)
