"""A table for a notebook (Markdown) and for a terminal (columns). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..text.plain_text import plain
from ..text.safe_markdown import inert


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """A MIME bundle with both forms."""
    cells = [[" ".join(plain(text).split()) for text in row] for row in rows]
    return {"text/markdown": _markdown(heads, cells), "text/plain": _columns(heads, cells)}


def _markdown(heads: Sequence[str], rows: list[list[str]]) -> str:
    lines = [_row(heads), _row(["---"] * len(heads)), *(_row(list(map(inert, row))) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _columns(heads: Sequence[str], rows: list[list[str]]) -> str:
    lines = [list(heads), *rows] if any(heads) else rows
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
