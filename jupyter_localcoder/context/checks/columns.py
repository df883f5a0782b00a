"""Columns that a suggestion names, and the data frame does not have.

Only what is certain counts: a frame of the kernel whose columns are all known, which nothing has bound anew
since, and a name, written out, that is found nowhere else in the notebook.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from ...contract.notebook import KernelVariable
from ..cells import ran
from .scan import scan
from .surroundings import Surroundings

_STRING = r"(?P<quote>['\"])(?P<name>(?:(?!(?P=quote))[^\\\n])+)(?P=quote)"
_SUBSCRIPT = re.compile(rf"(?<![\w.])(?P<frame>[A-Za-z_]\w*)\[\s*{_STRING}\s*\](?!\s*=[^=])")
_SEVERAL = re.compile(r"(?<![\w.])(?P<frame>[A-Za-z_]\w*)\[\s*\[(?P<names>[^\[\]\n]*)\]\s*\](?!\s*=[^=])")
_ATTRIBUTE = re.compile(r"(?<![\w.])(?P<frame>[A-Za-z_]\w*)\.(?P<name>[A-Za-z]\w*)(?![\w(.])(?!\s*=[^=])")
_QUOTED = re.compile(_STRING)
_NO_COLUMNS = frozenset(
    {
        "T", "at", "attrs", "axes", "columns", "dtypes", "empty", "flags", "iat", "iloc", "index", "loc",
        "ndim", "plot", "shape", "size", "sparse", "style", "values",
    }
)  # fmt: skip
"""What else a frame of pandas has that is not called."""
_NEAR = 0.75
"""How much alike an attribute and a column must be for the one to be the other, misspelt (`difflib`)."""


def unknown_column(before: str, line: str, rest: str, around: Surroundings) -> str:
    """The first column that the line names and its frame does not have, or nothing.

    Parameters
    ----------
    before
        Code of the cell before the line.
    rest
        What stands after the line in the same line.
    """
    frames = {v.name: v for v in around.notebook.variables if _complete(v)}
    if not frames:
        return ""
    above, _, begun = before.rpartition("\n")
    whole = begun + line + rest
    for start, end, frame, name in _named(whole):
        touched = start < len(begun) + len(line) and end > len(begun)
        if not touched or frame not in frames or _knows(frames[frame], name):
            continue
        read = scan(f"{above}\n{whole[:start]}")
        if (
            read.quote
            or read.comment
            or _bound_anew(frame, before, around)
            or _is_written_before(name, before, around)
        ):
            continue
        return name
    return ""


def _named(code: str) -> Iterator[tuple[int, int, str, str]]:
    """Columns that are named in a line, with where: (start, end, frame, column)."""
    for found in _SUBSCRIPT.finditer(code):
        yield found.start(), found.end(), found["frame"], found["name"]
    for found in _SEVERAL.finditer(code):
        for name in _QUOTED.finditer(found["names"]):
            yield found.start(), found.end(), found["frame"], name["name"]
    for found in _ATTRIBUTE.finditer(code):
        yield found.start(), found.end(), found["frame"], f".{found['name']}"


def _complete(variable: KernelVariable) -> bool:
    """Whether all columns of this frame are known."""
    return bool(variable.columns) and len(variable.shape) == 2 and variable.shape[1] == len(variable.columns)


def _knows(frame: KernelVariable, name: str) -> bool:
    columns = [column.name for column in frame.columns]
    if not name.startswith("."):
        return name in columns
    attribute = name[1:]
    if frame.type != "DataFrame" or attribute in columns or attribute in _NO_COLUMNS:
        # Other libraries do not offer columns as attributes.
        return True
    # It may be a method, or what a plug-in has added.
    return not difflib.get_close_matches(attribute, columns, 1, _NEAR)


def _bound_anew(frame: str, before: str, around: Surroundings) -> bool:
    """Whether the frame may by now be another one: bound in this cell, or in one that has not run."""
    name = re.escape(frame)
    binds = re.compile(
        rf"(?<![\w.]){name}\s*(?::[^=\n]+)?=(?!=)|(?<![\w.]){name}\s*:=|(?<![\w.]){name}\s*,[^\n=]*=(?!=)"
        rf"|,\s*{name}\s*(?:,[^\n=]*)?=(?!=)|\b(?:for|def|lambda|as|import|global|del)\b[^\n]*\b{name}\b"
    )
    waiting = [cell.source for cell in around.notebook.cells if cell.kind == "code" and not ran(cell)]
    return any(binds.search(code) for code in (before, *waiting))


def _is_written_before(name: str, before: str, around: Surroundings) -> bool:
    """Whether somebody wrote this name before: it may be a column that is about to be made."""
    bare = name.removeprefix(".")
    written = re.compile(rf"(?P<q>['\"]){re.escape(bare)}(?P=q)|\b{re.escape(bare)}\s*=")
    texts = [before, around.suffix, *(cell.source for cell in around.notebook.cells)]
    return any(written.search(text) for text in texts)
