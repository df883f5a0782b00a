"""``history list``: the answers that were kept, newest first."""

from __future__ import annotations

from traitlets import Unicode

from ...contract import codec, history, registry
from ..exits import ExitCode
from ..table import table
from .answers import HEAD, PagedCommand, row


class HistoryList(PagedCommand):
    """List the answers."""

    usage = "history list [options]"
    description = """List the saved answers, newest first: id, age, command, model and title. An
    answer without a title shows the beginning of its question."""
    aliases = PagedCommand.aliases | {"prompt": "HistoryList.prompt"}
    examples = """
jupyter localcoder history list
jupyter localcoder history list --limit=100 --offset=100
"""

    prompt = Unicode(None, allow_none=True, config=True, help="Only answers to the prompt with this id.")

    def run(self) -> ExitCode:
        """Print them."""
        request = codec.decode(history.ResponseListRequest, {"prompt_id": self.prompt, **self.page()})
        with self.client() as client:
            page: history.ResponseList = client.call(registry.RESPONSE_GET_HISTORY, request)
        self.console.document(page)
        if not page.responses:
            self.console.out("The history is empty." if not page.total else "There are no more answers.")
            return ExitCode.OK
        self.console.out(table(HEAD, [row(info) for info in page.responses], width=self.console.width))
        if page.offset + len(page.responses) < page.total:
            self.note(f"{len(page.responses)} of {page.total}; use `--offset` and `--limit` to show others.")
        return ExitCode.OK
