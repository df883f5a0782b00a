"""Whether a worker that has crashed is started again, and after which delay. Pure."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Protocol


class RestartLimits(Protocol):
    """The limits, which can change at any time; all times in seconds."""

    @property
    def backoff_first_seconds(self) -> float:
        """Initial delay."""

    @property
    def backoff_max_seconds(self) -> float:
        """Maximum delay."""

    @property
    def max_crashes(self) -> int:
        """Number of crashes within the window after which the worker is not restarted."""

    @property
    def crash_window_seconds(self) -> float:
        """Period over which crashes are counted."""

    @property
    def stable_seconds(self) -> float:
        """Time with a loaded model after which earlier crashes do not count."""


class RestartPolicy:
    """Counts the crashes of a worker.

    Parameters
    ----------
    clock
        Returns monotonic time in seconds.
    """

    def __init__(self, limits: RestartLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._crashes: collections.deque[float] = collections.deque()
        self._loaded_at = 0.0

    @property
    def crashes(self) -> int:
        """Number of crashes that count."""
        return len(self._crashes)

    @property
    def gives_up(self) -> bool:
        """Whether the worker crashed too often to be restarted."""
        return len(self._crashes) >= self._limits.max_crashes

    def note_loaded(self) -> None:
        """A model was loaded just now."""
        self._loaded_at = self._clock()

    def note_crash(self, *, loading: bool) -> None:
        """The worker crashed just now.

        Parameters
        ----------
        loading
            Whether its model was not loaded yet.
        """
        now = self._clock()
        if not loading and now - self._loaded_at > self._limits.stable_seconds:
            self._crashes.clear()
        self._crashes.append(now)
        while self._crashes and now - self._crashes[0] > self._limits.crash_window_seconds:
            self._crashes.popleft()

    def delay_seconds(self, *, loading: bool) -> float:
        """Delay before the next start.

        The first crash of a worker with a loaded model has no delay: the requests wait for the model.
        """
        doublings = self.crashes - (1 if loading else 2)
        if doublings < 0:
            return 0.0
        limits = self._limits
        return min(limits.backoff_max_seconds, limits.backoff_first_seconds * 2.0**doublings)

    def reset(self) -> None:
        """Forget all crashes."""
        self._crashes.clear()
