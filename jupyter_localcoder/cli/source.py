"""Files that a person names: reading their code, and writing them back without losing anything."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileWriteError, InvalidArgument, SourceFileNotFound
from .console import Console

STDIN = "-"

_LANGUAGES = {
    ".py": "python", ".ipynb": "python", ".pyi": "python", ".pyx": "cython", ".r": "r", ".jl": "julia",
    ".js": "javascript", ".mjs": "javascript", ".ts": "typescript", ".tsx": "typescript",
    ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".hpp": "cpp", ".cu": "cuda", ".rs": "rust",
    ".go": "go", ".java": "java", ".kt": "kotlin", ".scala": "scala", ".rb": "ruby", ".php": "php",
    ".sh": "bash", ".bash": "bash", ".sql": "sql", ".html": "html", ".css": "css", ".json": "json",
    ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".md": "markdown", ".tex": "latex",
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Code, and where it came from."""

    name: str
    code: str
    language: str

    @property
    def is_notebook(self) -> bool:
        """Whether the code is the cells of a notebook, which cannot be written back as text."""
        return self.name.lower().endswith(".ipynb")


def read_source(name: str, console: Console) -> Source:
    """Read a file, or standard input where its name is ``-``; of a notebook, the code cells.

    Raises
    ------
    SourceFileNotFound, InvalidArgument
        It is not there, or it is not text, or empty.

    """
    text = read_text(name, console)
    language = _LANGUAGES.get(Path(name).suffix.lower(), "python")
    source = Source(name, text, language)
    if source.is_notebook:
        source = Source(name, _cells(text, name), language)
    if not source.code.strip():
        raise InvalidArgument(f"There is no code in `{name}`.", recovery="Name a file that holds some.")
    return source


def read_text(name: str, console: Console) -> str:
    """Read a file of text, or standard input where its name is ``-``.

    Raises
    ------
    SourceFileNotFound, InvalidArgument
        It is not there, or it is not text.

    """
    return _decoded(_bytes_of(name, console), name)


def write_back(source: Source, code: str) -> Path:
    """Replace the file by new code, all or nothing, and keep what it held in ``FILE~``.

    Returns
    -------
    The path of the backup.

    Raises
    ------
    FileWriteError
        It cannot be written, or somebody else has written it since it was read.

    """
    # A link stays a link: what is replaced is the file that it leads to.
    path = Path(source.name).resolve()
    backup = path.with_name(path.name + "~")
    try:
        if path.read_bytes().decode("utf-8-sig", "replace") != source.code:
            raise FileWriteError(
                f"`{source.name}` was changed meanwhile, so it was left as it is.", recovery="Run it again."
            )
        shutil.copy2(path, backup)
        _replace(path, code)
    except OSError as failure:
        raise FileWriteError(
            f"`{source.name}` cannot be written: {failure.strerror}.", recovery="Check its permissions."
        ) from None
    return backup


def _replace(path: Path, code: str) -> None:
    """Write beside the file and rename into place, so that a reader sees the old file or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(code)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, fresh)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _bytes_of(name: str, console: Console) -> bytes:
    if name == STDIN:
        return (
            console.stdin.buffer.read() if hasattr(console.stdin, "buffer") else console.stdin.read().encode()
        )
    try:
        return Path(name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise SourceFileNotFound(f"There is no file `{name}`.") from None
    except OSError as failure:
        raise InvalidArgument(
            f"`{name}` cannot be read: {failure.strerror}.", recovery="Name a text file."
        ) from None


def _decoded(raw: bytes, name: str) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidArgument(f"`{name}` is not UTF-8 text.", recovery="Name a text file.") from None
    if "\x00" in text:
        raise InvalidArgument(f"`{name}` is not text: it holds zero bytes.", recovery="Name a text file.")
    return text


def _cells(text: str, name: str) -> str:
    try:
        cells: list[dict[str, Any]] = json.loads(text)["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise InvalidArgument(f"`{name}` is not a notebook of format 4.", recovery="Save it again.") from None
    return "\n\n".join(f"# %% cell {number}\n{code}" for number, code in enumerate(codes, 1))
