"""The changes: one place of a module at a time, each of which a test should notice."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

_OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OTHER_OPERATION: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip
_NO_CODE = frozenset(("annotation", "returns", "decorator_list", "type_params"))


class Change(NamedTuple):
    """One changed place."""

    name: str
    """Says where it is and what it is; no two of a module have the same."""
    line: int
    source: str
    """The whole module, changed."""


def changes(source: str) -> list[Change]:
    """All changes of a module."""
    tree = ast.parse(source)
    found: list[Change] = []
    names: dict[str, int] = {}
    for statement, where in _statements(tree.body, ""):
        before = ast.unparse(statement)
        for part, field, index, new in list(_places(statement)):
            old = getattr(part, field)
            setattr(part, field, new if index is None else [*old[:index], new, *old[index + 1 :]])
            name = f"{where}{_cut(before)} -> {_cut(ast.unparse(statement) or 'pass')}"
            whole = ast.unparse(ast.fix_missing_locations(tree))
            setattr(part, field, old)
            names[name] = names.get(name, 0) + 1
            again = f" ({names[name]})" if names[name] > 1 else ""
            found.append(Change(name + again, statement.lineno, whole + "\n"))
    return found


def _statements(body: list[ast.stmt], where: str) -> Iterator[tuple[ast.stmt, str]]:
    """Each function, and each statement of a module or a class that is none."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _statements(statement.body, f"{where}{statement.name}.")
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _inner(statement.body, f"{where}{statement.name}: ")
        else:
            yield from _inner([statement], where)


def _inner(body: list[ast.stmt], where: str) -> Iterator[tuple[ast.stmt, str]]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _statements([statement], where)
            continue
        yield statement, where
        for _, value in ast.iter_fields(statement):
            if isinstance(value, list):
                yield from _inner([part for part in value if isinstance(part, ast.stmt)], where)
                for part in value:
                    if isinstance(part, ast.ExceptHandler):
                        yield from _inner(part.body, where)


_Place = tuple[ast.AST, str, "int | None", ast.AST]
"""A node, its field, the index in it, and what is put there."""


def _places(statement: ast.stmt) -> Iterator[_Place]:
    """What can be changed of one statement, those in it left aside."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert | ast.Global | ast.Nonlocal):
        return
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return  # a docstring
    if isinstance(statement, ast.Expr) and _logs(statement):
        return
    if isinstance(statement, ast.If | ast.While):
        for value in (False,) if isinstance(statement, ast.While) else (False, True):
            yield statement, "test", None, ast.Constant(value)
    if isinstance(statement, ast.Return) and statement.value is not None and not _is_none(statement.value):
        yield statement, "value", None, ast.Constant(None)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call | ast.Await):
        yield statement, "value", None, ast.Constant(None)
    if isinstance(statement, ast.AugAssign) and type(statement.op) in _OTHER_OPERATION:
        yield statement, "op", None, _OTHER_OPERATION[type(statement.op)]()
    yield from _below(statement)


def _below(node: ast.AST) -> Iterator[_Place]:
    for field, value in ast.iter_fields(node):
        if field in _NO_CODE or isinstance(node, ast.JoinedStr) or _is_words(node):
            continue
        for index, part in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(part, ast.expr | ast.keyword | ast.comprehension | ast.withitem | ast.arguments):
                if isinstance(part, ast.expr):
                    for new in _instead(part):
                        yield node, field, index, new
                yield from _below(part)


def _instead(old: ast.expr) -> Iterator[ast.expr]:
    """What an expression is replaced with."""
    if isinstance(old, ast.Compare) and len(old.ops) == 1:
        new = copy.deepcopy(old)
        new.ops = [_OTHER_COMPARISON[type(old.ops[0])]()]
        yield new
    elif isinstance(old, ast.Compare):
        for index, op in enumerate(old.ops):
            new = copy.deepcopy(old)
            new.ops[index] = _OTHER_COMPARISON[type(op)]()
            yield new
    elif isinstance(old, ast.BoolOp):
        for index in range(len(old.values)):
            rest = old.values[:index] + old.values[index + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(old.op, rest)
    elif isinstance(old, ast.UnaryOp) and isinstance(old.op, ast.Not):
        yield old.operand
    elif isinstance(old, ast.IfExp):
        yield old.body
        yield old.orelse
    elif isinstance(old, ast.BinOp) and type(old.op) in _OTHER_OPERATION:
        yield ast.BinOp(old.left, _OTHER_OPERATION[type(old.op)](), old.right)
    elif isinstance(old, ast.Constant) and isinstance(old.value, bool):
        yield ast.Constant(not old.value)
    elif isinstance(old, ast.Constant) and isinstance(old.value, int | float):
        yield ast.Constant(old.value + 1)
    elif isinstance(old, ast.Constant) and isinstance(old.value, str) and " " not in old.value.strip():
        yield ast.Constant("" if old.value else "x")


def _is_words(node: ast.AST) -> bool:
    """Whether it makes an error, or text for a person: its words are no guard."""
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _logs(node))


def _logs(node: ast.AST) -> bool:
    called = ast.unparse(node).partition("(")[0]
    return ".log." in f".{called}" or "logging." in called or called.startswith(("_log.", "warnings."))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _cut(code: str) -> str:
    return code.partition("\n")[0]
