"""The queue: who waits, who runs, and how each request comes to its one end.

A lane is a provider: so many of its requests run at a time (`at_once`), the others wait, by priority and then
in the order of arrival. An end comes from one of six sides: the work returns, it fails, somebody cancels, the
time is over, who asked has left, the service ends. The first one counts; whatever comes later finds the
request over and changes nothing.

All of it runs in one event loop; nothing here blocks.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from traitlets import Float, Integer
from traitlets.config import LoggingConfigurable

from ..contract.queue import RequestState
from ..errors import (
    BackendUnavailable,
    Canceled,
    LocalCoderError,
    RequestAlreadyCompleted,
    RequestNotFound,
    Timeout,
    UnknownError,
)
from ..events import Listeners
from ..generation import clients
from .ticket import Ticket, Timer

_CLOSE_SECONDS = 1.0
"""A server that is being shut down does not wait longer, twice, for a provider."""
_ENDED = "The service stopped before the request was answered."

Later = Callable[[float, Callable[[], None]], Timer]


class _ProviderQueue:
    """The requests of one provider."""

    def __init__(self) -> None:
        self.waiting: list[Ticket] = []
        """In the order of their turns."""
        self.busy: dict[str, Ticket] = {}
        """Those that run, are kept, or are still letting go."""

    @property
    def running(self) -> list[Ticket]:
        return [ticket for ticket in self.busy.values() if ticket.state == "running"]

    @property
    def places(self) -> int:
        """How many hold a place: who has the answer, and only keeps it, holds none."""
        return sum(ticket.state != "saving" for ticket in self.busy.values())


class RequestQueue(LoggingConfigurable):
    """Queue of prompts, with one lane per provider."""

    max_queued = Integer(
        512,
        min=1,
        config=True,
        help="Maximum number of waiting and running requests in the queue; further ones fail with "
        "`QUEUE_FULL`. One user or token can occupy at most as many places as remain free; so can all "
        "kernels and terminals together, and each of them has a share of these.",
    )
    max_queued_bytes = Integer(
        128 * 1024 * 1024,
        min=1,
        config=True,
        help="Maximum total size in bytes of the prompts of waiting and running requests in the queue; "
        "further ones fail with `QUEUE_FULL`. One user or token can use at most as many bytes as remain "
        "free; so can all kernels and terminals together, and each of them has a share of these.",
    )
    at_once = Integer(
        1,
        min=1,
        config=True,
        help="Maximum number of queued requests that run at the same time at one provider.",
    )
    lease_seconds = Float(
        60.0,
        min=1.0,
        config=True,
        help="Time in seconds after which a private request sent over REST is dropped if its client has not "
        "polled it.",
    )
    timeout_seconds = Float(
        600.0,
        min=1.0,
        config=True,
        help="Default time limit of a queued request in seconds, if neither the request nor its provider "
        "has a limit.",
    )
    grace_seconds = Float(
        5.0,
        min=0.0,
        config=True,
        help="Grace period in seconds that a provider has after its timeout, and after a cancellation; then "
        "the next request starts without waiting for it.",
    )

    def __init__(
        self,
        *,
        later: Later | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.on_change: Listeners[[Ticket]] = Listeners()
        """Told of every move of a request, when it is made."""
        self._later = later or (lambda seconds, do: asyncio.get_running_loop().call_later(seconds, do))
        self._lanes: dict[str, _ProviderQueue] = {}
        self._open: dict[str, Ticket] = {}
        self._shares = clients.ClientQuotas(
            lambda: self.max_queued,
            lambda: self.max_queued_bytes,
            what="requests wait or run",
            retry_after_seconds=2,
        )
        self._order = itertools.count()
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    # What it looks like from outside

    def find(self, id_: str) -> Ticket | None:
        """The request of this id, if it has not ended."""
        return self._open.get(id_)

    def running(self) -> list[Ticket]:
        """Those that run, the one that came first in front."""
        return sorted((t for t in self._open.values() if t.state != "waiting"), key=lambda t: t.order)

    def waiting(self) -> list[Ticket]:
        """Those that wait, in the order of their turns."""
        return sorted((t for t in self._open.values() if t.state == "waiting"), key=lambda t: t.turn)

    def position(self, ticket: Ticket) -> int:
        """Its place in its lane, from 1, which runs; 0 where it is over."""
        if ticket.over:
            return 0
        if ticket.state != "waiting":
            return 1
        lane = self._lanes[ticket.lane]
        return 1 + len(lane.running) + lane.waiting.index(ticket)

    def in_lane(self, name: str) -> int:
        """How many wait and run at a provider."""
        return sum(ticket.lane == name for ticket in self._open.values())

    # What is done with it

    def add(self, ticket: Ticket) -> int:
        """Put a request in, and answer its position.

        Raises
        ------
        QueueFull
            As many wait and run as there may be, or as may be of one caller.
        BackendUnavailable
            The service has ended.
        """
        if self._closed:
            raise BackendUnavailable("The service has stopped.")
        ticket.share = self._shares.acquire(ticket.size)
        ticket.order = next(self._order)
        lane = self._lanes.setdefault(ticket.lane, _ProviderQueue())
        bisect.insort(lane.waiting, ticket, key=lambda t: t.turn)
        self._open[ticket.id] = ticket
        self._renew(ticket)
        self.on_change.notify(ticket)
        self._fill(ticket.lane)
        return self.position(ticket)

    def cancel(self, id_: str) -> None:
        """End a request that waits or runs.

        Raises
        ------
        RequestNotFound
            No request of this id is open.
        RequestAlreadyCompleted
            Its answer is complete, and is being kept.
        """
        ticket = self._open.get(id_)
        if ticket is None:
            raise RequestNotFound(f"Request {id_!r} is neither waiting nor running.")
        if ticket.state == "saving":
            raise RequestAlreadyCompleted
        self._stop(ticket, "canceled", Canceled())

    def cancel_all(self) -> int:
        """End all that wait or run; answer how many there were."""
        open_ = [ticket for ticket in self._open.values() if ticket.state != "saving"]
        # Those that wait first, or each place that becomes free would start one of them.
        for ticket in sorted(open_, key=lambda t: t.state != "waiting"):
            self._stop(ticket, "canceled", Canceled())
        return len(open_)

    def client_left(self, id_: str) -> None:
        """Who asked has left: their request is dropped, unless it is to be kept."""
        ticket = self._open.get(id_)
        if ticket is not None and not ticket.keep and ticket.state != "saving":
            self._stop(ticket, "canceled", Canceled("No client is waiting for it anymore."))

    @contextmanager
    def keep_alive(self, id_: str) -> Iterator[None]:
        """Who asked is there, as long as this lasts."""
        ticket = self._open.get(id_)
        if ticket is None:
            yield
            return
        ticket.visitors += 1
        self._renew(ticket)
        try:
            yield
        finally:
            ticket.visitors -= 1
            self._renew(ticket)

    def mark_saving(self, ticket: Ticket) -> None:
        """The work has its answer, and only keeps it now: nothing but the service's end stops it.

        Its place is free for the next one.

        Raises
        ------
        Canceled
            It has had another end meanwhile; the answer is not to be kept.
        """
        if ticket.over:
            raise Canceled
        _call_off(ticket)
        ticket.move("saving")
        self.on_change.notify(ticket)
        self._fill(ticket.lane)

    async def close(self) -> None:
        """End everything; nothing is taken after it. What is being kept may finish."""
        self._closed = True
        for ticket in list(self._open.values()):
            if ticket.state != "saving":
                self._stop(ticket, "failed", BackendUnavailable(_ENDED))
        tasks = [t.task for lane in self._lanes.values() for t in lane.busy.values() if t.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_CLOSE_SECONDS)

    # From the turn to the end

    def _fill(self, name: str) -> None:
        """Begin what has its turn."""
        lane = self._lanes[name]
        while lane.waiting and lane.places < self.at_once and not self._closed:
            ticket = lane.waiting.pop(0)
            lane.busy[ticket.id] = ticket
            ticket.move("running")
            if ticket.timeout_seconds is not None:
                ticket.timer = self._later(ticket.timeout_seconds, partial(self._expire, ticket))
            ticket.task = asyncio.ensure_future(self._run(ticket))
            ticket.task.add_done_callback(partial(self._release, ticket))
            self.on_change.notify(ticket)
        if not lane.waiting and not lane.busy:
            del self._lanes[name]

    async def _run(self, ticket: Ticket) -> None:
        try:
            assert ticket.work is not None  # noqa: S101 - only an end drops it
            await ticket.work(ticket)
        except asyncio.CancelledError:
            # From outside: an end of ours has come before the task was cancelled.
            self._end(ticket, "failed", BackendUnavailable(_ENDED))
        except LocalCoderError as failure:
            self._end(ticket, "failed", failure)
        except Exception as failure:
            self.log.error("A queued request failed", exc_info=failure)
            self._end(ticket, "failed", UnknownError())
        else:
            self._end(ticket, "done")

    def _expire(self, ticket: Ticket) -> None:
        self._stop(ticket, "failed", Timeout())

    def _stop(self, ticket: Ticket, state: RequestState, error: LocalCoderError) -> None:
        """End it now; its work lets go in its own time, which is bounded."""
        task = ticket.task
        self._end(ticket, state, error)
        if task is None:
            self._fill(ticket.lane)
        elif not task.done():
            task.cancel()
            ticket.timer = self._later(self.grace_seconds, partial(self._abandon, ticket))

    def _abandon(self, ticket: Ticket) -> None:
        self.log.warning("The provider %s does not release a finished request.", ticket.lane)
        self._release(ticket)

    def _end(self, ticket: Ticket, state: RequestState, error: LocalCoderError | None = None) -> None:
        """The one end of a request; a later one changes nothing."""
        if ticket.over:
            return
        _call_off(ticket)
        lane = self._lanes[ticket.lane]
        if ticket.state == "waiting":
            lane.waiting.remove(ticket)
        ticket.move(state, error)
        del self._open[ticket.id]
        if ticket.share is not None:
            self._shares.give_back(ticket.share)
        self.on_change.notify(ticket)

    def _release(self, ticket: Ticket, _task: object = None) -> None:
        """Its place is free for the next one."""
        if ticket.timer is not None:
            ticket.timer.cancel()
        lane = self._lanes.get(ticket.lane)
        if lane is not None and lane.busy.pop(ticket.id, None) is not None:
            ticket.task = None
            self._fill(ticket.lane)

    def _renew(self, ticket: Ticket) -> None:
        """Let the lease begin anew, or wait while somebody is there."""
        if ticket.lease is not None:
            ticket.lease.cancel()
            ticket.lease = None
        if ticket.lease_seconds is None or ticket.visitors or ticket.over or ticket.keep:
            return
        ticket.lease = self._later(ticket.lease_seconds, partial(self.client_left, ticket.id))


def _call_off(ticket: Ticket) -> None:
    for timer in (ticket.timer, ticket.lease):
        if timer is not None:
            timer.cancel()
    ticket.timer = ticket.lease = None
