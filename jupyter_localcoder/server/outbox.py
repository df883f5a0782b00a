"""What waits to be sent to one websocket: in order, and bounded.

tornado keeps everything that a slow client has not read yet in memory. So a message is handed over only
when the one before it is out, and a client for which too much waits here is given up.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Awaitable, Callable

MAX_WAITING_BYTES = 8 * 1024 * 1024
MAX_WAITING_MESSAGES = 4096


class Outbox:
    """Sends messages one after the other.

    Parameters
    ----------
    send
        Sends one message, and returns when the client has taken it.
    give_up
        Called once, when too much waits.
    """

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        give_up: Callable[[], None],
        *,
        most_bytes: int = MAX_WAITING_BYTES,
        most_messages: int = MAX_WAITING_MESSAGES,
    ) -> None:
        self._most_bytes = most_bytes
        self._most_messages = most_messages
        self._send = send
        self._give_up = give_up
        self._waiting: collections.deque[bytes] = collections.deque()
        self._bytes = 0
        self._more = asyncio.Event()
        self._closed = False
        self._task = asyncio.ensure_future(self._run())

    def put(self, message: bytes) -> None:
        """Send a message after those that wait."""
        if self._closed:
            return
        self._waiting.append(message)
        self._bytes += len(message)
        self._more.set()
        if self._bytes > self._most_bytes or len(self._waiting) > self._most_messages:
            self.close()
            self._give_up()

    def close(self) -> None:
        """Drop what waits; send nothing more."""
        self._closed = True
        self._waiting.clear()
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            while self._waiting:
                message = self._waiting.popleft()
                self._bytes -= len(message)
                await self._send(message)
            self._more.clear()
