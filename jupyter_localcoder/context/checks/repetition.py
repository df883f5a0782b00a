"""Suggestions that say again what stands there already: a common fault of small models."""

from __future__ import annotations

import re

from .scan import scan

_LEAST_CHARS = 4
"""A shorter line (`}`, `pass`) may well be right twice."""


def repeats(line: str, neighbour: str) -> bool:
    """Whether a whole line says what the one beside it says."""
    text = line.strip()
    return len(text) >= _LEAST_CHARS and bool(re.search(r"\w", text)) and text == neighbour.strip()


def last_line(code: str) -> str:
    """The last line of some code that is not blank."""
    return next((line for line in reversed(code.splitlines()) if line.strip()), "")


def without_overlap(before: str, line: str, rest: str) -> str:
    """A line without an end that doubles what follows the cursor.

    An editor closes brackets and quotes as they are opened; models close them too. The end goes only where
    the line then has fewer brackets that close nothing, or no open string: `f(g(x))` needs both of its.

    Parameters
    ----------
    before
        Code before the line.
    rest
        What stands after the cursor in its line.
    """
    after = rest.strip()
    text = line.rstrip()
    if not after or not text:
        return line
    found = _faults(before + line + rest)
    for size in range(min(len(text), len(after)), 0, -1):
        if text.endswith(after[:size]):
            shorter = text[:-size]
            if _faults(before + shorter + rest) < found or (size == len(after) and _is_words(after)):
                return shorter
    return line


def _faults(code: str) -> int:
    read = scan(code)
    return read.unmatched + (1 if len(read.quote) == 1 else 0)


def _is_words(text: str) -> bool:
    """Whether it says so much that nobody writes it twice."""
    return len(text) >= _LEAST_CHARS and bool(re.search(r"\w{3}", text))
