"""One HTTP request in a separate thread, so that the caller can always be interrupted.

A thread that sits in a socket's `recv` does not hear an interrupt everywhere (not on Windows, and never
outside of the main thread). So a helper thread does the reading, and the caller waits in short steps.
`close` shuts the socket down, which wakes the helper and tells the server that the client has disconnected.

Before the request goes out, with the token and with what it asks, the server proves over the same connection
that it made the token (`client.proof`). A connection that was not proven carries nothing else.

This module knows HTTP and nothing of the contract.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from .._version import __version__
from ..errors import Canceled, ConnectionFailed, LocalCoderError
from . import proof
from .answer import NotProven, NotReached, ResponseHead, wrong_proof
from .connection import ServerConnection
from .outgoing import Outgoing
from .this_kernel import KERNEL_HEADER, this_kernel
from .tls import pinned

POLL_SECONDS = 0.1
JOIN_SECONDS = 0.2
CONNECT_SECONDS = 5.0
PROOF_SECONDS = 60.0
"""Upper limit, even if no idle timeout is set: another program on the port could stay silent forever."""
_CONNECTING = frozenset({"connection.connect_tcp.started", "connection.connect_unix_socket.started"})
_CONNECTED = frozenset(
    {
        "connection.connect_tcp.complete",
        "connection.connect_unix_socket.complete",
        "connection.start_tls.complete",
    }
)


class Exchange:
    """A pending request and its response. It is closed when it is no longer referenced.

    Parameters
    ----------
    connection
        The server.
    outgoing
        The request.
    silence_seconds
        How long the server may say nothing; None: any time.

    """

    def __init__(
        self, connection: ServerConnection, outgoing: Outgoing, silence_seconds: float | None
    ) -> None:
        self._helper = _Helper(connection, outgoing, silence_seconds)
        # An interrupt may strike where no `with` and no `try` holds this object yet.
        weakref.finalize(self, _Helper.close, self._helper)
        self._helper.start()

    def head(self) -> ResponseHead:
        """Wait for status and headers; the first thing to ask for.

        Raises
        ------
        NotReached
            There was no connection, so the request has not begun.
        NotProven, AuthError
            Who answers did not prove that it made the token, so the request was not sent.
        ConnectionFailed
            The connection broke after the request was sent.
        Canceled
            It was closed.

        """
        item = self._wait()
        if not isinstance(item, ResponseHead):
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

    def _wait(self) -> ResponseHead | bytes | None:
        try:
            item = self._helper.next_item()
        except BaseException:  # an interrupt: whoever waits for this will not come back
            self.close()
            raise
        if isinstance(item, Exception):
            raise item
        return item


class _Helper:
    """The requesting thread and what it received: a `ResponseHead`, pieces of the body, None or an error."""

    def __init__(
        self, connection: ServerConnection, outgoing: Outgoing, silence_seconds: float | None
    ) -> None:
        self._connection = connection
        self._outgoing = outgoing
        self._silence_seconds = silence_seconds
        self._items: queue.SimpleQueue[ResponseHead | bytes | Exception | None] = queue.SimpleQueue()
        self._lock = threading.RLock()  # a finalizer may come in between
        self._closed = False
        self._process = os.getpid()
        self._socket: socket.socket | None = None
        self._peer: Any = None
        self._proven = False
        self._proof_seconds = min(PROOF_SECONDS, silence_seconds or PROOF_SECONDS)
        self._proof_deadline = time.monotonic() + CONNECT_SECONDS + self._proof_seconds
        self._thread = threading.Thread(target=self._run, name="localcoder-http", daemon=True)

    def start(self) -> None:
        """Send the request."""
        self._thread.start()

    def next_item(self) -> ResponseHead | bytes | Exception | None:
        """Wait for the next item; the last one is given again and again."""
        while True:
            if self._process != os.getpid():  # a fork copies the connection, and not who reads it
                return ConnectionFailed(
                    "The answer goes to the parent process from which this process was forked.",
                    recovery="Send the request again from this process.",
                )
            try:
                item = self._items.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if not self._proven and time.monotonic() > self._proof_deadline:
                    # A byte now and then is no silence, and no proof.
                    self.close()
                    return self._not_proven(silent=True)
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
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        try:
            self._exchange()
            end: Exception | None = None
        except LocalCoderError as failure:
            end = failure
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL):
            end = NotReached()
        except httpx.ReadTimeout:
            end = ConnectionFailed(
                f"The Jupyter server did not respond for {self._silence_seconds:g} seconds."
            )
        except httpx.HTTPError:
            end = ConnectionFailed(
                "The connection to the Jupyter server was lost before the answer was complete."
            )
        except OSError as failure:  # the certificate
            end = NotReached(f"The certificate of the Jupyter server cannot be read: {failure.strerror}.")
        except Exception as failure:  # whatever it is, nobody may wait for ever
            end = ConnectionFailed(f"The request to the Jupyter server failed ({type(failure).__name__}).")
        self._items.put(Canceled() if self._closed else end)

    def _exchange(self) -> None:
        # A connection of its own for each request: breaking one then touches no other.
        with _client(self._connection, self._silence_seconds) as client:
            self._prove(client)
            self._run_exchange(client)

    def _prove(self, client: httpx.Client) -> None:
        """Go on only if the other end of the connection made the token."""
        challenge = proof.challenge()
        try:
            with client.stream(
                "GET",
                proof.PATH,
                params={"challenge": challenge},
                headers=_headers(self._connection),
                extensions={"trace": self._trace},
                timeout=httpx.Timeout(self._proof_seconds, connect=CONNECT_SECONDS),
            ) as response:
                answer = b""
                for piece in response.iter_raw():
                    answer += piece
                    if len(answer) > proof.MOST_BYTES:
                        raise self._not_proven()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise
        except httpx.ReadTimeout:
            raise self._not_proven(silent=True) from None
        except httpx.HTTPError:  # a broken connection, no HTTP
            raise self._not_proven() from None
        given = proof.read(answer) if response.status_code == 200 else None
        if given is None or self._peer is None:
            raise self._not_proven()
        address = proof.address(self._peer, self._connection.sock)
        if not proof.proves(given, self._connection.token, challenge, address):
            raise wrong_proof(self._connection.where)
        self._proven = True

    def _not_proven(self, *, silent: bool = False) -> NotProven:
        return NotProven(self._connection.where, silent_seconds=self._proof_seconds if silent else 0.0)

    def _run_exchange(self, client: httpx.Client) -> None:
        with (
            client.stream(
                self._outgoing.method,
                self._outgoing.path,
                content=self._outgoing.body,
                headers=_headers(self._connection) | _request_headers(self._connection, self._outgoing),
                extensions={"trace": self._trace},
            ) as response,
        ):
            headers = response.headers
            self._items.put(
                ResponseHead(
                    response.status_code, headers.get("content-type", ""), headers.get("retry-after", "")
                )
            )
            for piece in response.iter_bytes():
                self._items.put(piece)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in _CONNECTING and self._proven:
            # The connection that was proven is gone; who is at the end of another one is not known.
            raise NotReached()
        if event in _CONNECTED:
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                with suppress(OSError):  # it is gone already
                    self._peer = self._socket.getpeername()
                if self._closed:
                    self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # Not the method of an SSL socket, which would pull its state from under the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _client(connection: ServerConnection, silence_seconds: float | None) -> httpx.Client:
    context = pinned(Path(connection.certfile)) if connection.certfile else None
    secure = connection.url.startswith("https:")
    transport = httpx.HTTPTransport(
        # Over plain http, `False` only spares the reading of the authorities' certificates.
        verify=context or secure,
        uds=connection.sock or None,
        trust_env=False,
        # One connection for the proof and for what follows, however long a thread is held up in between.
        limits=httpx.Limits(max_connections=1, keepalive_expiry=None),
    )
    return httpx.Client(
        base_url=connection.url,
        transport=transport,
        timeout=httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS),
        trust_env=False,
        follow_redirects=False,
    )


def _headers(connection: ServerConnection) -> dict[str, str]:
    """What is said to anybody."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"jupyter_localcoder/{__version__}",
    }
    host = httpx.URL(connection.url).netloc.decode("ascii")
    if "%" in host:
        # The zone of a link-local address means something on this machine alone; servers refuse it.
        address, _, rest = host.partition("%")
        headers["Host"] = f"{address}]{rest.partition(']')[2]}"
    return headers


def _request_headers(connection: ServerConnection, outgoing: Outgoing) -> dict[str, str]:
    """What is said to the server alone."""
    headers = {"Authorization": f"localcoder {connection.token}"}
    if kernel := this_kernel():
        headers[KERNEL_HEADER] = kernel
    if outgoing.streams:
        headers["Accept"] = "text/event-stream"
    if outgoing.body is not None:
        headers["Content-Type"] = "application/json"
    return headers
