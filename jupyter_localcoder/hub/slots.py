"""Which slot of a llama-server a scope uses, so that it finds its computed prompt there again."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Iterator


class Slots:
    """Gives each scope the slot that it used last, if that is free; else the one that was unused longest.

    Parameters
    ----------
    count
        Number of slots, at least 1. With more requests at once than slots, several share one and wait there.
    """

    def __init__(self, count: int) -> None:
        self._scopes: OrderedDict[int, str] = OrderedDict((slot, "") for slot in range(count))
        """The last scope of each slot, the least recently used slot first."""
        self._busy = [0] * count

    @contextlib.contextmanager
    def held(self, scope: str) -> Iterator[int]:
        """Hold the slot of a scope in the ``with`` block."""
        slot = self._choose(scope)
        self._scopes[slot] = scope
        self._scopes.move_to_end(slot)
        self._busy[slot] += 1
        try:
            yield slot
        finally:
            self._busy[slot] -= 1

    def _choose(self, scope: str) -> int:
        free = [slot for slot in self._scopes if not self._busy[slot]]
        own = [slot for slot in free if self._scopes[slot] == scope]
        if own or free:
            return (own or free)[0]
        return min(self._scopes, key=lambda slot: self._busy[slot])
