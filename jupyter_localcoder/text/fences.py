"""Fenced code blocks of a Markdown text (CommonMark 0.31, section 4.5), and the prose between them. Pure.

Models write fences inside list items, with tildes, with four backticks around three, and leave the last one
open while they still write. One deliberate difference: a fence counts at any indentation, as in a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_OPEN = re.compile(
    r"^(?P<lead>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(?P<mark>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$"
)


class Prose(NamedTuple):
    """Lines outside of fences, without line ends."""

    lines: list[str]


class Fence(NamedTuple):
    """One fenced block."""

    info: str
    """What stands behind the opening fence, such as `python`."""
    lines: list[str]
    closed: bool

    @property
    def text(self) -> str:
        """The content, lines joined."""
        return "\n".join(self.lines)


def blocks(text: str) -> Iterator[Prose | Fence]:
    """The parts of a text, in order."""
    prose: list[str] = []
    lines = iter(text.split("\n"))
    for line in lines:
        opening = _OPEN.match(line)
        if not opening:
            prose.append(line)
            continue
        lead = opening["lead"]
        if lead.strip():  # the marker of a list item
            prose.append(lead.rstrip())
        if prose:
            yield Prose(prose)
            prose = []
        yield _fence(lines, opening["mark"], opening["info"].strip(), len(lead))
    if prose:
        yield Prose(prose)


def _fence(lines: Iterator[str], mark: str, info: str, indent: int) -> Fence:
    """Take lines up to the closing fence, which is at least as long as the opening one."""
    closing = re.compile(rf"^[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
    inside: list[str] = []
    for line in lines:
        if closing.match(line):
            return Fence(info, inside, closed=True)
        inside.append(_dedented(line, indent))
    return Fence(info, inside, closed=False)


def _dedented(line: str, indent: int) -> str:
    margin = min(indent, len(line) - len(line.lstrip(" \t")))
    return line[margin:]
