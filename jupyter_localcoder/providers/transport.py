"""HTTP to one provider: connections, time-outs, retries, and bodies that are read bounded.

Knows no provider's format. What it follows in doubt:

- *No redirect is followed*: the key and the prompt would go along.
- *A request is sent again only where nothing can have come of it*: the connection was refused, or the answer
  was 429 or 503 and said to come back soon. Never after the first byte of an answer.
- *Closing a stream closes its connection*, which is the only cancel that all servers understand.
"""

from __future__ import annotations

import contextlib
import email.utils
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import anyio
import httpx
import msgspec

from .._version import __version__
from ..errors import LocalCoderError
from ..network import environment
from ..network.event_stream import LineReader, LineTooLong
from .address import LINK_LOCAL_WAY_OUT, Address, is_link_local
from .deadline import Deadline
from .failures import Failures, words_of

MAX_ERROR_BYTES = 64 * 1024
MAX_DOCUMENT_BYTES = 8 * 1024 * 1024
MAX_RETRIES = 2
MAX_RETRY_AFTER_SECONDS = 15.0
"""Who wants to be left alone for longer gets no second request: the person decides."""
_REFUSED_WAIT_SECONDS = 0.25
"""Before the first retry of a connection that was refused: a server that restarts is back soon."""
_KEPT_OPEN_SECONDS = 30.0
_PAGES = frozenset({"text/html", "application/xhtml+xml", "text/css", "text/javascript", "application/pdf"})


