"""The client of a Jupyter server: the contract over REST and server-sent events.

It holds an address, and finds the new one when the server was restarted. It repeats a request only where
it is certain that the request has not begun.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ..contract.backend import PingRequest
from ..contract.codec import error_of
from ..contract.generation import Done, Failed, Frame
from ..contract.registry import PING, Operation
from ..errors import AuthError, ConnectionFailed, LocalCoderError
from ..network.event_stream import LineReader, LineTooLong, MessageReader
from .answer import NotOurs, NotProven, NotReached, ResponseHead, error_from, not_ours
from .base import AnswerFrame, Client, Req, Res, Stream
from .connection import ServerConnection, candidates
from .exchange import Exchange
from .outgoing import Outgoing, outgoing

LOOK_SECONDS = 10.0
"""How long a server may take to answer a question (GET). What does work may take any time: a load, say."""

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""An answer is at most a few megabytes; a server that sends more without an end is not ours."""
_EVENTS = frozenset({"started", "delta", "done", "error"})
_frame_decoder: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_NOT_BEGUN = (NotReached, NotOurs, AuthError)


class HttpClient(Client):
    """Calls the operations of a server.

    Parameters
    ----------
    connection
        The server to begin with.
    rediscover
        Gives the servers to try when this one is gone or no longer knows the token.

    """

    def __init__(
        self, connection: ServerConnection, rediscover: Callable[[], Sequence[ServerConnection]] | None = None
    ) -> None:
        self._connection = connection
        self._rediscover = rediscover

    @property
    def where(self) -> str:
        """The server's address, for people."""
        return self._connection.where

    def call(self, op: Operation[Req, Res], request: Req) -> Res:
        """Do one operation and wait for its answer; see `Client.call`."""
        exchange, _ = self._begin(outgoing(op, request))
        body = exchange.body()
        try:
            return msgspec.json.decode(body or b"{}", type=op.response)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ConnectionFailed(
                f"The {self.where} sent an unreadable response to {op.name}.",
                recovery="The server and the kernel probably use different versions of jupyter_localcoder.",
            ) from None

    def stream(self, op: Operation[Any, Done], request: msgspec.Struct) -> Stream:
        """Begin an operation that answers with frames; see `Client.stream`."""
        exchange, _ = self._begin(outgoing(op, request))
        return HttpStream(exchange, self.where)

    def close(self) -> None:
        """Nothing is held between two requests."""

    def _begin(self, request: Outgoing) -> tuple[Exchange, ResponseHead]:
        """Send a request, to another server if this one is gone, and wait until it is accepted."""
        try:
            return _attempt(self._connection, request)
        except _NOT_BEGUN as failure:
            if _by_a_provider(failure):
                raise
            first = failure
        for connection in self._rediscover() if self._rediscover else ():
            if connection.address == self._connection.address:
                continue
            try:
                accepted = _attempt(connection, request)
            except _NOT_BEGUN as failure:
                if _by_a_provider(failure):
                    raise
                continue
            self._connection = connection
            return accepted
        raise first


class HttpStream(Stream):
    """The frames of a response of server-sent events."""

    def __init__(self, exchange: Exchange, where: str) -> None:
        self._exchange = exchange
        self._where = where
        self._pieces = exchange.pieces()
        self._lines = LineReader(MAX_EVENT_BYTES)
        self._messages = MessageReader(MAX_EVENT_BYTES)
        self._ready: deque[bytes] = deque()
        self._ended = False

    def __next__(self) -> AnswerFrame:
        if self._ended:
            raise StopIteration
        try:
            frame = self._frame()
        except BaseException:
            self._end()
            raise
        if isinstance(frame, Done):
            self._end()
        return frame

    def close(self) -> None:
        """Break the connection, which cancels on the server."""
        self._exchange.close()

    def _end(self) -> None:
        self._ended = True
        self.close()

    def _frame(self) -> AnswerFrame:
        while not self._ready:
            # A default instead of StopIteration, which would look like a regular end.
            piece = next(self._pieces, None)
            if piece is None:
                raise ConnectionFailed(f"The {self._where} ended the answer before it was complete.")
            try:
                for line in self._lines.feed(piece):
                    self._ready.extend(one.data for one in self._messages.feed(line) if one.event in _EVENTS)
            except LineTooLong:
                raise self._unreadable() from None
        try:
            frame = _frame_decoder.decode(self._ready.popleft())
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._unreadable() from None
        if isinstance(frame, Failed):
            raise error_of(frame.error)
        return frame

    def _unreadable(self) -> ConnectionFailed:
        return ConnectionFailed(
            f"The {self._where} sent an unreadable response.",
            recovery="The server and the kernel probably use different versions of jupyter_localcoder.",
        )


def first_that_answers(found: Sequence[ServerConnection], *, any_server: bool) -> HttpClient | None:
    """A client of the first of these servers that is there, proves itself, and lets us in.

    Raises
    ------
    LocalCoderError
        A server reports an error; another server is then not tried. Or no server accepts this client, and a
        server whose process is running does not respond.

    """
    held_up: NotProven | None = None
    for connection in found:
        client = HttpClient(connection)
        try:
            client.call(PING, PingRequest())
        except _NOT_BEGUN as failure:
            if isinstance(failure, NotProven) and failure.silent and connection.runs:
                held_up = held_up or failure
            continue
        return HttpClient(connection, lambda: candidates(any_server=any_server))
    if held_up is not None:
        raise held_up
    return None


def unreachable(connection: ServerConnection) -> LocalCoderError:
    """Contact the server that started this process again, and return why it cannot be used."""
    try:
        HttpClient(connection).call(PING, PingRequest())
    except (NotOurs, AuthError) as failure:
        return failure
    except ConnectionFailed as failure:
        reason = "" if isinstance(failure, NotReached) and failure.message == NotReached.sentence else failure
        return ConnectionFailed(
            (
                f"The {connection.where} started this process, but this process cannot connect to it. "
                f"{reason}"
            ).strip(),
            recovery="Check with `jupyter server list` that it is running, then restart this kernel or "
            "terminal. To run a second model inside this process, delete JUPYTER_LOCALCODER_URL from its "
            "environment.",
        )
    return ConnectionFailed(f"The {connection.where} was briefly unavailable.", recovery="Run this again.")


def _by_a_provider(failure: LocalCoderError) -> bool:
    """Whether the server has let us in, and a provider has not let in the server."""
    return "provider" in failure.details


def _attempt(connection: ServerConnection, request: Outgoing) -> tuple[Exchange, ResponseHead]:
    where = connection.where
    exchange = Exchange(connection, request, LOOK_SECONDS if request.method == "GET" else None)
    try:
        head = exchange.head()
        if not head.ok:
            raise error_from(head, exchange.body(), where)
        expected = "text/event-stream" if request.streams else "application/json"
        if not head.content_type.startswith(expected):
            raise not_ours(head, where)
    except BaseException:
        exchange.close()
        raise
    return exchange, head
