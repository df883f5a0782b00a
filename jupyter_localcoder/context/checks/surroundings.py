"""What stands around the cursor, as the checks ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...contract.notebook import NotebookContext


@dataclass(frozen=True)
class Surroundings:
    """The cell with the cursor, and the notebook around it."""

    prefix: str
    suffix: str
    language: str = "python"
    notebook: NotebookContext = field(default_factory=NotebookContext)

    @property
    def rest(self) -> str:
        """What stands after the cursor in its line."""
        return self.suffix.partition("\n")[0]

    @property
    def below(self) -> str:
        """The next line that is not blank, without its indentation."""
        _, _, after = self.suffix.partition("\n")
        return next((line.strip() for line in after.splitlines() if line.strip()), "")
