"""One queued prompt on its way through a provider, and what there is of its answer."""

from __future__ import annotations

import contextlib
import sys
import time

import msgspec

from ..contract.queue import CallRequest, QueueAnswer, QueueItem, TokenCounts
from ..errors import ConnectionFailed
from ..providers.base import AnswerDelta, ChatTurn, End, Messages, ProviderRequest
from ..providers.choice import ChosenProvider
from ..text.reasoning import bounded


class Call:
    """Asks the provider once, and keeps what comes.

    Parameters
    ----------
    request
        Without its prompt and parameters.
    prompt
        What is sent: the request's prompt, its places filled.
    max_tokens
        Where the request does not say.
    reasoning_chars
        So much of the reasoning before the answer is kept.
    quiet
        Asked by the service itself: nobody is told of its end.
    """

    def __init__(
        self,
        request: CallRequest,
        prompt: str,
        chosen: ChosenProvider,
        max_tokens: int,
        *,
        reasoning_chars: int = 0,
        quiet: bool = False,
    ) -> None:
        self.request = request
        self.prompt = prompt
        self.chosen = chosen
        self.quiet = quiet
        self.end: End | None = None
        self.milliseconds = 0.0
        self.response_id = ""
        self._parts: list[str] = []
        self._thoughts: list[str] = []
        self._reasoning_chars = reasoning_chars
        self._asked = ProviderRequest(
            input=Messages((ChatTurn("user", prompt),)),
            model=request.model,
            max_tokens=request.max_tokens or max_tokens,
            sampling=request.sampling,
            stop=request.stop,
            timeout_seconds=self.timeout_seconds,
            background=request.priority != "high",
        )

    @property
    def asked(self) -> CallRequest:
        """The request, with the prompt that is sent: to ask it again."""
        return msgspec.structs.replace(self.request, prompt=self.prompt)

    @property
    def size(self) -> int:
        """Bytes of memory that it holds while it waits."""
        return sum(map(sys.getsizeof, (self.prompt, *self.request.stop)))

    @property
    def timeout_seconds(self) -> float | None:
        """The request's own time limit, else the provider's."""
        if self.request.timeout_ms is not None:
            return self.request.timeout_ms / 1000
        return self.chosen.timeout_seconds

    @property
    def sampling_given(self) -> dict[str, int | float]:
        """What the request says about sampling."""
        return self._asked.sampling_given

    @property
    def text(self) -> str:
        """What came so far."""
        return "".join(self._parts)[self.end.moved if self.end else 0 :]

    @property
    def reasoning(self) -> str:
        """What the model has reasoned, as much of it as is kept."""
        moved = "".join(self._parts)[: self.end.moved if self.end else 0]
        thoughts = [] if self.end and self.end.taken_back else self._thoughts
        return bounded(moved + "".join(thoughts), self._reasoning_chars)

    async def ask(self) -> None:
        """Take the answer as it comes; whoever stops this closes the provider's stream.

        Raises
        ------
        LocalCoderError
            What the provider raised, or that it broke off.
        """
        begin = time.monotonic()
        try:
            async with contextlib.aclosing(self.chosen.provider.stream(self._asked)) as frames:
                async for frame in frames:
                    if isinstance(frame, AnswerDelta):
                        self._parts.append(frame.text)
                        self._thoughts.append(frame.reasoning)
                    else:
                        self.end = frame
        finally:
            self.milliseconds = (time.monotonic() - begin) * 1000
        if self.end is None:
            raise ConnectionFailed("The provider closed the connection before the answer was complete.")

    def answer(self, item: QueueItem) -> QueueAnswer:
        """What there is of it, for who asks."""
        end = self.end
        return QueueAnswer(
            item=item,
            text=self.text,
            reasoning=self.reasoning,
            finish=end.reason if end else None,
            usage=token_counts(end),
            cost_usd=end.cost_usd if end else None,
            milliseconds=self.milliseconds,
            timings=end.origin.timings if end and end.origin else None,
            response_id=self.response_id,
        )


def token_counts(end: End | None) -> TokenCounts:
    """The usage of an answer, as far as the provider told it."""
    if end is None:
        return TokenCounts()
    usage = end.usage
    return TokenCounts(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )
