"""Whether code that is meant for one cell brings the code of other cells along. Pure.

Small models repeat what they read. What they copy stands before or behind the code that was asked for, mostly
whole statements; imports that are added are no copy, nor is a short line that occurs in many cells.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .. import magics
from ..bounds import MAX_PARSED_CHARS

MOST_CHARS = 200_000
"""Longer code is not looked through."""

_ALIKE = 0.85
"""Two statements that bind the same names and are as similar as this are one, altered."""
_MOST_COMPARED = 500
"""Longer statements are compared for being the same only."""
_LONG_CHARS = 20
"""One copied statement of this length is no coincidence."""
_FEW = 3
"""Nor are so many short ones in a row."""
_MISSING = re.compile(r"name '(\w+)' is not defined|No module named '([\w.]+)'")
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Own(NamedTuple):
    """Code without what was copied from other cells."""

    code: str
    left_out: int
    """Lines that were copied, and are not in ``code``."""
    mixed: str = ""
    """Code of another cell that could not be left out: in words, such as ``the function `f` ``."""


class _Statement(NamedTuple):
    first: int
    end: int
    node: ast.stmt
    print: str
    """The statement, whatever its layout, comments and docstrings."""
    binds: frozenset[str]


def own_part(code: str, target: str, others: Sequence[str], *, python: bool, error: str = "") -> Own:
    """Leave out at both ends what is a copy of other cells.

    Parameters
    ----------
    target
        The code that was to be changed; empty where new code was asked for.
    others
        The cells that the model has read beside it.
    error
        What the code failed with: a name that it misses may be defined anew.
    """
    if not any(source.strip() for source in others) or len(code) + sum(map(len, others)) > MOST_CHARS:
        return Own(code, 0)
    if python:
        statements = _statements(code)
        if statements is not None:
            return _own_statements(code, statements, target, others, error)
    return _own_lines(code, target, others)


def _own_statements(
    code: str, statements: list[_Statement], target: str, others: Sequence[str], error: str
) -> Own:
    known = [one for source in others for one in _statements(source) or ()]
    asked = _statements(target) or []
    judge = _Judge(known, asked, target, error)
    lines = code.split("\n")
    drop: set[int] = set()
    last = len(statements)
    for order in (range(last), range(last - 1, -1, -1)):
        run: list[int] = []
        for at in order:
            if judge.is_copy(statements[at]):
                run.append(at)
            elif not judge.is_import(statements[at]):
                break
        if judge.is_telling([statements[at] for at in run]):
            edge = run[-1]
            beside = [at for at in order if (at <= edge if order.step > 0 else at >= edge)]
            drop.update(at for at in beside if at in run or judge.is_known_import(statements[at]))
    rest = [one for at, one in enumerate(statements) if at not in drop]
    mixed = next((words for one in rest if (words := judge.mixed(one))), "")
    if not drop:
        return Own(code, 0, mixed)
    gone: set[int] = set()
    for at in drop:
        first = statements[at - 1].end if at > 0 else 0  # with the comments before it
        gone.update(range(first, statements[at].end))
    left = [line for at, line in enumerate(lines) if at not in gone]
    count = sum(bool(lines[at].strip()) for at in gone)
    return Own("\n".join(left).strip("\n").rstrip(), count, mixed)


def without_definitions(code: str, tested: str) -> Own:
    """Leave out the functions and classes of other code, wherever they stand, and imports of them.

    Parameters
    ----------
    tested
        The other code.
    """
    statements, known = _statements(code), _statements(tested)
    if statements is None or known is None:
        return Own(code, 0)
    prints = {one.print for one in known if isinstance(one.node, _Definition)}
    names = {one.node.name for one in known if isinstance(one.node, _Definition)}
    lines = code.split("\n")
    gone: set[int] = set()
    mixed = ""
    for one in statements:
        if isinstance(one.node, ast.ImportFrom) and one.binds <= names:
            gone.update(range(one.first, one.end))
        if not isinstance(one.node, _Definition) or one.node.name not in names:
            continue
        if one.print in prints:
            gone.update(range(one.first, one.end))
        else:
            mixed = mixed or _in_words(one.node)
    left = [line for at, line in enumerate(lines) if at not in gone]
    count = sum(bool(lines[at].strip()) for at in gone)
    return Own("\n".join(left).strip("\n").rstrip(), count, mixed)


def _in_words(node: _Definition) -> str:
    return f"the {'class' if isinstance(node, ast.ClassDef) else 'function'} `{node.name}`"


class _Judge:
    """Holds statements of an answer against those of the target and of other cells."""

    def __init__(self, known: list[_Statement], asked: list[_Statement], target: str, error: str) -> None:
        self._known = known
        self._prints = {one.print for one in known}
        self._asked = {one.print for one in asked}
        self._asked_lines = {line.strip() for line in target.split("\n")}
        self._asked_names = {
            node.name for one in asked for node in ast.walk(one.node) if isinstance(node, _Definition)
        }
        self._asked_binding = [one for one in asked if one.binds]
        self._missing = {
            name.partition(".")[0] for found in _MISSING.findall(error) for name in found if name
        }

    def is_import(self, one: _Statement) -> bool:
        """Whether it only imports."""
        return isinstance(one.node, ast.Import | ast.ImportFrom)

    def is_known_import(self, one: _Statement) -> bool:
        """Whether another cell imports it, and this one neither did nor needs to."""
        copied = one.print in self._prints and one.print not in self._asked
        return self.is_import(one) and copied and not one.binds & self._missing

    def is_copy(self, one: _Statement) -> bool:
        """Whether it stands in another cell, and not in the target."""
        if self.is_import(one) or one.print in self._asked or one.binds & self._missing:
            return False
        return one.print in self._prints or self._is_altered_copy(one)

    def is_telling(self, run: Sequence[_Statement]) -> bool:
        """Whether so much cannot be the same by chance."""
        return len(run) >= _FEW or any(self._is_long(one) for one in run)

    def mixed(self, one: _Statement) -> str:
        """In words, what a statement repeats or changes of another cell; empty for one of its own."""
        if one.binds & self._missing or one.print in self._asked:
            return ""
        if isinstance(one.node, _Definition) and one.node.name not in self._asked_names:
            if any(isinstance(other.node, _Definition) and other.binds == one.binds for other in self._known):
                return _in_words(one.node)
        elif self.is_copy(one) and self._is_long(one):
            return "a statement"
        return ""

    def _is_long(self, one: _Statement) -> bool:
        if isinstance(one.node, ast.Expr) and isinstance(one.node.value, ast.Constant):
            return False
        return isinstance(one.node, _Definition) or len(ast.unparse(one.node)) >= _LONG_CHARS

    def _is_altered_copy(self, one: _Statement) -> bool:
        """Whether it is an assignment of another cell, slightly changed, that the target does not have."""
        if not one.binds or isinstance(one.node, _Definition):
            return False
        text = ast.unparse(one.node)
        if not _LONG_CHARS <= len(text) <= _MOST_COMPARED:
            return False
        return any(_alike(text, other) for other in self._known if other.binds == one.binds) and not any(
            _alike(text, other, 0.5) for other in self._asked_binding if other.binds & one.binds
        )


def _alike(text: str, other: _Statement, least: float = _ALIKE) -> bool:
    matcher = difflib.SequenceMatcher(None, text, ast.unparse(other.node), autojunk=False)
    return matcher.quick_ratio() >= least and matcher.ratio() >= least


def _statements(code: str) -> list[_Statement] | None:
    """The statements of a cell; None where it cannot be read as Python, or is too long to be."""
    if len(code) > MAX_PARSED_CHARS:
        return None
    try:
        tree = ast.parse("\n".join(magics.neutral(code.split("\n"))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = []
    for node in tree.body:
        if isinstance(node, ast.Pass):
            continue
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]) - 1
        found.append(_Statement(first, node.end_lineno or node.lineno, node, _print(node), _binds(node)))
    return found


def _print(node: ast.stmt) -> str:
    text = ast.dump(node)
    for inner in ast.walk(node):
        if isinstance(inner, _Definition) and len(inner.body) > 1 and ast.get_docstring(inner) is not None:
            text = text.replace(ast.dump(inner.body[0]) + ", ", "", 1)
    return text


def _binds(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, _Definition):
        return frozenset({node.name})
    if isinstance(node, ast.Import | ast.ImportFrom):
        return frozenset((one.asname or one.name).partition(".")[0] for one in node.names)
    targets: Iterable[ast.expr] = ()
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = (node.target,)
    return frozenset(
        ast.unparse(inner)
        for target in targets
        for inner in ([*target.elts] if isinstance(target, ast.Tuple | ast.List) else [target])
    )


def _own_lines(code: str, target: str, others: Sequence[str]) -> Own:
    """The same for what cannot be read as Python: lines at the ends that stand in another cell."""
    elsewhere = {line.strip() for source in others for line in source.split("\n") if line.strip()}
    asked = {line.strip() for line in target.split("\n")}
    lines = code.split("\n")
    first, end = 0, len(lines)
    for step in (1, -1):
        run: list[int] = []
        for at in range(len(lines))[::step]:
            text = lines[at].strip()
            if text and (text not in elsewhere or text in asked):
                break
            if text:
                run.append(at)
        if len(run) >= _FEW and sum(len(lines[at].strip()) for at in run) >= _FEW * _LONG_CHARS:
            first, end = (max(first, run[-1] + 1), end) if step > 0 else (first, min(end, run[-1]))
    if first >= end:
        return Own("", sum(bool(line.strip()) for line in lines))
    count = sum(bool(line.strip()) for line in lines[:first] + lines[end:])
    return Own("\n".join(lines[first:end]).strip("\n").rstrip(), count) if count else Own(code, 0)
