"""Whose request runs next: deficit round robin over users, in tokens (Shreedhar and Varghese, 1995).

Each user has a credit. A request is charged its estimated tokens when it starts, and the difference to what
it has used when it ends, so that a credit can be negative. Users in debt are not served; when all who wait
are in debt, a round ends and each gets `quantum` tokens. Among the others the rank decides: completions
before commands before background. A user who floods the queue with completions is soon in debt, and then the
commands of others come first.

One user never holds all places, if there is more than one: somebody who has sent nothing yet starts at once.
All of it runs in one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from enum import IntEnum

import anyio

from ..errors import BackendUnavailable, QueueFull

_FIRST_ESTIMATE_SECONDS = 2.0
_MAX_RETRY_SECONDS = 60


class Rank(IntEnum):
    """Which requests come first; smaller is earlier."""

    COMPLETION = 0
    COMMAND = 1
    BACKGROUND = 2


@dataclass
class Turn:
    """A request in the queue; `used` is set by who has it, before it ends."""

    rank: Rank
    cost: int
    """Estimated tokens of prompt and answer, at least 1."""
    ready: asyncio.Future[None]
    lane: _UserQueue = field(repr=False)
    used: int | None = None
    """Tokens that were used; None charges the estimate."""


@dataclass
class _UserQueue:
    """The requests of one user."""

    waiting: dict[Rank, deque[Turn]] = field(default_factory=lambda: {rank: deque() for rank in Rank})
    credit: float = 0.0
    running: int = 0

    @property
    def next_rank(self) -> Rank | None:
        return next((rank for rank in Rank if self.waiting[rank]), None)

    @property
    def count(self) -> int:
        return sum(len(queue) for queue in self.waiting.values())


class FairQueue:
    """Requests that wait for a place at the upstream server.

    Parameters
    ----------
    places
        Number of requests that run at once.
    max_waiting
        Number of requests that wait, of all users.
    quantum
        Tokens that each user gets per round.
    """

    def __init__(self, places: int, max_waiting: int, quantum: int = 1024) -> None:
        self._places = places
        self._max_waiting = max_waiting
        self._quantum = quantum
        self._lanes: OrderedDict[str, _UserQueue] = OrderedDict()
        self._closed = False
        self._mean_seconds = _FIRST_ESTIMATE_SECONDS

    @property
    def running(self) -> int:
        """Number of requests that have a place."""
        return sum(lane.running for lane in self._lanes.values())

    def waiting(self, rank: Rank | None = None) -> int:
        """Number of requests that wait, of one rank or of all."""
        ranks = Rank if rank is None else (rank,)
        return sum(len(lane.waiting[each]) for lane in self._lanes.values() for each in ranks)

    @contextlib.asynccontextmanager
    async def place(self, who: str, rank: Rank, cost: int, patience: float) -> AsyncGenerator[Turn, None]:
        """Wait for a place, and hold it in the ``async with`` block.

        Parameters
        ----------
        who
            Whose credit is charged.
        cost
            Estimated tokens of prompt and answer.
        patience
            Seconds to wait at most.

        Raises
        ------
        QueueFull
            Too many requests wait, or this one has waited too long.
        BackendUnavailable
            The service is stopping.
        """
        turn = self._enter(who, rank, cost)
        loop = asyncio.get_running_loop()
        try:
            try:
                with anyio.fail_after(patience):
                    await turn.ready
            except TimeoutError:
                raise self._full(f"The request has waited {patience:g} seconds for its turn.") from None
            began = loop.time()
            yield turn
            self._mean_seconds += 0.1 * (loop.time() - began - self._mean_seconds)
        finally:
            self._remove_turn(turn)

    def close(self) -> None:
        """Refuse what waits and what comes; what has a place keeps it."""
        self._closed = True
        for lane in self._lanes.values():
            for queue in lane.waiting.values():
                for turn in queue:
                    if not turn.ready.done():
                        turn.ready.set_exception(stopping())
                queue.clear()

    def _enter(self, who: str, rank: Rank, cost: int) -> Turn:
        if self._closed:
            raise stopping()
        if self.waiting() >= self._max_waiting and not self._may_start(who):
            raise self._full("Too many requests of all users are waiting.")
        lane = self._lanes.setdefault(who, _UserQueue())
        turn = Turn(rank, max(1, cost), asyncio.get_running_loop().create_future(), lane)
        lane.waiting[rank].append(turn)
        self._serve()
        return turn

    def _may_start(self, who: str) -> bool:
        lane = self._lanes.get(who)
        return (
            self.running < self._places and self._has_room(lane or _UserQueue()) and not (lane and lane.count)
        )

    def _has_room(self, lane: _UserQueue) -> bool:
        return lane.running < max(1, self._places - 1)

    def _remove_turn(self, turn: Turn) -> None:
        lane = turn.lane
        with contextlib.suppress(ValueError):
            lane.waiting[turn.rank].remove(turn)
        if turn.ready.done() and not turn.ready.cancelled() and turn.ready.exception() is None:
            lane.running -= 1
            if turn.used is not None:
                lane.credit += turn.cost - turn.used
        turn.ready.cancel()
        self._serve()

    def _serve(self) -> None:
        """Give free places to those whose turn it is."""
        while self.running < self._places and (who := self._next()) is not None:
            lane = self._lanes[who]
            rank = lane.next_rank
            if rank is None:
                return
            turn = lane.waiting[rank].popleft()
            if turn.ready.done():
                continue
            lane.credit -= turn.cost
            lane.running += 1
            self._lanes.move_to_end(who)
            turn.ready.set_result(None)
        self._forget()

    def _next(self) -> str | None:
        """The user to serve: with credit, of the most urgent rank, longest not served."""
        able = [
            (rank, who)
            for who, lane in self._lanes.items()
            if (rank := lane.next_rank) is not None and self._has_room(lane)
        ]
        if not able:
            return None
        best = max(self._lanes[who].credit for _, who in able)
        if best < 0:
            self._end_rounds(best)
        solvent = [(rank, who) for rank, who in able if self._lanes[who].credit >= 0]
        # `min` takes the first of equals: the lanes are in the order in which they were last served.
        return min(solvent, key=lambda pair: pair[0])[1]

    def _end_rounds(self, best: float) -> None:
        """Give everybody the credit of as many rounds as let the first one be served."""
        rounds = math.ceil(-best / self._quantum)
        for lane in self._lanes.values():
            lane.credit = min(lane.credit + rounds * self._quantum, float(self._quantum))

    def _forget(self) -> None:
        """Keep debts only while somebody waits; credit is not saved up by who asks nothing."""
        contended = any(lane.count for lane in self._lanes.values())
        for who, lane in list(self._lanes.items()):
            if lane.count == 0 and lane.running == 0 and (not contended or lane.credit >= 0):
                del self._lanes[who]

    def _full(self, sentence: str) -> QueueFull:
        seconds = self.waiting() * self._mean_seconds / self._places
        return QueueFull(
            sentence,
            recovery="Try again later.",
            retry_after_seconds=max(1, min(_MAX_RETRY_SECONDS, round(seconds))),
        )


def stopping() -> BackendUnavailable:
    """The error for requests to a service that is about to end."""
    return BackendUnavailable(
        "The service is restarting.", recovery="Try again in a few seconds.", retry_after_seconds=5
    )
