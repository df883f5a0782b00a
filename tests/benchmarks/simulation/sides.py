"""Who completes: the product, and `llama-server` as an editor plug-in asks it."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from dataclasses import dataclass, field

from jupyter_localcoder.client.base import Client, Stream
from jupyter_localcoder.contract.generation import CompleteRequest, Delta, Done, WarmRequest
from jupyter_localcoder.contract.notebook import NotebookContext
from jupyter_localcoder.contract.registry import TAB_COMPLETE, TAB_WARM
from jupyter_localcoder.errors import LocalCoderError

from ..peers.llama_server import LlamaServerPeer
from .tally import Tally

_OPENS = re.compile(r"[:{(\[\\,]\s*$|^\s*(#|//|--)")


@dataclass
class _Suggestion:
    """What is asked for at one place, and what has come of it."""

    prefix: str
    asked_at: float
    """When the key was pressed."""
    text: str = ""
    is_over: bool = False
    is_given_up: bool = False
    stream: Stream | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def remainder(self, prefix: str) -> str | None:
        """What of it is still to be written; None where something else was typed."""
        if not prefix.startswith(self.prefix):
            return None
        typed = prefix[len(self.prefix) :]
        if self.text.startswith(typed):
            return self.text[len(typed) :]
        may_come = not self.is_over and (self.text != "" or "\n" not in typed)
        return "" if may_come and typed.startswith(self.text) else None


class Product:
    """The product's server, asked as the page does: the same waits, the same cancels, the same context."""

    def __init__(self, client: Client, tally: Tally, scope: str) -> None:
        self._client = client
        self._tally = tally
        self._scope = scope
        self._notebook = NotebookContext()
        self._prefix = ""
        self._suggestion: _Suggestion | None = None
        self._next: _Suggestion | None = None
        """What follows the suggestion, asked for as if it had been accepted."""

    def enter(self, notebook: NotebookContext) -> None:
        """The cursor stands in an empty cell of this notebook; the server may read ahead."""
        self._notebook, self._prefix = notebook, ""
        request = WarmRequest(prefix="", notebook=notebook, scope=self._scope)
        threading.Thread(target=self._warm, args=(request,), daemon=True).start()

    def changed(self, prefix: str) -> None:
        """See `Side.changed`."""
        now = time.perf_counter()
        self._prefix = prefix
        kept = self._suggestion
        remainder = kept.remainder(prefix) if kept else None
        if kept and (remainder or (remainder is not None and not kept.is_over)):
            return
        following = self._next
        remainder = following.remainder(prefix) if following else None
        if following and (remainder or (remainder is not None and not following.is_over)):
            self._suggestion, self._next = following, None
            if following.is_over:
                self._ahead(following)
            return
        self._give_up()
        if len(prefix.strip()) < 2:
            return
        suggestion = self._suggestion = _Suggestion(prefix, now)
        threading.Thread(target=self._ask, args=(suggestion,), daemon=True).start()

    @property
    def ghost(self) -> str:
        """See `Side.ghost`."""
        return (self._suggestion.remainder(self._prefix) or "") if self._suggestion else ""

    @property
    def shown(self) -> tuple[int, str]:
        """See `Side.shown`."""
        suggestion = self._suggestion
        if suggestion is None or not suggestion.text or suggestion.remainder(self._prefix) is None:
            return -1, ""
        return len(suggestion.prefix), suggestion.text

    def leave(self) -> None:
        """See `Side.leave`."""
        self._give_up()

    def _give_up(self) -> None:
        given_up = (self._suggestion, self._next)
        self._suggestion = self._next = None
        for suggestion in filter(None, given_up):
            with suggestion.lock:
                suggestion.is_given_up = True
                stream = suggestion.stream
            if stream and not suggestion.is_over:
                stream.close()

    def _ahead(self, shown: _Suggestion) -> None:
        """Ask for what follows a suggestion that has come."""
        if shown.is_given_up or shown is not self._suggestion or not shown.text.strip():
            return
        following = self._next = _Suggestion(shown.prefix + shown.text, time.perf_counter())
        threading.Thread(target=self._ask, args=(following, True), daemon=True).start()

    def _ask(self, suggestion: _Suggestion, ahead: bool = False) -> None:
        request = CompleteRequest(
            prefix=suggestion.prefix,
            notebook=self._notebook,
            multiline=ahead or is_multiline(suggestion.prefix),
            automatic=True,
            ahead=ahead,
            scope=self._scope,
        )
        self._tally.requests += 1
        with contextlib.suppress(LocalCoderError, OSError), self._stream(suggestion, request) as frames:
            for frame in frames:
                if isinstance(frame, Delta) and frame.text:
                    if not suggestion.text and not ahead:
                        self._tally.waits.append(time.perf_counter() - suggestion.asked_at)
                    suggestion.text += frame.text
                elif isinstance(frame, Done):
                    suggestion.text = frame.text
        suggestion.is_over = True
        self._ahead(suggestion)

    def _stream(self, suggestion: _Suggestion, request: CompleteRequest) -> Stream:
        stream = self._client.stream(TAB_COMPLETE, request)
        with suggestion.lock:
            suggestion.stream = stream
            given_up = suggestion.is_given_up
        if given_up:
            stream.close()
        return stream

    def _warm(self, request: WarmRequest) -> None:
        with contextlib.suppress(LocalCoderError):  # given up for a completion
            self._client.call(TAB_WARM, request)


