"""``history search``: answers by their words."""

from __future__ import annotations

from ...contract import codec, history, registry
from ...text.plain_text import plain
from ..exits import ExitCode
from ..table import shorten
from .answers import PagedCommand, row

_INDENT = "    "


class HistorySearch(PagedCommand):
    """Find answers."""

    usage = "history search WORDS... [options]"
    description = """Search answers whose question, text or title contains all words, newest first.
    Words match by prefix; use quotes for an exact phrase. The exit code is 3 if there are no
    results."""
    arguments = (1, 1000)
    examples = """
jupyter localcoder history search pivot table
jupyter localcoder history search '"read_csv header"'
"""

    def run(self) -> ExitCode:
        """Print them, with a line around what was found."""
        words = " ".join(self.extra_args)
        request = codec.decode(history.ResponseSearchRequest, {"query": words, **self.page()})
        with self.client() as client:
            page: history.ResponsesFound = client.call(registry.RESPONSE_SEARCH, request)
        self.console.document(page)
        if not page.found:
            self.console.out("No results.")
            return ExitCode.NOT_FOUND
        width = self.console.width
        for found in page.found:
            line = "  ".join(row(found.response))
            self.console.out(shorten(line, width) if width else line)
            self.console.out(_INDENT + self._excerpt(found, width))
        if page.more:
            self.note(f"More results: `--offset={page.offset + len(page.found)}`.")
        return ExitCode.OK

    def _excerpt(self, found: history.Found, width: int | None) -> str:
        """What was found, marked where that is shown; cut before it is coloured."""
        room = 10_000 if width is None else width - len(_INDENT)
        parts: list[str] = []
        for piece in found.excerpt:
            text = " ".join(plain(piece.text).split(" ")).replace("\n", " ")[:room]
            room -= len(text)
            parts.append(self.console.paint(text, "bold") if piece.match and text else text)
        return "".join(parts)
