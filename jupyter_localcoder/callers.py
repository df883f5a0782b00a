"""Who asks, as far as it can be told when they have left.

A transport says it in `current` before it calls the service; where nobody says anything (the service runs in
the caller's own process), the caller is there as long as the service is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar


class Connection:
    """A caller with a connection, which ends once."""

    def __init__(self) -> None:
        self._ended = False
        self._callbacks: dict[object, Callable[[], None]] = {}

    def on_end(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when it ends, or at once if it has; call what is returned to be left in peace."""
        if self._ended:
            callback()
            return lambda: None
        key = object()
        self._callbacks[key] = callback

        def forget() -> None:
            self._callbacks.pop(key, None)

        return forget

    def end(self) -> None:
        """The caller has left."""
        self._ended = True
        while self._callbacks:
            self._callbacks.popitem()[1]()


class Visitor:
    """A caller without a connection that lasts, who may come back and ask again."""


Caller = Connection | Visitor | None

current: ContextVar[Caller] = ContextVar("localcoder_caller", default=None)
"""The caller of the operation that is being served."""
