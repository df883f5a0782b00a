"""The last error of the notebook: what it said, and the cell in which it was raised.

It is noted as cells end, because a magic that fails would otherwise put its own failure in the place of
the error that the person wants to have fixed.
"""

from __future__ import annotations

import linecache
import sys
import traceback
from dataclasses import dataclass
from types import TracebackType

from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionResult

from ..text.plain_text import plain
from .failure import MagicFailure
from .history import CellHistory

MAX_HEAD_CHARS, MAX_TAIL_CHARS = 1_500, 4_500
"""A traceback through a library may be longer than the code; its two ends tell the most."""


@dataclass(frozen=True)
class LastError:
    """An error, as text, and the cell to be corrected."""

    text: str
    source: str
    number: int | None
    """The cell's number; None where it is not known."""


class ErrorRecorder:
    """Keeps the last error that is not one of a magic's own."""

    def __init__(self, history: CellHistory) -> None:
        self._history = history
        self._last: LastError | None = None

    def note(self, result: ExecutionResult) -> None:
        """Event `post_run_cell`."""
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, BaseException) and _fixable(error):
            raw = getattr(result.info, "raw_cell", "") or ""
            self._last = described(error, self._history, raw)

    def last(self) -> LastError | None:
        """The last error; one from before the extension was loaded counts too."""
        if self._last is None:
            error = getattr(sys, "last_value", None)
            if isinstance(error, BaseException) and _fixable(error):
                return described(error, self._history, "")
        return self._last


def described(error: BaseException, history: CellHistory, raw_cell: str) -> LastError:
    """Describe an error, with frames of cells named as cells and those of IPython left out."""
    cells = _cells(error, history)
    text = "".join(traceback.format_exception(type(error), error, _from_first_cell(error, cells)))
    for filename, position in cells.items():
        text = text.replace(f'File "{filename}"', f"Cell In[{position}]")
    number = list(cells.values())[-1] if cells else None  # the innermost
    source = (history.source(number) if number is not None else None) or raw_cell
    return LastError(_shortened(plain(text)), source, number)


def _fixable(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(error, MagicFailure | UsageError)


def _cells(error: BaseException, history: CellHistory) -> dict[str, int]:
    """File names that stand for cells, and their numbers, in the order of the calls."""
    names = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        names.append(error.filename)
    cells: dict[str, int] = {}
    for name in names:
        number = history.number_of("".join(linecache.getlines(name)))
        if number is not None:
            cells.pop(name, None)  # the innermost call comes last
            cells[name] = number
    return cells


def _from_first_cell(error: BaseException, cells: dict[str, int]) -> TracebackType | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename not in cells:
        trace = trace.tb_next
    if trace is None and not isinstance(error, SyntaxError):
        return error.__traceback__
    return trace


def _shortened(text: str) -> str:
    if len(text) <= MAX_HEAD_CHARS + MAX_TAIL_CHARS:
        return text
    return f"{text[:MAX_HEAD_CHARS]}\n[…]\n{text[-MAX_TAIL_CHARS:]}"
