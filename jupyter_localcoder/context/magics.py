"""Lines of a cell that IPython reads and Python does not: `%`, `!` and `?`.

IPython's own reader tokenises the whole cell once more for each such line; this one reads it once. A test
holds it against IPython's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_CELL_MAGIC = re.compile(r"[ \t]*%%(?:!|[A-Za-z_][\w.]*)(?!\w*\?)")
_ESCAPED = re.compile(r"[ \t]*[%!?,;/]")
_NAME = r"\*?[\w.]+(?:\[[^\]\n]*\])?"
_ASSIGNED = re.compile(rf"[ \t]*{_NAME}(?:[ \t]*,[ \t]*{_NAME})*[ \t]*,?[ \t]*=[ \t]*(?:%[ \t]*\w|!)")
_HELP = re.compile(r"[\w*\])]\?{1,2}[ \t]*;?$")
_PROGRAM = re.compile(
    r"(?:(?:pip3?|conda|mamba|micromamba|uv)[ \t]+(?:install|uninstall|list|show|update|freeze|pip|add)\b"
    r"|(?:cd|ls|ll|mkdir|rmdir|cp|mv|rm|cat|less|more|man)[ \t]+\S)"
)
"""Commands that IPython runs without a mark before them, as long as they are no Python."""
_TOKEN = re.compile(r"\"\"\"|'''|[\"'#()\[\]{}\\]")
_OPENING, _CLOSING = "([{", ")]}"


class Magic(NamedTuple):
    """Lines of a cell: one magic, and what continues it."""

    first: int
    """Index of its first line."""
    end: int
    """Index of the line after it."""


def is_cell_magic(line: str) -> bool:
    """Whether a line, as the first of a cell, is a cell magic."""
    return _CELL_MAGIC.match(line) is not None


def find(lines: Sequence[str]) -> list[Magic]:
    """The magics among lines of Python, in order. Cell magics are found like others, wherever they stand.

    Parameters
    ----------
    lines
        Without line ends.
    """
    found: list[Magic] = []
    quote, depth, at = "", 0, 0
    continued = False
    while at < len(lines):
        line = lines[at]
        if not quote and depth == 0 and not continued and _is_magic(line):
            first = at
            while lines[at].endswith("\\") and at + 1 < len(lines):
                at += 1
            at += 1
            found.append(Magic(first, at))
            continue
        quote, depth, continued = _after(line, quote, depth)
        at += 1
    return found


def neutral(lines: Sequence[str], magics: Sequence[Magic] | None = None) -> list[str]:
    """The lines as Python alone, as many as there were: a magic becomes ``pass``."""
    python = list(lines)
    for first, end in find(lines) if magics is None else magics:
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        python[first:end] = [f"{indent}pass", *[""] * (end - first - 1)]
    return python


def _is_magic(line: str) -> bool:
    if _ESCAPED.match(line) or _ASSIGNED.match(line):
        return True
    if "?" in line and _HELP.search(line.rstrip()):
        quote, _, _ = _after(line, "", 0)
        return not quote and "#" not in line
    return _PROGRAM.match(line) is not None and not _is_python(line)


def _is_python(line: str) -> bool:
    try:
        compile(line.strip(), "<line>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _after(line: str, quote: str, depth: int) -> tuple[str, int, bool]:
    """What is open after a line: the quotes of a string, brackets, and whether the next line continues it."""
    at = 0
    while (found := _TOKEN.search(line, at)) is not None:
        mark, at = found[0], found.end()
        if quote:
            if mark == "\\":
                at += 1
            elif mark == quote:
                quote = ""
            elif len(quote) == 1 and mark == quote * 3:
                quote, at = "", found.start() + 1
        elif mark == "#":
            return quote, depth, False
        elif mark[0] in "\"'":
            quote = mark
        elif mark in _OPENING:
            depth += 1
        elif mark in _CLOSING:
            depth = max(0, depth - 1)
    continued = line.endswith("\\")
    if len(quote) == 1 and not continued:
        quote = ""
    return quote, depth, continued
