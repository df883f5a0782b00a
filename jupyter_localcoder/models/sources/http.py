"""Fetch one file over HTTP, going on where an earlier attempt ended.

The part on disk is continued only while the server says that its file is the same one (``ETag``); any
doubt starts over. No more than the declared size is written. Which file is fetched, and whether its
bytes are the right ones, is the business of others.
"""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from ...errors import Canceled
from ...network import environment
from ..files import Counted, close_part, open_part, write_chunk
from .base import PartNote, SourceFailed, part_bytes, read_note, write_note
from .hang_up import HangUp

MAX_REDIRECTS = 10
CONNECT_SECONDS = 10.0
ENOUGH_BYTES = 1024 * 1024
"""An attempt that brought so much counts as a success: retries are for a line that is dead."""
_LONGEST_WAIT_SECONDS = 30.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class HttpOptions(Struct, frozen=True, kw_only=True):
    """How patient to be."""

    timeout_seconds: float = 60.0
    """The longest silence of a server."""
    retries: int = 3
    """Attempts in a row that bring nothing, after the first."""
    retry_wait_seconds: float = 1.0
    """Before the first retry; doubled for each further one."""


class _Dropped(Exception):
    """The attempt ended early; the next one may go on. Its text is a sentence for a person."""


class HttpFile:
    """One file at one address.

    Parameters
    ----------
    url
        Its address; credentials in it go to that host only.
    server
        How to call the server in a sentence.
    token
        Goes to the address's own host only, and only encrypted or to this machine itself.

    """

    def __init__(self, url: str, server: str, options: HttpOptions, token: str = "") -> None:
        self._server = server
        self._inside = server[:1].lower() + server[1:]
        try:
            self._url = httpx.URL(url)
            host = urlsplit(url).hostname or " "
            valid = self._url.scheme in ("http", "https") and " " not in host
        except (httpx.InvalidURL, ValueError):
            valid = False
        if not valid:
            raise SourceFailed(f"The address of {self._inside} is not valid.")
        self._options = options
        self._token = token

    def fetch(self, part: Path, size: int, counted: Counted, cancel: threading.Event) -> None:
        """See `Source.fetch`."""
        failures, began = 0, part_bytes(part)
        while (before := part_bytes(part)) != size:
            try:
                with HangUp(cancel) as hang_up:
                    self._attempt(part, size, counted, hang_up)
            except _Dropped as dropped:
                gained = part_bytes(part) - before
                failures = 1 if gained >= ENOUGH_BYTES else failures + 1
                if failures > self._options.retries:
                    raise SourceFailed(str(dropped)) from None
            except httpx.ConnectError:
                # A server that was there a moment ago is worth waiting for; one that never was is not.
                failures += 1
                if part_bytes(part) <= began or failures > self._options.retries:
                    proxy = environment.proxy_for(self._url)
                    through = f" through {proxy.description}" if proxy else ""
                    raise SourceFailed(f"{self._server} could not be reached{through}.") from None
            else:
                continue
            wait = min(self._options.retry_wait_seconds * 2.0 ** (failures - 1), _LONGEST_WAIT_SECONDS)
            if cancel.wait(wait):
                raise Canceled()

    def _attempt(self, part: Path, size: int, counted: Counted, hang_up: HangUp) -> None:
        """Bring as much as one connection gives."""
        silence = self._options.timeout_seconds
        timeout = httpx.Timeout(silence, connect=min(CONNECT_SECONDS, silence))
        have = part_bytes(part)
        note = read_note(part) if 0 < have < size else PartNote()
        start = have if 0 < have < size else 0
        try:
            with httpx.Client(
                timeout=timeout,
                follow_redirects=False,
                transport=environment.EnvironmentTransport(),
                trust_env=False,
            ) as client:
                response = self._open(client, start, note, hang_up)
                try:
                    start = self._position(response, start, note, part, size)
                    self._receive(response, part, start, size, counted, hang_up)
                finally:
                    response.close()
        except environment.UnusableSetting as failure:
            raise SourceFailed(str(failure)) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as failure:
            hang_up.check()
            if "CERTIFICATE_VERIFY_FAILED" in str(failure):
                raise SourceFailed(
                    f"This machine does not trust the certificate of {self._inside}."
                ) from None
            raise httpx.ConnectError(str(failure)) from None
        except (httpx.HTTPError, httpx.StreamError) as failure:
            hang_up.check()
            raise _Dropped(f"The connection to {self._inside} was lost.") from failure
        except httpx.InvalidURL:
            raise SourceFailed(f"{self._server} redirected to an invalid address.") from None

    def _open(self, client: httpx.Client, start: int, note: PartNote, hang_up: HangUp) -> httpx.Response:
        """Ask, and follow redirects by hand: each of them is looked at first."""
        url = self._url
        for _ in range(MAX_REDIRECTS):
            hang_up.check()
            headers = {"Accept-Encoding": "identity", "User-Agent": "jupyter-localcoder"}
            if start:
                headers["Range"] = f"bytes={start}-"
                if note.etag and not note.etag.startswith("W/"):
                    headers["If-Range"] = note.etag
            if self._token and self._may_have_token(url):
                headers["Authorization"] = f"Bearer {self._token}"
            request = client.build_request("GET", url, headers=headers, extensions={"trace": hang_up.trace})
            response = hang_up.ask(partial(client.send, request, stream=True))
            if response.status_code not in (301, 302, 303, 307, 308):
                return response
            target = response.headers.get("Location", "")
            response.close()
            url = self._redirected(url, target)
        raise SourceFailed(f"{self._server} redirected in a loop.")

    def _may_have_token(self, url: httpx.URL) -> bool:
        own = (url.scheme, url.host, url.port) == (self._url.scheme, self._url.host, self._url.port)
        return own and (url.scheme == "https" or url.host in _LOOPBACK)

    def _redirected(self, url: httpx.URL, target: str) -> httpx.URL:
        new = url.join(target)
        if new.scheme not in ("http", "https") or not new.host:
            raise SourceFailed(f"{self._server} redirected to `{new.scheme}:`, which was refused.")
        if url.scheme == "https" and new.scheme != "https":
            raise SourceFailed(f"{self._server} redirected to an unencrypted address, which was refused.")
        return new

    def _position(self, response: httpx.Response, start: int, note: PartNote, part: Path, size: int) -> int:
        """Where the answer's bytes belong; a new beginning is noted before its first byte."""
        status = response.status_code
        etag = response.headers.get("ETag", "")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise SourceFailed(f"{self._server} responded with an encoding that was not requested.")
        if status == 206:
            if start and etag == note.etag and _range_start(response, size) == start:
                return start
            self._start_over(part)
            raise _Dropped(f"The file on {self._server} has changed.")
        if status == 200:
            length = response.headers.get("Content-Length", "")
            if length.isdigit() and int(length) != size:
                raise SourceFailed(f"{self._server} has a file of {length} bytes; {size} are expected.")
            self._start_over(part)
            write_note(part, PartNote(etag=etag))
            return 0
        raise self._refused(status, part)

    def _refused(self, status: int, part: Path) -> Exception:
        if status == 416:
            self._start_over(part)
            return _Dropped(f"{self._server} has a shorter file.")
        if status in (401, 403):
            return SourceFailed(f"{self._server} does not allow the download (HTTP {status}).")
        if status in (404, 410):
            return SourceFailed(f"{self._server} does not have the file (HTTP {status}).")
        sentence = f"{self._server} answered with an error (HTTP {status})."
        return _Dropped(sentence) if status == 429 or status >= 500 else SourceFailed(sentence)

    @staticmethod
    def _start_over(part: Path) -> None:
        close_part(open_part(part, 0))

    def _receive(
        self,
        response: httpx.Response,
        part: Path,
        start: int,
        size: int,
        counted: Counted,
        hang_up: HangUp,
    ) -> None:
        done = start
        file = open_part(part, start)
        try:
            for chunk in response.iter_raw():
                kept = chunk[: size - done]
                write_chunk(file, kept)
                done += len(kept)
                counted(done)
                hang_up.check()
                if done == size:
                    return
        finally:
            close_part(file)
        raise _Dropped(f"{self._server} closed the connection after {done} of {size} bytes.")


def _range_start(response: httpx.Response, size: int) -> int | None:
    """First byte of a ``206``, or None where its range is not of a file of this size."""
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit() or total not in ("*", str(size)):
        return None
    return int(first)
