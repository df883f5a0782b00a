"""Whose a request is, as the hub says; nothing in the request itself is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tornado.web import HTTPError, RequestHandler

from ..errors import AuthError, BackendUnavailable

SIGN_IN = (
    "Use the token of a running server (JUPYTERHUB_API_TOKEN). The roles `user` and `server` of the hub need "
    "the scope `access:services!service=NAME`; restart a server that is older than this change of the roles."
)
METRICS_SCOPE = "read:metrics"


@dataclass(frozen=True)
class Person:
    """A user or a service of the hub."""

    name: str
    groups: tuple[str, ...] = ()
    kind: str = "user"
    admin: bool = False
    """Whether the hub says that this is one of its administrators."""
    scopes: frozenset[str] = frozenset()
    """Of the token that was shown."""

    @property
    def key(self) -> str:
        """Names the person in counts: `user:ada`."""
        return f"{self.kind}:{self.name}"


class Identities(Protocol):
    """Finds out whose a request is."""

    async def of(self, handler: RequestHandler, *, cookie: bool) -> Person | None:
        """The person of a request; None without a valid token.

        Parameters
        ----------
        cookie
            Whether the cookie of a browser that has signed in counts, and not only a token in the header.

        Raises
        ------
        AuthError
            The token is valid, but has no access to this service.
        BackendUnavailable
            The hub cannot be asked.
        """


class HubIdentities:
    """Asks the hub, and remembers its answer for `HubOAuth.cache_max_age` seconds.

    Parameters
    ----------
    auth
        A `jupyterhub.services.auth.HubOAuth`.
    """

    def __init__(self, auth: Any) -> None:
        self._auth = auth

    async def of(self, handler: RequestHandler, *, cookie: bool) -> Person | None:
        """See `Identities.of`."""
        try:
            token = self._auth.get_token(handler, in_cookie=cookie)
            model: Mapping[str, Any] | None = None
            if token:
                session = self._auth.get_session_id(handler) if cookie else ""
                model = await self._auth.user_for_token(token, session_id=session, sync=False)
        except HTTPError as failure:
            raise BackendUnavailable(
                "JupyterHub cannot be asked whose token this is.",
                recovery="Try again in a moment. If it lasts, tell the administrator of the hub.",
                retry_after_seconds=5,
            ) from failure
        if model is None:
            return None
        if not self._auth.check_scopes(self._auth.access_scopes, model):
            raise AuthError("This token has no access to this service.", recovery=SIGN_IN)
        return Person(
            name=str(model["name"]),
            groups=tuple(str(group) for group in model.get("groups") or ()),
            kind=str(model.get("kind", "user")),
            admin=bool(model.get("admin", False)),
            scopes=frozenset(str(scope) for scope in model.get("scopes") or ()),
        )
