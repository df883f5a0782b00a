"""``history export``: answers in a zip file."""

from __future__ import annotations

from pathlib import Path

from traitlets import Unicode

from ...contract import codec, history, registry
from ...text.units import size
from ..command import LocalCoderCommand
from ..exits import ExitCode
from .answers import request_for


class HistoryExport(LocalCoderCommand):
    """Write answers into a zip file."""

    usage = "history export [ID|last] [options]"
    description = """Export one answer, the answers to one prompt, or all answers as a zip file of
    Markdown files. An existing file is overwritten."""
    arguments = (0, 1)
    aliases = LocalCoderCommand.aliases | {"prompt": "HistoryExport.prompt", "out": "HistoryExport.out"}
    examples = """
jupyter localcoder history export
jupyter localcoder history export last --out=answer.zip
"""

    prompt = Unicode(None, allow_none=True, config=True, help="Only answers to the prompt with this id.")
    out = Unicode(".", config=True, help="Output file or folder. Default: the current folder.")

    def run(self) -> ExitCode:
        """Write it."""
        # Relative to where the command was given, which the server does not know.
        fields = {"prompt_id": self.prompt, "path": str(Path(self.out).expanduser().absolute())}
        with self.client() as client:
            if self.extra_args:
                fields["id"] = request_for(client, self.extra_args[0]).id
            request = codec.decode(history.ResponseExportRequest, fields)
            made: history.ResponsesExported = client.call(registry.RESPONSE_EXPORT, request)
        self.console.document({"count": made.count, "size_bytes": made.size_bytes, "path": made.path})
        self.console.out(made.path)
        self.note(f"{made.count} answer{'' if made.count == 1 else 's'}, {size(made.size_bytes)}.")
        return ExitCode.OK
