"""A run whose answer is asked for once more where it cannot be used.

For its client it is one run with one id and one end; pieces of the second answer say so (`Delta.attempt`).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

import msgspec

from ..contract import wire
from ..contract.common import Timings, Usage
from ..contract.generation import Delta, Done, Finish
from ..engine.job import EndReason
from ..errors import Canceled, LocalCoderError
from .run import About, AnyRun, RunFrame, rate

Another = Callable[[Done], Awaitable[AnyRun | None]]


class TwiceAskedRun:
    """One run, or two.

    Parameters
    ----------
    first
        Its id and its description are those of the whole.
    another
        Answers how to ask again after this end, None where the answer is good, or is to stay as it is.
    """

    def __init__(self, first: AnyRun, another: Another) -> None:
        self.id = first.id
        self.kind = first.kind
        self.about: About | None = first.about
        self._current = first
        self._another = another
        self._ended: EndReason | None = None
        self.undelivered: Done | None = None
        """An end that has come, while it is not known yet whether another answer is asked for."""

    @property
    def segments(self) -> tuple[wire.Segment, ...]:
        """What the model has read for the answer that counts."""
        return self._current.segments

    def cancel(self, reason: EndReason = "canceled") -> None:
        """End whichever is under way."""
        self._ended = self._ended or reason
        self._current.cancel(reason)

    async def __aiter__(self) -> AsyncGenerator[RunFrame, None]:
        first: Done | None = None
        async with contextlib.aclosing(self._current.__aiter__()) as frames:
            async for frame in frames:
                if isinstance(frame, Done):
                    first = frame
                else:
                    yield frame
        if first is None:
            return
        self.undelivered = first
        again = None if self._ended else await self._another(first)
        self.undelivered = None
        if again is None:
            yield first
            return
        if self._ended:
            yield msgspec.structs.replace(first, finish=self._finish())
            return
        before, self._current = self._current, again
        try:
            async with contextlib.aclosing(again.__aiter__()) as frames:
                async for frame in frames:
                    if isinstance(frame, Delta):
                        yield msgspec.structs.replace(frame, run=self.id, attempt=2)
                    elif isinstance(frame, Done):
                        yield _both(first, msgspec.structs.replace(frame, run=self.id))
        except Canceled:
            # Nothing of the second has come, and the first is no answer to be used.
            self._current = before
            yield msgspec.structs.replace(first, finish=self._finish())
        except LocalCoderError:
            # There is an answer, if not a good one.
            self._current = before
            yield first

    def _finish(self) -> Finish:
        return "timeout" if self._ended == "timeout" else "canceled"


def _both(first: Done, second: Done) -> Done:
    """The second end, with what both have cost."""
    one, two = first.timings, second.timings
    prefill, decode = one.prefill_ms + two.prefill_ms, one.decode_ms + two.decode_ms
    usage = Usage(
        prompt_tokens=_sum(first.usage.prompt_tokens, second.usage.prompt_tokens),
        cached_tokens=_sum(first.usage.cached_tokens, second.usage.cached_tokens),
        completion_tokens=_sum(first.usage.completion_tokens, second.usage.completion_tokens),
        reasoning_tokens=_sum(first.usage.reasoning_tokens, second.usage.reasoning_tokens),
        left_out_tokens=second.usage.left_out_tokens,
    )
    computed = (usage.prompt_tokens or 0) - (usage.cached_tokens or 0)
    return msgspec.structs.replace(
        second,
        usage=usage,
        timings=Timings(
            queue_ms=one.queue_ms + two.queue_ms,
            prefill_ms=prefill,
            decode_ms=decode,
            total_ms=one.total_ms + two.total_ms,
            prefill_tokens_per_second=rate(computed, prefill),
            decode_tokens_per_second=rate(max(0, (usage.completion_tokens or 0) - 2), decode),
        ),
        cost_usd=None
        if first.cost_usd is None and second.cost_usd is None
        else (first.cost_usd or 0.0) + (second.cost_usd or 0.0),
    )


def _sum(one: int | None, two: int | None) -> int | None:
    return two if one is None else one if two is None else one + two
