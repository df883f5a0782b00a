"""The database's connections: one that writes, some that read, shared by threads and by processes.

The journal is a write-ahead log: who reads waits for nobody. Who writes takes the lock at the beginning of
the transaction and waits for it as long as `busy_seconds`, so that "database is locked" is the word for a
process that hangs, and for nothing else. A commit does not wait for the disk (``synchronous=NORMAL``): a row
that a power cut takes back comes back from its file at the next start.

A database that cannot be read any more is set aside, under a name that says when, and a new one begun; it is
made again out of the files. One of a newer version is left alone.
"""

from __future__ import annotations

import collections
import contextlib
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from ..errors import DatabaseError, DiskFull, FileWriteError
from ..storage.failures import is_full
from . import schema
from .folder import write_errors

_MAX_READERS = 4
_NEW_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_PROBE_BYTES = 64 * 1024
"""As much as the smallest log of SQLite takes, and more."""
_BESIDE = ("", "-wal", "-shm")
_DAMAGED = ("file is not a database", "malformed", "disk image", "not a database")
_MAYBE_FULL = ("disk I/O error", "unable to open")
"""What SQLite says of a user's share that is full, and of a full disk on which it cannot make its log."""
_SETUP = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16000",
    "PRAGMA journal_size_limit = 16777216",
    "PRAGMA secure_delete = ON",
)


