"""Streams that servers are seen to send, each in a file under ``streams/``, and what is to come of it.

A file is a JSON object, a line ``---``, and the raw bytes of the answers that the server gives, one after the
other. The object says who answers so (``server``), the type of the provider (``type``), and the outcome:

``text``, ``reasoning``, ``finish``
    The answer. Where there is none, ``error`` is the code and ``words`` stand in its sentence.
``asked``
    How many requests the server gets for one answer (default: 1).
``sampling``
    What the person says of it.
``sent_last``
    Fields of the last request: null is absent; ``roles`` are those of its messages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .wire_server import Line, Script

_BETWEEN = b"\n=== the next answer ===\n"


@dataclass(frozen=True)
class Answer:
    """One answer of the server."""

    status: int
    content_type: str
    raw: bytes
    hangs: bool

    def script(self, pieces: int = 0) -> Script:
        """Say it, in pieces of so many bytes; 0: at once."""

        async def say(line: Line) -> None:
            await line.head(self.status, **({"content_type": self.content_type} if self.content_type else {}))
            size = pieces or max(1, len(self.raw))
            for start in range(0, len(self.raw), size):
                await line.send(self.raw[start : start + size])
            if self.hangs:
                await line.left()

        return say


@dataclass(frozen=True)
class Shape:
    """What a server says, and what is to come of it."""

    name: str
    type: str
    answers: tuple[Answer, ...]
    text: str = ""
    reasoning: str = ""
    finish: str = "stop"
    error: str = ""
    words: str = ""
    asked: int = 1
    sampling: dict[str, Any] = field(default_factory=dict)
    sent_last: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def without_system(self) -> bool:
        """Whether the server takes no system turns."""
        return "roles" in self.sent_last or "systemInstruction" in self.sent_last

    def scripts(self, pieces: int = 0) -> list[Script]:
        """What the server says to one question."""
        return [answer.script(pieces) for answer in self.answers]


def shapes() -> list[Shape]:
    """All of them, by name."""
    return [_read(path) for path in sorted((Path(__file__).parent / "streams").glob("*.stream"))]


def _read(path: Path) -> Shape:
    head, _, body = path.read_bytes().partition(b"\n---\n")
    fields = json.loads(head)
    del fields["server"]
    answers = tuple(
        Answer(said["status"], said["content_type"], raw, said.get("then") == "hangs")
        for said, raw in zip(fields.pop("answers"), body.split(_BETWEEN), strict=True)
    )
    return Shape(name=path.stem, answers=answers, **fields)
