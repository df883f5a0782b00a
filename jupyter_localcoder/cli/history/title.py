"""``history title``: the title of an answer, by hand or by the model."""

from __future__ import annotations

from ...contract import codec, history, registry
from ...text.plain_text import plain
from ..command import LocalCoderCommand
from ..exits import ExitCode
from .answers import request_for


class HistoryTitle(LocalCoderCommand):
    """Give an answer a title."""

    usage = "history title ID|last [WORDS...] [options]"
    description = """Set the title of an answer. Without words, the model loaded in the running
    Jupyter server generates a title."""
    arguments = (1, 1000)
    examples = """
jupyter localcoder history title last Reading a CSV file
"""

    def run(self) -> ExitCode:
        """Set it, or have it made."""
        words = " ".join(self.extra_args[1:])
        with self.client() as client:
            request = request_for(client, self.extra_args[0])
            titled: history.ResponseInfo
            if words:
                by_hand = codec.decode(history.TitleSetRequest, {"id": request.id, "title": words})
                titled = client.call(registry.TITLE_SET, by_hand)
            else:
                titled = client.call(registry.TITLE_GENERATE, request)
        self.console.document(titled)
        self.console.out(plain(titled.title))
        return ExitCode.OK
