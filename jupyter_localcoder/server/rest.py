"""REST: one handler class serves every operation of the contract.

The route table is made from the registry, so an operation that is declared there is reachable, and one
that is not is not. Answers are JSON; an operation that streams answers server-sent events where the
client accepts them, and its last frame otherwise. A client that leaves cancels what it asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.iostream import StreamClosedError

from ..contract import codec
from ..contract.common import ErrorPayload
from ..contract.generation import Done, Started
from ..contract.registry import OPERATIONS, Operation
from ..generation import clients
from .access import IDENTITY_UNKNOWN, RESOURCE, AccessMixin
from .identity import KernelUser
from .openapi import openapi
from .status import refusal, status_of

EVENT_STREAM = "text/event-stream"


class OperationHandler(AccessMixin, APIHandler):
    """All operations of one path, by method."""

    def initialize(self, name: str, operations: dict[str, Operation[Any, Any]]) -> None:
        """Take what the route table says."""
        super().initialize(name)
        self._operations = operations
        self._work: asyncio.Task[None] | None = None

    @web.authenticated
    async def get(self, **path: str) -> None:
        """Serve a GET."""
        await self._serve(path)

    @web.authenticated
    async def post(self, **path: str) -> None:
        """Serve a POST."""
        await self._serve(path)

    @web.authenticated
    async def put(self, **path: str) -> None:
        """Serve a PUT."""
        await self._serve(path)

    @web.authenticated
    async def patch(self, **path: str) -> None:
        """Serve a PATCH."""
        await self._serve(path)

    @web.authenticated
    async def delete(self, **path: str) -> None:
        """Serve a DELETE."""
        await self._serve(path)

    def on_connection_close(self) -> None:
        """Cancel what nobody waits for any more."""
        if self._work is not None:
            self._work.cancel()

    def update_api_activity(self) -> None:
        """Count this as use of the server, unless it is a kernel that looks.

        The manager in a cell looks again and again for as long as its kernel lives, whether or not anybody
        is there. A hub that ends servers which nobody uses would never end this one.
        """
        user = getattr(self, "_jupyter_current_user", None)
        if self.request.method != "GET" or not isinstance(user, KernelUser):
            super().update_api_activity()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer what was refused before an operation was reached, in the form of the contract."""
        failure = (kwargs.get("exc_info") or (None, None))[1]
        if (
            status_code >= 500
            and isinstance(failure, web.HTTPError)
            and not hasattr(self, "_jupyter_current_user")
        ):
            payload = codec.error_payload(IDENTITY_UNKNOWN)
            self._answer_error(payload, status_of(payload.code))
            return
        self._answer_error(refusal(status_code), status_code)

    async def _serve(self, path: dict[str, str]) -> None:
        op = self._operations.get(self.request.method or "")
        if op is None:
            raise web.HTTPError(405)
        # A task of its own can be cancelled when the client leaves, without tornado's part in it.
        self._work = asyncio.ensure_future(self._run(op, path))
        await asyncio.wait([self._work])
        if not self._work.cancelled() and (failure := self._work.exception()) is not None:
            raise failure

    async def _run(self, op: Operation[Any, Any], path: dict[str, str]) -> None:
        try:
            query = {
                name: self.get_query_argument(name)
                for name in self.request.query_arguments
                if name not in ("token", "_xsrf")
            }
            raw = self.request.body
            decode = partial(codec.decode_request, op, raw, path, query)
            client = clients.PollingClient(self.owner, kernel=self.is_kernel, member=self.member)
            answer = await self.serve(op, raw, decode, client)
            if not op.streams:
                await self.finish(codec.encode(answer))
            elif EVENT_STREAM in self.request.headers.get("Accept", ""):
                await self.send_frames(op, answer, self._send_event)
                await self.finish(set_content_type=EVENT_STREAM)
            else:
                await self._last(answer)
        except StreamClosedError:
            return
        except Exception as failure:
            payload = self.explain(op, failure)
            self._answer_error(payload, status_of(payload.code))

    async def _last(self, frames: AsyncGenerator[Any, None]) -> None:
        async with contextlib.aclosing(frames):
            async for frame in frames:
                if isinstance(frame, Done):
                    await self.finish(codec.encode(frame))

    async def _send_event(self, frame: Any) -> None:
        if isinstance(frame, Started):
            self.set_header("Content-Type", EVENT_STREAM)
            self.set_header("Cache-Control", "no-cache")
            # A proxy that collects the answer would make a stream pointless.
            self.set_header("X-Accel-Buffering", "no")
            # Nor must a frame wait until the client has confirmed the one before it.
            self.request.connection.stream.set_nodelay(True)  # type: ignore[union-attr]
        kind = type(frame).__struct_config__.tag
        self.write(f"event: {kind}\ndata: ".encode() + codec.encode(frame) + b"\n\n")
        await self.flush()

    def _answer_error(self, payload: ErrorPayload, status: int) -> None:
        self.clear()
        reason = None if status != 499 else "Client Closed Request"
        self.set_status(status, reason)
        if "retry_after_seconds" in payload.details:
            self.set_header("Retry-After", str(payload.details["retry_after_seconds"]))
        self.finish(codec.encode({"error": payload}))


class OpenApiHandler(AccessMixin, APIHandler):
    """The OpenAPI document."""

    @web.authenticated
    async def get(self) -> None:
        """Answer the document, with this server's own address."""
        await self.require("read")
        await self.finish(codec.encode(openapi(url_path_join(self.base_url, RESOURCE))))


def rest_routes() -> list[tuple[str, type, dict[str, Any]]]:
    """Return the routes of all operations: pattern, handler, arguments.

    A literal path comes before one with a place-holder that would match it too.
    """
    by_path: dict[str, dict[str, Operation[Any, Any]]] = {}
    for op in OPERATIONS:
        by_path.setdefault(op.path, {})[op.method] = op
    routes: list[tuple[str, type, dict[str, Any]]] = [(f"/{RESOURCE}/openapi.json", OpenApiHandler, {})]
    for path in sorted(by_path, key=lambda p: (p.count("{"), p)):
        arguments = {"operations": by_path[path]}
        routes.append((f"/{RESOURCE}/{_pattern(path)}", OperationHandler, arguments))
    return routes


def _pattern(path: str) -> str:
    parts = path.split("/")
    return "/".join(f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else part for part in parts)
