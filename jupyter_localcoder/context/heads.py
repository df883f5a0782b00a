"""The first lines of data frames, as comments below the cells that showed them.

They hold values, so a browser sends them only where a person has asked for it. Nothing else of an output is
ever read.
"""

from __future__ import annotations

from collections.abc import Sequence

from .cells import Unit
from .comments import comment

SOURCE_HEADS = "data frame previews"
HEADS_SHARE = 0.15
"""Of the tokens before the cursor, unless it is told otherwise."""
CHARS_PER_TOKEN = 1.5
"""Few: a digit is a token in many vocabularies. What fits by it the worker need not leave out."""
_FEWEST_LINES = 2
"""A head without a row says less than the kernel does."""


def choose(units: Sequence[Unit], language: str, most_chars: int) -> tuple[list[str], int]:
    """A comment for each unit, empty where there is none, and how many characters had no room.

    The last units come first, since they are the nearest to the cursor. Of a head that does not fit, the
    first lines are taken; one that stands below a later cell too is not said twice.

    Parameters
    ----------
    most_chars
        Most characters of all comments together.
    """
    texts = [""] * len(units)
    said: set[str] = set()
    left_out = 0
    for index in reversed(range(len(units))):
        whole = _head(units[index], language)
        if not whole or whole in said:
            continue
        kept = _fitting(whole, most_chars)
        left_out += len(whole) - len(kept)
        if kept:
            said.add(whole)
            texts[index] = kept
            most_chars -= len(kept)
    return texts, left_out


def _head(unit: Unit, language: str) -> str:
    code = unit.code
    if code is None or code.status != "ok":
        return ""
    return comment("\n".join(line for line in code.head.splitlines() if line.strip()), language)


def _fitting(text: str, most: int) -> str:
    lines = text.split("\n")
    while lines and sum(len(line) + 1 for line in lines) > most:
        lines.pop()
    return "\n".join(lines) if len(lines) >= _FEWEST_LINES else ""
