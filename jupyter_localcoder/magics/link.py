"""The magics' one client: made when it is first needed, so that loading the extension costs nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from ..client import Client


class Link:
    """Holds the client.

    Parameters
    ----------
    connect
        Makes it.

    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._client: Client | None = None
        self._lock = threading.Lock()
        self._process = os.getpid()

    def client(self) -> Client:
        """The client.

        Raises
        ------
        LocalCoderError
            There is none to be had.

        """
        with self._own_lock():
            if self._client is None:
                self._client = self._connect()
            return self._client

    def close(self) -> None:
        """Let go of the client, if there is one."""
        with self._own_lock():
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _own_lock(self) -> threading.Lock:
        """The lock; another one after a fork, in which a thread that is not here may have held it."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._lock = threading.Lock()
        return self._lock
