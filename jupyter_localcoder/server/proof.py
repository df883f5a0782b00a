"""The one route that is open to everybody: a server proves to its kernels that it is theirs.

They ask before they show their token; see `client.proof`. The answer says nothing to anybody else. It costs
one hash, keeps nothing, and is the same work whatever is asked: there is nothing to use up, so there is no
limit that somebody could reach in the place of the kernels.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..client import proof
from ..contract import codec
from ..errors import InvalidArgument
from .access import AccessMixin
from .status import refusal, status_of


class ProofHandler(AccessMixin, APIHandler):
    """Answers a challenge."""

    _track_activity = False

    async def prepare(self) -> None:  # type: ignore[override]  # as in the class above
        """Ask nobody who asks: a hub that is away must not keep kernels from their server."""
        self.current_user = self._jupyter_current_user = None
        if not self.check_host():
            raise web.HTTPError(403)
        if not self.check_origin():
            raise web.HTTPError(404)

    @allow_unauthenticated
    async def get(self) -> None:
        """Answer with the code for this connection."""
        challenge = self.get_query_argument("challenge", "", strip=False)
        self.set_header("Cache-Control", "no-store")
        if not proof.is_challenge(challenge):
            failure = InvalidArgument("A challenge is 64 hexadecimal digits.", field="challenge")
            payload = codec.error_payload(failure)
            self.set_status(status_of(payload.code))
            await self.finish(codec.encode({"error": payload}))
            return
        stream: Any = self.request.connection.stream  # type: ignore[union-attr]
        if stream.closed():
            return
        address = proof.address(stream.socket.getsockname(), self.extensionapp.sock)
        await self.finish(codec.encode(proof.prove(self.extensionapp.kernel_token, challenge, address)))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer in the form of the contract."""
        self.set_status(status_code)
        self.finish(codec.encode({"error": refusal(status_code)}))
