"""Ctrl-C as a request to stop, for work that must end in order: the first asks, the second insists."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_interrupt(stop: threading.Event) -> Generator[None, None, None]:
    """Set ``stop`` on the first Ctrl-C within the ``with`` block; raise on the second."""

    def heard(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        # Signals belong to the main thread; elsewhere nobody presses Ctrl-C.
        yield
        return
    before = signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
