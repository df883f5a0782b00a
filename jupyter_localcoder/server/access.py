"""What REST and websocket share: who sends a request, what they may do, and how it is served."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.iostream import StreamClosedError

from ..client.this_kernel import KERNEL_HEADER
from ..contract import codec
from ..contract.common import ErrorPayload
from ..contract.generation import Failed, Started
from ..contract.registry import Action, Operation
from ..errors import AuthError, ConnectionFailed, UnknownError
from ..generation import clients
from .identity import KernelIdentity, KernelUser

if TYPE_CHECKING:
    from ..service import Service
    from .file_access import FileAccess

RESOURCE = "localcoder"
IDENTITY_UNKNOWN = ConnectionFailed(
    "The server could not identify the user: the authentication service, such as JupyterHub, did not "
    "respond.",
    recovery="Try again later. If the problem persists, ask the administrator of that service.",
)


class Extension(Protocol):
    """What a handler needs of the server extension that it belongs to."""

    channel_message_bytes: int
    channel_requests: int
    channel_waiting_bytes: int
    channel_waiting_messages: int
    kernel_token: str
    sock: str
    file_access: FileAccess

    @property
    def service(self) -> Service:
        """The service, made at the first request."""

    def has_kernel(self, id_: str) -> bool:
        """Whether this server runs a kernel of this id."""


class AccessMixin(ExtensionHandlerMixin):
    """What REST and websocket share: whom to believe, and what they may do."""

    auth_resource = RESOURCE
    current_user: Any
    log: Any
    extensionapp: Extension  # type: ignore[assignment]  # Narrower than jupyter_server declares it.

    @property
    def identity_provider(self) -> Any:
        """The server's own, with the kernels' token in front."""
        provider: Any = super().identity_provider  # type: ignore[misc]
        return KernelIdentity(provider, self.extensionapp.kernel_token)

    def check_xsrf_cookie(self) -> None:
        """Check as the server does, but for the kernels' token: no browser shows it by itself.

        The handler says so, and not the identity provider alone: a JupyterHub puts a check of its own in the
        place of Jupyter's, which does not ask the provider.
        """
        if not self.identity_provider.is_kernel(self):
            super().check_xsrf_cookie()  # type: ignore[misc]

    @property
    def owner(self) -> str:
        """Whose share of what is limited this request has: a user's, a token's, or that of all kernels."""
        if not self.is_kernel and not self.request.cookies:  # type: ignore[attr-defined]
            shown = self.identity_provider.get_token(self)
            if shown:
                # Who shows a token and no cookie is somebody new to Jupyter each time.
                return f"token {hashlib.sha256(shown.encode()).hexdigest()}"
        return str(self.current_user.username)

    @property
    def is_kernel(self) -> bool:
        """Whether it shows the kernels' token."""
        return isinstance(self.current_user, KernelUser)

    @property
    def member(self) -> str | None:
        """Which kernel asks; nothing where it names none that this server runs, None where it is no kernel.

        All of them have one token, so one can use the name of another. It gains no more than the kernels have
        together, and a name that is made up is the same as none.
        """
        if not self.is_kernel:
            return None
        named = str(self.request.headers.get(KERNEL_HEADER, ""))  # type: ignore[attr-defined]
        return named if self.extensionapp.has_kernel(named) else ""

    @property
    def service(self) -> Service:
        """The service, made at the first request."""
        return self.extensionapp.service

    async def require(self, action: Action) -> None:
        """Raise 403 unless the authorizer allows this user this action."""
        if not await self.may(action, self.auth_resource):
            raise web.HTTPError(403)

    async def serve(
        self, op: Operation[Any, Any], raw: bytes, decode: Callable[[], Any], client: clients.Caller
    ) -> Any:
        """Authorize, decode and serve a request; see `Service.handle` for what it returns.

        Parameters
        ----------
        raw
            The bytes that ``decode`` reads; long ones are read in a thread.
        client
            Who asks, for all that this task does.

        Raises
        ------
        LocalCoderError
            It was refused, or failed.
        """
        clients.current.set(client)
        clients.body_bytes.set(len(raw))
        try:
            await self.require(op.action)
        except web.HTTPError as refused:
            if refused.status_code >= 500:
                raise
            raise AuthError(f"You are not allowed to {op.action} here.", action=op.action) from None
        request = decode() if len(raw) <= codec.AT_ONCE_BYTES else await asyncio.to_thread(decode)
        request = await self.extensionapp.file_access.admit(op, request, self.may)
        return await self.service.handle(op, request)

    async def send_frames(
        self,
        op: Operation[Any, Any],
        frames: AsyncGenerator[Any, None],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Send frames as they come. A failure after the first is the last frame; one before it is raised."""
        run = ""
        try:
            async with contextlib.aclosing(frames):
                async for frame in frames:
                    if isinstance(frame, Started):
                        run = frame.run
                    await send(frame)
        except Exception as failure:
            if not run or isinstance(failure, StreamClosedError):
                raise
            await send(Failed(run=run, error=self.explain(op, failure)))

    def explain(self, op: Operation[Any, Any], failure: Exception) -> ErrorPayload:
        """Return what the client is told of a failure; the log has the traceback of an unexpected one."""
        payload = codec.error_payload(failure)
        if payload.code == UnknownError.code:
            self.log.error("%s failed", op.name, exc_info=failure)
        return payload

    async def may(self, action: Action, resource: str) -> bool:
        """Whether the authorizer allows this user this action."""
        authorizer: Any = self.authorizer  # type: ignore[attr-defined]
        return bool(await ensure_async(authorizer.is_authorized(self, self.current_user, action, resource)))
