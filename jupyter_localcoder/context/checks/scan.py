"""Where code stands: in a string, in a comment, within which brackets. Made for Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

_CLOSING = {"(": ")", "[": "]", "{": "}"}
PIECE_CHARS = 4096


@cache
def _tokens(comment: str) -> re.Pattern[str]:
    return re.compile(rf"\"\"\"|'''|{re.escape(comment)}|[\"'()\[\]{{}}\n\\]")


@dataclass(frozen=True)
class Scan:
    """The end of a piece of code."""

    quote: str = ""
    """The quotes of the string that is open there."""
    comment: bool = False
    brackets: str = ""
    """Those that are open, the innermost last."""
    unmatched: int = 0
    """Brackets that close nothing."""
    begun: int = 0
    """How many of the three quotes that end the open string stand there already."""
    broken: int = 0
    """Strings of one quote that the end of their line has ended."""

    @property
    def closing(self) -> str:
        """What closes all that is open."""
        return self.quote[self.begun :] + "".join(_CLOSING[bracket] for bracket in reversed(self.brackets))


def scan(code: str, mark_of_comment: str = "#", above: Scan | None = None) -> Scan:
    """Read code up to its end.

    Parameters
    ----------
    above
        Where the code before it has ended, if a line ends between the two.
    """
    read = above or Scan()
    start = 0
    while start < len(code):
        # In pieces of whole lines, so that what stands far above the cursor is read once for all questions.
        line = code.find("\n", start + PIECE_CHARS)
        end = len(code) if line < 0 else line + 1
        piece = _scan(code[start:end], mark_of_comment, read.quote, read.comment, read.brackets)
        read = replace(piece, unmatched=read.unmatched + piece.unmatched, broken=read.broken + piece.broken)
        start = end
    return read


@lru_cache(maxsize=256)
def _scan(code: str, mark_of_comment: str, quote: str, comment: bool, open_brackets: str) -> Scan:
    token = _tokens(mark_of_comment)
    unmatched, broken = 0, 0
    brackets = list(open_brackets)
    at = begun = begun_at = 0
    while (found := token.search(code, at)) is not None:
        mark, at = found[0], found.end()
        if comment:
            comment = mark != "\n"
        elif quote:
            if mark == "\\":
                at += 1
            elif mark == "\n" and len(quote) == 1:
                quote, broken = "", broken + 1
            elif mark == quote:
                quote = ""
            elif len(quote) == 1 and mark == quote * 3:
                # In a string of one quote, three of them are an end and an empty string, or a new one.
                quote, at = "", found.start() + 1
            elif len(quote) == 3 and mark == quote[0]:
                begun = begun + 1 if begun_at == found.start() else 1
                begun_at = at
        elif mark in ('"', "'", '"""', "'''"):
            quote = mark
        elif mark == mark_of_comment:
            comment = True
        elif mark in _CLOSING:
            brackets.append(mark)
        elif mark in (")", "]", "}"):
            if brackets and _CLOSING[brackets[-1]] == mark:
                brackets.pop()
            else:
                unmatched += 1
    if not quote or begun_at != len(code):
        begun = 0
    return Scan(quote, comment, "".join(brackets), unmatched, begun, broken)
