"""Whether Python code can still become valid: it is, or what is missing is missing at its end."""

from __future__ import annotations

import ast
import codeop
import re
import warnings

from .scan import scan

MOST_CHARS = 40_000
"""A longer cell is not parsed with every suggestion."""

_INCOMPLETE_INPUT: int = getattr(codeop, "PyCF_ALLOW_INCOMPLETE_INPUT", 0)
"""Lets the parser tell what is wrong from what only ends too early; Python 3.10 does not have it."""
_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_TOO_EARLY = re.compile(
    r"was never closed|expected an indented block|expected 'except'|unterminated triple-quoted"
)
_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "skip"})
_LINE_MAGIC = re.compile(r"^(\s*)[%!?].*$|^(\s*)[\w.]+\?{1,2}\s*$", re.MULTILINE)
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w.,\s\[\]'\"]+=\s*)[%!].*$", re.MULTILINE)


def breaks(before: str, line: str, rest: str) -> bool:
    """Whether a line makes code invalid that was not.

    Parameters
    ----------
    before
        Code of the cell before the line.
    rest
        What stands after the line in the same line.
    """
    sources = [
        python_of(code) for code in (before + rest, before + scan(before).closing, before + line + rest)
    ]
    as_it_is, closed, with_line = sources
    if with_line is None or as_it_is is None or closed is None or len(with_line) > MOST_CHARS:
        return False
    if not (can_become_valid(as_it_is) or can_become_valid(closed)):
        return False
    return not can_become_valid(with_line)


def python_of(cell: str) -> str | None:
    """A cell as Python, magics taken out; None where it is in another language."""
    magic = _CELL_MAGIC.match(cell)
    if magic is not None:
        if magic[1] not in _PYTHON_MAGICS:
            return None
        cell = "#" + cell
    return _ASSIGNED_MAGIC.sub(r"\1None", _LINE_MAGIC.sub(r"\1\2pass", cell))


def can_become_valid(code: str, flags: int = _INCOMPLETE_INPUT) -> bool:
    """Whether code is valid, or only lacks its end."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<cell>", "exec", flags=_FLAGS | flags, dont_inherit=True)
    except SyntaxError as failure:
        return _lacks_its_end(failure, code, flags)
    except (ValueError, RecursionError, MemoryError):
        return True
    return True


def _lacks_its_end(failure: SyntaxError, code: str, flags: int) -> bool:
    if failure.msg == "incomplete input" or (not flags and _TOO_EARLY.search(failure.msg)):
        return True
    lines = code.rstrip().splitlines()
    if failure.lineno is None or failure.offset is None or failure.lineno < len(lines):
        return False
    # The parser stumbles over the end of the line, which it takes for the end of the statement.
    end = len(lines[-1]) if lines else 0
    misses_else = failure.msg.startswith("expected 'else'") and (failure.end_offset or 0) > end
    return failure.lineno > len(lines) or failure.offset > end or failure.offset == 0 or misses_else
