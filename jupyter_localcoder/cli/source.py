"""Files that a person names: reading their code, and writing them back without losing anything."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import shutil
import stat
import tempfile
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..context import languages
from ..errors import FileWriteError, InvalidArgument, SourceFileNotFound
from ..storage.failures import write_failure
from ..text.units import size
from .console import Console

STDIN = "-"
MOST_BYTES = 64_000_000


@dataclass(frozen=True)
class CodeSource:
    """Code, and where it came from."""

    name: str
    code: str
    language: str
    encoding: str = "utf-8"
    """That of the file, a byte order mark aside."""
    raw: bytes = b""
    """What was read."""

    @property
    def is_notebook(self) -> bool:
        """Whether the code is the cells of a notebook, which cannot be written back as text."""
        return self.name.lower().endswith(".ipynb")

    @property
    def origin(self) -> dict[str, str]:
        """Where the code comes from, for a request; empty for standard input."""
        return {} if self.name == STDIN else {"notebook": Path(self.name).absolute().as_posix()}


def read_source(name: str, console: Console) -> CodeSource:
    """Read a file, or standard input where its name is ``-``; of a notebook, the code cells.

    Raises
    ------
    SourceFileNotFound, InvalidArgument
        It is not there, or it is not text, or empty.

    """
    raw = _bytes_of(name, console)
    text, encoding = _decoded(raw, name)
    source = CodeSource(name, text, languages.of_file(name) or "python", encoding, raw)
    if source.is_notebook:
        source = replace(source, code=_cells(text, name))
    if not source.code.strip():
        raise InvalidArgument(f"There is no code in `{name}`.", recovery="Name a file that contains code.")
    return source


def read_text(name: str, console: Console) -> str:
    """Read a file of text, or standard input where its name is ``-``.

    Raises
    ------
    SourceFileNotFound, InvalidArgument
        It is not there, or it is not text.

    """
    return _decoded(_bytes_of(name, console), name)[0]


def check_writable(source: CodeSource) -> None:
    """Refuse what cannot be written before a model works for it.

    Raises
    ------
    InvalidArgument, FileWriteError
        It is no file of text, or nobody may write it.

    """
    if source.name == STDIN or source.is_notebook:
        what = "standard input" if source.name == STDIN else "a notebook"
        raise InvalidArgument(
            f"`--write` cannot write to {what}.", recovery="Run the command without `--write`."
        )
    path = Path(source.name).resolve()
    with _as_source_errors(source):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise InvalidArgument(
                f"`--write` cannot replace `{source.name}`: it is not a regular file.",
                recovery="Run the command without it.",
            )
        # Who may do everything is told as well: a file that is closed to writing is meant to stay.
        if not mode & 0o222 or not os.access(path, os.W_OK):
            raise FileWriteError(
                f"`{source.name}` is read-only, so it was not changed.", recovery="Change its permissions."
            )


def write_back(source: CodeSource, code: str) -> Path:
    """Replace the file by new code, all or nothing, and keep what it held in ``FILE~``.

    Encoding, byte order mark, line ends and permissions stay those of the file.

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
    data = _encoded(source, code)
    check_writable(source)
    with _as_source_errors(source):
        if path.read_bytes() != source.raw:
            raise FileWriteError(
                f"`{source.name}` was modified in the meantime, so it was not changed.",
                recovery="Run the command again.",
            )
        if backup.is_dir():
            raise FileWriteError(
                f"`{source.name}` was not changed: a folder has the name of its backup.",
                recovery=f"Rename `{backup.name}`.",
            )
        _replace(backup, source.raw, like=path)
        _replace(path, data, like=path)
    return backup


def _encoded(source: CodeSource, code: str) -> bytes:
    newline = _newline(source.code)
    text = code.replace("\r\n", "\n").replace("\r", "\n").replace("\n", newline)
    try:
        data = text.encode(source.encoding)
    except UnicodeEncodeError as failure:
        raise FileWriteError(
            f"`{source.name}` was not changed: {failure.object[failure.start]!r} cannot be written in its "
            f"encoding, {source.encoding}.",
            recovery="Save the file as UTF-8, and run the command again.",
        ) from None
    return codecs.BOM_UTF8 + data if source.raw.startswith(codecs.BOM_UTF8) else data


def _newline(text: str) -> str:
    """How most lines of a text end."""
    windows = text.count("\r\n")
    ends = {"\n": text.count("\n") - windows, "\r\n": windows, "\r": text.count("\r") - windows}
    return max(ends, key=lambda end: ends[end])


@contextlib.contextmanager
def _as_source_errors(source: CodeSource) -> Iterator[None]:
    """An error of the system as a sentence."""
    try:
        yield
    except OSError as failure:
        raise write_failure(failure, f"`{source.name}` cannot be written", "Check its permissions.") from None


def _replace(path: Path, data: bytes, *, like: Path) -> None:
    """Write beside the file and rename into place, so that a reader sees the old file or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(like, fresh)
        with contextlib.suppress(OSError, AttributeError):  # only some users and systems can
            owner = like.stat()
            os.chown(fresh, owner.st_uid, owner.st_gid)
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
        with Path(name).open("rb") as file:
            # A device may have no end.
            raw = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise SourceFileNotFound(f"There is no file `{name}`.") from None
    except OSError as failure:
        raise InvalidArgument(
            f"`{name}` cannot be read: {failure.strerror}.", recovery="Name a text file."
        ) from None
    if len(raw) > MOST_BYTES:
        raise InvalidArgument(f"`{name}` is larger than {size(MOST_BYTES)}.", recovery="Name a smaller file.")
    return raw


def _decoded(raw: bytes, name: str) -> tuple[str, str]:
    """The text, and its encoding: that of Python's own line in the file, else UTF-8."""
    encoding = "utf-8"
    if languages.of_file(name) in ("python", "cython") and not name.lower().endswith(".ipynb"):
        with contextlib.suppress(SyntaxError):
            encoding = tokenize.detect_encoding(io.BytesIO(raw).readline)[0].removesuffix("-sig")
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode(encoding)
    except UnicodeDecodeError:
        known = "UTF-8" if encoding == "utf-8" else encoding
        raise InvalidArgument(f"`{name}` is not {known} text.", recovery="Name a text file.") from None
    if "\x00" in text:
        raise InvalidArgument(f"`{name}` is not text: it contains null bytes.", recovery="Name a text file.")
    return text, encoding


def _cells(text: str, name: str) -> str:
    try:
        cells: list[dict[str, Any]] = json.loads(text)["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise InvalidArgument(f"`{name}` is not a notebook of format 4.", recovery="Save it again.") from None
    return "\n\n".join(f"# %% cell {number}\n{code}" for number, code in enumerate(codes, 1))
