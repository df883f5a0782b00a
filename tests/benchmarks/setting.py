"""What every bench is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .workspace import Workspace


@dataclass(frozen=True)
class Setting:
    """The model in its temporary folders, and what was asked for on the command line."""

    workspace: Workspace
    repeat: int | None = None
    """Pairs of each comparison; None leaves it to the bench."""
    peer_url: str = ""
    """A `llama-server` that serves the same model, for the benches that can be held against it."""
    traces: Path | None = None
    """Folder of notebooks, for the benches that replay typing."""

    other_model: Path | None = None
    """GGUF file of another model, for the bench that switches to it."""

    limit: int | None = None
    """Cases of each suite of `answers`; None leaves it to the bench."""
    suites: tuple[str, ...] = ()
    """Suites of `answers`; empty: all."""
    keep: Path | None = None
    """Where `answers` writes what it was answered."""

    def times(self, usual: int) -> int:
        """How many pairs to measure, where the bench would take so many."""
        return usual if self.repeat is None else self.repeat
