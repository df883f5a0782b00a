"""Whether Python code can still become valid: it is, or what is missing is missing at its end."""

from __future__ import annotations

import ast
import codeop
import contextlib
import re
import warnings
from functools import lru_cache
from typing import Any

from ..bounds import MAX_PARSED_CHARS
from .cell_language import language_of
from .scan import scan

MOST_CHARS = 40_000
"""A longer cell is not parsed with every suggestion."""

_INCOMPLETE_INPUT: int = getattr(codeop, "PyCF_ALLOW_INCOMPLETE_INPUT", 0)
"""Lets the parser tell what is wrong from what only ends too early; Python 3.10 does not have it."""
_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_TOO_EARLY = re.compile(
    r"was never closed|expected an indented block|expected 'except'|unterminated triple-quoted"
)
_MAYBE_MAGIC = re.compile(r"^\s*[%!?,;/]|\?\s*(?:#.*)?$|=\s*[%!]", re.MULTILINE)
"""Without one of these no line can be IPython's own."""
_MOST_MAGIC_CHARS = 6_000
"""A longer cell is not read for lines that are IPython's own: reading it takes too long between two keys."""
_MOST_ROUNDS = 3
"""Of reading a cell for such lines: what one of them says may hide the next."""


def breaks(before: str, line: str, rest: str) -> bool:
    """Whether a line makes code invalid that was not.

    Parameters
    ----------
    before
        Code of the cell before the line.
    rest
        What stands after the line in the same line.
    """
    with_line = before + line + rest
    if language_of(before + line, "python") != "python" or len(with_line) > MOST_CHARS:
        return False
    if cell_can_become_valid(with_line):
        return False
    as_it_is, closed = before + rest, before + scan(before).closing
    return cell_can_become_valid(as_it_is) or cell_can_become_valid(closed)


def cell_can_become_valid(cell: str) -> bool:
    """Whether a cell is valid, or only lacks its end, as IPython reads it."""
    if not cell.lstrip().startswith("%%") and can_become_valid(cell):
        return True
    python = python_of(cell)
    return python is None or (python != cell and can_become_valid(python))


def python_of(cell: str) -> str | None:
    """A cell as IPython makes Python of it; None where it is in another language, or too much to read."""
    if language_of(cell, "python") != "python":
        return None
    head, body = "", cell
    if cell.lstrip().startswith("%%"):
        first, _, body = cell.lstrip().partition("\n")
        head = f"#{first}\n"
    if not _MAYBE_MAGIC.search(body):
        return head + body
    return head + _transformed(body) if len(body) <= _MOST_MAGIC_CHARS else None


@lru_cache(maxsize=64)
def _transformed(code: str) -> str:
    """What IPython makes of its own lines; it knows where a statement begins, and where one only goes on."""
    # Imported only where a cell needs it: it takes a server some 0.1 s.
    from IPython.core.inputtransformer2 import TransformerManager, make_tokens_by_line

    kinds: list[Any] = TransformerManager().token_transformers  # type: ignore[no-untyped-call]
    # IPython takes a last line without an end for one that is complete.
    lines = f"{code}\n".splitlines(keepends=True)
    for _ in range(_MOST_ROUNDS):
        before = lines
        # From the last line to the first one, so that the places of the others stay.
        for tokens in reversed(make_tokens_by_line(lines)):
            found = next((one for kind in kinds if tokens and (one := kind.find([tokens]))), None)
            if found is not None:
                with contextlib.suppress(SyntaxError):
                    lines = found.transform(lines)
        if lines == before:
            break
    return "".join(lines).removesuffix("\n")


def can_become_valid(code: str, flags: int = _INCOMPLETE_INPUT) -> bool:
    """Whether code is valid, or only lacks its end; or so long that it is not looked at."""
    if len(code) > MAX_PARSED_CHARS:
        return True
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
