"""Tells everybody who listens what happens. No transport: the websocket is one listener among others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from .contract.registry import Event

Listener = Callable[[Event, msgspec.Struct], None]


class EventHub:
    """Hands each event to all listeners, in the event loop, in order."""

    def __init__(self, log: logging.Logger | logging.LoggerAdapter[Any]) -> None:
        self._log = log
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; call what is returned to take it away again."""
        self._listeners.append(listener)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def tell(self, event: Event, payload: msgspec.Struct) -> None:
        """Tell all listeners; one that fails does not keep it from the others."""
        for listener in list(self._listeners):
            try:
                listener(event, payload)
            except Exception:
                self._log.exception("A listener of %s failed", event.name)
