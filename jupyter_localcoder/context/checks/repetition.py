"""Suggestions that say again what stands there already: a common fault of small models."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .scan import scan

_LEAST_CHARS = 4
"""A shorter line (`}`, `pass`) may well be right twice."""
_CLOSING = (")", "]", "}")
_THREE = ('"""', "'''")


def repeats(line: str, neighbour: str) -> bool:
    """Whether a whole line says what the one beside it says."""
    text = line.strip()
    return len(text) >= _LEAST_CHARS and bool(re.search(r"\w", text)) and text == neighbour.strip()


def last_line(code: str) -> str:
    """The last line of some code that is not blank."""
    return next((line for line in reversed(code.splitlines()) if line.strip()), "")


def without_comment(before: str, line: str, rest: str, comment: str = "#") -> str:
    """A line without a comment at its end that would make one of what follows the cursor."""
    if not rest.strip() or rest.lstrip().startswith(comment) or comment not in line:
        return line
    if scan(before, comment).comment or not scan(before + line, comment).comment:
        return line
    begin = next(
        found.start()
        for found in re.finditer(re.escape(comment), line)
        if scan(before + line[: found.end()], comment).comment
    )
    return line[:begin].rstrip(" \t")


def without_overlap(
    before: str, line: str, rest: str, after: str = "", *, comment: str = "#", closes: bool = True
) -> str:
    """A line without an end that doubles what follows the cursor.

    An editor closes brackets and quotes as they are opened; models close them too. The end goes only where
    fewer brackets then close nothing, and fewer strings have no end: `f(g(x))` needs both of its.

    Parameters
    ----------
    before
        Code before the line.
    rest
        What stands after the cursor in its line.
    after
        What stands below that line, with the line break before it.
    closes
        Whether a bracket always has its other half in this language.
    """
    if rest.startswith(_THREE) and line.endswith(rest[0]):
        read = scan(before + line, comment)
        if read.begun and rest.startswith(read.quote):
            # One or two of the three quotes that follow, which would then make an empty string behind them.
            return line[: -read.begun]
    overlaps = list(overlapping(line, rest))
    closed = list(_without_closing(line)) if closes else []
    if not overlaps and not closed:
        return line

    def faults(inserted: str) -> int:
        read = scan(after, comment, scan(before + inserted + rest, comment))
        return read.unmatched + read.broken + bool(read.quote)

    found = faults(line)
    whole = rest.strip()
    for shorter in overlaps:
        says_all = len(line.rstrip()) - len(shorter) == len(whole) and _is_words(whole)
        if faults(shorter) < found or says_all:
            return shorter
    fewest = min([*closed], key=faults, default=line)
    return fewest if faults(fewest) < found else line


def overlapping(line: str, rest: str) -> Iterator[str]:
    """A line without what of its end stands after the cursor, the longest such end first."""
    text, after = line.rstrip(), rest.strip()
    for size in range(min(len(text), len(after)), 0, -1):
        if text.endswith(after[:size]):
            yield text[:-size]


def _without_closing(line: str) -> Iterator[str]:
    """A line without the last of its brackets, without the last two, and so on."""
    text = line.rstrip()
    while text.endswith(_CLOSING):
        text = text[:-1]
        yield text


def _is_words(text: str) -> bool:
    """Whether it says so much that nobody writes it twice."""
    return len(text) >= _LEAST_CHARS and bool(re.search(r"\w{3}", text))
