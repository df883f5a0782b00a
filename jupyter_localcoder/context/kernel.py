"""What a kernel knows, as a few comment lines: names, types, shapes, columns, signatures; never a value.

Columns stand in quotes, as they do in code: a small model copies what it has seen in the same form. They are
grouped by their type, which costs fewer tokens than naming it each time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..contract.notebook import Column, KernelVariable
from . import marks
from .bounds import MAX_PARSED_CHARS
from .comments import comment

MOST_COLUMNS = 60
"""Of one frame; the number of the others is told."""
MOST_NAME_CHARS = 80
_CALLABLE = ("function", "class", "type", "method", "builtin_function_or_method")


def lines(
    variables: Sequence[KernelVariable], sources: Sequence[str], language: str, most_chars: int
) -> tuple[list[str], int]:
    """One line for each name that is worth it, and how many characters of lines had no room.

    The names used last are chosen first, but stand in an order that does not depend on use: after a run that
    made no new name the lines are the same, and with them what was computed of them.

    Parameters
    ----------
    sources
        Code that the model may read anyway: a function that is defined there needs no line.
    most_chars
        Most characters of all lines together.
    """
    seen = _defined(sources)
    wanted = [variable for variable in variables if not (_is_callable(variable) and variable.name in seen)]
    by_worth = sorted(wanted, key=_worth)
    chosen: list[tuple[tuple[int, str], str]] = []
    left_out = 0
    for variable in by_worth:
        line = comment(describe(variable), language)
        if len(line) + 1 > most_chars:
            left_out += len(line) + 1
            continue
        most_chars -= len(line) + 1
        chosen.append(((_worth(variable), variable.name), line))
    return [line for _, line in sorted(chosen)], left_out


def named(variables: Sequence[KernelVariable], text: str, *, frames: int = 0) -> list[KernelVariable]:
    """The variables that a text names as whole words; where it names no frame, some frames with them.

    Parameters
    ----------
    frames
        So many of the frames that were used last, where the text names none.
    """
    words = frozenset(re.findall(r"\w+", text[:MAX_PARSED_CHARS]))
    chosen = [variable for variable in variables if variable.name in words]
    if not any(variable.columns for variable in chosen):
        others = [variable for variable in variables if variable.columns]
        chosen += others[:frames]
    return chosen


def head(language: str) -> str:
    """The line above them."""
    return comment(marks.KERNEL, language)


def _worth(variable: KernelVariable) -> int:
    if variable.columns:
        return 0
    if variable.signature:
        return 1
    return 2 if variable.shape else 3


def _is_callable(variable: KernelVariable) -> bool:
    return bool(variable.signature) or variable.type in _CALLABLE


def describe(variable: KernelVariable) -> str:
    """What is told of a name, in one line."""
    return _one_line(_description(variable))


def _description(variable: KernelVariable) -> str:
    name = variable.name[:MOST_NAME_CHARS]
    if variable.signature:
        return f"{'class' if variable.type in ('class', 'type') else 'def'} {name}{variable.signature}"
    kind = variable.type[:MOST_NAME_CHARS] or "object"
    shape = f" {'x'.join(str(size) for size in variable.shape)}" if variable.shape else ""
    if variable.columns:
        return f"{name}: {kind}{shape}, {_columns(variable.columns)}"
    return f"{name}: {kind}{shape}"


def _columns(columns: Sequence[Column]) -> str:
    by_type: dict[str, list[str]] = {}
    for column in columns[:MOST_COLUMNS]:
        by_type.setdefault(column.dtype, []).append(f'"{column.name[:MOST_NAME_CHARS]}"')
    groups = [f"{dtype} [{', '.join(names)}]".strip() for dtype, names in by_type.items()]
    if len(columns) > MOST_COLUMNS:
        groups.append(f"{len(columns) - MOST_COLUMNS} more")
    return ", ".join(groups)


def _defined(sources: Sequence[str]) -> frozenset[str]:
    pattern = re.compile(r"^\s*(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)
    return frozenset(name for source in sources for name in pattern.findall(source))


def _one_line(text: str) -> str:
    """Names come from a kernel, and must not end the comment."""
    return " ".join(text.split())
