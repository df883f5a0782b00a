"""What an editor asks while a person types lines of real notebooks. Pure, and the same for each run."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFIX_CHARS = 4800
SUFFIX_CHARS = 600
_PAUSES = " .(,=["
_LONGEST_BURST = 6
_LEAST_LINE = 16
_SEED = 0


@dataclass(frozen=True)
class Keystroke:
    """A moment at which an editor asks: the text on both sides of the cursor, and what came to be there."""

    prefix: str
    suffix: str
    expected: str


@dataclass(frozen=True)
class TypedLine:
    """A line, as it is typed: first at its indentation, then after each pause."""

    notebook: str
    keystrokes: tuple[Keystroke, ...]


@dataclass(frozen=True)
class CodeCell:
    """A cell of code."""

    notebook: str
    source: str


def code_cells(folder: Path) -> list[CodeCell]:
    """All cells of Python code of the notebooks of a folder, in order."""
    return [
        CodeCell(path.name, source)
        for path in sorted(folder.glob("*.ipynb"))
        for source in _cells(path)
        if source and source.strip() and _is_python(source)
    ]


def typed_lines(folder: Path, per_notebook: int) -> Iterator[TypedLine]:
    """Lines from the inside of cells, so many of each notebook, and of no cell more than one."""
    for path in sorted(folder.glob("*.ipynb")):
        cells = _cells(path)
        places = [
            (i, j)
            for i, source in enumerate(cells)
            if source and _is_python(source)
            for j in _lines_worth_typing(source)
        ]
        random.Random(_SEED).shuffle(places)
        chosen = dict(reversed(places))  # the first of each cell stays
        for i, j in [place for place in places if chosen[place[0]] == place[1]][:per_notebook]:
            yield TypedLine(path.name, tuple(_typed(cells, i, j)))


def _cells(path: Path) -> list[str | None]:
    """The sources of code cells, magics too, since an editor sends what stands there; none of other cells."""
    return [
        "".join(cell["source"]) if cell["cell_type"] == "code" else None
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    ]


def _is_python(source: str) -> bool:
    return not source.lstrip().startswith(("%", "!"))


def _lines_worth_typing(source: str) -> list[int]:
    lines = source.split("\n")
    return [
        j
        for j in range(2, len(lines) - 1)
        if len(lines[j].strip()) >= _LEAST_LINE and not lines[j].strip().startswith(("#", ")", "]", "}"))
    ]


def _typed(cells: list[str | None], i: int, j: int) -> Iterator[Keystroke]:
    lines = (cells[i] or "").split("\n")
    line = lines[j]
    above = "\n\n".join([_joined(cells[:i]), "\n".join(lines[:j]) + "\n"])[-PREFIX_CHARS:]
    below = "\n\n".join(["\n" + "\n".join(lines[j + 1 :]), _joined(cells[i + 1 : i + 3])])[:SUFFIX_CHARS]
    begin = len(line) - len(line.lstrip())
    last = begin - _LONGEST_BURST
    for k in range(begin, len(line)):
        pauses = k - last >= 2 and line[k - 1] in _PAUSES
        if k == begin or pauses or k - last >= _LONGEST_BURST:
            yield Keystroke(above + line[:k], below, line[k:])
            last = k


def _joined(cells: list[str | None]) -> str:
    return "\n\n".join(source for source in cells if source is not None)
