"""Who asks: a user whom Jupyter knows, or a kernel of this server that shows the token made for kernels.

Kernels do not have the server's token, and where there is a password or a hub there is none. So the
extension makes a token of its own for them. It opens the routes of this extension and no other, and it
lives as long as the server. The authorizer is asked about its bearer like about everybody else.

Under a JupyterHub, the hub's authorizer wants to know the hub's user. A kernel is then whom the hub knows
by the server's own token, which every kernel holds anyway: nothing opens to it that was closed.
"""

from __future__ import annotations

import hmac
from typing import Any

from jupyter_server.auth.authorizer import AllowAllAuthorizer
from jupyter_server.auth.identity import User
from jupyter_server.utils import ensure_async

SCHEME = "localcoder"


class KernelUser(User):
    """A kernel of this server."""

    hub_user: dict[str, Any]
    """Only where an authorizer may ask for it: the hub's model of the server's owner."""


def kernel_user() -> KernelUser:
    """A kernel that no hub is asked about."""
    return KernelUser(username="localcoder-kernel", name="A kernel of this server")


class KernelIdentity:
    """The server's identity provider, with the kernels' token in front of it.

    Everything but the two questions below goes to the provider behind it.
    """

    def __init__(self, provider: Any, token: str) -> None:
        self._provider = provider
        self._token = token

    async def get_user(self, handler: Any) -> User | None:
        """Return who asks, or None."""
        if self.is_kernel(handler):
            return await self._kernel(handler.authorizer)
        user: User | None = await ensure_async(self._provider.get_user(handler))
        return user

    def is_token_authenticated(self, handler: Any) -> bool:
        """Whether a token was shown: no browser does that by itself, so XSRF checks are not needed."""
        return self.is_kernel(handler) or bool(self._provider.is_token_authenticated(handler))

    def is_kernel(self, handler: Any) -> bool:
        """Whether the request shows the kernels' token."""
        scheme, _, shown = handler.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME or not self._token:  # an empty one is known to everybody
            return False
        return hmac.compare_digest(shown.encode(), self._token.encode())

    async def _kernel(self, authorizer: Any) -> KernelUser | None:
        kernel = kernel_user()
        hub = getattr(self._provider, "hub_auth", None)
        # A hub that is away must not keep kernels from a server where nobody asks for its answer.
        if hub is None or isinstance(authorizer, AllowAllAuthorizer):
            return kernel
        model = await ensure_async(hub.user_for_token(hub.api_token, sync=False))
        if not model or not hub.check_scopes(hub.access_scopes, model):
            return None
        kernel.hub_user = model
        return kernel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)
