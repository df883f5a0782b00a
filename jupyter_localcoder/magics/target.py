"""What a magic works on: the body of its cell, a cell that was run, the last error, or something by name."""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass, replace
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ..contract.generation import Command
from ..errors import InvalidArgument
from .history import CellHistory, language_of
from .last_error import ErrorRecorder

MAX_VALUE_CHARS = 2_000
"""A value's text is only there to show what it is."""

_NUMBER = re.compile(r"-?\d+")


@dataclass(frozen=True)
class CodeTarget:
    """Code, and what is known of it."""

    code: str
    instruction: str = ""
    error: str = ""
    language: str = "python"
    number: int | None = None
    """Number of the cell; None if the target is not a cell."""


class TargetFinder:
    """Finds the target of a magic in a shell."""

    def __init__(self, shell: InteractiveShell, history: CellHistory, errors: ErrorRecorder) -> None:
        self._shell = shell
        self._history = history
        self._errors = errors

    def in_cell(self, command: Command, words: list[str], cell: str) -> CodeTarget:
        """The target of the cell form: the words are an instruction.

        Raises
        ------
        InvalidArgument
            There is nothing in the cell.

        """
        if not cell.strip():
            raise InvalidArgument(
                "The cell is empty.",
                recovery="Write something below the magic, and run the cell again.",
            )
        said = " ".join(words)
        if command in ("generate", "prompt"):
            return CodeTarget("", f"{said}\n{cell}".strip(), number=self._history.current)
        target = CodeTarget(cell, said, language=language_of(cell), number=self._history.current)
        return self._with_error(target) if command == "fix" else target

    def in_line(self, command: Command, words: list[str]) -> CodeTarget:
        """The target of the line form: the first word names it, the others are an instruction.

        Raises
        ------
        UsageError
            There are no words, and the command needs some.
        InvalidArgument
            What they name does not exist.

        """
        said = " ".join(words)
        if command in ("generate", "prompt"):
            if not said:
                raise UsageError("Describe what you want, on this line or (with %%) in the cell.")
            return CodeTarget("", said, number=self._history.current)
        first = words[0] if words else ""
        rest = " ".join(words[1:])
        if _NUMBER.fullmatch(first):
            target = replace(self._cell(int(first)), instruction=rest)
            return self._with_error(target) if command == "fix" else target
        if command == "fix" and first.partition(".")[0] not in self._shell.user_ns:
            return replace(self._last_error(), instruction=said)
        if not first:
            raise UsageError(
                f"Name a cell (`%{command} 3`, `%{command} -1` for the last one) or a function "
                f"(`%{command} my_function`), or write %%{command} above the code."
            )
        return replace(self._named(first, describe=command == "explain"), instruction=rest)

    def _cell(self, number: int) -> CodeTarget:
        source = self._history.source(number)
        if source is None:
            raise InvalidArgument(
                f"Cell {number} does not exist.",
                recovery="Use the number in brackets next to an executed cell, or -1 for the last one.",
            )
        return CodeTarget(source, language=language_of(source), number=self._history.position(number))

    def _last_error(self) -> CodeTarget:
        error = self._errors.last()
        if error is None:
            raise InvalidArgument(
                "There has been no error yet.",
                recovery="Name a cell (`%fix 3`), or write %%fix above the code.",
            )
        return CodeTarget(
            error.source, error=error.text, language=language_of(error.source), number=error.number
        )

    def _with_error(self, target: CodeTarget) -> CodeTarget:
        """Add the last error if it came from this code."""
        error = self._errors.last()
        if error is not None and error.source.strip() == target.code.strip():
            return replace(target, error=error.text)
        return target

    def _named(self, name: str, *, describe: bool) -> CodeTarget:
        shell: Any = self._shell  # IPython leaves this method without types
        info = shell.object_inspect(name, detail_level=1)
        if not info["found"]:
            raise InvalidArgument(
                f"There is no cell or object named `{name}` in this notebook.",
                recovery="First run the cell that defines it, or use the number of a cell.",
            )
        source = None if info["type_name"] == "module" else info["source"]
        if source:
            return CodeTarget(textwrap.dedent(source))
        if not describe:
            raise InvalidArgument(
                f"The source code of `{name}` is not available.",
                recovery="Use the number of a cell instead.",
            )
        parts = [
            f"{name}: {info['type_name']}",
            info["definition"] or "",
            inspect.cleandoc(info["string_form"] or "")[:MAX_VALUE_CHARS],
            info["docstring"] or "",
        ]
        return CodeTarget("\n\n".join(part for part in parts if part))
