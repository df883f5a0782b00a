"""Answers in a zip file: the Markdown files as they are, each in its prompt's folder."""

from __future__ import annotations

import io
import os
import secrets
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ..errors import FileReadError, InvalidArgument, SourceFileNotFound
from ..text.units import size
from . import names
from .folder import HistoryFolder, write_errors
from .rows import Place

MAX_CARRIED_BYTES = 32 * 1024 * 1024
"""An answer that carries the zip file itself may not be larger."""


def write(
    files: HistoryFolder, places: Iterable[Place], target: Path, now: datetime
) -> tuple[Path, int, int]:
    """Write the file; gives its path, how many answers it holds, and its size in bytes.

    Parameters
    ----------
    target
        A folder that is there, or the file to write. A file that is there is replaced.

    Raises
    ------
    InvalidArgument, DiskFull, FileWriteError
        Nothing is left behind.
    """
    if "\0" in str(target) or not target.is_absolute():
        raise InvalidArgument("The path must be absolute, without NUL characters.", field="path")
    if target.is_dir():
        target = target / f"localcoder-history-{now:%Y%m%d-%H%M%S}.zip"
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}{names.PART_SUFFIX}")
    with write_errors():
        try:
            with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
                count = _fill(files, places, file, None)
                size_bytes = file.tell()
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    return target, count, size_bytes


def carried(files: HistoryFolder, places: Iterable[Place]) -> tuple[bytes, int]:
    """The file as bytes, and how many answers it holds.

    Raises
    ------
    InvalidArgument
        It would be too large.
    """
    buffer = io.BytesIO()
    count = _fill(files, places, buffer, MAX_CARRIED_BYTES)
    return buffer.getvalue(), count


def _fill(files: HistoryFolder, places: Iterable[Place], target: BinaryIO, limit: int | None) -> int:
    count = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in places:
            try:
                data = files.read(place.prompt_id, place.id)
            except (SourceFileNotFound, FileReadError):
                continue
            name = f"{names.folder_name(place.prompt_id)}/{names.file_name(place.id)}"
            archive.writestr(name, data)
            count += 1
            if limit is not None and target.tell() > limit:
                raise InvalidArgument(
                    f"The zip file is larger than {size(limit)}.",
                    recovery="Give a `path` to write the file to, or export fewer answers.",
                    field="path",
                )
    # Behind the last entry stands the directory: the position is now the size.
    target.seek(0, io.SEEK_END)
    return count
