"""Short ways to ask the service, through either client, and to keep all that it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jupyter_localcoder.client import Client, Stream
from jupyter_localcoder.contract.backend import BackendStatus, PingRequest
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import (
    ChatRequest,
    CompleteRequest,
    Delta,
    Done,
    GenerateRequest,
    LlmCancelRequest,
    Message,
    Started,
)
from jupyter_localcoder.contract.registry import CHAT, GENERATE, LLM_CANCEL, PING, TAB_COMPLETE


@dataclass
class Answer:
    """The frames of one answer, sorted."""

    run: str = ""
    pieces: list[str] = field(default_factory=list)
    done: Done | None = None

    @property
    def end(self) -> Done:
        """The last frame."""
        assert self.done is not None, "the stream ended without `Done`"
        return self.done

    @property
    def text(self) -> str:
        """The whole text, which is the pieces joined."""
        assert "".join(self.pieces) == self.end.text
        return self.end.text


class Assistant:
    """Asks one client. The options are those of the requests; sampling is greedy unless said otherwise."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def chat(
        self, *turns: str, sampling: dict[str, Any] | None = None, max_tokens: int = 64, **options: Any
    ) -> Answer:
        """The answer to a conversation; the turns are the user's and the assistant's by turns."""
        return read(self.chat_stream(*turns, sampling=sampling, max_tokens=max_tokens, **options))

    def chat_stream(self, *turns: str, sampling: dict[str, Any] | None = None, **options: Any) -> Stream:
        """The same, for who reads it himself."""
        messages = tuple(
            Message(role="assistant" if at % 2 else "user", content=turn) for at, turn in enumerate(turns)
        )
        how = SamplingOptions(**{"temperature": 0.0, **(sampling or {})})
        return self.client.stream(CHAT, ChatRequest(messages=messages, sampling=how, **options))

    def explain(self, code: str, **options: Any) -> Answer:
        """The answer to `%%explain`."""
        return read(self.client.stream(GENERATE, GenerateRequest(command="explain", code=code, **options)))

    def complete(self, prefix: str, suffix: str = "", max_tokens: int = 32, **options: Any) -> Answer:
        """What stands between the two."""
        return read(self.complete_stream(prefix, suffix, max_tokens=max_tokens, **options))

    def complete_stream(self, prefix: str, suffix: str = "", **options: Any) -> Stream:
        """The same, for who reads it himself."""
        return self.client.stream(TAB_COMPLETE, CompleteRequest(prefix=prefix, suffix=suffix, **options))

    def cancel(self, run: str) -> None:
        """End a request."""
        self.client.call(LLM_CANCEL, LlmCancelRequest(id=run))

    def status(self) -> BackendStatus:
        """What the backend does."""
        return self.client.call(PING, PingRequest())


def read(stream: Stream, on_frame: Callable[[Answer], None] | None = None) -> Answer:
    """Read a stream to its end."""
    answer = Answer()
    with stream:
        for frame in stream:
            if isinstance(frame, Started):
                answer.run = frame.run
            elif isinstance(frame, Delta):
                answer.pieces.append(frame.text)
            else:
                answer.done = frame
            if on_frame is not None:
                on_frame(answer)
    return answer
