"""Which licence texts were accepted, by whom and when.

What is accepted is a text, named by its SHA-256: a text that changed is asked for again.
"""

from __future__ import annotations

import contextlib
import shutil
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from msgspec import Struct

from .files import write_whole


class Acceptance(Struct, frozen=True, kw_only=True):
    """One person accepted one text."""

    license: str
    text_sha256: str
    model: str
    """The model that it was accepted for; it holds for all models under the same text."""
    accepted_by: str
    accepted_at: str
    """ISO 8601, UTC."""


_FORMAT = 1


class _Ledger(Struct, frozen=True, kw_only=True):
    format: int = _FORMAT
    accepted: tuple[Acceptance, ...] = ()


class LicenseLedger:
    """The file that keeps them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> tuple[Acceptance, ...]:
        """All of them; a file that cannot be read holds none, so that the person is asked again."""
        try:
            return self._read().accepted
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return ()

    def _read(self) -> _Ledger:
        """The file; a `msgspec.DecodeError` where it is damaged, or of a newer version."""
        ledger = msgspec.json.decode(self._path.read_bytes(), type=_Ledger)
        if ledger.format != _FORMAT:
            raise msgspec.DecodeError(f"format {ledger.format}")
        return ledger

    def _set_aside_foreign(self) -> None:
        """Keep a copy of a file that this version cannot read, before it is replaced."""
        try:
            self._read()
        except FileNotFoundError:
            return
        except (msgspec.DecodeError, UnicodeDecodeError):
            with contextlib.suppress(OSError):
                shutil.copyfile(self._path, self._path.with_suffix(".backup.json"))

    def accepted_texts(self) -> frozenset[str]:
        """Digests of the texts that were accepted."""
        return frozenset(entry.text_sha256 for entry in self.entries())

    def record(self, *, license_id: str, text_sha256: str, model: str, accepted_by: str) -> None:
        """Add one; the caller holds the lock of the ledger."""
        entry = Acceptance(
            license=license_id,
            text_sha256=text_sha256,
            model=model,
            accepted_by=accepted_by,
            accepted_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )
        self._set_aside_foreign()
        ledger = _Ledger(accepted=(*self.entries(), entry))
        write_whole(self._path, msgspec.json.format(msgspec.json.encode(ledger)))
