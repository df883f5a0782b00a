"""A thread that does something again and again, until it is stopped."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable


class Pulse:
    """Beats as long as it is wanted.

    Parameters
    ----------
    beat
        What is done each time.
    interval_seconds
        How long to wait until the next time, asked after each beat.

    """

    def __init__(self, beat: Callable[[], None], interval_seconds: Callable[[], float]) -> None:
        self._beat = beat
        self._interval_seconds = interval_seconds
        self._woken = threading.Condition()
        self._due = False
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, with a beat at once; nothing happens if it has begun already."""
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._run, name="localcoder-pulse", daemon=True)
            self._thread.start()
            # At the end of the process nothing may be sent any more.
            atexit.register(self.stop)

    def soon(self) -> None:
        """Ask anew how long to wait."""
        with self._woken:
            self._due = True
            self._woken.notify()

    def stop(self) -> None:
        """End it; a beat that goes on is not waited for."""
        with self._woken:
            self._stopped = True
            self._woken.notify()
        atexit.unregister(self.stop)

    def _run(self) -> None:
        while not self._stopped:
            self._beat()
            with self._woken:
                self._due = False
                self._woken.wait_for(lambda: self._stopped or self._due, self._interval_seconds())
