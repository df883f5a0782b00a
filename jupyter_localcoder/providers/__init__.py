"""Providers: servers that generate text, behind one interface.

A package adds a type of provider by an entry point of the group `jupyter_localcoder.providers`; the names
in `__all__` are what it needs. Other modules of this package can change without notice.

``base`` contains the interface and the data that passes through it. A module that speaks to one kind of
server is imported when a provider of that kind is first used. Nothing here knows keyrings, queues or HTTP
servers: addresses and keys are handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import (
    AnswerDelta,
    ChatTurn,
    Check,
    End,
    Fill,
    Messages,
    Provider,
    ProviderRequest,
    RawPrompt,
    ReportedUsage,
)
from .kinds import Kind, ProviderSetup

if TYPE_CHECKING:
    from .answer import AnswerPart
    from .remote import RemoteProvider

__all__ = [
    "AnswerDelta",
    "AnswerPart",
    "ChatTurn",
    "Check",
    "End",
    "Fill",
    "Kind",
    "Messages",
    "Provider",
    "ProviderRequest",
    "ProviderSetup",
    "RawPrompt",
    "RemoteProvider",
    "ReportedUsage",
]


def __getattr__(name: str) -> Any:
    """Import the base class when it is first used: it brings the HTTP client."""
    if name == "AnswerPart":
        from .answer import AnswerPart

        return AnswerPart
    if name == "RemoteProvider":
        from .remote import RemoteProvider

        return RemoteProvider
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
