"""Conversations: paths through a tree of turns.

A turn is a response that names the one before it. A conversation is the path that ends in its head, so two
that share their beginning share the turns themselves: to branch copies nothing, and to ask a turn again puts
another one beside it. Every function takes a connection inside a transaction.
"""

from __future__ import annotations

import sqlite3

from ..contract.history import TITLE_CHARS, ConversationInfo, Response
from .rows import Place

_MAX_TURNS = 100_000
_FIELDS = "id, root, head, turns, notebook, branched_from, created_at, updated_at"


def take_turn(db: sqlite3.Connection, response: Response) -> None:
    """Make a new row the head of the conversation that it names."""
    id_ = response.conversation_id
    if not id_:
        return
    turns = path(db, response.id)
    db.execute(
        f"INSERT INTO conversations ({_FIELDS}) VALUES (?, ?, ?, ?, ?, '', ?, ?)"  # noqa: S608
        " ON CONFLICT (id) DO UPDATE SET root = excluded.root, head = excluded.head, turns = excluded.turns,"
        " updated_at = excluded.updated_at",
        (id_, turns[0].id, response.id, len(turns), response.notebook, *(2 * (response.created_at,))),
    )


def path(db: sqlite3.Connection, head: str) -> list[Place]:
    """The turns that lead to a response, that one included, first to last."""
    turns: list[Place] = []
    seen: set[str] = set()
    # A file that was tampered with may name itself, or one that is gone.
    while head and head not in seen and len(turns) < _MAX_TURNS:
        seen.add(head)
        row = db.execute("SELECT id, prompt_id, parent_id FROM responses WHERE id = ?", (head,)).fetchone()
        if row is None:
            break
        turns.append(Place(row[0], row[1]))
        head = row[2]
    return turns[::-1]


def through(db: sqlite3.Connection, turn: str) -> str:
    """The newest turn that follows a turn, directly or not; itself where none does."""
    # UNION, not UNION ALL: a file that was tampered with may name itself.
    row = db.execute(
        "WITH RECURSIVE after (id, seq) AS (SELECT id, seq FROM responses WHERE id = ?"
        " UNION SELECT later.id, later.seq FROM responses AS later JOIN after ON later.parent_id = after.id)"
        " SELECT id FROM after ORDER BY seq DESC LIMIT 1",
        (turn,),
    ).fetchone()
    return row[0] if row else turn


def belongs(db: sqlite3.Connection, conversation: sqlite3.Row, turns: list[Place]) -> bool:
    """Whether a path is one of a conversation: it shares its first turn, or has a turn of its own."""
    if not turns:
        return False
    if turns[0].id == conversation["root"]:
        return True
    return any(_conversation_of(db, place.id) == conversation["id"] for place in turns)


def alternatives(db: sqlite3.Connection, conversation: str, turns: list[Place]) -> dict[str, tuple[str, ...]]:
    """For each turn that has others at its place, all of them, oldest first."""
    found: dict[str, tuple[str, ...]] = {}
    parent = ""
    for place in turns:
        if parent:
            query, values = "SELECT id FROM responses WHERE parent_id = ? ORDER BY seq", (parent,)
        else:
            # First turns have no parent that they share: those of one conversation are alternatives.
            query = (
                "SELECT id FROM responses WHERE conversation_id = ? AND conversation_id <> ''"
                " AND parent_id = '' ORDER BY seq"
            )
            values = (_conversation_of(db, place.id) or conversation,)
        here = tuple(row[0] for row in db.execute(query, values))
        if len(here) > 1 and place.id in here:
            found[place.id] = here
        parent = place.id
    return found


def rename(db: sqlite3.Connection, id_: str, title: str) -> None:
    """Give a conversation a title of its own."""
    db.execute("UPDATE conversations SET title = ? WHERE id = ?", (title, id_))


def move(db: sqlite3.Connection, old: str, new: str) -> None:
    """Follow a notebook, or a folder of notebooks, to its new path.

    What had been there before is gone: nothing is renamed to what exists. So its conversations are of no
    notebook any more.
    """
    inside = "notebook = :path OR substr(notebook, 1, length(:path) + 1) = :path || '/'"
    db.execute(f"UPDATE conversations SET notebook = '' WHERE {inside}", {"path": new})  # noqa: S608
    db.execute(
        "UPDATE conversations SET notebook = :new || substr(notebook, length(:path) + 1)"  # noqa: S608
        f" WHERE {inside}",
        {"path": old, "new": new},
    )


def find(db: sqlite3.Connection, id_: str) -> sqlite3.Row | None:
    """The row of a conversation: its info, its root and its head."""
    row: sqlite3.Row | None = db.execute(f"{_WITH_TITLE} WHERE conversations.id = ?", (id_,)).fetchone()
    return row


