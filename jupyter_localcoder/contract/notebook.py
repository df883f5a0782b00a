"""A notebook as the browser tells it: cells in document order, and what its kernel knows.

Offsets are nowhere: the cell with the cursor is split by the browser, so that code points here and UTF-16
there never meet. Values of the kernel are nowhere either: names, types, shapes and columns only. Values of an
output are in a cell's `head` alone, which is empty unless a person has switched it on.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .common import Reply, Request

MAX_TEXT_CHARS = 4_000_000
"""Maximum length of a text in a request; the effective limit is the context window, in tokens."""
MAX_CELLS = 10_000
MAX_VARIABLES = 1000
MAX_COLUMNS = 2000
MAX_HEAD_CHARS = 400

Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
Name = Annotated[str, Meta(max_length=512)]
CellKind = Literal["code", "markdown", "raw"]
CellStatus = Literal["none", "ok", "error"]
ReferenceKind = Literal["cell", "selection", "output", "error", "file", "variable", "text"]


class NotebookCell(Request, frozen=True, kw_only=True):
    """A cell, with what is known of its last run."""

    id: Name = ""
    """The cell's own id in the notebook."""
    kind: CellKind = "code"
    source: Text
    execution_count: int | None = None
    status: CellStatus = "none"
    """How its last run ended; `none`: it has not run in this session."""
    error: Name = ""
    """Name of the exception that ended its last run, such as `KeyError`."""
    hint: Name = ""
    """What its output is, in a few words, such as `DataFrame` or `Figure`; never its content."""
    head: Annotated[str, Meta(max_length=MAX_HEAD_CHARS)] = ""
    """The first lines of the data frame that it showed, values included; empty unless a person has asked for
    that."""


class Column(Request, frozen=True, kw_only=True):
    """A column of a data frame."""

    name: Name
    dtype: Name


class KernelVariable(Request, frozen=True, kw_only=True):
    """A name that the user has defined in the kernel; never its value."""

    name: Name
    type: Name = ""
    """Of the value, such as `DataFrame`, `ndarray`, `function`."""
    signature: Name = ""
    """Of a function or a class, such as `(x, *, scale=...)`."""
    shape: tuple[int, ...] = ()
    """Of an array or a data frame."""
    columns: Annotated[tuple[Column, ...], Meta(max_length=MAX_COLUMNS)] = ()


class NotebookContext(Request, frozen=True, kw_only=True):
    """The cells around the cell with the cursor, and the kernel context."""

    path: Annotated[str, Meta(max_length=4096)] = ""
    cells: Annotated[tuple[NotebookCell, ...], Meta(max_length=MAX_CELLS)] = ()
    """In document order, the one with the cursor among them; its `source` is not read."""
    active: int = -1
    """Index of the cell with the cursor; -1: it is not in the list and follows all cells."""
    variables: Annotated[tuple[KernelVariable, ...], Meta(max_length=MAX_VARIABLES)] = ()
    """What the kernel told after its last run, the names used last first."""


class Reference(Request, frozen=True, kw_only=True):
    """Context that the user attaches to a question."""

    kind: ReferenceKind
    name: Name = ""
    """What it is called on a screen, such as `In [3]`, a path or a variable's name."""
    text: Text
    language: Annotated[str, Meta(max_length=64)] = ""
    """Of code; empty for what is none."""


class ProbeRequest(Request, frozen=True, kw_only=True):
    """Asks how a kernel is asked what it knows."""

    language: Annotated[str, Meta(max_length=64)] = "python"


class Probe(Reply, frozen=True, kw_only=True):
    """How a kernel is asked for its `KernelVariable`s: one silent, unstored `execute_request`."""

    code: str
    """The request's `code`, which does nothing; empty: this language has no probe."""
    expression: str
    """One of its `user_expressions`. The `text/plain` of its result is a string of base64 between quotes,
    which holds the JSON (ASCII) of a list of `KernelVariable`."""
