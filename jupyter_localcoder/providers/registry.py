"""The providers that are configured, and which of them is active: one small file, and never a key in it.

::

    {"format": 1, "active": "my-server",
     "providers": {"my-server": {"settings": {…}, "kept": "keyring"}}}

Providers that the configuration of the server defines come before its own; it keeps no more of those than
where their keys are. It is read again for each use, so that two servers of one user see the same. What the
file holds that this version does not know stays in it; an entry that it cannot read is told.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from ..contract.providers import EMBEDDED, PROVIDER_ID_PATTERN, ProviderFields
from ..errors import DatabaseError, FileWriteError
from ..storage.json_file import Document, JsonFile, Migration
from .configured import Configured
from .installed import is_installed

FORMAT = 1
_KEPT = "keys_of_configured"
"""Where the keys of providers are that the configuration of the server defines."""
_ID = re.compile(PROVIDER_ID_PATTERN)


class RegistryEntry(Struct, frozen=True):
    """One provider in the file."""

    settings: ProviderFields
    kept: Literal["keyring", "file"] | None = None
    """Where its key was kept, so that a keyring is not asked in vain."""
    trusted: str = ""
    """The origin that a key of the environment is given out for; empty: that of the settings."""
    updated_at: str = ""
    """When it was last written, ISO 8601 in UTC; empty in files of older versions."""


class RegistrySnapshot(Struct, frozen=True):
    """What the file says."""

    active: str = EMBEDDED
    """Also where its entry cannot be read: nobody else answers in the place of one that was chosen."""
    entries: dict[str, RegistryEntry] = field(default_factory=dict)
    trusted: dict[str, str] = field(default_factory=dict)
    """Of providers that were removed, the origins that keys of the environment are given out for."""
    unread: dict[str, Any] = field(default_factory=dict)
    """Entries as they stand in the file that cannot be read."""
    problem: str = ""
    """A sentence that says what cannot be read."""


class ProviderRegistry:
    """Reads and writes the file. All methods may block."""

    def __init__(
        self,
        path: Path,
        configured: Configured | None = None,
        *,
        format_: int = FORMAT,
        migrations: tuple[Migration, ...] = (),
    ) -> None:
        self.path = path
        self.configured = configured or Configured()
        self._file = JsonFile(
            path,
            what="The providers",
            place="`LocalCoderSettings.settings_dir`",
            format_=format_,
            migrations=migrations,
        )

    def read(self) -> RegistrySnapshot:
        """What the configuration and the file say; of a file that cannot be read, nothing."""
        found = self._file.read()
        snapshot = self._snapshot({} if found.problem else found.document)
        return msgspec.structs.replace(snapshot, problem=found.problem) if found.problem else snapshot

    @contextlib.contextmanager
    def change(self) -> Iterator[RegistryTransaction]:
        """Change the file in a ``with`` block; an exception in it changes nothing.

        Raises
        ------
        DatabaseError
            It is of a newer version, or cannot be written.
        DiskFull
            It stays as it was.
        """
        with contextlib.ExitStack() as stack:
            with _as_registry_errors():
                document = stack.enter_context(self._file.change())
            snapshot = self._snapshot(document)
            transaction = RegistryTransaction(snapshot)
            yield transaction
            if "active" in document or transaction.active != snapshot.active:
                document["active"] = transaction.active
            self._write_transaction(document, transaction)
            if transaction.trusted:
                document["trusted"] = transaction.trusted
            else:
                document.pop("trusted", None)
            with _as_registry_errors():
                stack.close()

    def _snapshot(self, document: Document) -> RegistrySnapshot:
        configured = self.configured
        unread: dict[str, Any] = {}
        absent: set[str] = set()
        kept = _dict(document.get(_KEPT))
        entries = {
            id_: RegistryEntry(one.fields, kept[id_] if kept.get(id_) in ("keyring", "file") else None)
            for id_, one in configured.definitions.items()
        }
        for id_, entry in _dict(document.get("providers")).items():
            if self._is_hidden(id_):
                continue
            try:
                found = msgspec.convert(entry, RegistryEntry)
            except msgspec.ValidationError:
                unread[id_] = entry
                continue
            if is_installed(found.settings.type):
                entries[id_] = found
            else:
                unread[id_] = entry
                absent.add(found.settings.type)
        active = configured.active if configured.locked else document.get("active", configured.active)
        problem = (
            f"{self.path} contains entries for {', '.join(unread)} that cannot be read." if unread else ""
        )
        if absent:
            problem += f" No installed package provides the type {', '.join(sorted(absent))}."
        chosen = active if isinstance(active, str) else ""
        known = chosen in entries or (chosen in unread and _ID.match(chosen))
        trusted = document.get("trusted")
        removed = trusted if isinstance(trusted, dict) else {}
        trusts = {id_: origin for id_, origin in removed.items() if isinstance(origin, str)}
        return RegistrySnapshot(chosen if known else EMBEDDED, entries, trusts, unread, problem)

    def _is_hidden(self, id_: str) -> bool:
        """Whether what the file says of a provider does not count; it stays there."""
        return self.configured.locked or id_ in self.configured.definitions

    def _write_transaction(self, document: Document, transaction: RegistryTransaction) -> None:
        """Write the transaction; of providers configured elsewhere, only the places of their keys."""
        definitions = self.configured.definitions
        before = _dict(document.get("providers"))
        hidden = {id_: entry for id_, entry in before.items() if self._is_hidden(id_)}
        own = {id_: entry for id_, entry in transaction.entries.items() if id_ not in definitions}
        document["providers"] = {**hidden, **_merged(before, own, transaction.unread)}
        kept = {
            **{id_: place for id_, place in _dict(document.get(_KEPT)).items() if id_ not in definitions},
            **{id_: transaction.entries[id_].kept for id_ in definitions if transaction.entries[id_].kept},
        }
        document.pop(_KEPT, None)
        if kept:
            document[_KEPT] = kept


class RegistryTransaction:
    """What the file will say."""

    def __init__(self, snapshot: RegistrySnapshot) -> None:
        self.active = snapshot.active
        self.entries = dict(snapshot.entries)
        self.trusted = dict(snapshot.trusted)
        self.unread = dict(snapshot.unread)

    def put(self, id_: str, entry: RegistryEntry) -> None:
        """Add or replace a provider."""
        self.unread.pop(id_, None)
        self.entries[id_] = entry

    def remove(self, id_: str) -> None:
        """Remove a provider."""
        self.unread.pop(id_, None)
        self.entries.pop(id_, None)


@contextlib.contextmanager
def _as_registry_errors() -> Iterator[None]:
    """The error that operations on providers promise."""
    try:
        yield
    except FileWriteError as failure:
        raise DatabaseError(failure.message, recovery=failure.recovery, **failure.details) from failure


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _merged(was: Document, entries: Mapping[str, RegistryEntry], unread: Mapping[str, Any]) -> Document:
    """The entries for the file: of one that stays, also what this version does not know of it."""
    merged: Document = dict(unread)
    for id_, entry in entries.items():
        known: Document = msgspec.to_builtins(entry)
        old = was.get(id_)
        if isinstance(old, dict):
            known = {**old, **known}
            if isinstance(old.get("settings"), dict):
                known["settings"] = {**old["settings"], **msgspec.to_builtins(entry.settings)}
        merged[id_] = known
    return merged
