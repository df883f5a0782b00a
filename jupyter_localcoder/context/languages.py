"""Which language code is in: by the name of its file, or by the cell magic above it."""

from __future__ import annotations

import re
from pathlib import PurePath

PYTHON = frozenset({"python", "python3", "py", "ipython", "ipython3"})

_OF_ENDING = {
    ".py": "python", ".ipynb": "python", ".pyi": "python", ".pyx": "cython", ".r": "r", ".jl": "julia",
    ".js": "javascript", ".mjs": "javascript", ".ts": "typescript", ".tsx": "typescript",
    ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".hpp": "cpp", ".cu": "cuda", ".rs": "rust",
    ".go": "go", ".java": "java", ".kt": "kotlin", ".scala": "scala", ".rb": "ruby", ".php": "php",
    ".sh": "bash", ".bash": "bash", ".sql": "sql", ".html": "html", ".css": "css", ".json": "json",
    ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".md": "markdown", ".tex": "latex", ".txt": "text",
    ".ini": "ini", ".cfg": "ini", ".env": "bash", ".xml": "xml", ".dockerfile": "dockerfile",
}  # fmt: skip
_PYTHON_MAGICS = frozenset({
    "time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "skip", "debug", "px", "autopx", "python",
    "python3", "pypy", "local", "scalene", "improve", "fix", "document", "explain", "test",
})  # fmt: skip
_OF_MAGIC = {
    "bash": "bash", "sh": "sh", "zsh": "bash", "system": "bash", "sx": "bash", "!": "bash", "cmd": "bat",
    "cython": "cython", "html": "html", "javascript": "javascript", "js": "javascript", "node": "javascript",
    "latex": "latex", "markdown": "markdown", "md": "markdown", "perl": "perl", "r": "r", "ruby": "ruby",
    "sql": "sql", "bigquery": "sql", "duckdb": "sql", "svg": "xml", "python2": "python2",
    "coder": "text", "chat": "text", "generate": "text",
}  # fmt: skip
_MAGIC = re.compile(r"\s*%%(?P<name>!|[\w.]+)(?P<line>[^\n]*)")
_OF_PROGRAM = {
    "bash": "bash", "sh": "sh", "zsh": "bash", "fish": "fish", "python": "python", "python3": "python",
    "perl": "perl", "ruby": "ruby", "node": "javascript", "rscript": "r", "php": "php", "psql": "sql",
}  # fmt: skip
_MAGIC_OF = {
    "bash": "%%bash", "sh": "%%bash", "shell": "%%bash", "zsh": "%%bash", "html": "%%html",
    "javascript": "%%javascript", "js": "%%javascript", "latex": "%%latex", "tex": "%%latex",
    "perl": "%%perl", "ruby": "%%ruby", "svg": "%%svg",
}  # fmt: skip


def of_file(name: str) -> str:
    """The language of a file, by the ending of its name; empty where it is not known."""
    path = PurePath(name)
    return _OF_ENDING.get(path.suffix.lower()) or _OF_ENDING.get(f".{path.name.lower()}", "")


def ending_of(language: str) -> str:
    """The ending of the names of files in a language, such as ``.py``; ``.txt`` where it is not known."""
    known = language.lower()
    if known in PYTHON:
        return ".py"
    return next((ending for ending, name in _OF_ENDING.items() if name == known), ".txt")


def of_magic(line: str) -> str | None:
    """The language of what stands below a cell magic.

    Parameters
    ----------
    line
        The line of the magic, such as ``%%bash --out text``.

    Returns
    -------
    Its name; ``python`` where a magic runs Python, and None where it is a magic of which nothing is known.
    """
    magic = _MAGIC.match(line)
    if magic is None:
        return None
    name, words = magic["name"].lower(), magic["line"].split()
    if name in ("writefile", "file"):
        return of_file(words[-1].strip("\"'")) or "text" if words else "text"
    if name == "script":
        programs = [PurePath(word).name.lower() for word in words]
        return next((_OF_PROGRAM[word] for word in programs if word in _OF_PROGRAM), "text")
    return "python" if name in _PYTHON_MAGICS else _OF_MAGIC.get(name)


def magic_of(language: str) -> str:
    """The cell magic of IPython below which code of a language runs; empty where it has none."""
    return _MAGIC_OF.get(language.lower(), "")


def name_of_magic(line: str) -> str:
    """The name of a cell magic, as a language that nothing else is known of."""
    magic = _MAGIC.match(line)
    return magic["name"].lower() if magic else "text"
