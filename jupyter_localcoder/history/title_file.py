"""The file that keeps how titles are made."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from ..contract.history import TitleConfig
from .folder import write_errors

_FORMAT = 1


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    format: int = _FORMAT
    titles: TitleConfig = TitleConfig()


def read(path: Path) -> TitleConfig:
    """What the file says; the defaults where there is none, or one that this version cannot read."""
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return TitleConfig()
    return document.titles if document.format == _FORMAT else TitleConfig()


def write(path: Path, config: TitleConfig) -> None:
    """Write the file, whole or not at all.

    Raises
    ------
    FileWriteError, DiskFull
        It stays as it was.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    data = msgspec.json.format(msgspec.json.encode(_Document(titles=config)))
    with write_errors():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
