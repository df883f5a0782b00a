"""An encrypted file (Fernet), and beside it the file with its own random key, of mode 0600.

This keeps keys out of searches, screens and single files that get lost; who can read both files can read the
keys. That is said wherever a key is entered, and why the operating system's keyring comes first.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct, field

from ..errors import DiskFull
from ..machine.optional_packages import has_module
from ..storage.atomic import replace_file, sweep
from ..storage.failures import is_full
from ..storage.regular import read_regular
from .secret import Secret
from .vault import VaultError

LOCK_SECONDS = 10.0
_MAX_BYTES = 4 * 1024 * 1024
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class _Document(Struct):
    format: int = 1
    keys: dict[str, str] = field(default_factory=dict)
    """Fernet tokens by id."""


def file_vault(folder: Path) -> FileVault | None:
    """The file, or None where the package `cryptography` is not installed."""
    return FileVault(folder) if has_module("cryptography") else None


class FileVault:
    """Keeps keys in ``credentials.json``, encrypted with ``credentials.key``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "credentials.json"
        self.key_path = folder / "credentials.key"

    def get(self, id_: str) -> Secret | None:
        """See `Vault.get`."""
        from cryptography.fernet import Fernet, InvalidToken

        token = self._read().keys.get(id_)
        if token is None:
            return None
        key = self._key()
        if key is None:
            raise VaultError(
                f"{self.key_path} is missing, so the stored key cannot be decrypted: enter the key again."
            )
        try:
            return Secret(Fernet(key.reveal()).decrypt(token.encode()).decode())
        except (InvalidToken, ValueError):
            raise VaultError(
                f"The stored key cannot be decrypted with {self.key_path}: enter the key again."
            ) from None

    def put(self, id_: str, sealed: Secret) -> None:
        """See `Vault.put`."""
        from cryptography.fernet import Fernet

        with self._locked():
            key = self._key() or self._new_key()
            try:
                token = Fernet(key.reveal()).encrypt(sealed.reveal().encode()).decode()
            except ValueError:
                raise VaultError(
                    f"{self.key_path} contains no encryption key: remove the file, and enter all keys again."
                ) from None
            document = self._read()
            document.keys[id_] = token
            self._write(document)

    def delete(self, id_: str) -> None:
        """See `Vault.delete`."""
        if not self.path.exists():
            return
        with self._locked():
            document = self._read()
            if document.keys.pop(id_, None) is not None:
                self._write(document)

    def check(self) -> None:
        """Refuse a folder in which nothing can be kept.

        Raises
        ------
        VaultError
            Why.
        """
        self._read()
        self._key()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out: two servers of one user share the folder."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / "credentials.lock", timeout=LOCK_SECONDS, mode=0o600).acquire()
        except (OSError, Timeout) as failure:
            if isinstance(failure, OSError) and is_full(failure):
                raise DiskFull() from None
            raise VaultError(f"The folder {self._folder} cannot be written.") from None
        with lock:
            sweep(self.path)
            sweep(self.key_path)
            yield

    def _key(self) -> Secret | None:
        """The key of the file, or None where there is none yet."""
        try:
            descriptor = os.open(self.key_path, _READ)
        except FileNotFoundError:
            return None
        except OSError:
            raise VaultError(f"{self.key_path} cannot be read, or is a link.") from None
        try:
            _require_private(os.fstat(descriptor), self.key_path)
            return Secret(os.read(descriptor, 1024).decode("ascii", "replace").strip())
        finally:
            os.close(descriptor)

    def _new_key(self) -> Secret:
        from cryptography.fernet import Fernet

        key = Fernet.generate_key()
        try:
            replace_file(self.key_path, key)
        except OSError as failure:
            raise _unwritable(failure, self.key_path) from None
        return Secret(key.decode())

    def _read(self) -> _Document:
        try:
            document = msgspec.json.decode(read_regular(self.path, _MAX_BYTES), type=_Document)
        except FileNotFoundError:
            return _Document()
        except OSError:
            raise VaultError(f"{self.path} cannot be read.") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise VaultError(f"{self.path} is damaged: remove the file, and enter all keys again.") from None
        if document.format != 1:
            raise VaultError(f"{self.path} was written by a newer version and is not changed.")
        return document

    def _write(self, document: _Document) -> None:
        try:
            replace_file(self.path, msgspec.json.format(msgspec.json.encode(document), indent=2))
        except OSError as failure:
            raise _unwritable(failure, self.path) from None


def _unwritable(failure: OSError, path: Path) -> VaultError | DiskFull:
    return DiskFull() if is_full(failure) else VaultError(f"{path} cannot be written.")


def _require_private(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise VaultError(f"{path} is not a regular file.")
    if os.name == "nt":
        return  # The folder is the user's own there; modes say nothing.
    if status.st_uid != os.getuid():
        raise VaultError(f"{path} belongs to another user and was not used.")
    if status.st_mode & 0o077:
        raise VaultError(
            f"{path} can be read by other users and was not used. Treat the keys in it as compromised: "
            "create new keys at the providers, remove the file, and enter the new keys."
        )
