"""Draws the table *Keystrokes saved* of ``docs/performance.md``: ``python -m tests.benchmarks.picture``."""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PICTURE = DOCS / "images" / "keystrokes.svg"
_ROWS = ("keystrokes saved", "positions with a suggestion", "characters shown that are correct")
_SIDES = ("product", "`llama-server`, plug-in")
_COLOURS = ("#1976d2", "#9e9e9e")
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 250, 360, 18, 22, 34


def shares(page: str) -> list[tuple[str, float, float]]:
    """The rows that are shares of 100, with the product's and the peer's.

    Raises
    ------
    ValueError
        A row is missing.
    """
    section = page.partition("### Keystrokes saved")[2]
    found = []
    for name in _ROWS:
        row = re.search(rf"^\| {re.escape(name)} \| ([\d.]+) %[^|]*\| ([\d.]+) %", section, re.MULTILINE)
        if row is None:
            raise ValueError(f"There is no row {name!r} with two shares.")
        found.append((name, float(row[1]), float(row[2])))
    return found


def drawn(rows: list[tuple[str, float, float]]) -> str:
    """Horizontal bars, as SVG."""
    height = _TOP + len(rows) * (2 * _BAR + _GAP)
    told = "; ".join(f"{name}: {ours:.1f} % and {theirs:.1f} %" for name, ours, theirs in rows)
    sides = [side.replace("`", "") for side in _SIDES]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 70} {height}" role="img" '
        'font-family="sans-serif" font-size="13">',
        f"<title>{escape(f'{sides[0]} and {sides[1]}: {told}')}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for at, (side, colour) in enumerate(zip(sides, _COLOURS, strict=True)):
        x = _LEFT + at * 110
        parts += [f'<rect x="{x}" y="8" width="12" height="12" fill="{colour}"/>',
                  f'<text x="{x + 18}" y="19" fill="#222">{escape(side)}</text>']  # fmt: skip
    for at, (name, *values) in enumerate(rows):
        y = _TOP + at * (2 * _BAR + _GAP)
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + _BAR + 4}" text-anchor="end" fill="#222">{escape(name)}</text>'
        )
        for side, (value, colour) in enumerate(zip(values, _COLOURS, strict=True)):
            width, top = round(_WIDTH * value / 100, 1), y + side * _BAR
            parts += [
                f'<rect x="{_LEFT}" y="{top}" width="{width}" height="{_BAR - 2}" fill="{colour}"/>',
                f'<text x="{_LEFT + width + 6}" y="{top + 13}" fill="#222">{value:.1f} %</text>',
            ]
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(drawn(shares((DOCS / "performance.md").read_text(encoding="utf-8"))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
