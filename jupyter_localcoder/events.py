"""Tells everybody who listens what happens. No transport: the websocket is one listener among others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Generic, ParamSpec

import msgspec

from .contract.registry import Event

P = ParamSpec("P")
Listener = Callable[[Event, msgspec.Struct], None]


class Listeners(Generic[P]):
    """Functions that are called when something happens, in the order in which they were added."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, None]] = []

    @property
    def count(self) -> int:
        """Number of listeners."""
        return len(self._listeners)

    def listen(self, listener: Callable[P, None]) -> Callable[[], None]:
        """Add a listener; call what is returned to remove it."""
        self._listeners.append(listener)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def notify(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call all listeners. What one raises is raised here."""
        for listener in list(self._listeners):
            listener(*args, **kwargs)


class EventHub(Listeners[[Event, msgspec.Struct]]):
    """Hands each event to all listeners, in the event loop, in order."""

    def __init__(self, log: logging.Logger | logging.LoggerAdapter[Any]) -> None:
        super().__init__()
        self._log = log

    def notify(self, event: Event, payload: msgspec.Struct) -> None:
        """Call all listeners; one that fails does not keep the event from the others."""
        for listener in list(self._listeners):
            try:
                listener(event, payload)
            except Exception:
                self._log.exception("A listener of %s failed", event.name)
