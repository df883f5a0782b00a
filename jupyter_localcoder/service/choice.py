"""Which provider answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..errors import ProviderNotFound
from ..providers.base import Provider

EMBEDDED = "embedded"


@dataclass(frozen=True)
class Chosen:
    """A provider that may be asked now."""

    id: str
    provider: Provider
    timeout_seconds: float | None = None
    """For a whole answer; None: it has none of its own."""


class Choice(Protocol):
    """Finds providers."""

    async def choose(self, id_: str) -> Chosen:
        """The provider of this id, or the active one where it is empty.

        Raises
        ------
        ProviderNotFound, NoActiveProvider
        AirGapped
            It is not on this machine, and the air gap is on.
        """


class OnlyEmbedded:
    """Where no other provider is configured."""

    def __init__(self, embedded: Provider) -> None:
        self._embedded = embedded

    async def choose(self, id_: str) -> Chosen:
        """The embedded one; see `Choice.choose`."""
        if id_ not in ("", EMBEDDED):
            raise ProviderNotFound(f"There is no provider {id_!r}.")
        return Chosen(EMBEDDED, self._embedded)