class Transport:
    """Connections to one provider.

    Parameters
    ----------
    headers
        Go with each request; the key stands in them.
    link_local
        Whether a host may be at a link-local address.
    permit
        Asked before each request, also before one that is sent again; it raises where none may go out.
    retries, retry_after_seconds
        How often to ask again, and the longest wait that a provider may want before it.
    sleep, wall_clock
        For tests.
    """

    def __init__(
        self,
        address: Address,
        headers: Mapping[str, str],
        failures: Failures,
        *,
        connect_seconds: float,
        link_local: bool = False,
        permit: Callable[[], Awaitable[None]] | None = None,
        retries: int = MAX_RETRIES,
        retry_after_seconds: float = MAX_RETRY_AFTER_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.failures = failures
        self._address = address
        self._headers = dict(headers)
        self._connect_seconds = connect_seconds
        self._link_local = link_local
        self._permit = permit
        self._retries = retries
        self._retry_after_seconds = retry_after_seconds
        self._sleep = sleep
        self._wall_clock = wall_clock
        self._client: httpx.AsyncClient | None = None
        self._proxy: environment.Proxy | None = None

    async def lines(
        self, url: str, body: Mapping[str, Any], deadline: Deadline
    ) -> AsyncGenerator[bytes, None]:
        """Post a request, and give the lines of what is answered, whatever type of text it says it is.

        Raises
        ------
        TimeUp
            The deadline is over.
        LocalCoderError
            See `Provider.stream`.
        """
        response = await self._open("POST", url, deadline, body=body)
        try:
            self._require(response, "a stream of events")
            reader = LineReader()
            async with contextlib.aclosing(_pieces(response)) as pieces:
                while (piece := await self._piece(pieces, deadline)) is not None:
                    for line in reader.feed(piece):
                        yield line
            yield reader.rest()
        except LineTooLong:
            raise self.failures.unreadable("a line without an end") from None
        finally:
            await response.aclose()

    async def document(self, url: str, deadline: Deadline) -> Any:
        """Get a JSON document; raises as `lines` does."""
        response = await self._open("GET", url, deadline)
        try:
            self._require(response, "JSON")
            body = await self._body(response, MAX_DOCUMENT_BYTES, deadline)
            if body is None:
                raise self.failures.unreadable("a list that is too long")
            return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self.failures.unreadable("something that is no JSON") from None
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connections that are kept open."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _open(
        self, method: str, url: str, deadline: Deadline, *, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """Ask, and again where that is safe; the response is one of success, and is to be closed."""
        for attempt in range(self._retries + 1):
            wait: float | None
            try:
                response = await self._send_request(method, url, deadline, body)
                if response.is_success:
                    return response
                error, wait = await self._refusal(response, deadline)
            except httpx.ConnectError as failure:
                error, wait = self._not_reached(failure), _REFUSED_WAIT_SECONDS * 2.0**attempt
                if _distrusted(failure):
                    wait = None
            if wait is None or attempt == self._retries or wait >= deadline.left():
                raise error
            await self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _send_request(
        self, method: str, url: str, deadline: Deadline, body: Mapping[str, Any] | None
    ) -> httpx.Response:
        if self._permit is not None:
            await self._permit()
        client = await self._connections()
        request = client.build_request(
            method,
            url,
            headers=self._headers,
            content=None if body is None else msgspec.json.encode(body),
        )
        name = self.failures.name
        try:
            with anyio.fail_after(deadline.patience()):
                return await client.send(request, stream=True)
        except TimeoutError:
            raise deadline.time_up() from None
        except httpx.ConnectError:
            raise
        except httpx.ConnectTimeout:
            raise self.failures.unreachable(
                f"Could not connect to {name} at {self._address.origin}{self._through} within "
                f"{self._connect_seconds:g} seconds."
            ) from None
        except httpx.ProxyError:
            raise self.failures.unreachable(f"{name} refused the connection{self._through}.") from None
        except httpx.HTTPError:
            raise self.failures.unreachable(f"{name} closed the connection without an answer.") from None

    async def _connections(self) -> httpx.AsyncClient:
        if self._client is None:
            try:
                # A proxy of the environment is for other machines.
                if not self._address.is_loopback:
                    self._proxy = environment.proxy_for(httpx.URL(self._address.url))
                proxy = self._proxy.url if self._proxy else None
                secure = self._address.encrypted or (proxy or "").startswith("https:")
                verify = await anyio.to_thread.run_sync(environment.trust) if secure else False
            except environment.UnusableSetting as failure:
                raise self.failures.unreachable(str(failure), recovery=failure.recovery) from None
            transport = httpx.AsyncHTTPTransport(
                verify=verify,
                proxy=proxy,
                trust_env=False,
                limits=httpx.Limits(max_connections=None, keepalive_expiry=_KEPT_OPEN_SECONDS),
            )
            if self._proxy is None and not self._link_local:
                # A proxy is the person's own, and it is who looks names up.
                _guard(transport, self._found_link_local)
            self._client = httpx.AsyncClient(
                transport=transport,
                timeout=httpx.Timeout(None, connect=self._connect_seconds),
                follow_redirects=False,
                trust_env=False,
                headers={
                    "User-Agent": f"jupyter_localcoder/{__version__}",
                    "Content-Type": "application/json",
                    # What is packed may unpack to anything.
                    "Accept-Encoding": "identity",
                },
            )
        return self._client

    def _require(self, response: httpx.Response, expected: str) -> None:
        given = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self.failures.unreadable("an answer in an encoding that was not requested")
        # Many servers and proxies name another type of text than they send; a page is none of it.
        if given in _PAGES or given.partition("/")[0] in ("image", "audio", "video", "font", "multipart"):
            kind = self.failures.scrubbed(given)[:60]
            raise self.failures.unreadable(f"an answer of type {kind}, where {expected} was expected")

    async def _refusal(
        self, response: httpx.Response, deadline: Deadline
    ) -> tuple[LocalCoderError, float | None]:
        """The error that an answer stands for, and the seconds after which it may be asked again."""
        status = response.status_code
        try:
            if 300 <= status < 400:
                return self.failures.sent_on(status, _host(response.headers.get("location", ""))), None
            body = await self._body(response, MAX_ERROR_BYTES, deadline)
        finally:
            await response.aclose()
        seconds = self._retry_after(response.headers)
        error = self.failures.refused(status, words_of(body or b""), seconds)
        soon = seconds is not None and seconds <= self._retry_after_seconds
        return error, seconds if soon and status in (429, 503) else None

    async def _body(self, response: httpx.Response, limit: int, deadline: Deadline) -> bytes | None:
        """The whole body, or None where it is longer than the limit."""
        body = bytearray()
        async with contextlib.aclosing(_pieces(response)) as pieces:
            while (piece := await self._piece(pieces, deadline)) is not None:
                body += piece
                if len(body) > limit:
                    return None
        return bytes(body)

    async def _piece(self, pieces: AsyncGenerator[bytes, None], deadline: Deadline) -> bytes | None:
        try:
            with anyio.fail_after(deadline.patience()):
                return await pieces.__anext__()
        except StopAsyncIteration:
            return None
        except TimeoutError:
            raise deadline.time_up() from None
        except httpx.HTTPError:
            raise self.broken_off() from None

    def broken_off(self) -> LocalCoderError:
        """The connection ended before the answer did."""
        return self.failures.unreachable(
            f"{self.failures.name} ended the connection before the answer was complete."
        )

    def _retry_after(self, headers: httpx.Headers) -> float | None:
        """Seconds after which the provider wants to be asked again, where it says so."""
        text = headers.get("retry-after", "").strip()
        try:
            seconds = float(text)
        except ValueError:
            try:
                seconds = email.utils.parsedate_to_datetime(text).timestamp() - self._wall_clock()
            except (ValueError, TypeError, OverflowError):
                return None
        return max(0.0, seconds) if math.isfinite(seconds) else None

    def _not_reached(self, failure: httpx.ConnectError) -> LocalCoderError:
        name, host = self.failures.name, self._address.host
        if _distrusted(failure):
            return self.failures.unreachable(
                f"This machine does not trust the certificate of {name} at {host}.",
                recovery="Set the environment variable SSL_CERT_FILE to the file of the certificate "
                "authority that signed it.",
            )
        return self.failures.unreachable(
            f"Could not connect to {name} at {self._address.origin}{self._through}."
        )

    def _found_link_local(self, ip: str) -> LocalCoderError:
        return self.failures.unreachable(
            f"{self._address.host} resolves to the link-local address {ip}, so nothing was sent: services "
            "of the local network use such addresses.",
            recovery=LINK_LOCAL_WAY_OUT,
        )

    @property
    def _through(self) -> str:
        return f" through {self._proxy.description}" if self._proxy else ""


class _Guard:
    """Connects, and looks where it has come out before anything is sent: a name may lead anywhere."""

    def __init__(self, within: Any, refusal: Callable[[str], LocalCoderError]) -> None:
        self._within = within
        self._refusal = refusal

    async def connect_tcp(self, *where: Any, **how: Any) -> Any:
        """Open a connection, which is closed again where it leads to a link-local address."""
        stream = await self._within.connect_tcp(*where, **how)
        ip = str(stream.get_extra_info("server_addr")[0])
        if is_link_local(ip):
            await stream.aclose()
            raise self._refusal(ip)
        return stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._within, name)


def _guard(transport: httpx.AsyncHTTPTransport, refusal: Callable[[str], LocalCoderError]) -> None:
    # httpx has no name of its own for what httpcore calls `network_backend`.
    pool: Any = transport._pool
    pool._network_backend = _Guard(pool._network_backend, refusal)


def _pieces(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    return response.aiter_raw()  # type: ignore[return-value]  # it is a generator, and declared as an iterator


def _distrusted(failure: httpx.ConnectError) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(failure)


def _host(location: str) -> str:
    try:
        return httpx.URL(location).host
    except httpx.InvalidURL:
        return ""
