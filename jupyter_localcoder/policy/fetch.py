"""Asks the hub service for the policy of this server's user."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable

import anyio
import httpx
import msgspec
from msgspec import Struct

from ..contract.policy import Policy
from ..errors import ConnectionFailed
from ..network import environment
from .document import opened, public_key

_PATIENCE_SECONDS = 3.0


class _Answer(Struct):
    policy: str


def fetcher(url: str, key: str) -> Callable[[int], Awaitable[Policy]]:
    """Make the function that a `SignedPolicyGuard` fetches with.

    Parameters
    ----------
    url
        Address of the hub service, without a slash at its end.
    key
        Public key of the service.

    Raises
    ------
    PolicyInvalid
        It is no key.
    PackageMissing
        Signatures cannot be checked here.
    """
    public = public_key(key)

    async def fetch(newest: int) -> Policy:
        document = await _request_policy(f"{url}/policy", os.environ.get("JUPYTERHUB_API_TOKEN", ""))
        user = os.environ.get("JUPYTERHUB_USER", "")
        return opened(document, public, user=user, now=time.time(), newest=newest)

    return fetch


async def _request_policy(url: str, token: str) -> str:
    """The signed policy.

    Raises
    ------
    ConnectionFailed
        The service cannot be reached, or answers something else.
    """
    try:
        verify = await anyio.to_thread.run_sync(environment.trust) if url.startswith("https:") else False
        async with httpx.AsyncClient(
            verify=verify, timeout=_PATIENCE_SECONDS, trust_env=False, follow_redirects=False
        ) as client:
            answer = await client.get(url, headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=_Answer).policy
    except (httpx.HTTPError, environment.UnusableSetting, msgspec.DecodeError) as failure:
        said = f" (HTTP {answer.status_code})" if isinstance(failure, httpx.HTTPStatusError) else ""
        raise ConnectionFailed(
            f"The hub service does not give its policy{said}.",
            recovery="Try again in a moment. If it lasts, tell the administrator of the hub.",
        ) from None
