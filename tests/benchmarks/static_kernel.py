"""What a kernel would know, guessed from the code alone, for benches that run none of it.

It stands for the names that a kernel tells after all cells above were run. It is poorer than a real kernel:
the columns of a frame are only those that the notebook names somewhere else than in the held-back line,
without dtypes and without the frame's shape, and most variables have no known type. In one thing it flatters:
a frame of a real kernel also has columns that nobody names, which a model might choose wrongly.
"""

from __future__ import annotations

import ast
import re

from jupyter_localcoder.context.checks.syntax import python_of
from jupyter_localcoder.contract.notebook import Column, KernelVariable

from .held_back import Request

_MAKES_A_FRAME = re.compile(
    r"read_\w+\(|DataFrame\(|load_\w*data\(|\.(?:copy|drop|dropna|merge|join|pivot)\("
)
_MAKES_AN_ARRAY = re.compile(r"np\.(?:array|zeros|ones|full|arange|linspace|empty|eye)\(|np\.random\.")


def variables(request: Request) -> tuple[KernelVariable, ...]:
    """Names bound in the cells above, the last bound first."""
    above = [cell.source for cell in request.cells[: request.active] if cell.kind == "code"]
    others = [
        cell.source for i, cell in enumerate(request.cells) if i != request.active and cell.kind == "code"
    ]
    known: dict[str, KernelVariable] = {}
    for source in above:
        for variable in _bound(source):
            known.pop(variable.name, None)
            known[variable.name] = variable
    text = "\n".join([*others, request.above, request.below])
    created_later = "\n".join([*others[len(above) :], request.below])
    told = [_with_columns(variable, text, created_later) for variable in reversed(known.values())]
    return tuple(told)


def _bound(source: str) -> list[KernelVariable]:
    python = python_of(source)
    try:
        statements = ast.parse(python or "").body
    except (SyntaxError, ValueError):
        return []
    found: list[KernelVariable] = []
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            signature = f"({ast.unparse(_without_values(statement.args))})"
            found.append(KernelVariable(name=statement.name, type="function", signature=signature))
        elif isinstance(statement, ast.ClassDef):
            found.append(KernelVariable(name=statement.name, type="class"))
        elif isinstance(statement, ast.Assign):
            made_by = ast.unparse(statement.value)
            names = [name for target in statement.targets for name in _names(target)]
            found += [
                KernelVariable(name=name, type=_type(made_by) if len(names) == 1 else "") for name in names
            ]
    return found


def _names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Tuple | ast.List):
        return [element.id for element in target.elts if isinstance(element, ast.Name)]
    return []


def _type(made_by: str) -> str:
    if _MAKES_A_FRAME.search(made_by):
        return "DataFrame"
    if _MAKES_AN_ARRAY.match(made_by):
        return "ndarray"
    made = re.match(r"(?:\w+\.)*([A-Z]\w+)\(", made_by)
    return made[1] if made else ""


def _without_values(arguments: ast.arguments) -> ast.arguments:
    """Defaults as `...`: a probe tells no value."""
    hidden = ast.Constant(...)
    arguments.defaults = [hidden for _ in arguments.defaults]
    arguments.kw_defaults = [default and hidden for default in arguments.kw_defaults]
    return arguments


def _with_columns(variable: KernelVariable, text: str, created_later: str) -> KernelVariable:
    if variable.type != "DataFrame":
        return variable
    name = re.escape(variable.name)
    named = re.findall(rf"(?<![\w.]){name}\[\s*['\"]([^'\"\n]+)['\"]\s*\]", text)
    for several in re.findall(rf"(?<![\w.]){name}\[\s*\[([^\[\]]*)\]\s*\]", text):
        named += re.findall(r"['\"]([^'\"\n]+)['\"]", several)
    late = re.findall(rf"(?<![\w.]){name}\[\s*['\"]([^'\"\n]+)['\"]\s*\]\s*=[^=]", created_later)
    columns = [column for column in dict.fromkeys(named) if column not in late]
    return KernelVariable(
        name=variable.name,
        type=variable.type,
        columns=tuple(Column(name=column, dtype="") for column in columns),
    )
