"""The rows of responses: one for each file, with what a list shows and a search finds.

Every function takes a connection inside a transaction. No files here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..contract.history import Response, ResponseInfo
from .document import clean, cleaned
from .names import SUFFIX, folder_name

INDEXED_CHARS = 65_536
"""So much of a prompt, and of an answer, can be found by its words."""
PREVIEW_CHARS = 160

_INFO = tuple(ResponseInfo.__struct_fields__)
_COLUMNS = (*_INFO, "folder", "size_bytes")
_CHUNK = 500
_INSERT = f"INSERT INTO responses ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_SELECT = ", ".join(f"responses.{name}" for name in _INFO)
_NOT_INDEXED = str.maketrans("\0\x02\x03", "   ")


class Place(NamedTuple):
    """Which file a row stands for."""

    id: str
    prompt_id: str


def add(db: sqlite3.Connection, response: Response, size_bytes: int) -> bool:
    """Add a row; False where there is one of this id already."""
    if db.execute("SELECT 1 FROM responses WHERE id = ?", (response.id,)).fetchone():
        return False
    fields: dict[str, Any] = {name: getattr(response, name) for name in _INFO}
    fields |= {"folder": folder_name(response.prompt_id), "size_bytes": size_bytes}
    values = [clean(value) if isinstance(value, str) else value for value in fields.values()]
    seq = db.execute(_INSERT, values).lastrowid
    db.execute(
        "INSERT INTO texts (rowid, title, prompt, answer) VALUES (?, ?, ?, ?)",
        (seq, *map(_indexed, (_title(response), response.prompt, response.content))),
    )
    return True


def find(db: sqlite3.Connection, id_: str) -> ResponseInfo | None:
    """The row of a response."""
    row = db.execute(f"SELECT {_SELECT} FROM responses WHERE id = ?", (id_,)).fetchone()  # noqa: S608
    return row and info(row)


def page(db: sqlite3.Connection, prompt_id: str | None, limit: int, offset: int) -> list[ResponseInfo]:
    """A page, newest first."""
    where, values = _of(prompt_id)
    index = "responses_in_order" if prompt_id is None else "responses_of_prompt"
    # The page is found in a narrow index: to skip 100,000 rows of the table itself takes ten times as long.
    rows = db.execute(
        f"SELECT {_SELECT} FROM responses WHERE seq IN (SELECT seq FROM responses INDEXED BY {index}"  # noqa: S608
        f"{where} ORDER BY seq DESC LIMIT ? OFFSET ?) ORDER BY seq DESC",
        (*values, limit, offset),
    )
    return [info(row) for row in rows]


def count(db: sqlite3.Connection, prompt_id: str | None = None) -> int:
    """How many there are."""
    where, values = _of(prompt_id)
    return int(db.execute(f"SELECT count(*) FROM responses{where}", values).fetchone()[0])  # noqa: S608


def places(db: sqlite3.Connection, prompt_id: str | None = None) -> list[Place]:
    """All of them, oldest first."""
    where, values = _of(prompt_id)
    rows = db.execute(f"SELECT id, prompt_id FROM responses{where} ORDER BY seq", values)  # noqa: S608
    return [Place(*row) for row in rows]


def by_folder(db: sqlite3.Connection) -> dict[str, str]:
    """For each folder the names of its responses' files, with a slash between them.

    Texts and not sets: with 100,000 responses most of a sweep's time would go into making those.
    """
    return dict(
        db.execute(
            f"SELECT folder, group_concat(id || '{SUFFIX}', '/') FROM responses"  # noqa: S608
            " INDEXED BY responses_in_folder GROUP BY folder"
        )
    )


def places_of(db: sqlite3.Connection, ids: Iterable[str]) -> list[Place]:
    """Those of these responses that have a row."""
    found: list[Place] = []
    for chunk in _chunks(list(ids)):
        marks = ", ".join("?" * len(chunk))
        query = f"SELECT id, prompt_id FROM responses WHERE id IN ({marks})"  # noqa: S608
        found += [Place(*row) for row in db.execute(query, chunk)]
    return found


def remove(db: sqlite3.Connection, ids: Iterable[str]) -> int:
    """Remove rows; how many there were."""
    removed = 0
    for chunk in _chunks(list(ids)):
        marks = ", ".join("?" * len(chunk))
        found = [
            seq
            for (seq,) in db.execute(f"SELECT seq FROM responses WHERE id IN ({marks})", chunk)  # noqa: S608
        ]
        db.executemany("DELETE FROM texts WHERE rowid = ?", [(seq,) for seq in found])
        db.executemany("DELETE FROM responses WHERE seq = ?", [(seq,) for seq in found])
        removed += len(found)
    return removed


def set_title(db: sqlite3.Connection, id_: str, title: str, source: str) -> bool:
    """Change the title of a row; False where there is none."""
    row = db.execute("SELECT seq FROM responses WHERE id = ?", (id_,)).fetchone()
    if row is None:
        return False
    db.execute("UPDATE responses SET title = ?, title_source = ? WHERE seq = ?", (title, source, row[0]))
    db.execute(
        "UPDATE texts SET title = ? WHERE rowid = ?", ("" if source == "model" else _indexed(title), row[0])
    )
    return True


def info(row: sqlite3.Row) -> ResponseInfo:
    """A row in the form of the contract."""
    return ResponseInfo(**{name: row[name] for name in _INFO})


def preview(prompt: str) -> str:
    """How a prompt begins, on one line."""
    line = " ".join(prompt[: 4 * PREVIEW_CHARS].split())
    return line if len(line) <= PREVIEW_CHARS else line[: PREVIEW_CHARS - 1] + "…"


def stored(response: Response) -> Response:
    """A response as its file gives it back."""
    same: Response = cleaned(response)
    return same


def _title(response: ResponseInfo) -> str:
    return "" if response.title_source == "model" else response.title


def _indexed(text: str) -> str:
    return clean(text[:INDEXED_CHARS]).translate(_NOT_INDEXED)


def _of(prompt_id: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if prompt_id is None else (" WHERE prompt_id = ?", (clean(prompt_id),))


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
