"""A diff for eyes: HTML that follows the theme, colours of a terminal, or plain text. Pure.

Every format marks lines with signs, so that colour is never the only indicator.
"""

from __future__ import annotations

import html

from ..text.answers import DiffLine
from ..text.plain_text import plain

UNCHANGED = "No change."

_BOX = (
    "margin: 0.5em 0; padding: 0.5em; overflow-x: auto; "
    "border: 1px solid var(--jp-border-color2, #ccc); "
    "font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px)"
)
_STYLES = {
    "+": "display: block; text-decoration: none; color: var(--jp-success-color0, #1b5e20); "
    "background: rgba(76, 175, 80, 0.15)",
    "-": "display: block; text-decoration: none; color: var(--jp-error-color0, #b71c1c); "
    "background: rgba(244, 67, 54, 0.15)",
    " ": "display: block",
    "@": "display: block; color: var(--jp-ui-font-color2, gray)",
}
_TAGS = {"+": "ins", "-": "del", " ": "span", "@": "span"}
_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}


def plain_diff(lines: list[DiffLine]) -> str:
    """The diff as text."""
    return "\n".join(map(_text, lines)) or UNCHANGED


def ansi_diff(lines: list[DiffLine]) -> str:
    """The diff in the colours of a terminal."""
    return (
        "\n".join(
            f"{_COLOURS[line.sign]}{_text(line)}\x1b[0m" if line.sign in _COLOURS else _text(line)
            for line in lines
        )
        or UNCHANGED
    )


def html_diff(lines: list[DiffLine]) -> str:
    """The diff as HTML, everything from the code escaped."""
    if not lines:
        return f'<small style="color: var(--jp-ui-font-color2, gray)">{UNCHANGED}</small>'
    rows = "".join(map(_row, lines))
    return f'<pre role="group" aria-label="Changes" style="{_BOX}">{rows}</pre>'


def _row(line: DiffLine) -> str:
    tag = _TAGS[line.sign]
    return f'<{tag} style="{_STYLES[line.sign]}">{html.escape(_text(line))}</{tag}>'


def _text(line: DiffLine) -> str:
    text = plain(line.text)
    return text if line.sign == "@" else f"{line.sign} {text}"
