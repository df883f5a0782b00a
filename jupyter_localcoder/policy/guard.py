"""Holds the policy in force in a user's server, and refuses what it does not allow.

A policy is fetched again when it is older than `FRESH_SECONDS`. While the hub cannot be reached, the last one
stays in force until it expires; after that, and before the first one, the administrator's choice for
outages is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from ..contract.policy import Policy, PolicyMode, PolicyState
from ..errors import Disabled, LocalCoderError

FRESH_SECONDS = 30.0
_RETRY_SECONDS = 5.0
_OFF = "The administrator of this hub has turned the assistant off."
_WAIT = "It goes on when the administrator turns it on again."


class PolicyGuard(Protocol):
    """Decides what is allowed."""

    async def require(self) -> Policy | None:
        """The policy under which text may be generated now; None if there is none.

        Raises
        ------
        Disabled
            Nothing may be generated.
        """

    async def state(self) -> PolicyState | None:
        """The policy in force, for people; None if there is none."""


class NoPolicy:
    """A server that belongs to no hub service with a policy."""

    async def require(self) -> Policy | None:
        """See `PolicyGuard.require`."""
        return None

    async def state(self) -> PolicyState | None:
        """See `PolicyGuard.state`."""
        return None


class SignedPolicyGuard:
    """Keeps the newest valid policy.

    Parameters
    ----------
    fetch
        Asks the hub service for a policy, and checks it. It gets the time at which the newest known one was
        issued, and raises a `LocalCoderError`.
    outage
        The mode without a valid policy.
    wall
        Seconds since 1970.
    monotonic
        Seconds that never go back.
    """

    def __init__(
        self,
        fetch: Callable[[int], Awaitable[Policy]],
        outage: PolicyMode,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._outage = outage
        self._wall = wall
        self._monotonic = monotonic
        self._policy: Policy | None = None
        self._problem = ""
        self._next = 0.0
        self._fetching = asyncio.Lock()

    async def require(self) -> Policy | None:
        """See `PolicyGuard.require`."""
        policy = await self._current()
        mode = self._outage if policy is None else policy.mode
        if mode == "off":
            if policy is None:
                raise Disabled(
                    f"The policy of this hub cannot be read: the assistant is off. {self._problem}".strip(),
                    recovery="Try again in a moment. If it lasts, tell the administrator of the hub.",
                )
            raise turned_off(policy)
        return policy

    async def state(self) -> PolicyState | None:
        """See `PolicyGuard.state`."""
        policy = await self._current()
        if policy is None:
            return PolicyState(mode=self._outage, problem=self._problem)
        return PolicyState(
            mode=policy.mode,
            models=policy.models,
            history=policy.history,
            message=policy.message,
            problem=self._problem,
        )

    async def _current(self) -> Policy | None:
        if self._monotonic() >= self._next:
            async with self._fetching:
                if self._monotonic() >= self._next:
                    await self._refresh()
        policy = self._policy
        return policy if policy is not None and policy.expires > self._wall() else None

    async def _refresh(self) -> None:
        try:
            self._policy = await self._fetch(self._policy.issued if self._policy else 0)
            self._problem = ""
            self._next = self._monotonic() + FRESH_SECONDS
        except LocalCoderError as failure:
            self._problem = failure.message
            self._next = self._monotonic() + _RETRY_SECONDS


def turned_off(policy: Policy) -> Disabled:
    """The error under a policy that is off."""
    return Disabled(policy.message or _OFF, recovery=_WAIT)
