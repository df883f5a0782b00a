"""Turns of conversations that are not in the history: not yet, or never.

A turn is here from its end on, until the history has it. What is never kept (a private turn, all of them
where the history is off, one for which the disk had no room) stays here as long as there is room, so that a
conversation goes on; with the service it is gone.
"""

from __future__ import annotations

import collections

from ..contract.history import Response

MAX_TURNS = 1000
MAX_CHARS = 20_000_000


class UnsavedTurns:
    """Turns by id, the oldest forgotten first."""

    def __init__(self, max_turns: int = MAX_TURNS, max_chars: int = MAX_CHARS) -> None:
        self._max_turns = max_turns
        self._max_chars = max_chars
        self._turns: collections.OrderedDict[str, Response] = collections.OrderedDict()
        self._last: dict[str, str] = {}
        self._chars = 0

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, turn: Response) -> None:
        """Remember one, as the last of its conversation."""
        self._turns[turn.id] = turn
        self._last[turn.conversation_id] = turn.id
        self._chars += _chars(turn)
        while len(self._turns) > self._max_turns or (self._chars > self._max_chars and len(self._turns) > 1):
            self.forget(next(iter(self._turns)))

    def get(self, id_: str) -> Response | None:
        """A turn, or None."""
        return self._turns.get(id_)

    def last(self, conversation: str) -> str:
        """The turn that was answered last in a conversation, where that is one of these; else empty."""
        return self._last.get(conversation, "")

    def forget(self, id_: str) -> None:
        """Forget a turn, if it is here."""
        turn = self._turns.pop(id_, None)
        if turn is not None:
            self._chars -= _chars(turn)
            if self._last.get(turn.conversation_id) == id_:
                del self._last[turn.conversation_id]

    def forget_conversation(self, conversation: str) -> int:
        """Forget all turns of a conversation; how many there were."""
        gone = [turn.id for turn in self._turns.values() if turn.conversation_id == conversation]
        for id_ in gone:
            self.forget(id_)
        return len(gone)

    def clear(self) -> None:
        """Forget all."""
        self._turns.clear()
        self._last.clear()
        self._chars = 0


def _chars(turn: Response) -> int:
    return len(turn.prompt) + len(turn.content) + sum(len(reference.text) for reference in turn.references)
