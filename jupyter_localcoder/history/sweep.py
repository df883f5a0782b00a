"""Makes files and rows agree again, after a crash or after somebody has been at the files.

========================  =============================================================================
found                     done
========================  =============================================================================
a row without its file    the row is removed
a file without a row      it is adopted: it is written whole before it gets its name, so it holds all that
                          the row would say
a file half deleted       it is deleted, with its row: that was what somebody had asked for
a file half written       it is removed once it is old enough not to be somebody's work of this moment
any other file            it is left alone
========================  =============================================================================

First all is looked at, without keeping anybody from writing; then each finding is looked at again inside a
transaction, in which no other process can be between a file and its row. Blocks: call it in a thread.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..contract.history import Response
from ..errors import FileReadError, SourceFileNotFound
from . import conversations, document, folder, names, rows
from .database import Database
from .folder import HistoryFolder

PART_SECONDS = 600.0
"""A file that is being written is not older than this, however slow the disk is."""
_CHUNK = 200
_HEAD_BYTES = 4096
_CREATED_AT = re.compile(rb'^created_at: "([^"\n]*)"', re.MULTILINE)


@dataclass
class SweepResult:
    """What a sweep has done."""

    files: int = 0
    """How many files there are."""
    adopted: int = 0
    removed_rows: int = 0
    removed_files: int = 0
    left_alone: list[str] = field(default_factory=list)
    """Names of files that are not of the history, or cannot be read."""


class _Findings(NamedTuple):
    gone: list[str]
    """Ids of rows without a file."""
    strange: list[tuple[str, str]]
    """Files without a row: folder and id."""
    hidden: list[tuple[str, str]]
    parts: list[tuple[str, str]]
    """Folder and name."""


def sweep(
    database: Database,
    files: HistoryFolder,
    log: logging.Logger | logging.LoggerAdapter[Any],
    stopped: Callable[[], bool] = lambda: False,
) -> SweepResult:
    """Do it.

    Parameters
    ----------
    stopped
        Whether to give up, with what is done until then.

    Raises
    ------
    DatabaseError, DiskFull, FileReadError
        What was done until then holds.
    """
    swept = SweepResult()
    found = _find_differences(database, files, swept, stopped)
    if found is None:
        return swept
    for gone in _chunks(found.gone, stopped):
        swept.removed_rows += forget(database, files, gone)
    for hidden in _chunks(found.hidden, stopped):
        with database.writing() as db:
            for folder_name, id_ in hidden:
                swept.removed_files += _end_deletion(db, files, folder_name, id_)
    for folder_name, name in found.parts:
        path = files.responses / folder_name / name
        if folder.age_seconds(path) > PART_SECONDS:
            files.discard(path)
            swept.removed_files += 1
    # Oldest first, so that they are listed in the order in which they came.
    strange = sorted(found.strange, key=lambda each: _created_at(files, *each))
    for orphans in _chunks(strange, stopped):
        read = list(_read(files, orphans, swept, log))
        with database.writing() as db:
            for response, size_bytes in read:
                if files.is_there(response.prompt_id, response.id) and rows.add(db, response, size_bytes):
                    conversations.take_turn(db, response)
                    swept.adopted += 1
    return swept


def forget(database: Database, files: HistoryFolder, ids: Iterable[str]) -> int:
    """Remove the rows of those answers whose files are gone; how many those were.

    Raises
    ------
    DatabaseError, DiskFull
    """
    count = 0
    with database.writing() as db:
        for place in rows.places_of(db, ids):
            if files.is_gone(place.prompt_id, place.id):
                conversations.forget_turn(db, place.id)
                count += rows.remove(db, [place.id])
    return count


def _find_differences(
    database: Database, files: HistoryFolder, swept: SweepResult, stopped: Callable[[], bool]
) -> _Findings | None:
    with database.reading() as db:
        known = rows.by_folder(db)
    found = _Findings([], [], [], [])
    for folder_name, listed in files.scan():
        if stopped():
            return None
        expected = known.pop(folder_name, "")
        kept = set(expected.split("/")) if expected else set()
        here = set(listed)
        swept.files += len(here & kept)
        if here != kept:
            found.gone.extend(name.removesuffix(names.SUFFIX) for name in kept - here)
            _sort(folder_name, here - kept, found, swept)
        if not listed:
            files.remove_if_empty(files.responses / folder_name)
    for expected in known.values():
        found.gone.extend(name.removesuffix(names.SUFFIX) for name in expected.split("/"))
    return found


def _sort(folder_name: str, unknown: set[str], found: _Findings, swept: SweepResult) -> None:
    for name in sorted(unknown):
        if (id_ := names.response_of(name)) is not None:
            swept.files += 1
            found.strange.append((folder_name, id_))
        elif (id_ := names.response_of(name, names.DELETED_SUFFIX)) is not None:
            found.hidden.append((folder_name, id_))
        elif name.endswith(names.PART_SUFFIX) and name.startswith("."):
            found.parts.append((folder_name, name))
        else:
            swept.left_alone.append(f"{folder_name}/{name}")


def _end_deletion(db: Any, files: HistoryFolder, folder_name: str, id_: str) -> int:
    where = files.responses / folder_name
    hidden = where / names.deleted_name(id_)
    if not hidden.exists():
        return 0
    if not (where / names.file_name(id_)).exists():
        conversations.forget_turn(db, id_)
        rows.remove(db, [id_])
    files.discard(hidden)
    files.remove_if_empty(where)
    return 1


def _read(
    files: HistoryFolder,
    strange: list[tuple[str, str]],
    swept: SweepResult,
    log: logging.Logger | logging.LoggerAdapter[Any],
) -> Iterator[tuple[Response, int]]:
    for folder_name, id_ in strange:
        path = files.responses / folder_name / names.file_name(id_)
        try:
            data = folder.read(path)
            response = document.parse(data)
        except SourceFileNotFound:
            continue
        except (FileReadError, document.NotAResponse) as failure:
            log.info("%s is not changed: %s", path, failure)
            swept.left_alone.append(f"{folder_name}/{path.name}")
            continue
        if response.id != id_ or names.folder_name(response.prompt_id) != folder_name:
            swept.left_alone.append(f"{folder_name}/{path.name}")
            continue
        yield response, len(data)


def _created_at(files: HistoryFolder, folder_name: str, id_: str) -> str:
    """When an answer came, out of the first lines of its file; there may be too many to read them all."""
    try:
        head = folder.read(files.responses / folder_name / names.file_name(id_), _HEAD_BYTES)
    except (SourceFileNotFound, FileReadError):
        return ""
    match = _CREATED_AT.search(head)
    return match[1].decode("utf-8", "replace") if match else ""


def _chunks(items: list[Any], stopped: Callable[[], bool]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _CHUNK):
        if stopped():
            return
        yield items[start : start + _CHUNK]
