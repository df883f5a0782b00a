"""One request in the queue, and the moves that it may make."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol

from ..contract.queue import Priority, RequestState
from ..errors import LocalCoderError
from ..generation.clients import QuotaLease

RANKS: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}
OVER: frozenset[RequestState] = frozenset({"done", "failed", "canceled"})

MOVES: dict[RequestState, frozenset[RequestState]] = {
    "waiting": frozenset({"running", "failed", "canceled"}),
    "running": frozenset({"saving", "done", "failed", "canceled"}),
    "saving": frozenset({"done", "failed"}),
    "done": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
}
"""The whole life of a request: nothing leads out of an end."""


class Timer(Protocol):
    """Something that will happen, and can be called off."""

    def cancel(self) -> None:
        """Call it off."""


@dataclass(eq=False)
class Ticket:
    """A place in the queue."""

    lane: str
    """Of each lane, so many run at a time: a provider's id."""
    work: Callable[[Ticket], Awaitable[None]] | None
    """Does it; what it raises is how the request failed. Dropped at the end, with what it holds."""
    priority: Priority = "normal"
    keep: bool = False
    timeout_seconds: float | None = None
    """From the start of the work."""
    lease_seconds: float | None = None
    """Who asked must show up so often; None: is watched in another way, or not at all."""
    size: int = 0
    """Bytes that it holds while it is open."""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    added: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    state: RequestState = "waiting"
    error: LocalCoderError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    # What the queue keeps with it
    order: int = 0
    share: QuotaLease | None = None
    task: asyncio.Task[None] | None = None
    timer: Timer | None = None
    lease: Timer | None = None
    visitors: int = 0
    """How many wait for its end right now: while there are any, the lease does not run."""

    @property
    def over(self) -> bool:
        """Whether it has had its end."""
        return self.state in OVER

    @property
    def turn(self) -> tuple[int, int]:
        """Sorts the waiting: by priority, then by arrival."""
        return RANKS[self.priority], self.order

    def move(self, state: RequestState, error: LocalCoderError | None = None) -> None:
        """Go on in life.

        Raises
        ------
        RuntimeError
            The table has no such move; nothing is changed.
        """
        if state not in MOVES[self.state]:
            raise RuntimeError(f"a request that is {self.state} cannot become {state}")
        self.state = state
        if state in OVER:
            self.error = error
            self.work = None
            self.ended.set()
