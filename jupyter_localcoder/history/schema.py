"""The tables, and the way from each older form to the next. Pure but for the connection that it is handed.

``PRAGMA user_version`` counts the forms. A step is never changed once it was released: a new form is a new
step at the end.
"""

from __future__ import annotations

import sqlite3

_FIRST = """
CREATE TABLE responses (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    prompt_id TEXT NOT NULL,
    folder TEXT NOT NULL,
    kind TEXT NOT NULL,
    command TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    parent_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    title TEXT NOT NULL,
    title_source TEXT NOT NULL,
    preview TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    finish TEXT NOT NULL,
    prompt_tokens INTEGER,
    cached_tokens INTEGER,
    completion_tokens INTEGER,
    cost_usd REAL,
    milliseconds REAL NOT NULL,
    notebook TEXT NOT NULL,
    cell TEXT NOT NULL,
    size_bytes INTEGER NOT NULL
);
CREATE INDEX responses_in_folder ON responses (folder, id);
CREATE INDEX responses_in_order ON responses (seq);
CREATE INDEX responses_of_prompt ON responses (prompt_id, seq);
CREATE INDEX responses_of_conversation ON responses (conversation_id, seq) WHERE conversation_id <> '';
CREATE INDEX responses_after ON responses (parent_id) WHERE parent_id <> '';
CREATE VIRTUAL TABLE texts USING fts5 (title, prompt, answer);
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    root TEXT NOT NULL,
    head TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    turns INTEGER NOT NULL,
    notebook TEXT NOT NULL,
    branched_from TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX conversations_by_time ON conversations (updated_at);
"""

STEPS: tuple[str, ...] = (_FIRST,)

VERSION = len(STEPS)
"""The form that this version of the product reads and writes."""


def version_of(connection: sqlite3.Connection) -> int:
    """The form of a database; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> None:
    """Bring a database to the newest form, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, step in enumerate(steps, 1):
            if number > version_of(connection):
                for statement in step.split(";\n"):
                    if statement.strip():
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