class Plugin:
    """`llama-server`, asked as llama.vscode does, for which the notebook is one file of Python.

    One request at a time; one that is under way is not ended, and its answer counts wherever the person has
    typed what it says. After an answer the next one is asked for as if this one had been accepted. Taken from
    its ``completion.ts`` (3938fb3) and its default settings.
    """

    N_PREFIX, N_SUFFIX = 256, 64
    POLL_SECONDS = 0.15

    def __init__(self, peer: LlamaServerPeer, tally: Tally) -> None:
        self._peer = peer
        self._tally = tally
        self._above = ""
        self._prefix = ""
        self._begin = -1
        self._text = ""
        self.known: dict[tuple[str, str], str] = {}
        self._turn = 0
        self._changed_at = 0.0
        self._busy = threading.Lock()

    def enter(self, notebook: NotebookContext) -> None:
        """The cursor stands in an empty cell of this notebook."""
        above = [cell.source for cell in notebook.cells[: notebook.active] if cell.kind == "code"]
        self._above = "\n\n".join([*above, ""])
        self._prefix, self._begin, self._text = "", -1, ""

    def changed(self, prefix: str) -> None:
        """See `Side.changed`."""
        self._prefix = prefix
        self._turn += 1
        self._changed_at = time.perf_counter()
        # What stands on the screen stays there as long as it is typed.
        if self._text and not (prefix[self._begin :] and self._text.startswith(prefix[self._begin :])):
            self._begin, self._text = -1, ""
        threading.Thread(target=self._ask, args=(self._turn, prefix, self._changed_at), daemon=True).start()

    @property
    def ghost(self) -> str:
        """See `Side.ghost`."""
        return self._text[len(self._prefix) - self._begin :] if self._text else ""

    @property
    def shown(self) -> tuple[int, str]:
        """See `Side.shown`."""
        return self._begin, self._text

    def leave(self) -> None:
        """See `Side.leave`."""
        self._turn += 1
        self._begin, self._text = -1, ""
        with self._busy:  # What is under way comes to its end.
            pass

    def _ask(self, turn: int, prefix: str, key_at: float) -> None:
        while not self._busy.acquire(blocking=False):
            time.sleep(self.POLL_SECONDS)
            if turn != self._turn:
                return
        try:
            if turn != self._turn:
                return
            above, prompt = self.split(self._above + prefix)
            text = self.found(above, prompt)
            if text is None:
                self._tally.requests += 1
                text = self._usable(self._peer.plugin_infill(above, "\n", prompt))
                if text:
                    self.known[above, prompt] = text
        finally:
            self._busy.release()
        if turn != self._turn or not text:
            return
        if not self._text:
            self._tally.waits.append(time.perf_counter() - key_at)
            self._begin, self._text = len(prefix), text
        self._ahead(turn, above, prompt, text)

    def _ahead(self, turn: int, above: str, prompt: str, text: str) -> None:
        """Ask for what follows, as if the suggestion had been accepted."""
        if turn != self._turn:
            return
        next_above, next_prompt = self.split(above + prompt + text)
        if (next_above, next_prompt) in self.known:
            return
        self._tally.requests += 1
        following = self._usable(self._peer.plugin_infill(next_above, "\n", next_prompt))
        if following:
            self.known[next_above, next_prompt] = following
        first, newline, rest = text.partition("\n")
        if newline:
            self.known.setdefault(self.split(above + prompt + first + "\n"), rest)

    def split(self, text: str) -> tuple[str, str]:
        """Lines above the cursor, and its line up to it."""
        head, newline, line = text.rpartition("\n")
        lines = head.split("\n")[-self.N_PREFIX :] if newline else []
        above = "\n".join(lines) + newline
        return above, "" if not line.strip() else line

    def found(self, above: str, prompt: str) -> str | None:
        """An answer that is known here, or further to the left on this line."""
        for i in range(len(prompt), -1, -1):
            known = self.known.get((above, prompt[:i]))
            if known is not None and known.startswith(prompt[i:]) and len(known) > len(prompt) - i:
                return known[len(prompt) - i :]
        return None

    @staticmethod
    def _usable(text: str) -> str:
        """Without line breaks at its end. Nothing stands below the cursor that it could repeat."""
        lines = text.split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        return "\n".join(lines)


def is_multiline(prefix: str) -> bool:
    """Whether the page asks for more than one line, where nothing stands behind the cursor."""
    before = prefix.rpartition("\n")[2]
    return not before.strip() or bool(_OPENS.search(before))
