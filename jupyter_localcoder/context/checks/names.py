"""Names that a cell binds, and that cells below it read: new code must still bind them. For Python. Pure."""

from __future__ import annotations

import ast
import symtable
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence

from .. import magics
from ..bounds import MAX_PARSED_CHARS

MAX_BELOW_CHARS = 200_000
"""Of the cells below, the nearest ones first."""


def lost(before: str, after: str, below: Sequence[str], above: Iterable[str] = ()) -> str:
    """The first name that code no longer binds although a cell below reads it; empty where there is none.

    Parameters
    ----------
    below
        Cells below, in document order.
    above
        Cells above: a name that they bind stays bound.
    """
    old, new = bound(before), bound(after)
    if old is None or new is None or not old - new:
        return ""
    gone = old - new
    for source in above:
        gone -= bound(source) or frozenset()
    left = MAX_BELOW_CHARS
    for source in below:
        left -= len(source)
        wanted = [name for name in sorted(gone) if name in source]
        tree = _parsed(source) if wanted and left >= 0 else None
        if tree is None:
            continue
        for name in wanted:
            reads, binds = _first_use(tree, name)
            if reads:
                return name
            if binds:
                gone -= {name}
    return ""


def bound(code: str) -> frozenset[str] | None:
    """The names that code binds as a cell; None where it cannot be read."""
    table = _table(code)
    if table is None:
        return None
    return frozenset(
        symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()
    )


def _first_use(tree: ast.Module, name: str) -> tuple[bool, bool]:
    """Whether a cell reads a name that it was not the first to bind, and whether it binds it."""
    for statement in tree.body:
        if name in _read(_head(statement, name)):
            return True, False
        if name in (bound(ast.unparse(statement)) or ()):
            return False, True
    return False, False


def _head(statement: ast.stmt, name: str) -> ast.stmt:
    """What of a statement is computed before it binds a name: of a loop over it, what it loops over."""
    if isinstance(statement, ast.For | ast.AsyncFor) and _names(statement.target, name):
        return ast.Expr(statement.iter)
    if isinstance(statement, ast.With | ast.AsyncWith):
        first = next((at for at, one in enumerate(statement.items) if _names(one.optional_vars, name)), None)
        if first is not None:
            return ast.Expr(ast.Tuple([one.context_expr for one in statement.items[: first + 1]], ast.Load()))
    return statement


def _names(target: ast.expr | None, name: str) -> bool:
    return target is not None and any(
        isinstance(node, ast.Name) and node.id == name for node in ast.walk(target)
    )


def _read(statement: ast.stmt) -> frozenset[str]:
    """Names of the notebook that a statement reads, in functions too."""
    table = _table(ast.unparse(statement))
    if table is None:
        return frozenset()
    loaded = {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
    }
    augmented = {
        node.target.id
        for node in ast.walk(statement)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }
    return frozenset(set(_globals(table)) & (loaded | augmented))


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if (symbol.is_referenced() or symbol.is_assigned()) and (top or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


def _table(code: str) -> symtable.SymbolTable | None:
    source = _python(code)
    if source is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return symtable.symtable(_with_own_scopes(source), "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _with_own_scopes(source: str) -> str:
    """The same names, where each comprehension has a scope of its own.

    From Python 3.12 on, the table of a scope has the variables of its comprehensions among its own names,
    but not those of generator expressions.
    """
    tree = ast.parse(source)
    if not any(isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp) for node in ast.walk(tree)):
        return source
    return ast.unparse(_AsGenerators().visit(tree))


class _AsGenerators(ast.NodeTransformer):
    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._generator(node.elt, node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._generator(node.elt, node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._generator(ast.Tuple([node.key, node.value], ast.Load()), node)

    def _generator(self, elt: ast.expr, node: ast.ListComp | ast.SetComp | ast.DictComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(elt, node.generators))


def _parsed(code: str) -> ast.Module | None:
    source = _python(code)
    try:
        return None if source is None else ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _python(code: str) -> str | None:
    lines = code.split("\n")
    while lines and (not lines[0].strip() or magics.is_cell_magic(lines[0])):
        del lines[0]
    if len(code) > MAX_PARSED_CHARS:
        return None
    return textwrap.dedent("\n".join(magics.neutral(lines)))
