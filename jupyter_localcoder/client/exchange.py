"""One HTTP request in a thread of its own, so that whoever waits for it can always be interrupted.

A thread that sits in a socket's `recv` does not hear an interrupt everywhere (not on Windows, and never
outside of the main thread). So a helper thread does the reading, and the caller waits in short steps.
`close` shuts the socket down, which wakes the helper and tells the server that nobody listens any more.

This module knows HTTP and nothing of the contract.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from .._version import __version__
from ..errors import Canceled, ConnectionFailed
from .answer import Head, NotReached
from .connection import Connection
from .outgoing import Outgoing
from .tls import pinned

_POLL_SECONDS = 0.1
_JOIN_SECONDS = 0.2
_CONNECT_SECONDS = 5.0
_CONNECTED = frozenset(
    {
        "connection.connect_tcp.complete",
        "connection.connect_unix_socket.complete",
        "connection.start_tls.complete",
    }
)


class Exchange:
    """A request that is on its way, and its response. One that nobody holds any more is closed.

    Parameters
    ----------
    connection
        The server.
    outgoing
        The request.
    silence_seconds
        How long the server may say nothing; None: any time.

    """

    def __init__(self, connection: Connection, outgoing: Outgoing, silence_seconds: float | None) -> None:
        self._helper = _Helper(connection, outgoing, silence_seconds)
        # An interrupt may strike where no `with` and no `try` holds this object yet.
        weakref.finalize(self, _Helper.close, self._helper)
        self._helper.start()

    def head(self) -> Head:
        """Wait for status and headers; the first thing to ask for.

        Raises
        ------
        NotReached
            There was no connection, so the request has not begun.
        ConnectionFailed
            The connection broke after the request was sent.
        Canceled
            It was closed.

        """
        item = self._wait()
        if not isinstance(item, Head):
            raise ConnectionFailed()
        return item

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes.

        Raises
        ------
        ConnectionFailed
            The connection broke before the end of the body.
        Canceled
            It was closed.

        """
        while True:
            item = self._wait()
            if not isinstance(item, bytes):
                return
            yield item

    def body(self) -> bytes:
        """The whole body; raises as `pieces` does."""
        return b"".join(self.pieces())

    def close(self) -> None:
        """Break the connection, if the response is not complete. Any thread, any number of times."""
        self._helper.close()

    def _wait(self) -> Head | bytes | None:
        try:
            item = self._helper.next_item()
        except BaseException:  # an interrupt: whoever waits for this will not come back
            self.close()
            raise
        if isinstance(item, Exception):
            raise item
        return item


class _Helper:
    """The thread that asks, and what it has heard: a `Head`, pieces of the body, then None or an error."""

    def __init__(self, connection: Connection, outgoing: Outgoing, silence_seconds: float | None) -> None:
        self._connection = connection
        self._outgoing = outgoing
        self._silence_seconds = silence_seconds
        self._items: queue.SimpleQueue[Head | bytes | Exception | None] = queue.SimpleQueue()
        self._lock = threading.RLock()  # a finalizer may come in between
        self._closed = False
        self._process = os.getpid()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="localcoder-http", daemon=True)

    def start(self) -> None:
        """Send the request."""
        self._thread.start()

    def next_item(self) -> Head | bytes | Exception | None:
        """Wait for the next item; the last one is given again and again."""
        while True:
            if self._process != os.getpid():  # a fork copies the connection, and not who reads it
                return ConnectionFailed(
                    "The answer goes to the process from which this one was forked.",
                    recovery="Ask anew in this process.",
                )
            try:
                item = self._items.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if item is None or isinstance(item, Exception):
                self._items.put(item)
            return item

    def close(self) -> None:
        """Break the connection and wait a moment for the thread to end."""
        if self._process != os.getpid():
            return  # it is the parent's
        with self._lock:
            self._closed = True
            self._shut()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        try:
            self._exchange()
            end: Exception | None = None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL):
            end = NotReached()
        except httpx.ReadTimeout:
            end = ConnectionFailed(f"The Jupyter server said nothing for {self._silence_seconds:g} seconds.")
        except httpx.HTTPError:
            end = ConnectionFailed("The connection to the Jupyter server broke before the answer was whole.")
        except OSError as failure:  # the certificate
            end = NotReached(f"The certificate of the Jupyter server cannot be read: {failure.strerror}.")
        except Exception as failure:  # whatever it is, nobody may wait for ever
            end = ConnectionFailed(f"The Jupyter server could not be asked ({type(failure).__name__}).")
        self._items.put(Canceled() if self._closed else end)

    def _exchange(self) -> None:
        # A connection of its own for each request: breaking one then touches no other.
        with (
            _client(self._connection, self._silence_seconds) as client,
            client.stream(
                self._outgoing.method,
                self._outgoing.path,
                content=self._outgoing.body,
                headers=_headers(self._connection, self._outgoing),
                extensions={"trace": self._trace},
            ) as response,
        ):
            headers = response.headers
            self._items.put(
                Head(response.status_code, headers.get("content-type", ""), headers.get("retry-after", ""))
            )
            for piece in response.iter_bytes():
                self._items.put(piece)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in _CONNECTED:
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self._closed:
                    self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # Not the method of an SSL socket, which would pull its state from under the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _client(connection: Connection, silence_seconds: float | None) -> httpx.Client:
    context = pinned(Path(connection.certfile)) if connection.certfile else None
    secure = connection.url.startswith("https:")
    return httpx.Client(
        base_url=connection.url,
        # Over plain http, `False` only spares the reading of the authorities' certificates.
        transport=httpx.HTTPTransport(verify=context or secure, uds=connection.sock or None, trust_env=False),
        timeout=httpx.Timeout(silence_seconds, connect=_CONNECT_SECONDS),
        trust_env=False,
        follow_redirects=False,
    )


def _headers(connection: Connection, outgoing: Outgoing) -> dict[str, str]:
    headers = {
        "Accept": "text/event-stream" if outgoing.streams else "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"jupyter_localcoder/{__version__}",
    }
    host = httpx.URL(connection.url).netloc.decode("ascii")
    if "%" in host:
        # The zone of a link-local address means something on this machine alone; servers refuse it.
        address, _, rest = host.partition("%")
        headers["Host"] = f"{address}]{rest.partition(']')[2]}"
    if connection.token:
        headers["Authorization"] = f"localcoder {connection.token}"
    if outgoing.body is not None:
        headers["Content-Type"] = "application/json"
    return headers
