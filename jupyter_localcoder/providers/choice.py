"""Which provider answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .base import Provider


@dataclass(frozen=True)
class ChosenProvider:
    """A provider that may be asked now."""

    id: str
    provider: Provider
    timeout_seconds: float | None = None
    """For a whole answer; None: it has none of its own."""
    model: str = ""
    """The one that it is configured with, as it calls it; empty of the embedded one."""


class ProviderChoice(Protocol):
    """Finds providers."""

    async def choose(self, id_: str) -> ChosenProvider:
        """The provider of this id, or the active one where it is empty.

        Raises
        ------
        ProviderNotFound, NoActiveProvider
        AirGapped
            It is not on this machine, and the air gap is on.
        """
