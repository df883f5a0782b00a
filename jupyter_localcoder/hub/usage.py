"""Counts by day, kept in a small SQLite database: requests and tokens of users and groups. Never a text.

Counts are collected in memory and written every few seconds and at the end, in a thread. A process that is
killed loses those few seconds.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from ..errors import FileWriteError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS use (
    day TEXT NOT NULL, who TEXT NOT NULL, model TEXT NOT NULL,
    requests INTEGER NOT NULL, refused INTEGER NOT NULL, failed INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (day, who, model)
) WITHOUT ROWID
"""
_ADD = """
INSERT INTO use VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day, who, model) DO UPDATE SET
    requests = requests + excluded.requests, refused = refused + excluded.refused,
    failed = failed + excluded.failed, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
    completion_tokens = completion_tokens + excluded.completion_tokens
"""


class Counts(Struct, frozen=True):
    """What is counted."""

    requests: int = 0
    """Requests that were answered, also in part."""
    refused: int = 0
    """Requests over a limit, or against the policy."""
    failed: int = 0
    """Requests that the upstream server did not answer."""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def plus(self, other: Counts) -> Counts:
        """The sum."""
        names = Counts.__struct_fields__
        return Counts(*(getattr(self, name) + getattr(other, name) for name in names))


class UseOfDay(Struct, frozen=True):
    """Counts of one day."""

    day: str
    who: str
    """`user:NAME`, `service:NAME` or `group:NAME`."""
    model: str
    counts: Counts


class UsageCounts:
    """Collects and keeps counts.

    Parameters
    ----------
    path
        The database; only its owner can read it.
    today
        The day in the time zone of the service.
    keep_days
        Older days are removed when the service starts and when a day begins.
    """

    def __init__(self, path: Path, today: Callable[[], datetime.date], keep_days: int) -> None:
        self._path = path
        self._today = today
        self._keep_days = keep_days
        self._unwritten: dict[tuple[str, str, str], Counts] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._cleaned: datetime.date | None = None

    def open(self) -> None:
        """Make the database, if there is none.

        Raises
        ------
        FileWriteError
            It cannot be written, or is no database.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with self._database() as database:
                database.execute(_SCHEMA)
            self.flush()
        except (OSError, sqlite3.Error) as failure:
            raise FileWriteError(
                f"The counts cannot be kept in {self._path}: {failure}.",
                recovery="Set `HubService.data_dir` to a folder that the service can write.",
            ) from failure

    def add(self, whose: Iterable[str], model: str, counts: Counts) -> None:
        """Count something for a user and its groups."""
        day = self._today().isoformat()
        self._collect(((day, who, model), counts) for who in whose)

    def flush(self) -> None:
        """Write what was collected; blocks. What cannot be written is kept for the next time.

        Raises
        ------
        sqlite3.Error
            It cannot be written.
        """
        with self._writing:
            with self._lock:
                batch, self._unwritten = self._unwritten, {}
            try:
                with self._database() as database:
                    database.executemany(
                        _ADD,
                        [
                            (*key, *(getattr(counts, name) for name in Counts.__struct_fields__))
                            for key, counts in batch.items()
                        ],
                    )
                    self._clean(database)
            except BaseException:
                self._collect(batch.items())
                raise

    def _collect(self, items: Iterable[tuple[tuple[str, str, str], Counts]]) -> None:
        with self._lock:
            for key, counts in items:
                self._unwritten[key] = self._unwritten.get(key, Counts()).plus(counts)

    def spent_today(self) -> dict[str, int]:
        """Tokens of today by user and group; blocks."""
        with self._database() as database:
            rows = database.execute(
                "SELECT who, SUM(prompt_tokens + completion_tokens) FROM use WHERE day = ? GROUP BY who",
                (self._today().isoformat(),),
            )
            return {str(who): int(tokens) for who, tokens in rows}

    def days(self, kind: str, count: int) -> list[UseOfDay]:
        """The counts of the last days, newest first, by group (`group`) or by user (`user`); blocks."""
        first = (self._today() - datetime.timedelta(days=count - 1)).isoformat()
        self.flush()
        with self._database() as database:
            rows = database.execute(
                "SELECT * FROM use WHERE day >= ? AND who LIKE ? || ':%' ORDER BY day DESC, who, model",
                (first, kind),
            )
            return [UseOfDay(day, who, model, Counts(*numbers)) for day, who, model, *numbers in rows]

    def _clean(self, database: sqlite3.Connection) -> None:
        today = self._today()
        if self._cleaned != today:
            oldest = today - datetime.timedelta(days=self._keep_days)
            database.execute("DELETE FROM use WHERE day < ?", (oldest.isoformat(),))
            self._cleaned = today

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._path, timeout=10.0)) as database, database:
            yield database
