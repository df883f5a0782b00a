"""The executed cells, as magics refer to them: by number, counted backwards, or as the cells above.

Only the source of cells is read, never a value.
"""

from __future__ import annotations

import re

from IPython.core.interactiveshell import InteractiveShell

from ..context import languages
from ..contract.notebook import MAX_CELLS, NotebookCell

COMMANDS = ("explain", "improve", "fix", "document", "test", "generate", "coder", "chat")

_OWN_CELL = re.compile(rf"\s*%%(?:{'|'.join(COMMANDS)})\b[^\n]*\n")
_OWN_LINE = re.compile(rf"\s*%(?:localcoder|load_ext|reload_ext|{'|'.join(COMMANDS)})\b")


class CellHistory:
    """Cells of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    @property
    def current(self) -> int:
        """Number of the cell that runs now."""
        # Not `execution_count`, which newer versions of IPython count up before the cell runs.
        return len(self._sources()) - 1

    def source(self, number: int) -> str | None:
        """Source of a cell that was run, without one of our own cell magics around it.

        Parameters
        ----------
        number
            As in `In[number]`; a negative one counts back from the running cell.

        """
        sources = self._sources()
        position = self.position(number)
        if not 0 < position < self.current or not sources[position].strip():
            return None
        return _OWN_CELL.sub("", sources[position], count=1)

    def position(self, number: int) -> int:
        """The number of a cell that may be counted back; 0 and less for none."""
        return number if number >= 0 else self.current + number

    def above(self, number: int, count: int) -> tuple[NotebookCell, ...]:
        """The last cells before a cell, oldest first, those of the assistant itself left out."""
        sources = self._sources()
        cells: list[NotebookCell] = []
        for position in range(min(number, len(sources)) - 1, 0, -1):
            if len(cells) == count:
                break
            source = sources[position]
            if source.strip() and not _OWN_CELL.match(source) and not _OWN_LINE.match(source):
                cells.append(NotebookCell(source=source, execution_count=position))
        return tuple(reversed(cells))

    def below(self, number: int) -> tuple[NotebookCell, ...]:
        """The cells that have run after a cell, oldest first, those of the assistant itself left out."""
        sources = self._sources()
        return tuple(
            NotebookCell(source=source, execution_count=position)
            for position, source in enumerate(sources[number + 1 : self.current], number + 1)
            if source.strip() and not _OWN_CELL.match(source) and not _OWN_LINE.match(source)
        )[:MAX_CELLS]

    def number_of(self, transformed: str) -> int | None:
        """The cell whose code, as Python sees it, is this one."""
        manager = self._shell.history_manager
        parsed: list[str] = manager.input_hist_parsed if manager is not None else []
        wanted = transformed.rstrip()
        for position in range(len(parsed) - 1, 0, -1):
            if wanted and parsed[position].rstrip() == wanted:
                return position
        return None

    def _sources(self) -> list[str]:
        manager = self._shell.history_manager
        return manager.input_hist_raw if manager is not None else [""]


def language_of(source: str) -> str:
    """The language of a cell: Python, or that of its cell magic."""
    return languages.of_magic(source) or "python"
