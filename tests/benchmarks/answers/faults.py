"""Python code made worse: with a single fault, or without its docstrings. Pure, and the same each time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.FloorDiv, ast.FloorDiv: ast.Mod,
    ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def faulty(code: str) -> Iterator[str]:
    """The code with one fault in it, each possible one in turn; comments are lost.

    A docstring is never touched.
    """
    tree = ast.parse(code)
    for number, node in enumerate(ast.walk(tree)):
        for fault in _faults(node):
            altered = copy.deepcopy(tree)
            twin = next(one for at, one in enumerate(ast.walk(altered)) if at == number)
            fault_name, value = fault
            setattr(twin, fault_name, value)
            yield ast.unparse(ast.fix_missing_locations(altered))


def undocumented(code: str) -> str:
    """The code without its docstrings; all else stays as it is written."""
    lines = code.splitlines(keepends=True)
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or ast.get_docstring(node) is None:
            continue
        docstring = node.body[0]
        if len(node.body) > 1 and docstring.end_lineno is not None:
            lines[docstring.lineno - 1 : docstring.end_lineno] = [""] * (
                docstring.end_lineno - docstring.lineno + 1
            )
    return "".join(lines)


def _faults(node: ast.AST) -> Iterator[tuple[str, object]]:
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in _SWAPPED:
        yield "op", _SWAPPED[type(node.op)]()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPPED:
        yield "ops", [_SWAPPED[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield "value", node.value + 1
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "value", not node.value
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.expr):
        yield "value", ast.Constant(None)
