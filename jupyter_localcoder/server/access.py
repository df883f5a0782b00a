"""What REST and websocket share: who sends a request, and what they may do."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyter_server.utils import ensure_async
from tornado import web

from ..contract.registry import Action
from ..errors import ConnectionFailed
from .identity import KernelIdentity, KernelUser

if TYPE_CHECKING:
    from ..service import Service
    from .file_access import FileAccess

RESOURCE = "localcoder"
IDENTITY_UNKNOWN = ConnectionFailed(
    "The server could not find out who asks: the service that knows, such as a JupyterHub, did not answer.",
    recovery="Try again in a moment. If that does not help, ask who runs that service.",
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


class AccessMixin(ExtensionHandlerMixin):
    """What REST and websocket share: whom to believe, and what they may do."""

    auth_resource = RESOURCE
    current_user: Any
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
        """Whose share of what is limited this request has: a user's, a token's, or that of the kernels."""
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
    def service(self) -> Service:
        """The service, made at the first request."""
        return self.extensionapp.service

    async def require(self, action: Action) -> None:
        """Raise 403 unless the authorizer allows this user this action."""
        if not await self.may(action, self.auth_resource):
            raise web.HTTPError(403)

    async def may(self, action: Action, resource: str) -> bool:
        """Whether the authorizer allows this user this action."""
        authorizer: Any = self.authorizer  # type: ignore[attr-defined]
        return bool(await ensure_async(authorizer.is_authorized(self, self.current_user, action, resource)))
