"""Somebody who types a cell, in real time.

About 100 words a minute: 0.12 s for a key, longer after a word, longest after a line. Before each key the
person looks at the ghost text and accepts the longest part that is right and of at least `_LEAST` characters:
all of it, its first line, or its first word, by one key each. What is wrong costs `_READING` seconds, once
for each suggestion. A line break and the indentation after it are one key, as in JupyterLab.
"""

from __future__ import annotations

import re
import time
from typing import Protocol

from .tally import Seen, Tally

_KEY, _WORD, _LINE = 0.12, 0.25, 1.0
_LEAST = 4
_READING = 0.5
_AT_ONCE = 0.1
"""Seconds after an accept within which the next suggestion seems to have been there."""
_NEXT_KEY = re.compile(r"\n[ \t]*|.", re.DOTALL)
_FIRST_LINE = re.compile(r"\n*[^\n]*")
_FIRST_WORD = re.compile(r"\s*[^\w\s]*\w*")


class Side(Protocol):
    """Who completes."""

    def changed(self, prefix: str) -> None:
        """The text before the cursor is this now, by a key or by something that was accepted."""

    @property
    def ghost(self) -> str:
        """What stands on the screen behind the cursor now."""

    @property
    def shown(self) -> tuple[int, str]:
        """Where in the text the suggestion on the screen begins, and the whole of it; ``(-1, "")``: none."""

    def leave(self) -> None:
        """The person goes to another cell: nothing is wanted any more."""


def type_cell(source: str, side: Side, tally: Tally) -> None:
    """Type a cell from its first character to its last."""
    tally.characters += len(source)
    tally.keys_needed += len(_NEXT_KEY.findall(source))
    watched = _Watched(source, tally)
    at = 0
    while at < len(source):
        tally.moments += 1
        watched.look(*side.shown)
        ghost = side.ghost
        tally.shown += bool(ghost)
        part = _part(ghost, source[at:])
        if part:
            tally.accepted += 1
        elif ghost and watched.is_new_to_read():
            tally.reading_seconds += _READING
            time.sleep(_READING)
        pressed = part or _begin(_NEXT_KEY, source[at:])
        tally.keys += 1
        at += len(pressed)
        side.changed(source[:at])
        pause = _pause(pressed)
        if part and part == ghost and at < len(source):
            time.sleep(_AT_ONCE)
            pause -= _AT_ONCE
            tally.followed.append(bool(side.ghost))
        time.sleep(pause)
    watched.look(*side.shown)
    watched.end()
    side.leave()


def _part(ghost: str, target: str) -> str:
    """The longest part that one key accepts and that is right."""
    for part in (ghost, _begin(_FIRST_LINE, ghost), _begin(_FIRST_WORD, ghost)):
        if len(part) >= _LEAST and target.startswith(part):
            return part
    return ""


def _begin(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return found[0] if found else ""


def _pause(pressed: str) -> float:
    """Seconds from a key to the next one."""
    if pressed.startswith("\n"):
        return _LINE
    return _WORD if pressed[-1] in " .(,=[" else _KEY


class _Watched:
    """Suggestions as they come and go."""

    def __init__(self, source: str, tally: Tally) -> None:
        self._source = source
        self._tally = tally
        self._begin = -1
        self._text = ""
        self._is_read = False

    def look(self, begin: int, text: str) -> None:
        """This suggestion is on the screen now."""
        goes_on = begin == self._begin and text.startswith(self._text)
        if not goes_on:
            self.end()
            self._is_read = False
        self._begin, self._text = (begin, text) if text else (-1, "")

    def is_new_to_read(self) -> bool:
        """Whether the person has not read this one yet; it is read now."""
        is_new, self._is_read = not self._is_read, True
        return is_new

    def end(self) -> None:
        """It is gone from the screen."""
        if self._text:
            before = self._source[: self._begin].rpartition("\n")[2]
            self._tally.seen.append(Seen(self._text, self._source[self._begin :], before))
        self._begin, self._text = -1, ""
