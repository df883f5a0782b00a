"""``improve``, ``fix`` and ``document``: changed code, as a diff; with ``--write`` in place of the old."""

from __future__ import annotations

from typing import Any, ClassVar

from traitlets import Bool, Unicode

from ..context.target import target_of
from ..contract import codec, generation, registry
from ..contract.generation import Command
from ..text import answers
from .command import options
from .exits import ExitCode
from .generation import WHOLE_ANSWER, GeneratingCommand, answer, generation_aliases
from .source import CodeSource, check_writable, read_source, write_back

_COLOURS = {"@": "cyan", "+": "green", "-": "red"}


class Improve(GeneratingCommand):
    """Improve the code in a file."""

    usage = "improve FILE [options]"
    description = """Improve the code in FILE and print the change as a diff; `-` reads standard
    input. With `--write`, the file is replaced atomically and the original is saved as `FILE~`. The
    code is never run."""
    examples = """
jupyter localcoder improve analysis.py
jupyter localcoder improve analysis.py --instruction "use numpy" --write
jupyter localcoder improve - < old.py | patch old.py
"""
    operation = registry.GENERATE
    command: ClassVar[Command] = "improve"
    aliases = GeneratingCommand.aliases | generation_aliases("Improve", "instruction")
    flags = GeneratingCommand.flags | options(
        write=("Improve.write", "Overwrite the file, and save the original as `FILE~`.")
    )

    instruction = Unicode("", config=True, help="Instruction: what to look at.")
    write = Bool(False, config=True, help="Overwrite the file, and save the original as `FILE~`.")

    def run(self) -> ExitCode:
        """Change it."""
        source = read_source(self.extra_args[0], self.console)
        if self.write:
            check_writable(source)
        request = self.options() | {
            "command": self.command,
            "code": source.code,
            "instruction": self.instruction,
            "language": self.language or source.language,
            "sampling": self.sampling(),
            "origin": source.origin,
            **self._more(),
        }
        done = self.generate(request, lambda text: None)
        asked = codec.decode(generation.GenerateRequest, request)
        # A server of an older version does not say what may be written.
        change = done.change or answers.change_of(asked, target_of(asked), done.text, done.finish)
        code = change.code
        lines = [] if change.problem else answers.diff(source.code, code)
        if lines:
            self.console.out(self._shown(source, lines))
        elif not change.problem:
            self.note("The model made no changes.")
        for sentence in change.notes:
            self.note(f"Note: {sentence}")
        ended = self.finish(done)
        written = self.write and lines != []
        if written:
            backup = write_back(source, code)
            self.note(f"Wrote {source.name}; the original is in {backup.name}.")
        elif change.problem and ended is ExitCode.OK:
            kept = f" `{source.name}` was not changed." if self.write else ""
            self.console.note(f"{change.problem}{kept} {change.recovery} {WHOLE_ANSWER}")
            ended = ExitCode.FAILED
        diff = "\n".join(_line(line) for line in lines)
        self.console.document(answer(done) | {"code": code, "diff": diff, "written": written})
        return ended

    def _more(self) -> dict[str, Any]:
        """Fields of the request that only this command has."""
        return {}

    def _shown(self, source: CodeSource, change: list[answers.DiffLine]) -> str:
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
    description = """Fix the code in FILE and print the change as a diff; `-` reads standard input.
    Pass the error with `--error`. With `--write`, the file is replaced atomically and the original
    is saved as `FILE~`. The code is never run."""
    examples = """
jupyter localcoder fix analysis.py --error "KeyError: 'mean'"
jupyter localcoder fix analysis.py --error "$(cat traceback.txt)" --write
"""
    command = "fix"
    aliases = Improve.aliases | generation_aliases("Fix", "error")

    error = Unicode("", config=True, help="Error message or traceback.")

    def _more(self) -> dict[str, Any]:
        return {"error": self.error}


class Document(Improve):
    """Add docstrings and comments to the code in a file."""

    usage = "document FILE [options]"
    description = """Add docstrings and comments to the code in FILE and print the change as a
    diff; `-` reads standard input. With `--write`, the file is replaced atomically and the original
    is saved as `FILE~`. The code is never run."""
    examples = """
jupyter localcoder document analysis.py --instruction "NumPy style" --write
"""
    command = "document"


def _line(line: answers.DiffLine) -> str:
    return line.text if line.sign == "@" else line.sign + line.text
