"""``inspect``: what the model has read for an answer."""

from __future__ import annotations

from traitlets import Bool

from ..contract import codec, generation, registry
from ..text.plain_text import plain
from .command import options
from .exits import ExitCode
from .load import ServerCommand
from .table import table


class Inspect(ServerCommand):
    """Print what the model has read for an answer."""

    usage = "inspect [ID] [options]"
    description = """Print the exact prompt of a recent completion or command of the running
    Jupyter server, and its tokens by source on stderr. The default is the last one. The server
    keeps only a few prompts, in memory."""
    arguments = (0, 1)
    flags = ServerCommand.flags | options(
        redacted=("Inspect.redacted", "Replace every non-whitespace character.")
    )
    alone = "Only a running server can show its requests."

    redacted = Bool(False, config=True, help="Replace every non-whitespace character.")

    def run(self) -> ExitCode:
        """Print it."""
        fields = {"run": self.extra_args[0]} if self.extra_args else {}
        with self.server() as client:
            found: generation.Inspection = client.call(
                registry.CONTEXT_INSPECT, codec.decode(generation.InspectRequest, fields)
            )
        self.console.document(found)
        if found.parts:
            rows = [(plain(p.source), str(p.tokens), str(p.left_out_tokens or "-")) for p in found.parts]
            self.note(table(("SOURCE", "TOKENS", "LEFT OUT"), rows, width=self.console.width))
        self.console.out(plain(found.redacted if self.redacted else found.prompt))
        return ExitCode.OK
