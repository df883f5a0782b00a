"""The operating system's keyring, by the package `keyring`, where both are there and work.

Many servers have no keyring, and some keyrings ask the person or wait for a service that does not answer: so
each call has a time limit, and a keyring that was silent once is not asked again in this process. Only
keyrings of operating systems count: some others of the package write into a plain file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .secret import Secret
from .vault import VaultError

SERVICE = "jupyter_localcoder"
TIMEOUT_SECONDS = 30.0
"""The person may be asked to unlock it."""
PROBE_SECONDS = 5.0
_SAFE_MODULES = (
    "keyring.backends.SecretService", "keyring.backends.libsecret", "keyring.backends.kwallet",
    "keyring.backends.macOS", "keyring.backends.Windows",
)  # fmt: skip

T = TypeVar("T")


def system_keyring() -> Any | None:
    """The operating system's keyring, or None. May block for a moment."""
    try:
        import keyring
        from keyring.backends import chainer

        backend = keyring.get_keyring()
        candidates = backend.backends if isinstance(backend, chainer.ChainerBackend) else [backend]
    except Exception:  # of any backend that is installed and broken
        return None
    return next((found for found in candidates if type(found).__module__ in _SAFE_MODULES), None)


class KeyringVault:
    """Keeps keys in a keyring. Make one with `open_keyring`."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._broken = False

    def get(self, id_: str) -> Secret | None:
        """See `Vault.get`."""
        kept: str | None = self._call(lambda: self._backend.get_password(SERVICE, id_))
        return None if kept is None else Secret(kept)

    def put(self, id_: str, sealed: Secret) -> None:
        """See `Vault.put`."""
        self._call(lambda: self._backend.set_password(SERVICE, id_, sealed.reveal()))

    def delete(self, id_: str) -> None:
        """See `Vault.delete`."""
        if self.get(id_) is not None:
            self._call(lambda: self._backend.delete_password(SERVICE, id_))

    def works(self) -> bool:
        """Whether it can be asked. Nothing is written."""
        try:
            self._call(lambda: self._backend.get_password(SERVICE, "probe"), PROBE_SECONDS)
        except VaultError:
            return False
        return True

    def _call(self, function: Callable[[], T], seconds: float = TIMEOUT_SECONDS) -> T:
        if self._broken:
            raise VaultError(
                "The keyring of this machine did not respond; it is tried again after a restart."
            )
        results: list[T] = []
        failures: list[str] = []

        def run() -> None:
            try:
                results.append(function())
            except Exception as failure:  # backends have errors of their own; none of their words are ours
                failures.append(type(failure).__name__)

        # A daemon: a keyring that never answers must not keep the process from ending.
        thread = threading.Thread(target=run, name="localcoder-keyring", daemon=True)
        thread.start()
        thread.join(seconds)
        if results:
            return results[0]
        if not failures:
            self._broken = True
        reason = failures[0] if failures else f"no answer within {seconds:g} seconds"
        raise VaultError(f"The keyring of this machine cannot be used ({reason}).")


def open_keyring(find: Callable[[], Any | None] = system_keyring) -> KeyringVault | None:
    """The keyring, if there is one that answers. May block for `PROBE_SECONDS`."""
    backend = find()
    vault = None if backend is None else KeyringVault(backend)
    return vault if vault is not None and vault.works() else None
