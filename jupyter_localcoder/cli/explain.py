"""``explain FILE``: the explanation streams to stdout as plain text."""

from __future__ import annotations

from traitlets import Unicode

from ..contract import registry
from .exits import ExitCode
from .generation import GeneratingCommand, answer, generation_aliases
from .source import read_source


class Explain(GeneratingCommand):
    """Explain the code in a file."""

    usage = "explain FILE [options]"
    description = """Explain the code in FILE; `-` reads standard input. For a notebook, the code
    cells are read. The explanation is printed on stdout, and a line with tokens and seconds on
    stderr."""
    examples = """
jupyter localcoder explain analysis.py
git diff | jupyter localcoder explain - --instruction "what changes?"
"""
    operation = registry.GENERATE
    aliases = GeneratingCommand.aliases | generation_aliases("Explain", "instruction")

    instruction = Unicode("", config=True, help="Instruction: what to look at.")

    def run(self) -> ExitCode:
        """Explain it."""
        source = read_source(self.extra_args[0], self.console)
        request = self.options() | {
            "command": "explain",
            "code": source.code,
            "instruction": self.instruction,
            "language": self.language or source.language,
            "sampling": self.sampling(),
            "origin": source.origin,
        }
        done = self.generate(request, self.show)
        self.console.out("")
        self.console.document(answer(done))
        return self.finish(done)

    def show(self, text: str) -> None:
        """Print a piece of the answer."""
        self.console.out(text, end="")
