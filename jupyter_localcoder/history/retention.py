"""Which answers are too many: by age, by count, by size. What nobody has limited is kept for ever. Pure."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from .rows import Place


@dataclass(frozen=True)
class Retention:
    """The limits; 0 for none."""

    days: float = 0.0
    count: int = 0
    bytes: int = 0

    @property
    def keeps_all(self) -> bool:
        """Whether there is no limit."""
        return not (self.days or self.count or self.bytes)


def too_many(db: sqlite3.Connection, limits: Retention, now: datetime) -> list[Place]:
    """The responses to delete, oldest first.

    A clock that was set back makes nothing older than it is; one that was set forward does, which is why
    the limit by age is off unless somebody wants it.
    """
    if limits.keeps_all:
        return []
    oldest = iso(now - timedelta(days=limits.days)) if limits.days else ""
    found: list[Place] = []
    kept = kept_bytes = 0
    rows = db.execute("SELECT id, prompt_id, created_at, size_bytes FROM responses ORDER BY seq DESC")
    for id_, prompt_id, created_at, size_bytes in rows:
        over = (
            created_at < oldest
            or (limits.count and kept + 1 > limits.count)
            or (limits.bytes and kept_bytes + size_bytes > limits.bytes and kept > 0)
        )
        if over:
            found.append(Place(id_, prompt_id))
        else:
            kept += 1
            kept_bytes += size_bytes
    return found[::-1]


def iso(moment: datetime) -> str:
    """A moment in UTC, in the form that sorts by time."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
