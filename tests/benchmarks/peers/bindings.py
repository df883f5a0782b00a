"""The bindings, used plainly: `llama_cpp.Llama` in a child process, asked over its standard input."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any

import msgspec

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.process import worker_environment

from ..workspace import REPOSITORY
from .base import Speeds


class BindingsPeer:
    """`Llama`, loaded as the worker loads its model; it sleeps unless it is asked."""

    name = "llama_cpp.Llama"

    def __init__(self, load: wire.LoadFrame) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.bindings_child"],
            cwd=REPOSITORY,
            env=worker_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask(msgspec.to_builtins(load))

    def __enter__(self) -> BindingsPeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()

    def generate(self, prompt_tokens: int, answer_tokens: int) -> Speeds:
        """See `Peer.generate`."""
        answer = self._ask({"prompt_tokens": prompt_tokens, "answer_tokens": answer_tokens})
        return Speeds(answer["first_seconds"], answer["rest_seconds"])

    def chat(self, question: str, max_tokens: int) -> tuple[str, int]:
        """The greedy answer to a message, through the model's own chat template, and its tokens."""
        answer = self._ask({"question": question, "max_tokens": max_tokens})
        return answer["text"], answer["tokens"]

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(question) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError("the process of the bindings ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
