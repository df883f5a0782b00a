"""What is in a model's answer: the code, and how it differs from the code before. Pure."""

from __future__ import annotations

import difflib
from typing import Literal, NamedTuple

from .fences import Fence, blocks

Sign = Literal["+", "-", " ", "@"]

_SAME_LANGUAGE = {"python": frozenset({"", "python", "python3", "py", "ipython", "ipython3"})}


class DiffLine(NamedTuple):
    """One line of a unified diff."""

    sign: Sign
    """`@` begins a hunk, and its text says where."""
    text: str


def code_of(answer: str, language: str = "python") -> str:
    """The code in an answer, without a line end behind it.

    It is the longest fenced block in the language, else the longest of any; an answer without fences is
    taken as code, whole. A fence that is still open, because the answer still comes, counts too.
    """
    fences = [block for block in blocks(answer) if isinstance(block, Fence)]
    if not fences:
        return answer.strip("\n").rstrip()
    names = _SAME_LANGUAGE.get(language, frozenset({"", language}))
    fitting = [fence for fence in fences if fence.info.partition(" ")[0].lower() in names]
    longest = max(fitting or fences, key=lambda fence: len(fence.text))
    return longest.text.strip("\n").rstrip()


def diff(before: str, after: str, context_lines: int = 3) -> list[DiffLine]:
    """The unified diff of two texts; empty where they say the same, white space at the ends aside."""
    old, new = (text.strip("\n").rstrip().splitlines() for text in (before, after))
    lines = difflib.unified_diff(old, new, n=context_lines, lineterm="")
    return [_line(line) for line in list(lines)[2:]]  # the first two name files


def _line(line: str) -> DiffLine:
    signs: dict[str, Sign] = {"+": "+", "-": "-", "@": "@"}
    sign = signs.get(line[:1], " ")
    return DiffLine(sign, line if sign == "@" else line[1:])
