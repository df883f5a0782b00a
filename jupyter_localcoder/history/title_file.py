"""The file that keeps how titles are made."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..atomic_file import replace_file
from ..contract.history import TitleConfig
from .folder import write_errors

_FORMAT = 1


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    format: int = _FORMAT
    titles: TitleConfig = TitleConfig()


def read(path: Path) -> TitleConfig:
    """What the file says; the defaults where there is none, or one that this version cannot read."""
    try:
        return _ours(path.read_bytes()) or TitleConfig()
    except OSError:
        return TitleConfig()


def write(path: Path, config: TitleConfig) -> None:
    """Write the file, whole or not at all; a copy stays of one that this version cannot read.

    Raises
    ------
    FileWriteError, DiskFull
        It stays as it was.
    """
    with write_errors():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() and _ours(before := path.read_bytes()) is None:
            replace_file(path.with_suffix(f".backup{path.suffix}"), before)
        replace_file(path, msgspec.json.format(msgspec.json.encode(_Document(titles=config))))


def _ours(raw: bytes) -> TitleConfig | None:
    try:
        document = msgspec.json.decode(raw, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document.titles if document.format == _FORMAT else None
