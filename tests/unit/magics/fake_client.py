"""A client whose answers are scripted. It imports only the package, so a kernel can run this file too."""

from __future__ import annotations

import threading
from typing import Any

from jupyter_localcoder.client import Client, Stream
from jupyter_localcoder.contract.common import ModelStamp, Sampling, Timings, Usage
from jupyter_localcoder.contract.generation import Delta, Done, Started

HANG = "hang"
"""In a script: wait until the stream is closed."""


def done(text: str, **changed: Any) -> Done:
    """The last frame of an answer."""
    fields: dict[str, Any] = {
        "run": "r",
        "text": text,
        "finish": "stop",
        "usage": Usage(prompt_tokens=9, cached_tokens=0, completion_tokens=120),
        "timings": Timings(
            queue_ms=0.0,
            prefill_ms=100.0,
            decode_ms=2000.0,
            total_ms=2100.0,
            prefill_tokens_per_second=90.0,
            decode_tokens_per_second=60.0,
        ),
        "model": ModelStamp(id="tiny-model", digest="d1", quantization="Q4_K_M"),
        "sampling": Sampling(temperature=0.2, top_k=40, top_p=0.9, min_p=0.0, repeat_penalty=1.0, seed=7),
        "prompt_sha256": "p1",
    }
    return Done(**{**fields, **changed})


def answer(*pieces: str, **changed: Any) -> list[Any]:
    """The script of an answer in pieces."""
    deltas = [Delta(run="r", text=piece) for piece in pieces]
    return [Started(run="r"), *deltas, done("".join(pieces), **changed)]


class FakeStream(Stream):
    """Plays a script: frames are yielded, exceptions raised."""

    def __init__(self, script: list[Any]) -> None:
        self._script = iter(script)
        self._closing = threading.Event()
        self.closed = False

    def __next__(self) -> Any:
        item = next(self._script)
        if item == HANG:
            self._closing.wait()
            raise StopIteration
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        self.closed = True
        self._closing.set()


class FakeClient(Client):
    """Answers from a script and keeps what it was asked."""

    where = "a test"

    def __init__(self, script: list[Any] | None = None, answers: dict[str, Any] | None = None) -> None:
        self.script = script or answer("fine")
        self.answers = answers or {}
        self.asked: list[Any] = []
        self.streams: list[FakeStream] = []
        self.closed = False

    def call(self, op: Any, request: Any) -> Any:
        self.asked.append(request)
        answer = self.answers[op.name]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def stream(self, op: Any, request: Any) -> Stream:
        self.asked.append(request)
        if isinstance(self.script, Exception):
            raise self.script
        self.streams.append(FakeStream(self.script))
        return self.streams[-1]

    def close(self) -> None:
        self.closed = True
