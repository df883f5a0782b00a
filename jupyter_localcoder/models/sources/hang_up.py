"""End a connection that another thread waits on, as soon as a download is cancelled."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Any, TypeVar

from ...errors import Canceled

T = TypeVar("T")
_LOOK_SECONDS = 0.1


class HangUp:
    """Shuts the socket of a request when ``cancel`` is set, so that a read without end ends.

    A thread of its own looks at ``cancel``, since nothing can wait for an event and for a socket at
    once; it ends with the ``with`` block.
    """

    def __init__(self, cancel: threading.Event) -> None:
        self._cancel = cancel
        self._over = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._watch, name="localcoder-hang-up", daemon=True)

    def __enter__(self) -> HangUp:
        self.check()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """Raise `Canceled` if it was cancelled."""
        if self._cancel.is_set():
            raise Canceled()

    def ask(self, send: Callable[[], T]) -> T:
        """Call what may look a name up and connect; raise `Canceled` as soon as it is cancelled.

        Neither can be interrupted, so they are left to a thread of their own. What is left behind closes its
        connection when it has one, and sends nothing.
        """
        asked: Future[T] = Future()

        def run() -> None:
            try:
                asked.set_result(send())
            except BaseException as failure:
                asked.set_exception(failure)

        threading.Thread(target=run, name="localcoder-connect", daemon=True).start()
        while not wait([asked], _LOOK_SECONDS).done:
            self.check()
        return asked.result()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Give this to httpx as the ``trace`` extension: it shows each socket that is opened."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            stream = info["return_value"]
            self._socket = stream.get_extra_info("socket")
            if self._cancel.is_set():
                stream.close()
                raise Canceled()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            if self._cancel.is_set() and self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
