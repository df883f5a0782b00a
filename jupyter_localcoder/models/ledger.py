"""Which licence texts were accepted, by whom and when.

What is accepted is a text, named by its SHA-256: a text that changed is asked for again.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import msgspec
from msgspec import Struct

from ..storage.json_file import Document, JsonFile, Report


class Acceptance(Struct, frozen=True, kw_only=True):
    """One person accepted one text."""

    license: str
    text_sha256: str
    model: str
    """The model that it was accepted for; it holds for all models under the same text."""
    accepted_by: str
    accepted_at: str
    """ISO 8601, UTC."""


_ACCEPTED = "accepted"


class LicenseLedger:
    """The file that keeps them. All methods may block.

    Parameters
    ----------
    lock_path
        What every process locks that writes it.
    """

    def __init__(self, path: Path, lock_path: Path, report: Report | None = None) -> None:
        self._file = JsonFile(
            path,
            what="The accepted licences",
            place="`ModelStore.models_dir`",
            check=_check,
            lock_path=lock_path,
            mode=0o666,  # a folder of models may be shared
            report=report,
        )

    def entries(self) -> tuple[Acceptance, ...]:
        """All of them; a file that cannot be read holds none, so that the person is asked again."""
        return _entries_of(self._file.read().document)

    def accepted_texts(self) -> frozenset[str]:
        """Digests of the texts that were accepted."""
        return frozenset(entry.text_sha256 for entry in self.entries())

    def record(self, *, license_id: str, text_sha256: str, model: str, accepted_by: str) -> None:
        """Add one.

        Raises
        ------
        FileWriteError, DiskFull
            It stays as it was.
        """
        entry = Acceptance(
            license=license_id,
            text_sha256=text_sha256,
            model=model,
            accepted_by=accepted_by,
            accepted_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )
        with self._file.change() as document:
            document[_ACCEPTED] = [*document.get(_ACCEPTED, []), msgspec.to_builtins(entry)]


def _check(document: Document) -> None:
    _entries_of(document)


def _entries_of(document: Document) -> tuple[Acceptance, ...]:
    """A `ValueError` where they make no sense."""
    return msgspec.convert(document.get(_ACCEPTED, []), tuple[Acceptance, ...])
