"""The language of a cell, which its first line may say: `%%bash`, `%%html`."""

from __future__ import annotations

import re

_CELL_MAGIC = re.compile(r"\s*%%(!|\w+)(?:[ \t]+(\S+))?")
_PYTHON = frozenset(
    {
        "time", "timeit", "capture", "prun", "memit", "mprun", "skip", "python", "python3", "debug",
        "code_wrap", "heat", "snakeviz", "improve", "fix", "document", "test", "explain",
    }
)  # fmt: skip
"""Their cells are Python."""
_KNOWN = {
    "!": "bash", "sx": "bash", "system": "bash", "sh": "bash", "bash": "bash", "js": "javascript",
    "javascript": "javascript", "html": "html", "svg": "html", "latex": "latex", "markdown": "markdown",
    "sql": "sql", "bigquery": "sql", "sparksql": "sql", "r": "r", "perl": "perl", "ruby": "ruby",
    "cython": "cython", "writefile": "text", "file": "text",
    "coder": "text", "chat": "text", "generate": "text", "ai": "text",
}  # fmt: skip
PROSE = frozenset({"markdown", "text", "latex", "rst"})
"""Languages in which a sentence is what one writes."""


def language_of(cell: str, language: str) -> str:
    """The language in small letters; that of the notebook where the cell says nothing else.

    A magic that is not known has its own name for a language.
    """
    language = language.lower()
    magic = _CELL_MAGIC.match(cell) if language == "python" else None
    if magic is None:
        return language
    name = magic[1].lower()
    if name == "script":
        name = (magic[2] or "").rpartition("/")[2].rstrip("0123456789.") or name
    return language if name in _PYTHON else _KNOWN.get(name, name)
