"""The part of a batch that belongs to one task."""

from __future__ import annotations

from dataclasses import dataclass, field

from .lookup import DraftPolicy
from .task import Task


@dataclass
class BatchSlice:
    """The part of a batch that belongs to one task."""

    task: Task
    first: int
    """Index of its first item."""
    tokens: list[int]
    draft: list[int] = field(default_factory=list)
    match: int = 0
    policy: DraftPolicy | None = None
    """Who has drafted, and learns from it."""
    draft_seconds: float = 0.0

    @property
    def count(self) -> int:
        """Items of the batch."""
        return len(self.tokens) + len(self.draft)
