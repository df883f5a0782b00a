"""Who answers: the product over HTTP, or the same weights through `llama_cpp`, asked plainly."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import CHANGES, Command, Done, GenerateRequest
from jupyter_localcoder.contract.notebook import KernelVariable, NotebookCell
from jupyter_localcoder.contract.registry import GENERATE
from jupyter_localcoder.text.answers import code_of

from ..peers.bindings import BindingsPeer

MAX_TOKENS = 512
CONTEXT_CHARS = 8000
"""Of the cells above, as the page sends them."""


@dataclass(frozen=True)
class Asked:
    """A command on a cell of a notebook."""

    command: Command
    code: str = ""
    instruction: str = ""
    error: str = ""
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    variables: tuple[KernelVariable, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    code: str
    """What would be written; empty where nothing is offered."""
    text: str
    tokens: int
    seconds: float
    problem: str = ""
    """Why nothing is offered."""

    @property
    def offered(self) -> bool:
        """Whether a person could take it over with a click."""
        return bool(self.code.strip())


class Side(Protocol):
    """Answers commands, greedily."""

    def ask(self, asked: Asked) -> Answer:
        """Ask once."""


class Product:
    """The product, asked as the page asks it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(self, asked: Asked) -> Answer:
        """See `Side.ask`."""
        request = GenerateRequest(
            command=asked.command,
            code=asked.code,
            instruction=asked.instruction,
            error=asked.error,
            context=nearest(asked.above),
            below=tuple(NotebookCell(source=source) for source in asked.below),
            variables=asked.variables,
            max_tokens=MAX_TOKENS,
            sampling=SamplingOptions(temperature=0.0, seed=1),
            private=True,
        )
        begin = time.perf_counter()
        with self._client.stream(GENERATE, request) as frames:
            done = next(frame for frame in frames if isinstance(frame, Done))
        seconds = time.perf_counter() - begin
        change = done.change
        assert change is not None
        return Answer(
            code="" if change.problem else changed(asked, change.code),
            text=done.text,
            tokens=done.usage.completion_tokens or 0,
            seconds=seconds,
            problem=change.problem,
        )


class Plain:
    """The bindings, with a prompt as a person would type it; the longest code block is what is taken over."""

    def __init__(self, peer: BindingsPeer) -> None:
        self._peer = peer

    def ask(self, asked: Asked) -> Answer:
        """See `Side.ask`."""
        begin = time.perf_counter()
        text, tokens = self._peer.chat(pasted(asked), MAX_TOKENS)
        seconds = time.perf_counter() - begin
        return Answer(code=changed(asked, code_of(text)), text=text, tokens=tokens, seconds=seconds)


_WORDS: dict[Command, str] = {
    "improve": "Improve this Python code. Keep its behaviour.",
    "fix": "Fix this Python code.",
    "document": "Add docstrings and comments to this Python code. Do not change the code itself.",
    "test": "Write tests with pytest for this Python code.",
    "generate": "Write Python code for this.",
}


def changed(asked: Asked, code: str) -> str:
    """Code that is offered; empty where it is the code that was to be changed."""
    return "" if asked.command in CHANGES and code.strip() == asked.code.strip() else code


def pasted(asked: Asked) -> str:
    """The question of a person who pastes the notebook."""
    parts = []
    if asked.above:
        cells = "\n\n".join(cell.source for cell in nearest(asked.above))
        parts.append(f"This is my notebook so far:\n```python\n{cells}\n```")
    parts.append(_WORDS[asked.command])
    if asked.instruction:
        parts.append(asked.instruction)
    if asked.code:
        parts.append(f"```python\n{asked.code}\n```")
    if asked.error:
        parts.append(f"It fails with:\n```\n{asked.error}\n```")
    return "\n\n".join(parts)


def nearest(above: tuple[str, ...]) -> tuple[NotebookCell, ...]:
    """The last of the cells that fit, as the page chooses them."""
    kept: list[NotebookCell] = []
    left = CONTEXT_CHARS
    for number in range(len(above) - 1, -1, -1):
        left -= len(above[number])
        if left < 0:
            break
        kept.insert(0, NotebookCell(source=above[number], execution_count=number + 1))
    return tuple(kept)