def page(db: sqlite3.Connection, notebook: str | None, limit: int, offset: int) -> list[ConversationInfo]:
    """A page, the one that was last spoken in first."""
    where, values = _of(notebook)
    rows = db.execute(
        f"{_WITH_TITLE}{where} ORDER BY conversations.updated_at DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    return [info(row) for row in rows]


def count(db: sqlite3.Connection, notebook: str | None) -> int:
    """How many there are."""
    where, values = _of(notebook)
    return int(db.execute(f"SELECT count(*) FROM conversations{where}", values).fetchone()[0])  # noqa: S608


def branch(db: sqlite3.Connection, new_id: str, origin: sqlite3.Row, turns: list[Place], now: str) -> None:
    """Begin a conversation that shares these turns with another one."""
    last = turns[-1].id
    values = (new_id, turns[0].id, last, len(turns), origin["notebook"], last, now, now)
    db.execute(f"INSERT INTO conversations ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608


def own_turns(db: sqlite3.Connection, conversation: sqlite3.Row) -> list[Place]:
    """The responses that no other conversation needs, turns that were asked again included."""
    id_ = conversation["id"]
    own = {place.id: place for place in path(db, conversation["head"])}
    for row in db.execute("SELECT id, prompt_id FROM responses WHERE conversation_id = ?", (id_,)):
        own[row[0]] = Place(*row)
    # Not only those of the same root: a first turn that was asked again has left another tree behind.
    others = db.execute("SELECT root, head FROM conversations WHERE id <> ?", (id_,)).fetchall()
    for place in [place for root, head in others if root in own for place in path(db, head)]:
        own.pop(place.id, None)
    return list(own.values())


def remove(db: sqlite3.Connection, id_: str) -> None:
    """Forget a conversation; its turns are rows of their own."""
    db.execute("DELETE FROM conversations WHERE id = ?", (id_,))


def forget_turn(db: sqlite3.Connection, id_: str) -> None:
    """Mend the paths through a response: call it while its row is there, and remove the row after it."""
    turns = path(db, id_)
    row = db.execute("SELECT parent_id, conversation_id FROM responses WHERE id = ?", (id_,)).fetchone()
    if row is None or not row["conversation_id"]:
        return
    touched = db.execute("SELECT id FROM conversations WHERE root = ?", (turns[0].id,)).fetchall()
    db.execute("UPDATE responses SET parent_id = ? WHERE parent_id = ?", (row["parent_id"], id_))
    db.execute("UPDATE conversations SET head = ? WHERE head = ?", (row["parent_id"], id_))
    db.execute("UPDATE responses SET conversation_id = '' WHERE id = ?", (id_,))
    for (conversation,) in touched:
        _mend(db, conversation)


def _mend(db: sqlite3.Connection, id_: str) -> None:
    """Find root and length of a conversation anew; it goes when nothing of it is left."""
    turns = path(db, db.execute("SELECT head FROM conversations WHERE id = ?", (id_,)).fetchone()[0])
    if not turns:
        # Its first turn was asked more than once: another answer to it counts now.
        last = "SELECT id FROM responses WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1"
        row = db.execute(last, (id_,)).fetchone()
        turns = path(db, row[0]) if row else []
    if not turns:
        remove(db, id_)
        return
    db.execute(
        "UPDATE conversations SET root = ?, head = ?, turns = ? WHERE id = ?",
        (turns[0].id, turns[-1].id, len(turns), id_),
    )


def info(row: sqlite3.Row) -> ConversationInfo:
    """A row in the form of the contract."""
    title = row["own_title"] or row["title"] or ""
    return ConversationInfo(
        id=row["id"],
        title=title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1] + "…",
        turns=row["turns"],
        notebook=row["notebook"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        branched_from=row["branched_from"],
    )


_WITH_TITLE = (
    f"SELECT {', '.join('conversations.' + name for name in _FIELDS.split(', '))},"  # noqa: S608
    " conversations.title AS own_title,"
    # The name of the model, which stands in for the title of an answer, would be that of all conversations.
    " CASE responses.title_source WHEN 'model' THEN responses.preview ELSE responses.title END AS title"
    " FROM conversations LEFT JOIN responses ON responses.id = conversations.root"
)


def _conversation_of(db: sqlite3.Connection, id_: str) -> str:
    row = db.execute("SELECT conversation_id FROM responses WHERE id = ?", (id_,)).fetchone()
    return row[0] if row else ""


def _of(notebook: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if notebook is None else (" WHERE conversations.notebook = ?", (notebook,))
