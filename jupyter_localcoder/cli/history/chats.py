"""``history chats`` and ``history chat``: the conversations, and one of them."""

from __future__ import annotations

from traitlets import Unicode

from ...contract import codec, history, registry
from ...errors import ConversationNotFound
from ...text.plain_text import plain
from ..command import LocalCoderCommand
from ..exits import ExitCode
from ..table import table
from .answers import LAST, PagedCommand, age


class HistoryChats(PagedCommand):
    """List the conversations."""

    usage = "history chats [options]"
    description = "List the conversations, most recently used first."
    aliases = PagedCommand.aliases | {"notebook": "HistoryChats.notebook"}

    notebook = Unicode(
        None, allow_none=True, config=True, help="Only conversations of the notebook with this path."
    )

    def run(self) -> ExitCode:
        """Print them."""
        request = codec.decode(history.ConversationListRequest, {"notebook": self.notebook, **self.page()})
        with self.client() as client:
            page: history.ConversationList = client.call(registry.CONVERSATION_LIST, request)
        self.console.document(page)
        if not page.conversations:
            self.console.out(
                "There are no conversations." if not page.total else "There are no more conversations."
            )
            return ExitCode.OK
        rows = [
            tuple(
                plain(cell)
                for cell in (chat.id, age(chat.updated_at), str(chat.turns), chat.notebook, chat.title)
            )
            for chat in page.conversations
        ]
        self.console.out(table(("ID", "AGE", "TURNS", "NOTEBOOK", "TITLE"), rows, width=self.console.width))
        if page.offset + len(page.conversations) < page.total:
            self.note(
                f"{len(page.conversations)} of {page.total}; use `--offset` and `--limit` to show others."
            )
        return ExitCode.OK


class HistoryChat(LocalCoderCommand):
    """Print one conversation."""

    usage = "history chat ID|last [options]"
    description = """Print a conversation as Markdown, each question under a heading. `last` is the
    most recently used conversation."""
    arguments = (1, 1)

    def run(self) -> ExitCode:
        """Print it."""
        id_ = self.extra_args[0]
        with self.client() as client:
            if id_ == LAST:
                page: history.ConversationList = client.call(
                    registry.CONVERSATION_LIST, history.ConversationListRequest(limit=1)
                )
                if not page.conversations:
                    raise ConversationNotFound("There are no conversations.")
                id_ = page.conversations[0].id
            request = codec.decode(history.ConversationGetRequest, {"id": id_})
            chat: history.Conversation = client.call(registry.CONVERSATION_GET, request)
        self.console.document(chat)
        self.console.out("\n\n".join(_turn(turn) for turn in chat.turns))
        return ExitCode.OK


def _turn(turn: history.Response) -> str:
    beside = ", ".join(reference.name or reference.kind for reference in turn.references)
    asked = plain(turn.prompt) + (f"\n\n(with {plain(beside)})" if beside else "")
    return f"## {turn.created_at}\n\n{asked}\n\n---\n\n{plain(turn.content)}"
