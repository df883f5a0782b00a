"""Cuts long texts down by characters, so that what cannot be read is not sent and not tokenised.

All cuts move in big steps and never with the line that is being typed, for the same reason as the worker's
window: what was computed stays valid only behind an unchanged beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

CHARS_PER_TOKEN = 8
"""More than nearly any text has: what is cut by it would not have fitted."""
MAX_PARSED_CHARS = 64_000
"""Longer code is not parsed. Python's parser gives nobody else in the process a turn while it reads, from
whichever thread it is called; a cell that a person works in is a hundredth of it."""


def tail_start(size: int, most: int) -> int:
    """Where the end of a text of this size begins, so that at most ``most`` characters remain; in steps."""
    if size <= most:
        return 0
    step = max(1, most // 2)
    return min(size, -(-(size - most) // step) * step)


def cut_head(text: str, most: int) -> tuple[str, int]:
    """The end of a text, from a line's start, and how many characters are cut off."""
    start = tail_start(len(text), most)
    if start:
        line = text.find("\n", start)
        start = line + 1 if 0 <= line < len(text) - 1 else start
    return text[start:], start


def cut_prefix(prefix: str, most: int) -> tuple[str, int]:
    """As `cut_head`, by the lines above the one that is typed."""
    above, newline, line = prefix.rpartition("\n")
    kept, cut = cut_head(above + newline, most)
    short = line[-most:]
    return kept + short, cut + len(line) - len(short)


def first_kept(sizes: Sequence[int], most: int) -> int:
    """Index of the first of these texts that is kept, so that the last ones stay; in steps."""
    start = tail_start(sum(sizes), most)
    at = 0
    for index, size in enumerate(sizes):
        if at >= start:
            return index
        at += size
    return len(sizes)
