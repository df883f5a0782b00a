"""Full-text search over titles, prompts and answers.

The words of a person are no query language: whatever they type finds something or nothing, and is never an
error. All words must occur; a word that is still being typed finds those that begin with it.
"""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

from ..contract.history import Excerpt, ResponseInfo
from . import rows

_EXCERPT_TOKENS = 16
_BEGIN, _END = "\x02", "\x03"
_PREFIX_CHARS = 3
"""The beginning of a word that is shorter would find half of everything, slowly."""
_MAX_WORDS = 32
_PARTS = re.compile(r'"([^"]*)"?|([^\s"]+)')

_FIND = f"""
SELECT {", ".join(f"responses.{name}" for name in ResponseInfo.__struct_fields__)},
    snippet(texts, -1, '{_BEGIN}', '{_END}', '…', {_EXCERPT_TOKENS}) AS excerpt
FROM texts JOIN responses ON responses.seq = texts.rowid
WHERE texts MATCH ? ORDER BY texts.rowid DESC LIMIT ? OFFSET ?
"""  # noqa: S608 - names of our own fields


class Match(NamedTuple):
    """A response in which the words occur, and where."""

    response: ResponseInfo
    excerpt: tuple[Excerpt, ...]


def find(db: sqlite3.Connection, words: str, limit: int, offset: int) -> list[Match]:
    """A page of what was found, newest first."""
    asked = query(words)
    if not asked:
        return []
    found = db.execute(_FIND, (asked, limit, offset))
    return [Match(rows.info(row), excerpt(row["excerpt"])) for row in found]


def query(words: str) -> str:
    """What to ask FTS5 for; empty where nothing can be found.

    Each word or quoted phrase becomes a string of FTS5, in which nothing has a meaning but the letters.
    """
    parts: list[str] = []
    for match in _PARTS.finditer(words):
        phrase, word = match[1], match[2]
        text = (
            "".join(c for c in phrase if c >= " ") if word is None else "".join(c for c in word if c >= " ")
        )
        if not any(c.isalnum() for c in text):
            continue
        begins = word is not None and len(text) >= _PREFIX_CHARS and text[-1].isalnum()
        parts.append(f'"{text}"{" *" if begins else ""}')
    return " AND ".join(parts[:_MAX_WORDS])


def excerpt(text: str) -> tuple[Excerpt, ...]:
    """Cut what SQLite has marked into its pieces."""
    pieces: list[Excerpt] = []
    for n, piece in enumerate(text.split(_BEGIN)):
        inside, end, after = piece.partition(_END) if n else ("", _END, piece)
        pieces.append(Excerpt(text=inside, match=True))
        pieces.append(Excerpt(text=after if end else "", match=False))
    return tuple(piece for piece in pieces if piece.text)
