"""``improve``, ``fix`` and ``document``: changed code, as a diff; with ``--write`` in place of the old."""

from __future__ import annotations

from typing import Any, ClassVar

from traitlets import Bool, Unicode

from .. import answers
from ..contract import generation, registry
from ..contract.generation import Command
from ..errors import InvalidArgument
from ..plain_text import plain
from .command import options
from .exits import Exit
from .generation import GeneratingCommand, answer, generation_aliases
from .source import STDIN, Source, read_source, write_back

_COLOURS = {"@": "cyan", "+": "green", "-": "red"}


class Improve(GeneratingCommand):
    """Improve the code in a file."""

    usage = "improve FILE [options]"
    description = """Improve the code in FILE and print the change as a diff; `-` reads standard input.
    Nothing is written unless `--write` is given: the file is then replaced in one step, and what it
    held is kept in `FILE~`. The code is never run."""
    examples = """
jupyter localcoder improve analysis.py
jupyter localcoder improve analysis.py --instruction "use numpy" --write
jupyter localcoder improve - < old.py | patch old.py
"""
    operation = registry.GENERATE
    command: ClassVar[Command] = "improve"
    aliases = GeneratingCommand.aliases | generation_aliases("Improve", "instruction")
    flags = GeneratingCommand.flags | options(
        write=("Improve.write", "Replace the file, and keep what it held in `FILE~`.")
    )

    instruction = Unicode("", config=True, help="What to look at, in your own words.")
    write = Bool(False, config=True, help="Replace the file, and keep what it held in `FILE~`.")

    def run(self) -> Exit:
        """Change it."""
        source = read_source(self.extra_args[0], self.console)
        self._check_writable(source)
        request = self.options() | {
            "command": self.command,
            "code": source.code,
            "instruction": self.instruction,
            "language": self.language or source.language,
            "sampling": self.sampling(),
            **self._more(),
        }
        done = self.generate(request, lambda text: None)
        code = code_after(source, request["language"], done)
        change = answers.diff(source.code, code)
        if change:
            self.console.out(self._shown(source, change))
        else:
            self.note("The model changed nothing.")
        ended = self.finish(done)
        written = self.write and change != [] and done.finish == "stop"
        if written:
            backup = write_back(source, code)
            self.note(f"Wrote {source.name}; what it held is in {backup.name}.")
        elif self.write and change and ended is Exit.OK:
            self.console.note("The answer is not complete, so the file was left as it is.")
            ended = Exit.FAILED
        diff = "\n".join(_line(line) for line in change)
        self.console.document(answer(done) | {"code": code, "diff": diff, "written": written})
        return ended

    def _more(self) -> dict[str, Any]:
        """Fields of the request that only this command has."""
        return {}

    def _check_writable(self, source: Source) -> None:
        """Refuse before the model works for nothing."""
        if self.write and (source.name == STDIN or source.is_notebook):
            what = "standard input" if source.name == STDIN else "a notebook"
            raise InvalidArgument(f"`--write` cannot write to {what}.", recovery="Leave `--write` out.")

    def _shown(self, source: Source, change: list[answers.DiffLine]) -> str:
        """The diff in the form that `patch` takes; in colour for a person."""
        head = [f"--- {source.name}", f"+++ {source.name}"]
        paint = self.console.paint
        lines = [paint(line, "bold") for line in head]
        for sign, text in change:
            line = _line(answers.DiffLine(sign, text))
            lines.append(paint(line, _COLOURS[sign]) if sign in _COLOURS else line)
        return "\n".join(lines)


class Fix(Improve):
    """Correct the code in a file."""

    usage = "fix FILE [options]"
    description = """Correct the code in FILE and print the change as a diff; `-` reads standard input. What
    it fails with can be given with `--error`. Nothing is written unless `--write` is given: the
    file is then replaced in one step, and what it held is kept in `FILE~`. The code is never run."""
    examples = """
jupyter localcoder fix analysis.py --error "KeyError: 'mean'"
jupyter localcoder fix analysis.py --error "$(cat traceback.txt)" --write
"""
    command = "fix"
    aliases = Improve.aliases | generation_aliases("Fix", "error")

    error = Unicode("", config=True, help="The error message or the traceback.")

    def _more(self) -> dict[str, Any]:
        return {"error": self.error}


class Document(Improve):
    """Add docstrings and comments to the code in a file."""

    usage = "document FILE [options]"
    description = """Add docstrings and comments to the code in FILE and print the change as a diff; `-` reads
    standard input. Nothing is written unless `--write` is given: the file is then replaced in
    one step, and what it held is kept in `FILE~`. The code is never run."""
    examples = """
jupyter localcoder document analysis.py --instruction "NumPy style" --write
"""
    command = "document"


def code_after(source: Source, language: str, done: generation.Done) -> str:
    """The code of an answer, with the line ends and the last line break of what it replaces."""
    code = answers.code_of(plain(done.text), language)
    if source.code.endswith("\n"):
        code += "\n"
    return code.replace("\n", "\r\n") if "\r\n" in source.code else code


def _line(line: answers.DiffLine) -> str:
    return line.text if line.sign == "@" else line.sign + line.text
