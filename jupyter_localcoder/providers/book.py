"""The providers that are configured, and which of them is active: one small file, and never a key in it.

::

    {"format": 1, "active": "my-server",
     "providers": {"my-server": {"settings": {…}, "kept": "keyring"}}}

It is read again for each use, so that two servers of one user see the same. What the file holds that this
version does not know stays in it; an entry that it cannot read is told.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from ..contract.providers import EMBEDDED, ProviderFields
from ..errors import DatabaseError, FileWriteError
from ..storage.json_file import Document, JsonFile, Migration

FORMAT = 1
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")


class Entry(Struct, frozen=True):
    """One provider in the file."""

    settings: ProviderFields
    kept: Literal["keyring", "file"] | None = None
    """Where its key was kept, so that a keyring is not asked in vain."""
    trusted: str = ""
    """The origin that a key of the environment is given out for; empty: that of the settings."""
    updated_at: str = ""
    """When it was last written, ISO 8601 in UTC; empty in files of older versions."""


class Page(Struct, frozen=True):
    """What the file says."""

    active: str = EMBEDDED
    """Also where its entry cannot be read: nobody else answers in the place of one that was chosen."""
    entries: dict[str, Entry] = field(default_factory=dict)
    trusted: dict[str, str] = field(default_factory=dict)
    """Of providers that were removed, the origins that keys of the environment are given out for."""
    unread: dict[str, Any] = field(default_factory=dict)
    """Entries as they stand in the file that cannot be read."""
    problem: str = ""
    """A sentence that says what cannot be read."""


class Book:
    """Reads and writes the file. All methods may block."""

    def __init__(self, path: Path, *, format_: int = FORMAT, migrations: tuple[Migration, ...] = ()) -> None:
        self.path = path
        self._file = JsonFile(
            path,
            what="The providers",
            place="`LocalCoderSettings.settings_dir`",
            format_=format_,
            migrations=migrations,
        )

    def read(self) -> Page:
        """What the file says; nothing but the embedded provider where it cannot be read."""
        found = self._file.read()
        return Page(problem=found.problem) if found.problem else self._page(found.document)

    @contextlib.contextmanager
    def change(self) -> Iterator[Draft]:
        """Change the file in a ``with`` block; an exception in it changes nothing.

        Raises
        ------
        DatabaseError
            It is of a newer version, or cannot be written.
        DiskFull
            It stays as it was.
        """
        with contextlib.ExitStack() as stack:
            with _told():
                document = stack.enter_context(self._file.change())
            draft = Draft(self._page(document))
            yield draft
            document["active"] = draft.active
            document["providers"] = _merged(document.get("providers"), draft)
            if draft.trusted:
                document["trusted"] = draft.trusted
            else:
                document.pop("trusted", None)
            with _told():
                stack.close()

    def _page(self, document: Document) -> Page:
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
        trusted = document.get("trusted")
        removed = trusted if isinstance(trusted, dict) else {}
        kept = {id_: origin for id_, origin in removed.items() if isinstance(origin, str)}
        return Page(chosen if known else EMBEDDED, entries, kept, unread, problem)


class Draft:
    """What the file will say."""

    def __init__(self, page: Page) -> None:
        self.active = page.active
        self.entries = dict(page.entries)
        self.trusted = dict(page.trusted)
        self.unread = dict(page.unread)

    def put(self, id_: str, entry: Entry) -> None:
        """Add or replace a provider."""
        self.unread.pop(id_, None)
        self.entries[id_] = entry

    def remove(self, id_: str) -> None:
        """Remove a provider."""
        self.unread.pop(id_, None)
        self.entries.pop(id_, None)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """The error that operations on providers promise."""
    try:
        yield
    except FileWriteError as failure:
        raise DatabaseError(failure.message, recovery=failure.recovery, **failure.details) from failure


def _merged(before: Any, draft: Draft) -> Document:
    """The entries for the file: of one that stays, also what this version does not know of it."""
    was = before if isinstance(before, dict) else {}
    merged: Document = dict(draft.unread)
    for id_, entry in draft.entries.items():
        known: Document = msgspec.to_builtins(entry)
        old = was.get(id_)
        if isinstance(old, dict):
            known = {**old, **known}
            if isinstance(old.get("settings"), dict):
                known["settings"] = {**old["settings"], **msgspec.to_builtins(entry.settings)}
        merged[id_] = known
    return merged
