"""What the administrator of a hub allows a user at the moment."""

from __future__ import annotations

from typing import Literal

from .common import Reply

PolicyMode = Literal["full", "off"]


class Policy(Reply, frozen=True, kw_only=True):
    """The policy of one user."""

    user: str
    """The user for whom it was made."""
    mode: PolicyMode = "full"
    """`off`: nothing generates text."""
    models: tuple[str, ...] | None = None
    """The only models that may answer, all of the hub service; null: any."""
    history: bool = True
    """Whether answers may be saved."""
    message: str = ""
    """What the administrator says about it."""
    issued: int = 0
    """When it was made, in seconds since 1970."""
    expires: int = 0
    """When it is no longer valid, in seconds since 1970."""


class PolicyState(Reply, frozen=True, kw_only=True):
    """The current policy, as `backend:ping` shows it."""

    mode: PolicyMode
    models: tuple[str, ...] | None = None
    history: bool = True
    message: str = ""
    problem: str = ""
    """Why the policy could not be refreshed, in a sentence; empty if it could."""
