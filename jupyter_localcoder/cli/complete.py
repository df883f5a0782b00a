"""``complete FILE --line --column``: what the model would type there."""

from __future__ import annotations

from traitlets import Bool, Integer, Unicode

from ..contract import registry
from ..errors import InvalidArgument
from .command import options
from .exits import ExitCode
from .generation import GeneratingCommand, answer, generation_aliases
from .source import read_source


class Complete(GeneratingCommand):
    """Complete the code at a place in a file."""

    usage = "complete FILE [--line=N] [--column=N] [options]"
    description = """Print the completion at a position in FILE; `-` reads standard input. Lines
    are counted from 1 and columns from 0: column 0 is before the first character. The default
    position is the end of the file."""
    examples = """
jupyter localcoder complete analysis.py --line=12 --column=4
"""
    operation = registry.TAB_COMPLETE
    aliases = {
        name: trait for name, trait in GeneratingCommand.aliases.items() if name != "profile"
    } | generation_aliases("Complete", "line", "column", "provider")
    flags = GeneratingCommand.flags | options(one_line=("Complete.one_line", "Stop at the first line break."))

    provider = Unicode(
        "", config=True, help="Id of the provider. Default: the setting `completion_provider`."
    )
    line = Integer(
        None, allow_none=True, config=True, help="Line number, starting at 1. Default: the last line."
    )
    column = Integer(
        None,
        allow_none=True,
        config=True,
        help="Number of characters to the left of the cursor. Default: the whole line.",
    )
    one_line = Bool(False, config=True, help="Stop at the first line break.")

    def run(self) -> ExitCode:
        """Complete it."""
        source = read_source(self.extra_args[0], self.console)
        prefix, suffix = split_at(source.code, self.line, self.column)
        fields = {"temperature": self.temperature, "seed": self.seed}
        request = self.options() | {name: value for name, value in fields.items() if value is not None}
        request |= {
            "prefix": prefix,
            "suffix": suffix,
            "language": self.language or source.language,
            "multiline": not self.one_line,
        }
        done = self.generate(request, self.show)
        if self.console.stdout.isatty():
            self.console.out("")
        self.console.document(answer(done))
        return self.finish(done)

    def show(self, text: str) -> None:
        """Print a piece of the completion."""
        self.console.out(text, end="")


def split_at(code: str, line: int | None, column: int | None) -> tuple[str, str]:
    """The text before and after a place; lines count from 1, columns from 0.

    Raises
    ------
    InvalidArgument
        There is no such place.

    """
    lines = code.splitlines(keepends=True)
    if line is None and column is None:
        return code, ""
    # After a last line break stands an empty line: a cursor can be there.
    if code.endswith(("\n", "\r")):
        lines.append("")
    line = len(lines) if line is None else line
    if not 1 <= line <= len(lines):
        raise InvalidArgument(f"There is no line {line}.", recovery=f"Lines go from 1 to {len(lines)}.")
    text = lines[line - 1].rstrip("\r\n")
    column = len(text) if column is None else column
    if not 0 <= column <= len(text):
        raise InvalidArgument(
            f"Line {line} has no column {column}.", recovery=f"Columns of this line go from 0 to {len(text)}."
        )
    place = sum(len(before) for before in lines[: line - 1]) + column
    return code[:place], code[place:]
