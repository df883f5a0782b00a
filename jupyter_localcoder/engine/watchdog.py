"""Notices a worker that hangs: it does not answer, or it answers and does not get on.

Its reader thread answers a ping by itself, whatever llama.cpp computes; it cannot while the process is
stopped or something holds the interpreter's lock. The count of steps in the answer shows whether what runs
gets on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..contract import wire


@dataclass(frozen=True)
class WatchdogTimeouts:
    """How long is waited, in seconds."""

    between: float
    """From one ping to the next."""
    answer: float
    """For the answer to a ping."""
    progress: float
    """For the next step of what runs."""


async def watch(
    ping: Callable[[float], Awaitable[wire.Pong | None]],
    patience: WatchdogTimeouts,
    clock: Callable[[], float],
    seen: Callable[[wire.Pong], None] = lambda _: None,
) -> str:
    """Ping until the worker hangs; return the sentence that says how. Cancel it when the worker is gone.

    Parameters
    ----------
    ping
        Asks once, with a time limit in seconds.
    seen
        Is told of each answer.
    """
    steps, since = -1, clock()
    while True:
        await asyncio.sleep(patience.between)
        pong = await ping(patience.answer)
        if pong is None:
            return (
                f"The inference worker did not respond for {patience.answer:g} seconds, so it was terminated."
            )
        seen(pong)
        now = clock()
        if pong.steps != steps or not (pong.running or pong.waiting):
            steps, since = pong.steps, now
        elif now - since > patience.progress:
            return (
                f"The inference worker made no progress for {patience.progress:g} seconds, so it was "
                "terminated."
            )
