"""Who asks: a user whom Jupyter knows, or a kernel of this server that shows the token made for kernels.

Kernels do not have the server's token, and where there is a password or a hub there is none. So the
extension makes a token of its own for them. It opens the routes of this extension and no other, and it
lives as long as the server. The authorizer is asked about its bearer like about everybody else.
"""

from __future__ import annotations

import hmac
from typing import Any

from jupyter_server.auth.identity import User
from jupyter_server.utils import ensure_async

SCHEME = "localcoder"
KERNEL_USER = User(username="localcoder-kernel", name="A kernel of this server")


class KernelIdentity:
    """The server's identity provider, with the kernels' token in front of it.

    Everything but the two questions below goes to the provider behind it.
    """

    def __init__(self, provider: Any, token: str) -> None:
        self._provider = provider
        self._token = token

    async def get_user(self, handler: Any) -> User | None:
        """Return who asks, or None."""
        if self._is_kernel(handler):
            return KERNEL_USER
        user: User | None = await ensure_async(self._provider.get_user(handler))
        return user

    def is_token_authenticated(self, handler: Any) -> bool:
        """Whether a token was shown: no browser does that by itself, so XSRF checks are not needed."""
        return self._is_kernel(handler) or bool(self._provider.is_token_authenticated(handler))

    def _is_kernel(self, handler: Any) -> bool:
        scheme, _, shown = handler.request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == SCHEME and hmac.compare_digest(shown.encode(), self._token.encode())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)
