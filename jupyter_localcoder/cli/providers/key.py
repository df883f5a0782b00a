"""``providers set-key`` and ``providers forget-key``.

A key comes from a prompt that does not show it, or from stdin; never from the command line, which other users
of the machine can see, and which shells keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import Bool

from ...contract import codec, providers, registry
from ...errors import EncryptionUnavailable, InvalidArgument
from ..command import LocalCoderCommand, options
from ..console import Console
from ..exits import ExitCode

if TYPE_CHECKING:
    from ...client import Client

LOCAL = "this process"
"""Where a client's service runs when no server does."""


class ProvidersSetKey(LocalCoderCommand):
    """Keep the key of a provider."""

    usage = "providers set-key ID [options]"
    description = """Save the key of a provider, replacing an existing key. At a terminal, the
    command prompts for the key without showing it; otherwise it reads one line from stdin. The key
    is stored in the keyring of the operating system, or in an encrypted file if there is no
    keyring, and is bound to the current host of the provider. A key in an environment variable
    takes precedence: LOCALCODER_PROVIDER_<ID>_KEY, or for the vendor's own host OPENAI_API_KEY,
    AZURE_OPENAI_API_KEY, GEMINI_API_KEY, GOOGLE_API_KEY."""
    arguments = (1, 1)
    flags = LocalCoderCommand.flags | options(
        session=("ProvidersSetKey.session", "Keep the key only until the Jupyter server stops.")
    )
    examples = """
jupyter localcoder providers set-key my-server
jupyter localcoder providers set-key my-server < key.txt
"""

    session = Bool(False, config=True, help="Keep the key only until the Jupyter server stops.")

    def run(self) -> ExitCode:
        """Ask for it, and send it."""
        # The id is checked before anything is asked.
        id_ = codec.decode(providers.ProviderIdRequest, {"id": self.extra_args[0]}).id
        with self.client() as client:
            known: providers.ProviderList = client.call(
                registry.PROVIDER_LIST, providers.ProviderListRequest()
            )
            require_a_place(client, known, session=self.session)
            key = read_key(self.console, id_)
            keep = "session" if self.session else "auto"
            request = codec.decode(providers.ProviderSetKeyRequest, {"id": id_, "key": key, "keep": keep})
            saved: providers.ProviderInfo = client.call(registry.PROVIDER_SET_KEY, request)
        self.console.document(saved)
        self.console.out(f"The key of {saved.id} is saved ({saved.key}).")
        if saved.key == "environment":
            self.note("Note: the key in the environment takes precedence.")
        return ExitCode.OK


class ProvidersForgetKey(LocalCoderCommand):
    """Forget the key of a provider."""

    usage = "providers forget-key ID [options]"
    description = "Delete the stored key of a provider. A key in the environment stays."
    arguments = (1, 1)

    def run(self) -> ExitCode:
        """Forget it."""
        request = codec.decode(providers.ProviderIdRequest, {"id": self.extra_args[0]})
        with self.client() as client:
            saved: providers.ProviderInfo = client.call(registry.PROVIDER_FORGET_KEY, request)
        self.console.document(saved)
        self.console.out(f"The key of {saved.id} is deleted.")
        if saved.key == "environment":
            self.note("Note: the key in the environment is still used.")
        return ExitCode.OK


def read_key(console: Console, id_: str) -> str:
    """A key, from the person or from stdin.

    Raises
    ------
    InvalidArgument
        There was none.
    """
    key = console.ask_secret(f"Key of {id_} (it is not shown): ")
    if not key:
        raise InvalidArgument(
            "No key was entered.", recovery="Type it at the prompt, or send it to stdin: `… < key.txt`."
        )
    return key


def require_a_place(client: Client, known: providers.ProviderList, *, session: bool = False) -> None:
    """Refuse before a key is asked for that would be gone when this command ends.

    Raises
    ------
    EncryptionUnavailable
        No server runs, and there is no place where it would last.
    """
    if client.where == LOCAL and (session or known.key_storage.place == "session"):
        raise EncryptionUnavailable(
            "No Jupyter server is running that could keep a key for its session."
            if session
            else f"The key would be lost when this command finishes. {known.key_storage.note}",
            recovery="Start the Jupyter server first, or set the key in the environment.",
        )
