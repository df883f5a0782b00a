"""Routes of the service: who asks, what is asked, and the answer as it comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import anyio
import msgspec
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from ..errors import AuthError, LocalCoderError, NotFound, UnknownError
from . import wire
from .fair_queue import stopping
from .identity import METRICS_SCOPE, SIGN_IN, Person
from .metrics import CONTENT_TYPE
from .site import Site

RANK_HEADER = "X-LocalCoder-Rank"
BACKGROUND = "background"
"""Value of the header with which a client lets interactive requests of everybody come first."""


class HubHandler(RequestHandler):
    """Base of all routes: errors in OpenAI's format, and nothing that another site could use."""

    def initialize(self, site: Site) -> None:
        """Take what all routes share."""
        self.site = site

    def set_default_headers(self) -> None:
        """Keep answers out of caches and frames."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.set_header("X-Frame-Options", "DENY")
        self.clear_header("Server")

    async def person(self) -> Person:
        """Whose request this is, by the token in its header.

        A cookie does not count: browsers send it with requests that other sites have made.

        Raises
        ------
        AuthError
            There is no token, the hub does not know it, or it has no access.
        """
        person = await self.site.identities.of(self, cookie=False)
        if person is None:
            self._status = 401
            raise AuthError("The request has no token that JupyterHub knows.", recovery=SIGN_IN)
        return person

    def fail(self, failure: Exception) -> None:
        """Answer with an error."""
        if not isinstance(failure, LocalCoderError):
            # Its message, and the source lines of a traceback, may quote a request.
            self.site.log.error("Unexpected error: %s at %s", type(failure).__name__, _place(failure))
            failure = UnknownError(recovery="Tell the administrator; the log of the service names the place.")
        if self._headers_written:
            return
        self.set_status(self._status or failure.http_status)
        if "retry_after_seconds" in failure.details:
            self.set_header("Retry-After", str(failure.details["retry_after_seconds"]))
        self.finish_json(wire.error_document(failure))

    def finish_json(self, document: Any) -> None:
        """Answer with JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(document))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error that Tornado has found."""
        failure = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(failure, HTTPError) and status_code < 500:
            self.finish_json({"error": {"message": self._reason, "type": "http", "code": status_code}})
        else:
            self.finish_json(wire.error_document(UnknownError()))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log no traceback: see `fail`."""
        if not isinstance(value, HTTPError):
            self.site.log.error("Unexpected error: %s at %s", type(value).__name__, _place(value))

    async def cancelled_with_client(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work, which is cancelled when the client closes its connection."""
        task = asyncio.ensure_future(work())
        self._work = task
        try:
            await task
        except asyncio.CancelledError:
            task.cancel()
            if not self._is_gone:
                raise
        except (StreamClosedError, TimeoutError):
            pass
        except Exception as failure:
            self.fail(failure)

    _status = 0
    """The HTTP status of a failure, where it is not that of its class."""
    _work: asyncio.Future[None] | None = None
    _is_gone = False
    _is_ending = False
    """Whether the work is being cleaned up: a second cancel would leave the connection upstream open."""

    def on_connection_close(self) -> None:
        """Cancel what nobody waits for."""
        self._is_gone = True
        if self._work is not None and not self._is_ending:
            self._is_ending = True
            self._work.cancel()


class HealthHandler(HubHandler):
    """Says that the process answers, and nothing else."""

    def get(self) -> None:
        """Answer."""
        self.finish_json({"ok": not self.site.requests.is_stopping})


class ModelsHandler(HubHandler):
    """`GET /v1/models`."""

    async def get(self) -> None:
        """List the models."""

        async def work() -> None:
            await self.person()
            self.finish_json(await self.site.requests.models())

        await self.cancelled_with_client(work)


class GenerateHandler(HubHandler):
    """A route that generates text."""

    asked: ClassVar[type[wire.Asked]]

    async def post(self) -> None:
        """Answer with one document, or with events."""
        await self.cancelled_with_client(self._work_of_post)

    def check_xsrf_cookie(self) -> None:
        """A request is authorized by its token alone, which no other site can send."""

    async def _work_of_post(self) -> None:
        person = await self.person()
        asked = wire.read(self.request.body, self.asked)
        background = self.request.headers.get(RANK_HEADER, "").lower() == BACKGROUND
        requests = self.site.requests
        with requests.counted():
            try:
                await self._answer(person, asked, background=background)
            except asyncio.CancelledError:
                if self._is_gone or not requests.is_stopping:
                    raise
                self._send_stop_error()

    def _send_stop_error(self) -> None:
        """End an answer that the stop of the service has cancelled."""
        if self._headers_written:
            self.finish(wire.event(wire.error_document(stopping())))
        else:
            self.fail(stopping())

    async def _answer(self, person: Person, asked: wire.Asked, *, background: bool) -> None:
        requests = self.site.requests
        if not asked.stream:
            self.finish_json(await requests.whole(person, asked, background=background))
            return
        events = requests.events(person, asked, background=background)
        async with contextlib.aclosing(events) as pieces:
            async for piece in pieces:
                self.set_header("Content-Type", "text/event-stream")
                self.set_header("X-Accel-Buffering", "no")
                self.write(piece)
                # Who does not read holds a place that others wait for.
                try:
                    with anyio.fail_after(self.site.client_seconds):
                        await self.flush()
                except (StreamClosedError, TimeoutError):
                    self._is_ending = True
                    raise
        self.finish()


class ChatHandler(GenerateHandler):
    """`POST /v1/chat/completions`."""

    asked = wire.ChatAsked


class CompletionHandler(GenerateHandler):
    """`POST /v1/completions`."""

    asked = wire.CompletionAsked


class PolicyHandler(HubHandler):
    """`GET /policy`: the signed policy of whoever asks."""

    async def get(self) -> None:
        """Answer."""

        async def work() -> None:
            person = await self.person()
            self.finish_json({"policy": await asyncio.to_thread(self.site.policies.signed, person)})

        await self.cancelled_with_client(work)


class MetricsHandler(HubHandler):
    """`GET /metrics`, for Prometheus."""

    async def get(self) -> None:
        """Answer whoever the hub allows to read metrics."""

        async def work() -> None:
            person = await self.person()
            if METRICS_SCOPE not in person.scopes and not self.site.is_admin(person):
                raise AuthError(
                    f"This account may not read the metrics: its token needs the scope `{METRICS_SCOPE}`."
                )
            self.set_header("Content-Type", CONTENT_TYPE)
            self.finish(self.site.metrics.text())

        await self.cancelled_with_client(work)


class AbsentHandler(HubHandler):
    """Any other address."""

    def prepare(self) -> None:
        """Answer that there is nothing."""
        self.fail(NotFound("There is nothing at this address.", recovery="The API is below `/v1`."))

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here."""


def _place(failure: BaseException) -> str:
    """Module and line where an error was raised; no text of a request."""
    traceback = failure.__traceback__
    place = "unknown"
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = (
            f"{code.co_filename.rpartition('jupyter_localcoder')[2] or code.co_name}:{traceback.tb_lineno}"
        )
        traceback = traceback.tb_next
    return place
