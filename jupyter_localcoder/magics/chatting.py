"""`%chat` and `%%chat`: a conversation that the notebook keeps."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ..client import Client
from ..contract.generation import ChatRequest, Delta, Done, Origin, Started
from ..contract.history import ConversationListRequest
from ..contract.notebook import Reference
from ..contract.provenance import METADATA_KEY
from ..contract.registry import CHAT, CONVERSATION_LIST
from ..errors import ConversationNotFound, DatabaseError, InvalidArgument, LocalCoderError
from ..text.answers import code_of
from ..text.plain_text import plain
from .answering import show_piece, summary
from .failure import shortly
from .history import CellHistory, language_of
from .kernel_variables import variables_of
from .link import Link
from .options import Options, coding_arguments
from .origin import origin_of
from .record import stamp_of
from .view import View, view_of

_NEW = "new"


@magics_class
class ChatMagics(Magics):
    """`%chat`."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, link: Link) -> None:
        super().__init__(shell)
        self._link = link
        self._history = CellHistory(shell)
        self._conversation = ""
        """Empty until the first turn of this kernel."""
        self._last = ""
        """The last turn of this kernel."""

    @no_var_expand
    @line_cell_magic
    @coding_arguments(applies=False, chats=True)
    def chat(self, line: str, cell: str | None = None) -> None:
        """Ask, and ask on: what was said before in this notebook is known.

        The conversation is kept in the history, and goes on after a restart of the kernel.

        Examples::

            %%chat                         ask the question in the rest of this cell
            %chat And in one line.         continue the conversation
            %chat --context 2 What fails   attach the two cells above to the conversation
            %chat --again                  answer the last question again
            %chat --new Something else     start a new conversation
        """
        options = Options(ChatMagics.chat, line)
        words = "\n\n".join(part for part in (" ".join(options.words), (cell or "").strip()) if part)
        if options.again and (words or options.new or options.context):
            raise UsageError("%chat --again answers the last question again; it takes no new question")
        shortly(lambda: self._send_question(options, words))

    def _send_question(self, options: Options, words: str) -> None:
        client = self._link.client()
        origin = origin_of(self.shell)
        if options.again:
            if not self._last:
                raise InvalidArgument(
                    "No question has been asked in this kernel yet.",
                    recovery="Ask a question first: `%chat …`.",
                )
            request = options.chat_request(
                origin=origin, conversation=self._conversation, regenerate=self._last
            )
        else:
            if not words:
                raise InvalidArgument(
                    "The question is empty.", recovery="Write it after `%chat`, or below `%%chat`."
                )
            request = options.chat_request(
                words,
                origin=origin,
                conversation=_NEW if options.new else self._place(client, origin),
                references=self._above(options.context),
                variables=variables_of(self.shell),
            )
        begins = request.conversation == _NEW and bool(origin.notebook) and not options.new
        view = view_of(self.shell, options.format, "python")
        try:
            done = _show(client, request, view, quiet=options.quiet)
        except ConversationNotFound:
            if options.again:
                raise
            # Somebody has deleted it, in the sidebar or elsewhere.
            self._conversation = ""
            request = msgspec.structs.replace(request, conversation=_NEW)
            done = _show(client, request, view, quiet=options.quiet)
            view.note("The conversation was deleted; a new one is started.")
        if done.text.strip():  # else it is no turn, and there may be no conversation
            self._conversation, self._last = done.conversation, done.run
        if options.out:
            text = code_of(done.text, "python") if options.format == "code" else done.text
            self.shell.user_ns[options.out] = plain(text)
        if begins and not options.quiet:
            view.note(
                f"No earlier conversation of {origin.notebook} was found, so a new one is started. If the "
                "notebook was renamed, the earlier conversation is in the history."
            )
        if not options.quiet:
            view.note(" · ".join(part for part in (summary(done), _left_out(done)) if part))

    def _place(self, client: Client, origin: Origin) -> str:
        """The conversation of this kernel; else the last one of its notebook; else a new one."""
        if not self._conversation and origin.notebook:
            # Without the history it is a new one each time.
            with contextlib.suppress(DatabaseError):
                wanted = ConversationListRequest(notebook=origin.notebook, kernel=origin.kernel, limit=1)
                page = client.call(CONVERSATION_LIST, wanted)
                self._conversation = page.conversations[0].id if page.conversations else ""
        return self._conversation or _NEW

    def _above(self, count: int) -> tuple[Reference, ...]:
        cells = self._history.above(self._history.current, count) if count else ()
        return tuple(
            Reference(
                kind="cell",
                name=f"In [{cell.execution_count}]",
                text=cell.source,
                language=language_of(cell.source),
            )
            for cell in cells
        )


def _show(client: Client, request: ChatRequest, view: View, *, quiet: bool) -> Done:
    """Ask, and show the answer as it comes.

    Raises
    ------
    LocalCoderError
        What had come before is shown.
    KeyboardInterrupt
        The request is cancelled; what had come before is shown.
    """
    done: Done | None = None
    try:
        with client.stream(CHAT, request) as stream:
            for frame in stream:
                if isinstance(frame, Started):
                    view.begin()
                elif isinstance(frame, Delta):
                    show_piece(view, frame)
                elif isinstance(frame, Done):
                    done = frame
                    view.settle(done.text, done.reasoning)
    except KeyboardInterrupt:
        view.end({METADATA_KEY: {"command": "chat", "finish": "canceled"}})
        if not quiet:
            view.note("cancelled")
        raise
    except ConversationNotFound:
        raise  # before the first frame: nothing was shown
    except LocalCoderError as error:
        view.end({METADATA_KEY: {"command": "chat", "error": error.code}})
        raise
    if done is None:  # a stream ends with Done or raises
        raise LocalCoderError()
    view.end({METADATA_KEY: _record(done)})
    return done


def _record(done: Done) -> dict[str, Any]:
    """How the answer was made; what was said stands in the history alone."""
    return {"command": "chat", "conversation": done.conversation, **stamp_of(done)}


def _left_out(done: Done) -> str:
    if not done.left_out_turns:
        return ""
    turns = (
        "the first turn was" if done.left_out_turns == 1 else f"the first {done.left_out_turns} turns were"
    )
    return f"{turns} not read: the context window is full"