class Database:
    """One database of the history.

    Parameters
    ----------
    path
        Its file. It is made when it is first needed.
    busy_seconds
        How long to wait for another process that writes.
    on_damage
        Is told the name under which a damaged one was set aside, in the thread that found it.
    """

    def __init__(
        self, path: Path, *, busy_seconds: float = 30.0, on_damage: Callable[[str], None] = lambda _: None
    ) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._on_damage = on_damage
        self._lock = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._readers: collections.deque[sqlite3.Connection] = collections.deque()
        self._opened_identity: tuple[int, int] | None = None
        self._epoch = 0
        """Counts the files that were opened: a reader of an older one is not used again."""

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: what is done in it is done as a whole, or not at all.

        Raises
        ------
        DatabaseError, DiskFull
            Nothing of it was done.
        """
        with self._lock, self._explained():
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A commit that failed has, for some failures, rolled back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that reads one state of the database, whatever is written meanwhile.

        In a folder that cannot be written it reads what is there, which may be nothing.

        Raises
        ------
        DatabaseError
            It cannot be read.
        FileWriteError
            It would have to be changed before it can be read.
        """
        with self._explained():
            unwritable: FileWriteError | None = None
            with self._lock:
                try:
                    self._opened()
                except FileWriteError as failure:
                    unwritable = failure
                epoch = self._epoch
                reader = self._readers.popleft() if self._readers else None
            if unwritable is not None:
                with contextlib.closing(self._as_it_is(unwritable)) as connection:
                    yield connection
                return
            connection = reader or self._connect()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                with self._lock:
                    if epoch == self._epoch and len(self._readers) < _MAX_READERS:
                        self._readers.append(connection)
                    else:
                        connection.close()

    def tidy(self) -> None:
        """Give space back and leave no trace of what was deleted; best effort, for an empty one."""
        with self._lock, contextlib.suppress(sqlite3.Error, DatabaseError):
            connection = self._opened()
            # Words of deleted texts stay in the index until it is merged, or made anew.
            connection.execute("INSERT INTO texts (texts) VALUES ('rebuild')")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file; it is opened again when it is needed."""
        with self._lock:
            self._epoch += 1
            for connection in (*self._readers, self._writer):
                if connection is not None:
                    with contextlib.suppress(sqlite3.Error):
                        connection.close()
            self._readers.clear()
            self._writer = None

    # Opening

    def _opened(self) -> sqlite3.Connection:
        if self._writer is not None and self._identity() != self._opened_identity:
            # Somebody has removed the file, or put another one in its place.
            self.close()
        if self._writer is None:
            with write_errors():
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=_NEW_FOLDER_MODE)
                lock = filelock.FileLock(self._path.with_suffix(".lock"), timeout=self._busy_seconds)
            with self._held(lock):
                try:
                    self._writer = self._open()
                except sqlite3.DatabaseError as failure:
                    if not _is_damage(failure):
                        raise
                    self._set_aside()
                    self._writer = self._open()
                self._opened_identity = self._identity()
        return self._writer

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    @contextlib.contextmanager
    def _held(self, lock: filelock.BaseFileLock) -> Iterator[None]:
        """Only one process makes the database, or changes its form."""
        try:
            with write_errors():
                lock.acquire()
        except filelock.Timeout:
            raise DatabaseError("Another process locked the history database for too long.") from None
        try:
            yield
        finally:
            lock.release()

    def _open(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            version = schema.version_of(connection)
            if version > schema.VERSION:
                raise DatabaseError(
                    "The history was written by a newer version of jupyter_localcoder and is not changed.",
                    recovery="Install that version, or set another folder (`HistoryStore.history_dir`).",
                    found=version,
                    known=schema.VERSION,
                )
            if 0 < version < schema.VERSION:
                self._back_up(connection, version)
            if version < schema.VERSION:
                connection.execute("PRAGMA journal_mode = WAL")
                schema.migrate(connection)
            # Reads the whole schema, and one page of each kind.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("SELECT max(seq) FROM responses").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            with write_errors():
                self._path.touch(mode=_FILE_MODE)
        connection = sqlite3.connect(
            self._path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            for statement in _SETUP:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def _as_it_is(self, unwritable: FileWriteError) -> sqlite3.Connection:
        """A connection to a database beside which nothing can be written, not even a lock."""
        try:
            there = self._path.exists()
            journal = self._path.with_name(self._path.name + "-wal")
            unfinished = journal.exists() and journal.stat().st_size > 0
        except OSError:
            raise unwritable from None
        if unfinished:  # what a process that was killed left in it can be read by one alone that may write
            raise unwritable
        address = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1" if there else ":memory:"
        connection = sqlite3.connect(address, uri=there, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            if not there:
                schema.migrate(connection)
            elif schema.version_of(connection) != schema.VERSION:
                raise unwritable
        except BaseException:
            connection.close()
            raise
        return connection

    def _back_up(self, connection: sqlite3.Connection, version: int) -> None:
        """Keep a copy of what is about to be changed; an older copy of the same form stays."""
        target = self._path.with_name(f"{self._path.stem}.v{version}.backup{self._path.suffix}")
        if target.exists():
            return
        part = target.with_name(target.name + ".part")
        with write_errors():
            part.unlink(missing_ok=True)
            part.touch(mode=_FILE_MODE)
        with contextlib.closing(sqlite3.connect(part)) as copy:
            connection.backup(copy)
        with write_errors():
            part.replace(target)

    def _set_aside(self) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        aside = self._path.with_name(f"{self._path.stem}.damaged-{stamp}{self._path.suffix}")
        self.close()
        with write_errors():
            for ending in _BESIDE:
                with contextlib.suppress(FileNotFoundError):
                    self._path.with_name(self._path.name + ending).replace(
                        aside.with_name(aside.name + ending)
                    )
        self._on_damage(aside.name)

    # What goes wrong

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as failure:
            if _is_damage(failure):
                # If it is the file that is broken, the next use begins another one.
                self._mark_damaged()
            raise _explanation(failure, self._path.parent) from failure

    def _mark_damaged(self) -> None:
        with self._lock:
            self.close()
            with (
                contextlib.suppress(OSError, filelock.Timeout),
                filelock.FileLock(self._path.with_suffix(".lock"), timeout=1.0),
            ):
                if not self._is_sound():
                    self._set_aside()

    def _is_sound(self) -> bool:
        try:
            with contextlib.closing(self._connect()) as connection:
                answer = connection.execute("PRAGMA quick_check(1)").fetchone()
                return bool(answer and answer[0] == "ok")
        except sqlite3.Error as failure:
            return not _is_damage(failure)


def _is_damage(failure: sqlite3.Error) -> bool:
    return any(words in str(failure) for words in _DAMAGED)


def _explanation(failure: sqlite3.Error, folder: Path) -> DatabaseError | DiskFull:
    words = str(failure)
    if "full" in words or (any(each in words for each in _MAYBE_FULL) and _is_full(folder)):
        return DiskFull()
    if _is_damage(failure):
        return DatabaseError(
            "The history database is damaged.",
            recovery="No action is needed: the database is moved aside and rebuilt from the Markdown files.",
            reason=words,
        )
    if "readonly" in words or "unable to open" in words:
        return DatabaseError("The history database cannot be written.", reason=words)
    if "locked" in words:
        return DatabaseError(
            "Another process locked the history database for too long.",
            recovery="Stop other Jupyter servers of the same user that do not respond, and try again.",
            reason=words,
        )
    return DatabaseError(reason=words)


def _is_full(folder: Path) -> bool:
    """Whether nothing more can be written into a folder, for want of space."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
    except OSError as failure:
        return is_full(failure)
    return False
