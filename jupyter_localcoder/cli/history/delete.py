"""``history delete``: one answer, some, those to one prompt, or all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import Bool, Unicode

from ...contract import codec, history, registry
from ...errors import InvalidArgument
from ..command import LocalCoderCommand, options
from ..exits import ExitCode
from .answers import request_for

if TYPE_CHECKING:
    from ...client import Client


class HistoryDelete(LocalCoderCommand):
    """Delete answers."""

    usage = "history delete ID... | --prompt=ID | --chat=ID | --all"
    description = """Delete answers and their files. This cannot be undone. At a terminal, the
    command asks for confirmation."""
    arguments = (0, 1000)
    aliases = LocalCoderCommand.aliases | {"prompt": "HistoryDelete.prompt", "chat": "HistoryDelete.chat"}
    flags = LocalCoderCommand.flags | options(
        all=("HistoryDelete.everything", "Delete the whole history."),
        yes=("HistoryDelete.yes", "Do not ask for confirmation."),
    )

    prompt = Unicode(
        None, allow_none=True, config=True, help="Delete all answers to the prompt with this id."
    )
    chat = Unicode(None, allow_none=True, config=True, help="Delete the conversation with this id.")
    everything = Bool(False, config=True, help="Delete the whole history.")
    yes = Bool(False, config=True, help="Do not ask for confirmation.")

    def run(self) -> ExitCode:
        """Delete them."""
        ids = list(dict.fromkeys(self.extra_args))
        given = [bool(ids), self.prompt is not None, self.chat is not None, self.everything]
        if sum(given) != 1:
            raise InvalidArgument(
                "Give the ids of answers, or one of `--prompt`, `--chat` and `--all`.",
                recovery=f"Usage: jupyter localcoder {self.usage}",
            )
        with self.client() as client:
            count = self._ids(client, ids) if ids else self._many(client)
        self.console.document(history.DeletedCount(count=count))
        self.console.out(f"Deleted: {count}.")
        return ExitCode.OK

    def _ids(self, client: Client, ids: list[str]) -> int:
        # All of them are looked at before the first one goes.
        requests = [request_for(client, id_) for id_ in ids]
        self._confirm(f"Delete {len(ids)} answer{'s' if len(ids) > 1 else ''}?")
        for request in requests:
            client.call(registry.RESPONSE_DELETE, request)
        return len(requests)

    def _many(self, client: Client) -> int:
        deleted: history.DeletedCount
        if self.chat is not None:
            chat = codec.decode(history.ConversationRequest, {"id": self.chat})
            self._confirm("Delete this conversation?")
            deleted = client.call(registry.CONVERSATION_DELETE, chat)
            return deleted.count
        request = codec.decode(
            history.ResponseDeleteAllRequest, {"all": True} if self.everything else {"prompt_id": self.prompt}
        )
        self._confirm(
            "Delete the whole history?" if self.everything else "Delete all answers to this prompt?"
        )
        deleted = client.call(registry.RESPONSE_DELETE_ALL, request)
        return deleted.count

    def _confirm(self, question: str) -> None:
        if not self.yes:
            self.console.confirm(f"{question} This cannot be undone.", "Nothing was deleted.")
