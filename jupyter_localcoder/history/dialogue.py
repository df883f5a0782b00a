"""What a chat remembers: where its next turn goes, and what was said before it.

Shared with the nouns that generate; it serves no operation itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ..contract.generation import ChatRequest
from ..contract.history import Response
from ..contract.notebook import MAX_TEXT_CHARS, Reference
from ..errors import ConversationNotFound, InvalidArgument, ResponseNotFound
from . import HistoryStore
from .names import new_id
from .store import Thread
from .unsaved_turns import UnsavedTurns

NEW = "new"
MAX_TURNS = 400
"""So many earlier turns are sent to the worker, which finds out how many fit."""
MAX_CHARS = 2_000_000
"""So many characters of them: no context window holds more."""


@dataclass(frozen=True)
class NextTurn:
    """The next turn of a conversation."""

    conversation: str
    parent: str
    """The turn before it; empty for the first."""
    words: str
    references: tuple[Reference, ...]
    instruction: str
    """In place of the usual one; empty: none is given."""
    before: tuple[Response, ...]
    """Oldest first."""
    omitted: int
    """How many turns there are before those."""


class Dialogue:
    """Finds the place of a turn in its conversation."""

    def __init__(self, store: HistoryStore, unsaved: UnsavedTurns) -> None:
        self._store = store
        self._unsaved = unsaved

    async def next_turn(self, request: ChatRequest) -> NextTurn:
        """Where a chat's next turn goes.

        Raises
        ------
        InvalidArgument
            The request contradicts itself.
        ConversationNotFound, ResponseNotFound, SourceFileNotFound
            The conversation, or the turn that is named, is not there.
        DatabaseError, FileReadError, FileWriteError, DiskFull
            The history cannot be read.
        """
        instruction, words = _checked(request)
        references = request.references
        conversation = request.conversation or ""
        if conversation == NEW:
            return NextTurn(new_id(), "", words, references, instruction, (), 0)
        parent = request.parent
        if request.regenerate is not None:
            again = await self._turn(conversation, request.regenerate)
            words, references, parent = again.prompt, again.references, again.parent_id
        last, before, omitted = await self._thread(conversation, parent)
        return NextTurn(conversation, last, words, references, instruction, before, omitted)

    async def _turn(self, conversation: str, id_: str) -> Response:
        """One turn of a conversation."""
        unsaved = self._unsaved.get(id_)
        if unsaved is not None and unsaved.conversation_id == conversation:
            return unsaved
        # Also makes sure that it is one of this conversation.
        thread = await self._stored_thread(conversation, id_, 1)
        if not thread.turns:
            raise ResponseNotFound("The turn to be answered again no longer exists.")
        return thread.turns[0]

    async def _thread(self, conversation: str, turn: str | None) -> tuple[str, tuple[Response, ...], int]:
        """The turns up to one of them (None: the last one): its id, the turns, and how many were left out."""
        known = True
        if turn is None:
            turn = self._unsaved.last(conversation)
            known = bool(turn)
        elif not turn:
            await self._require(conversation)
            return "", (), 0
        last = turn
        found: list[Response] = []
        omitted = 0
        while True:
            unsaved = self._unsaved.get(turn) if turn else None
            if unsaved is not None and (found or unsaved.conversation_id == conversation):
                found.append(unsaved)
                turn = unsaved.parent_id
                if not turn:
                    break
                continue
            if known and not turn:
                break
            try:
                thread = await self._stored_thread(
                    conversation, turn if known else None, max(0, MAX_TURNS - len(found))
                )
            except (ConversationNotFound, ResponseNotFound):
                if found:
                    break  # what was before it is forgotten, or deleted
                raise
            known = True
            last = last or thread.last
            found += reversed(thread.turns)
            omitted += thread.omitted
            # The first of them may follow one that the history never got.
            first = thread.turns[0].parent_id if thread.turns and not thread.omitted else ""
            if self._unsaved.get(first) is None:
                break
            turn = first
        kept = _that_fit(found)
        return last, tuple(reversed(found[:kept])), omitted + len(found) - kept

    async def _require(self, conversation: str) -> None:
        if not self._unsaved.last(conversation):
            await self._stored_thread(conversation, None, 1)

    async def _stored_thread(self, conversation: str, turn: str | None, most: int) -> Thread:
        begun = bool(self._unsaved.last(conversation))
        try:
            return await asyncio.to_thread(self._store.thread, conversation, turn, most)
        except ConversationNotFound:
            if begun and turn is not None:
                raise ResponseNotFound("The conversation does not contain this turn.") from None
            raise


def _checked(request: ChatRequest) -> tuple[str, str]:
    """The instruction and the words of the new turn."""
    messages = list(request.messages)
    instruction = ""
    if messages and messages[0].role == "system":
        instruction = messages.pop(0).content
    if request.regenerate is not None:
        if messages or request.references or request.parent is not None or request.conversation == NEW:
            raise InvalidArgument(
                "A turn that is answered again keeps its question, its references and its position.",
                recovery="Send only the conversation id and `regenerate`, or ask a new question.",
                field="regenerate",
            )
        return instruction, ""
    if len(messages) != 1 or messages[0].role != "user" or not messages[0].content.strip():
        raise InvalidArgument(
            "In a conversation, `messages` must contain only the new question.",
            recovery="Omit the earlier turns: they are stored with the conversation. For a chat that is not "
            "stored, omit `conversation`.",
            field="messages",
        )
    if request.conversation == NEW and request.parent:
        raise InvalidArgument("A new conversation has no earlier turn.", field="parent")
    chars = len(messages[0].content) + sum(len(reference.text) for reference in request.references)
    if chars > MAX_TEXT_CHARS:
        raise InvalidArgument(
            f"The question and its references have {chars} characters in total; the maximum is "
            f"{MAX_TEXT_CHARS}.",
            recovery="Remove some of the references.",
            field="references",
        )
    return instruction, messages[0].content


def _that_fit(newest_first: Sequence[Response]) -> int:
    """How many of these turns are sent."""
    chars = 0
    for i, turn in enumerate(newest_first[:MAX_TURNS]):
        chars += len(turn.prompt) + len(turn.content) + sum(len(each.text) for each in turn.references)
        if chars > MAX_CHARS:
            return i
    return min(len(newest_first), MAX_TURNS)
