"""For each operation of the contract, the most work that a client may ask of it in one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from jupyter_localcoder.contract import generation, notebook, queue
from jupyter_localcoder.contract.registry import OPERATIONS

CODE = "import os\ndef f(x, y=3):\n    return x['a'] + y  # é\nLIMIT = 3\ndf = g(df)\n"


def text(chars: int) -> str:
    """So much code."""
    return (CODE * (chars // len(CODE) + 1))[:chars]


class WorstRequests:
    """Requests of this size: characters of a text, or of all of them where there are several.

    Parameters
    ----------
    model, response, conversation, turn
        Ids of what is there.
    folder
        Where a file may be written.
    """

    def __init__(
        self, chars: int, *, model: str, response: str, conversation: str, turn: str, folder: str
    ) -> None:
        self.chars = chars
        self.model = model
        self.response = response
        self.conversation = conversation
        self.turn = turn
        self.folder = folder

    def by_operation(self) -> dict[str, list[Callable[[], msgspec.Struct]]]:
        """What makes the requests of each operation; an operation that is not in it has no case."""
        model = {"id": self.model}
        kept = {"id": self.response}
        spoken = {"id": self.conversation}
        acme = {"id": "acme"}
        page = {"limit": 1000, "offset": 0}
        return {
            "backend:ping": [self._of("backend:ping")],
            "model:list": [self._of("model:list")],
            "model:ensure": [self._of("model:ensure", **model)],
            "model:cancelDownload": [self._of("model:cancelDownload", **model)],
            "model:verify": [self._of("model:verify", **model)],
            "model:pin": [self._of("model:pin", **model, pinned=True)],
            "model:import": [self._of("model:import", path=f"{self.folder}/none.gguf")],
            "model:export": [self._of("model:export", **model, path=f"{self.folder}/bundle.zip")],
            "model:delete": [self._of("model:delete", id="none")],
            "model:load": [self._of("model:load", **model)],
            "model:unload": [self._of("model:unload")],
            "settings:get": [self._of("settings:get")],
            "settings:update": [self._of("settings:update", temperature=0.5)],
            "generate": [lambda: self.command("explain"), lambda: self.command("fix"), self.prompt],
            "chat": [self.chat, self.many_turns, self.conversed],
            "tab:complete": [self.one_cell, self.many_cells, self.long_prefix, self.names],
            "tab:warm": [lambda: _warm(self.one_cell()), lambda: _warm(self.many_cells())],
            "tab:cancel": [self._of("tab:cancel", run="none")],
            "stats:record": [self._of("stats:record", outcomes=[{"outcome": "shown"}] * 200)],
            "stats:get": [self._of("stats:get")],
            "stats:erase": [self._of("stats:erase")],
            "llm:call": [self.call, self.places, self.long_prompt],
            "llm:retry": [self._of("llm:retry", id="none")],
            "llm:cancel": [self._of("llm:cancel", id="none")],
            "context:inspect": [self._of("context:inspect")],
            "context:probe": [self._of("context:probe")],
            "code:place": [self.placed],
            "queue:list": [self._of("queue:list")],
            "queue:get": [self._of("queue:get", id="none")],
            "llm:cancelAll": [self._of("llm:cancelAll")],
            "provider:list": [self._of("provider:list")],
            "provider:save": [self._of("provider:save", **acme, **_ACME)],
            "provider:setKey": [self._of("provider:setKey", **acme, key="k" * 1000)],
            "provider:forgetKey": [self._of("provider:forgetKey", **acme)],
            "provider:test": [self._of("provider:test", **acme)],
            "provider:delete": [self._of("provider:delete", **acme)],
            "provider:setActive": [self._of("provider:setActive", id="embedded")],
            "response:getHistory": [self._of("response:getHistory", **page)],
            "response:get": [self._of("response:get", **kept)],
            "response:search": [self._of("response:search", query="x " * 499, limit=200)],
            "response:export": [self._of("response:export"), self._of("response:export", path=self.folder)],
            "response:delete": [self._of("response:delete", id="f" * 16)],
            "title:config:get": [self._of("title:config:get")],
            "title:config:set": [self._of("title:config:set", timeout_seconds=30.0)],
            "title:set": [self._of("title:set", **kept, title="A title")],
            "title:generate": [self._of("title:generate", **kept)],
            "conversation:list": [self._of("conversation:list", **page)],
            "conversation:get": [self._of("conversation:get", **spoken)],
            "conversation:rename": [self._of("conversation:rename", **spoken, title="A title")],
            "conversation:branch": [self._of("conversation:branch", **spoken, response_id=self.turn)],
            "conversation:delete": [self._of("conversation:delete", id="f" * 16)],
            # Last: it leaves nothing for the others.
            "response:deleteAll": [self._of("response:deleteAll", all=True)],
        }

    def _of(self, name: str, **fields: Any) -> Callable[[], msgspec.Struct]:
        request = next(op.request for op in OPERATIONS if op.name == name)
        return lambda: msgspec.convert(fields, request)

    # Completions

    def one_cell(self) -> generation.CompleteRequest:
        """Below one cell that holds all of it."""
        cells = (notebook.NotebookCell(id="a", source=text(self.chars)), notebook.NotebookCell(source=""))
        return _complete("x = ", notebook=notebook.NotebookContext(cells=cells, active=1))

    def many_cells(self) -> generation.CompleteRequest:
        """Below as many cells as a notebook may have."""
        each = text(max(1, self.chars // notebook.MAX_CELLS))
        cells = tuple(
            notebook.NotebookCell(id=str(n), source=f"{each}\nv{n} = {n}", execution_count=n)
            for n in range(notebook.MAX_CELLS)
        )
        return _complete("x = ", notebook=notebook.NotebookContext(cells=cells, active=len(cells) - 1))

    def long_prefix(self) -> generation.CompleteRequest:
        """In the middle of one text."""
        return _complete(text(self.chars // 2) + "\nx = ", suffix="\n" + text(self.chars // 2))

    def names(self) -> generation.CompleteRequest:
        """Where the kernel knows as many names and columns as it may tell."""
        columns = tuple(notebook.Column(name=f"column{n}", dtype="int64") for n in range(100))
        variables = tuple(
            notebook.KernelVariable(name=f"df{n}", type="DataFrame", shape=(3, 100), columns=columns)
            for n in range(notebook.MAX_VARIABLES)
        )
        cell = notebook.NotebookCell(source=text(self.chars))
        return _complete('df1["', notebook=notebook.NotebookContext(cells=(cell,), variables=variables))

    # Commands and chats

    def command(self, command: Any) -> generation.GenerateRequest:
        """Over a long code, with long cells beside it."""
        half = text(self.chars // 2)
        cells = tuple(notebook.NotebookCell(id=str(n), source=half[n::200]) for n in range(200))
        return generation.GenerateRequest(
            command=command, code=half, error=half[:10_000], context=cells, max_tokens=8
        )

    def placed(self) -> generation.PlaceRequest:
        """Long code in the place of long code, with magics between the lines."""
        cell = text(self.chars // 2).replace("LIMIT = ", "%time x=")
        return generation.PlaceRequest(code=cell.replace("=3", "=4"), cell=cell)

    def prompt(self) -> generation.GenerateRequest:
        """A prompt of its own."""
        return generation.GenerateRequest(command="prompt", instruction=text(self.chars), max_tokens=8)

    def chat(self) -> generation.ChatRequest:
        """A long question, and references."""
        one = notebook.Reference(kind="file", name="a.py", text=text(self.chars // 100), language="python")
        question = generation.Message(role="user", content=text(self.chars // 2))
        return generation.ChatRequest(messages=(question,), references=(one,) * 50, max_tokens=8)

    def many_turns(self) -> generation.ChatRequest:
        """As many turns as there may be."""
        each = text(self.chars // 999)
        turns = tuple(
            generation.Message(role="assistant" if n % 2 else "user", content=each) for n in range(999)
        )
        return generation.ChatRequest(messages=turns, max_tokens=8)

    def conversed(self) -> generation.ChatRequest:
        """A turn of a conversation that is remembered."""
        question = generation.Message(role="user", content=text(self.chars))
        return generation.ChatRequest(messages=(question,), conversation=self.conversation, max_tokens=8)

    # The queue

    def call(self) -> queue.CallRequest:
        """With a parameter that is put in once."""
        return queue.CallRequest(
            prompt="{{a}}", parameters={"a": text(self.chars)}, max_tokens=8, stop=("x" * 10_000,) * 16
        )

    def places(self) -> queue.CallRequest:
        """With as many places as a prompt can hold."""
        return queue.CallRequest(
            prompt="{{a}}" * (self.chars // 5), parameters={"a": "x" * 60_000}, max_tokens=8
        )

    def long_prompt(self) -> queue.CallRequest:
        """Without parameters."""
        return queue.CallRequest(prompt=text(self.chars), max_tokens=8)


_ACME = {"type": "openai_compatible", "base_url": "http://127.0.0.1:9/v1", "model": "m"}


def _complete(prefix: str, **fields: Any) -> generation.CompleteRequest:
    return generation.CompleteRequest(prefix=prefix, max_tokens=8, automatic=True, **fields)


def _warm(asked: generation.CompleteRequest) -> generation.WarmRequest:
    return generation.WarmRequest(prefix=asked.prefix, suffix=asked.suffix, notebook=asked.notebook)
