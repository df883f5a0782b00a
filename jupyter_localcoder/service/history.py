"""``response:*`` and ``conversation:*``: what was answered before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from ..contract import history, registry
from ..contract.common import Empty
from ..errors import ConversationNotFound, InvalidArgument
from ..events import EventHub
from ..history.notebooks import Notebooks
from ..history.recorder import Recorder
from ..text.plain_text import plain
from .dispatch import serves

T = TypeVar("T")


def title_by_hand(text: str) -> str:
    """A title that a person wrote, on one line and safe to print.

    Raises
    ------
    InvalidArgument
        There is nothing in it.
    """
    title = " ".join(plain(text).split())
    if not title:
        raise InvalidArgument("The title is empty.", recovery="Write at least one character.", field="title")
    return title


class HistoryOperations:
    """Lists, searches, opens, deletes and exports what was kept."""

    def __init__(self, recorder: Recorder, events: EventHub, notebooks: Notebooks) -> None:
        self._recorder = recorder
        self._store = recorder.store
        self._events = events
        self._notebooks = notebooks

    # Responses

    @serves(registry.RESPONSE_GET_HISTORY)
    async def response_get_history(self, request: history.ResponseListRequest) -> history.ResponseList:
        """A page, newest first."""
        return await self._do(self._store.page, request.prompt_id, request.limit, request.offset)

    @serves(registry.RESPONSE_GET)
    async def response_get(self, request: history.ResponseRequest) -> history.Response:
        """One of them, whole."""
        return await self._do(self._store.get, request.id)

    @serves(registry.RESPONSE_SEARCH)
    async def response_search(self, request: history.ResponseSearchRequest) -> history.ResponsesFound:
        """Those in which all the words occur."""
        return await self._do(self._store.search, request.query, request.limit, request.offset)

    @serves(registry.RESPONSE_EXPORT)
    async def response_export(self, request: history.ResponseExportRequest) -> history.ResponsesExported:
        """Write a zip file."""
        return await self._do(self._store.export, request)

    @serves(registry.RESPONSE_DELETE)
    async def response_delete(self, request: history.ResponseRequest) -> Empty:
        """Delete one."""
        await self._do(self._store.delete, request.id)
        self._changed(request.id)
        return Empty()

    @serves(registry.RESPONSE_DELETE_ALL)
    async def response_delete_all(self, request: history.ResponseDeleteAllRequest) -> history.DeletedCount:
        """Delete those of a prompt, or all."""
        if request.all == (request.prompt_id is not None):
            raise InvalidArgument(
                "Give either a prompt or `all`.",
                recovery="Give `prompt_id`, or `all: true` to delete the whole history.",
                field="prompt_id",
            )
        if request.all:
            self._recorder.unsaved.clear()
        try:
            return history.DeletedCount(count=await self._do(self._store.delete_all, request.prompt_id))
        finally:
            # Also where it failed half way: what was deleted before stays deleted.
            self._changed()

    # Conversations

    @serves(registry.CONVERSATION_LIST)
    async def conversation_list(self, request: history.ConversationListRequest) -> history.ConversationList:
        """A page, the one that was last spoken in first."""
        notebook = request.notebook
        await self._notebooks.settled()
        if notebook is not None:
            notebook = await self._notebooks.current(notebook, request.kernel)
        return await self._do(self._store.conversations, notebook, request.limit, request.offset)

    @serves(registry.CONVERSATION_GET)
    async def conversation_get(self, request: history.ConversationGetRequest) -> history.Conversation:
        """One of them with its turns."""
        return await self._do(self._store.conversation, request.id, request.turn)

    @serves(registry.CONVERSATION_RENAME)
    async def conversation_rename(
        self, request: history.ConversationRenameRequest
    ) -> history.ConversationInfo:
        """Give one a title by hand."""
        title = title_by_hand(request.title)
        info = await self._do(self._store.rename_conversation, request.id, title)
        changed = history.HistoryChanged(reason="titled", conversation_id=request.id)
        self._events.notify(registry.HISTORY_CHANGED, changed)
        return info

    @serves(registry.CONVERSATION_DELETE)
    async def conversation_delete(self, request: history.ConversationRequest) -> history.DeletedCount:
        """Delete one, with the turns that no other one shares."""
        await self._recorder.settled()
        forgotten = self._recorder.unsaved.forget_conversation(request.id)
        try:
            count = await self._do(self._store.delete_conversation, request.id)
        except ConversationNotFound:
            if not forgotten:
                raise
            count = 0
        changed = history.HistoryChanged(reason="deleted", conversation_id=request.id)
        self._events.notify(registry.HISTORY_CHANGED, changed)
        return history.DeletedCount(count=count + forgotten)

    @serves(registry.CONVERSATION_BRANCH)
    async def conversation_branch(
        self, request: history.ConversationBranchRequest
    ) -> history.ConversationInfo:
        """Begin another one that shares the turns up to one of them."""
        info = await self._do(self._store.branch, request.id, request.response_id)
        changed = history.HistoryChanged(reason="kept", conversation_id=info.id)
        self._events.notify(registry.HISTORY_CHANGED, changed)
        return info

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do it in a thread, once all that was answered until now is kept."""
        self._recorder.begin()
        await self._recorder.settled()
        return await asyncio.to_thread(work, *arguments)

    def _changed(self, id_: str = "") -> None:
        self._events.notify(
            registry.HISTORY_CHANGED, history.HistoryChanged(reason="deleted", response_id=id_)
        )
