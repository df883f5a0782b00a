"""Rows of text in columns that fit a width, one line each. Knows nothing of what the columns mean."""

from __future__ import annotations

from collections.abc import Sequence

from ..text.plain_text import plain_line

_GAP = "  "
_NARROWEST = 8


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None) -> str:
    """Columns of equal width, the last one ragged.

    Parameters
    ----------
    width
        Characters to fit into: the widest columns are shortened, with an ellipsis. None (a pipe)
        shortens nothing.

    """
    lines = [list(head), *(list(map(plain_line, row)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    if width is not None:
        _narrow(widths, width)
    return "\n".join(_line(line, widths) for line in lines)


def shorten(text: str, width: int) -> str:
    """The beginning of a text, with an ellipsis where something was cut off."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _narrow(widths: list[int], width: int) -> None:
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while excess > 0 and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
        excess -= 1


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = (shorten(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True))
    return _GAP.join(fitted).rstrip()
