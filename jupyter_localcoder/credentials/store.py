"""Where keys are kept, and which one holds: the environment's first, then the one that was entered.

All methods may block: call them in a thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ..errors import EncryptionUnavailable
from .file_vault import FileVault, file_vault
from .keyring_vault import KeyringVault, open_keyring
from .secret import Secret
from .vault import SessionVault, Vault, VaultError, seal, unseal

LastingPlace = Literal["keyring", "file"]
Place = Literal["none", "environment", "keyring", "file", "session"]

MOVED = "The key in the environment is for the previous address: enter the key again for this address."
NOBODY = "-"
"""In the place of an origin: nobody has said which one a key of the environment is for."""
_PORTS = {"http": 80, "https": 443}
INSTALL = "`pip install 'jupyter_localcoder[keys]'`"


@dataclass(frozen=True)
class KeyLookup:
    """A key, or why there is none."""

    secret: Secret | None = None
    place: Place = "none"
    problem: str = ""
    """A sentence, where something is kept and cannot be used."""


@dataclass(frozen=True)
class Owner:
    """Whose key it is.

    Parameters
    ----------
    id
        Of the provider.
    origin
        The only one that a kept key is given out for.
    variables
        Environment variables that may hold one, the first that is set wins; see `own_variable` for the
        provider's own, which comes before them.
    trusted
        The origin that a key of the environment is given out for; empty: this one. `NOBODY` holds for the
        provider's own variable; those of ``variables`` are for known origins.
    """

    id: str
    origin: str
    variables: tuple[str, ...] = ()
    trusted: str = ""

    @property
    def own_variable(self) -> str:
        """The environment variable for this provider alone."""
        return f"LOCALCODER_PROVIDER_{self.id.upper().replace('-', '_')}_KEY"

    @property
    def origin_variable(self) -> str:
        """The one that says for which origin it is, whatever else was said of that."""
        return f"{self.own_variable.removesuffix('_KEY')}_ORIGIN"


class Credentials:
    """Keeps keys and finds them.

    Parameters
    ----------
    folder
        For the encrypted file.
    environment
        Read at each call: a key in it is never copied.
    open_keyring
        Answers the keyring, or None; called when it is first needed.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        log: logging.Logger | logging.LoggerAdapter[Any],
        *,
        open_keyring: Callable[[], KeyringVault | None] = open_keyring,
        open_file: Callable[[Path], FileVault | None] = file_vault,
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._log = log
        self._open_keyring = open_keyring
        self._open_file = open_file
        self._session = SessionVault()
        self._opening = threading.Lock()

    def find(self, owner: Owner, kept: LastingPlace | None) -> KeyLookup:
        """The key that holds for a provider.

        Parameters
        ----------
        kept
            Where it was kept by `keep`; a keyring is not asked in vain.
        """
        given = self.environment_key(owner)
        held_back = self.held_back(owner)
        if given is not None and not held_back:
            return KeyLookup(given, "environment")
        try:
            place, vault = self._vault_of(owner, kept)
            sealed = vault.get(owner.id) if vault is not None else None
            if sealed is None:
                gone = f"The key stored in the {kept} is missing: enter it again."
                return KeyLookup(problem=gone if kept else held_back)
            secret = unseal(sealed, owner.origin)
        except VaultError as failure:
            return KeyLookup(problem=str(failure))
        if secret is None:
            return KeyLookup(problem="The stored key is for another address: enter the key again.")
        return KeyLookup(secret, place)

    def environment_key(self, owner: Owner) -> Secret | None:
        """The key of the environment, whatever origin it is for."""
        variable = self._variable(owner)
        return Secret(self._environment[variable].strip()) if variable else None

    def held_back(self, owner: Owner) -> str:
        """Why the key of the environment is not given out, in a sentence; empty where it is, or is none."""
        variable = self._variable(owner)
        if not variable:
            return ""
        if variable == owner.own_variable and (
            said := self._environment.get(owner.origin_variable, "").strip()
        ):
            if _origin(said) == owner.origin:
                return ""
            return f"The key in the environment is not for {owner.origin}: see {owner.origin_variable}."
        if owner.trusted in ("", owner.origin) or (
            owner.trusted == NOBODY and variable != owner.own_variable
        ):
            return ""
        if owner.trusted != NOBODY:
            return MOVED
        return (
            f"The key in {variable} is not confirmed for {owner.origin}, and a kernel or a terminal "
            "cannot confirm it: save the provider in JupyterLab, enter the key again, or set "
            f"{owner.origin_variable}={owner.origin} where the server is started."
        )

    def _variable(self, owner: Owner) -> str:
        """The variable whose key holds."""
        names = (owner.own_variable, *owner.variables)
        return next((name for name in names if self._environment.get(name, "").strip()), "")

    def place(self, owner: Owner, kept: LastingPlace | None) -> Place:
        """Where the key of a provider is, as far as can be said without asking a keyring."""
        if self.environment_key(owner) is not None and not self.held_back(owner):
            return "environment"
        return "session" if self._session.get(owner.id) is not None else kept or "none"

    def keep(self, owner: Owner, key: Secret, *, lasting: bool) -> LastingPlace | None:
        """Keep a key; answers where, None for this session only. One that was kept elsewhere is forgotten.

        Raises
        ------
        EncryptionUnavailable
            There is a lasting place, and it cannot be used.
        """
        sealed = seal(key, owner.origin)
        if lasting:
            for place, vault in self._lasting():
                try:
                    vault.put(owner.id, sealed)
                except VaultError as failure:
                    if place == "keyring":
                        self._log.warning("The key is stored in a file instead: %s", failure)
                        continue
                    raise EncryptionUnavailable(
                        f"The key was not saved. {failure}", field="key", provider=owner.id
                    ) from None
                self._forget_elsewhere(owner.id, place)
                return place
        self._session.put(owner.id, sealed)
        self._forget_elsewhere(owner.id, "session")
        return None

    def forget(self, id_: str) -> None:
        """Forget what is kept under an id, wherever it is.

        Raises
        ------
        EncryptionUnavailable
            A place cannot be changed; the key may still be in it.
        """
        try:
            self._forget_elsewhere(id_, None, strict=True)
        except VaultError as failure:
            raise EncryptionUnavailable(
                f"The key may still be stored. {failure}",
                recovery="Remove it there manually, and create a new key at the provider.",
                provider=id_,
            ) from None

    def storage(self) -> tuple[Literal["keyring", "file", "session"], str]:
        """Where a key would be kept that is entered now, and the same in a sentence."""
        if self._keyring is not None:
            return "keyring", "Keys are stored in the keyring of this machine."
        if self._file is None:
            return "session", (
                "Keys are lost when the server stops: there is no keyring, and the package "
                f"`cryptography` is not installed. To store keys, run {INSTALL}."
            )
        try:
            self._file.check()
        except VaultError as failure:
            return "session", f"Keys can be kept only for this session. {failure}"
        return "file", (
            f"Keys are stored in {self._file.path}, encrypted with a key in the same folder that only you "
            "can read. A keyring would be safer, but this machine has none."
        )

    # The places

    @cached_property
    def _keyring_found(self) -> KeyringVault | None:
        return self._open_keyring()

    @property
    def _keyring(self) -> KeyringVault | None:
        with self._opening:  # threads ask at once
            return self._keyring_found

    @cached_property
    def _file(self) -> FileVault | None:
        return self._open_file(self._folder)

    def _lasting(self) -> list[tuple[LastingPlace, Vault]]:
        places: list[tuple[LastingPlace, Vault | None]] = [("keyring", self._keyring), ("file", self._file)]
        return [(place, vault) for place, vault in places if vault is not None]

    def _vault_of(self, owner: Owner, kept: LastingPlace | None) -> tuple[Place, Vault | None]:
        if self._session.get(owner.id) is not None:
            return "session", self._session
        if kept is None:
            return "none", None
        vault: Vault | None = self._keyring if kept == "keyring" else self._file
        if vault is None:
            what = "keyring of this machine" if kept == "keyring" else "package `cryptography`"
            raise VaultError(
                f"The key was stored in the {what}, which is no longer available: enter the key again."
            )
        return kept, vault

    def _forget_elsewhere(self, id_: str, here: Place | None, *, strict: bool = False) -> None:
        if here != "session":
            self._session.delete(id_)
        for place, vault in self._lasting():
            if place == here:
                continue
            try:
                vault.delete(id_)
            except VaultError as failure:
                if strict:
                    raise
                self._log.warning("An older key may still be stored in the %s: %s", place, failure)


def _origin(url: str) -> str:
    """Scheme, host and port of an address, as in `Owner`; empty where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in (None, _PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"
