"""What stands around the cursor, as the checks ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ...contract.notebook import NotebookContext
from ..comments import mark_of
from .cell_language import language_of


@dataclass(frozen=True)
class Surroundings:
    """The cell with the cursor, and the notebook around it."""

    prefix: str
    suffix: str
    language: str = "python"
    notebook: NotebookContext = field(default_factory=NotebookContext)

    @property
    def chars(self) -> int:
        """How much text it is."""
        return sum(map(len, (self.prefix, self.suffix, *(cell.source for cell in self.notebook.cells))))

    @property
    def rest(self) -> str:
        """What stands after the cursor in its line."""
        return self.suffix.partition("\n")[0]

    @property
    def after(self) -> str:
        """What stands below the line of the cursor, with the line break before it."""
        return self.suffix[len(self.rest) :]

    @cached_property
    def cell_language(self) -> str:
        """Language of this cell, in small letters."""
        return language_of(self.prefix, self.language)

    @property
    def comment(self) -> str:
        """What makes a comment of a line of this cell."""
        return mark_of(self.cell_language)

    @property
    def below(self) -> str:
        """The next line that is not blank, without its indentation."""
        _, _, after = self.suffix.partition("\n")
        return next((line.strip() for line in after.splitlines() if line.strip()), "")
