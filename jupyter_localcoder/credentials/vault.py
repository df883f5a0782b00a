"""What the places to keep keys have in common."""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec import Struct

from .secret import Secret


class VaultError(Exception):
    """The place cannot be used, or what it gives cannot be read. Its text is a sentence for a person."""


class Vault(Protocol):
    """One place. All methods may block, and raise `VaultError`."""

    def get(self, id_: str) -> Secret | None:
        """What is kept under an id: a sealed key (`unseal`)."""

    def put(self, id_: str, sealed: Secret) -> None:
        """Keep it."""

    def delete(self, id_: str) -> None:
        """Forget it; nothing happens where there is none."""


class SessionVault:
    """Keeps keys in memory, as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[str, Secret] = {}

    def get(self, id_: str) -> Secret | None:
        """See `Vault.get`."""
        return self._kept.get(id_)

    def put(self, id_: str, sealed: Secret) -> None:
        """See `Vault.put`."""
        self._kept[id_] = sealed

    def delete(self, id_: str) -> None:
        """See `Vault.delete`."""
        self._kept.pop(id_, None)


class _Sealed(Struct):
    origin: str
    key: str


def seal(key: Secret, origin: str) -> Secret:
    """A key together with the origin that it is for."""
    return Secret(msgspec.json.encode(_Sealed(origin, key.reveal())).decode())


def unseal(sealed: Secret, origin: str) -> Secret | None:
    """The key, if it is for this origin.

    Raises
    ------
    VaultError
        It is none of ours.
    """
    try:
        kept = msgspec.json.decode(sealed.reveal(), type=_Sealed)
    except msgspec.DecodeError:
        raise VaultError("The stored key cannot be read: enter it again.") from None
    return Secret(kept.key) if kept.origin == origin else None
