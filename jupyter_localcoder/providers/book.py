"""The providers that are configured, and which of them is active: one small file, and never a key in it.

::

    {"format": 1, "active": "my-server",
     "providers": {"my-server": {"settings": {…}, "kept": "keyring"}}}

It is read again for each use and replaced as a whole under a lock, so that two servers of one user see the
same. What an entry holds that this version cannot read stays in the file, and is told.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct, field

from ..atomic_file import replace_file
from ..contract.providers import EMBEDDED, ProviderFields
from ..errors import DatabaseError

FORMAT = 1
_LOCK_SECONDS = 10.0
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")

Migration = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: tuple[Migration, ...] = ()
"""The n-th takes a document of format n to format n + 1."""


class Entry(Struct, frozen=True):
    """One provider in the file."""

    settings: ProviderFields
    kept: Literal["keyring", "file"] | None = None
    """Where its key was kept, so that a keyring is not asked in vain."""


class Page(Struct, frozen=True):
    """What the file says."""

    active: str = EMBEDDED
    """Also where its entry cannot be read: nobody else answers in the place of one that was chosen."""
    entries: dict[str, Entry] = field(default_factory=dict)
    unread: dict[str, Any] = field(default_factory=dict)
    """Entries as they stand in the file that cannot be read."""
    problem: str = ""
    """A sentence that says what cannot be read."""


class _Unusable(Exception):
    """The file is not used. Its text is a sentence for a person."""

    def __init__(self, sentence: str, *, newer: bool = False) -> None:
        super().__init__(sentence)
        self.newer = newer


class Book:
    """Reads and writes the file. All methods may block."""

    def __init__(
        self, path: Path, *, format_: int = FORMAT, migrations: tuple[Migration, ...] = MIGRATIONS
    ) -> None:
        self.path = path
        self._format = format_
        self._migrations = migrations

    def read(self) -> Page:
        """What the file says; nothing but the embedded provider where it cannot be read."""
        try:
            return self._page(self._document()[0])
        except _Unusable as failure:
            return Page(problem=str(failure))

    @contextlib.contextmanager
    def change(self) -> Iterator[Draft]:
        """Change the file in a ``with`` block; an exception in it changes nothing.

        Raises
        ------
        DatabaseError
            It is of a newer version, or cannot be written.
        """
        with self._locked():
            try:
                document, older = self._document()
                draft = Draft(self._page(document))
                backup = ".backup" if older else ""
            except _Unusable as failure:
                if failure.newer:
                    raise DatabaseError(f"Nothing was changed. {failure}", recovery=self._way_out) from None
                draft, backup = Draft(Page()), ".damaged"
            yield draft
            if backup:
                self._set_aside(backup)
            self._write(draft)

    # The file

    def _document(self) -> tuple[dict[str, Any], bool]:
        """The document in today's format, and whether it was an older one."""
        try:
            document = msgspec.json.decode(self.path.read_bytes())
        except FileNotFoundError:
            return {"format": self._format}, False
        except OSError as failure:
            raise _Unusable(f"{self.path} cannot be read: {failure.strerror}.", newer=True) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _Unusable(f"{self.path} is damaged, so only the embedded provider is there.") from None
        format_ = document.get("format") if isinstance(document, dict) else None
        if not isinstance(format_, int) or format_ < 1:
            raise _Unusable(f"{self.path} is damaged, so only the embedded provider is there.")
        if format_ > self._format:
            raise _Unusable(f"{self.path} was written by a newer version, and is left alone.", newer=True)
        for migrate in self._migrations[format_ - 1 : self._format - 1]:
            document = migrate(document)
        return document, format_ < self._format

    def _page(self, document: dict[str, Any]) -> Page:
        entries: dict[str, Entry] = {}
        unread: dict[str, Any] = {}
        raw = document.get("providers", {})
        for id_, entry in (raw if isinstance(raw, dict) else {}).items():
            try:
                entries[id_] = msgspec.convert(entry, Entry)
            except msgspec.ValidationError:
                unread[id_] = entry
        active = document.get("active")
        problem = f"{self.path} says something of {', '.join(unread)} that cannot be read." if unread else ""
        chosen = active if isinstance(active, str) else ""
        known = chosen in entries or (chosen in unread and _ID.match(chosen))
        return Page(chosen if known else EMBEDDED, entries, unread, problem)

    def _write(self, draft: Draft) -> None:
        document = {
            "format": self._format,
            "active": draft.active,
            "providers": {**draft.unread, **draft.entries},
        }
        try:
            replace_file(self.path, msgspec.json.format(msgspec.json.encode(document), indent=2))
        except OSError as failure:
            raise DatabaseError(
                f"The providers cannot be kept: {failure.strerror}.", recovery=self._way_out
            ) from failure

    def _set_aside(self, suffix: str) -> None:
        with contextlib.suppress(OSError):
            shutil.copyfile(self.path, self.path.with_suffix(f"{suffix}.json"))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path.with_suffix(".lock"), timeout=_LOCK_SECONDS, mode=0o600).acquire()
        except (OSError, Timeout):
            raise DatabaseError(
                f"The folder {self.path.parent} cannot be written.", recovery=self._way_out
            ) from None
        with lock:
            yield

    @property
    def _way_out(self) -> str:
        return (
            f"Check the permissions of {self.path.parent}, and which version of the product wrote the file."
        )


class Draft:
    """What the file will say."""

    def __init__(self, page: Page) -> None:
        self.active = page.active
        self.entries = dict(page.entries)
        self.unread = dict(page.unread)

    def put(self, id_: str, entry: Entry) -> None:
        """Add or replace a provider."""
        self.unread.pop(id_, None)
        self.entries[id_] = entry

    def remove(self, id_: str) -> None:
        """Remove a provider; where it was active, the embedded one is now."""
        self.unread.pop(id_, None)
        self.entries.pop(id_, None)
        if self.active == id_:
            self.active = EMBEDDED
