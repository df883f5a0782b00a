"""The requests for text that have not ended, and the one stream of each.

`Runs.stream` is the only place where a request is opened, cancelled when its consumer stops, and closed. All
others that have an interest in it are observers: a failing observer changes nothing for the consumer.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from ..contract.generation import Done, EndCode, Finish
from ..errors import BackendUnavailable, Canceled
from ..events import Listeners
from . import clients
from .run import About, AnyRun, RunFrame
from .second_answer import TwiceAskedRun


class Observer:
    """Follows one request. Its methods must be quick; the base does nothing.

    What a method raises is logged, and reaches neither the consumer nor another observer.
    """

    def on_frame(self, frame: RunFrame) -> None:
        """Called for each frame, right before it is delivered."""

    def end(self, done: Done | None, failure: Exception | None) -> None:
        """Called exactly once, after the last frame was delivered or the consumer has stopped.

        Parameters
        ----------
        done
            The last frame; None: there was none.
        failure
            Why the request failed; None: it did not.
        """


class DoneObserver(Observer):
    """Calls a function with the last frame."""

    def __init__(self, on_done: Callable[[Done], None]) -> None:
        self._on_done = on_done

    def on_frame(self, frame: RunFrame) -> None:
        """See `Observer.on_frame`."""
        if isinstance(frame, Done):
            self._on_done(frame)


@dataclass(frozen=True)
class ObservedRun:
    """A request that is ready to be sent, and its observers."""

    run: AnyRun
    annotate: Sequence[Callable[[RunFrame], RunFrame]] = ()
    """Add to each frame, in this order; part of the answer, so a failure ends it."""
    judge: Callable[[Done], Awaitable[Done]] | None = None
    """Adds to the last frame, and may take a while."""
    observers: Sequence[Observer] = ()

    @property
    def undelivered(self) -> Done | None:
        """The end of an answer that came, and that the consumer did not wait for."""
        return self.run.undelivered if isinstance(self.run, TwiceAskedRun) else None


Prepare = Callable[[], Awaitable[ObservedRun]]


class Runs:
    """The runs that have not ended yet.

    Parameters
    ----------
    quotas
        Limits of all requests together, and of those of one client.
    observers
        Follow every request.
    """

    def __init__(
        self,
        quotas: clients.ClientQuotas,
        log: logging.Logger | logging.LoggerAdapter[Any],
        observers: Sequence[Observer] = (),
    ) -> None:
        self._quotas = quotas
        self._log = log
        self._observers = tuple(observers)
        self._closing = False
        self.by_id: dict[str, AnyRun] = {}
        self.on_change: Listeners[[]] = Listeners()
        """Called when a run that is listed begins or has ended."""

    def __len__(self) -> int:
        return len(self.by_id)

    async def stream(self, prepare: Prepare) -> AsyncGenerator[RunFrame, None]:
        """Frames of a request, which is open from the first to the last; a consumer that stops cancels it.

        Parameters
        ----------
        prepare
            Makes the run. What it raises is raised here, and nothing was begun.

        Raises
        ------
        QueueFull
            The limit of open requests, or of those of one client, is reached; nothing was begun.
        """
        observed = await prepare()
        run = observed.run
        followers = _Followers((*self._observers, *observed.observers), self._log)
        share = self._quotas.acquire(clients.body_bytes.get())
        failure: Exception | None = None
        done: Done | None = None
        self.by_id[run.id] = run
        self._report_change(run)
        try:
            async with contextlib.aclosing(run.__aiter__()) as frames:
                async for frame in frames:
                    if isinstance(frame, Done):
                        self._close(run)
                        frame = self._with_end_code(frame)
                    for annotate in observed.annotate:
                        frame = annotate(frame)
                    followers.on_frame(frame)
                    if isinstance(frame, Done):
                        done = frame
                        if observed.judge is not None:
                            frame = done = await observed.judge(frame)
                    yield frame
        except Canceled as canceled:
            failure = canceled
            if not self._closing:
                raise
            failure = BackendUnavailable(_CLOSED, recovery="Restart it, and send the request again.")
            raise failure from None
        except Exception as failed:
            failure = failed
            raise
        finally:
            self._close(run)
            self._quotas.give_back(share)
            if done is None and (done := observed.undelivered) is not None:
                for annotate in observed.annotate:
                    done = cast(Done, annotate(done))
                followers.on_frame(done)
            followers.end(done, failure)

    def listed(self) -> list[tuple[str, About]]:
        """Those that users know of, with their ids, in the order in which they began."""
        return [(run.id, run.about) for run in self.by_id.values() if run.about is not None]

    def find(self, id_: str, kind: str | None = None) -> AnyRun | None:
        """The run of this id (and kind), or None."""
        run = self.by_id.get(id_)
        return run if run is not None and kind in (None, run.kind) else None

    def cancel_all(self) -> int:
        """Cancel all; return their number."""
        runs = list(self.by_id.values())
        for run in runs:
            run.cancel()
        return len(runs)

    def close(self) -> None:
        """Cancel all, since the service ends: their last frames say so."""
        self._closing = True
        self.cancel_all()

    def _with_end_code(self, done: Done) -> Done:
        if (code := _END_CODES.get(done.finish)) is not None:
            done = msgspec.structs.replace(done, code=code)
        if self._closing and done.finish == "canceled":
            done = msgspec.structs.replace(done, note=_CLOSED)
        return done

    def _close(self, run: AnyRun) -> None:
        if self.by_id.pop(run.id, None) is not None:
            self._report_change(run)

    def _report_change(self, run: AnyRun) -> None:
        if run.about is not None:
            self.on_change.notify()


class _Followers:
    """The observers of one request: what one of them raises is logged."""

    def __init__(
        self, observers: Sequence[Observer], log: logging.Logger | logging.LoggerAdapter[Any]
    ) -> None:
        self._observers = observers
        self._log = log

    def on_frame(self, frame: RunFrame) -> None:
        for observer in self._observers:
            try:
                observer.on_frame(frame)
            except Exception:
                self._log.exception("An observer of requests failed")

    def end(self, done: Done | None, failure: Exception | None) -> None:
        for observer in self._observers:
            try:
                observer.end(done, failure)
            except Exception:
                self._log.exception("An observer of requests failed")


_END_CODES: dict[Finish, EndCode] = {"canceled": "CANCELED", "timeout": "TIMEOUT"}
_CLOSED = "The answer was stopped because the Jupyter server was shut down."
