"""What speaks against code that a command answered with. The same for every place that offers it. Pure.

Each check is by rule, and refuses only what is certainly wrong: a name that is lost is one that a cell below
reads, a column that is unknown is one of a frame that the kernel has described.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from ...contract.generation import CHANGES, GenerateRequest
from ...contract.notebook import NotebookCell, NotebookContext
from ..bounds import MAX_PARSED_CHARS
from ..target import CellTarget
from . import names
from .columns import unknown_column
from .loops import loops
from .other_cells import without_definitions
from .surroundings import Surroundings

MAX_CHECKED_COLUMNS_CHARS = 20_000
"""Longer code is not searched for columns."""
_WORD = re.compile(r"\w+")


class Tests(NamedTuple):
    """Tests without copies of what they test."""

    code: str
    left_out: int
    """Lines of copies that were left out."""
    problem: str = ""


def problem_of(request: GenerateRequest, target: CellTarget, code: str) -> str:
    """The first thing that speaks against code, as a sentence; empty where nothing does.

    Parameters
    ----------
    target
        That of the request.
    code
        What is in the answer, before it is put in the place of the target.
    """
    changes = request.command in CHANGES
    # What is to be fixed may be just the column.
    read = [request.instruction, "" if request.command == "fix" else target.code]
    if loops(code, "\n".join((target.code, *read))):
        return "The answer repeats the same lines."
    wants_json = _is_json(target.code) or "json" in request.instruction.lower()
    if not wants_json and _is_json(code):
        return "The answer is JSON, not code."
    if request.command == "fix" and request.error.strip() and _same(code, target.code):
        return "The answer is the same code, which fails."
    if not target.is_python:
        return ""
    if changes:
        above = [cell.source for cell in request.context if cell.kind == "code"]
        below = [cell.source for cell in request.below if cell.kind == "code"]
        if name := names.lost(target.code, code, below, above):
            return f"The answer no longer defines `{name}`, which a cell below uses."
    if column := _unknown_column(code, "\n".join(read), request):
        return f"The answer uses the column `{column}`, which its data frame does not have."
    return ""


def tests_of(code: str, target: CellTarget) -> Tests:
    """The tests in an answer: not the code that they test, which would then test its own copy."""
    if not target.is_python:
        return Tests(code, 0)
    own = without_definitions(code, target.code)
    if own.mixed:
        return Tests(own.code, own.left_out, f"The answer changes {own.mixed} instead of only testing it.")
    if not _has_test(own.code):
        return Tests(own.code, own.left_out, "There are no tests in the answer.")
    return Tests(own.code, own.left_out)


def _unknown_column(code: str, said: str, request: GenerateRequest) -> str:
    if not request.variables or len(code) > MAX_CHECKED_COLUMNS_CHARS:
        return ""
    notebook = NotebookContext(cells=request.context, variables=request.variables)
    around = Surroundings("", f"\n{said}", "python", notebook)
    before = ""
    for line in code.split("\n"):
        if (found := unknown_column(before, line, "", around)) != "":
            return found.removeprefix(".")
        before += f"{line}\n"
    return ""


def _same(code: str, other: str) -> bool:
    return [line.rstrip() for line in code.strip().split("\n")] == [
        line.rstrip() for line in other.strip().split("\n")
    ]


def _is_json(code: str) -> bool:
    """Whether it is an object with names in quotes around a text: an answer in a form of its own."""
    text = code.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return False
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return any(isinstance(value, str) and "\n" in value for value in found.values()) or bool(
        found.keys() & {"code", "answer", "result", "name", "arguments"}
    )


def _has_test(code: str) -> bool:
    """Whether anything is tested, as far as code can be read."""
    if len(code) > MAX_PARSED_CHARS:
        return True
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"))
        for node in ast.walk(tree)
    )


def relevant(cells: Sequence[NotebookCell], text: str) -> tuple[NotebookCell, ...]:
    """The cells that define what a text names, directly or through each other, in their order."""
    wanted = set(_WORD.findall(text))
    kept: set[int] = set()
    for at in range(len(cells) - 1, -1, -1):
        if cells[at].kind != "code":
            continue
        defined = names.bound(cells[at].source)
        if defined is None or defined & wanted:
            kept.add(at)
            wanted.update(_WORD.findall(cells[at].source))
    return tuple(cell for at, cell in enumerate(cells) if at in kept)
