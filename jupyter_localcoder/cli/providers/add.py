"""``providers add ID``: add a provider, or change what is given of one."""

from __future__ import annotations

from typing import Any, get_args

from traitlets import Bool, Enum, Float, Integer, Unicode

from ...contract import codec, providers, registry
from ...errors import InvalidArgument
from ...text.plain_text import plain
from ..command import LocalCoderCommand, options
from ..exits import ExitCode
from .key import read_key, require_a_place

_FIELDS = {
    "type": "type",
    "name": "display_name",
    "base_url": "url",
    "model": "model",
    "timeout_seconds": "timeout_seconds",
    "silence_timeout_seconds": "silence_seconds",
    "fill": "fill",
    "fill_template": "fill_template",
    "api_version": "api_version",
    "context_window": "context_window",
}
"""What a provider has → the trait that holds what was given."""


class ProvidersAdd(LocalCoderCommand):
    """Add a provider, or change one."""

    usage = "providers add ID [options]"
    description = """Add a provider with an id of lowercase letters, digits and dashes. If the
    provider exists, only the given options change; its key is deleted if the host changes. No
    connection is opened; use `providers test` to test it."""
    arguments = (1, 1)
    aliases = LocalCoderCommand.aliases | {
        "type": "ProvidersAdd.type",
        "url": "ProvidersAdd.url",
        "model": "ProvidersAdd.model",
        "name": "ProvidersAdd.display_name",
        "timeout": "ProvidersAdd.timeout_seconds",
        "silence": "ProvidersAdd.silence_seconds",
        "fill": "ProvidersAdd.fill",
        "fill-template": "ProvidersAdd.fill_template",
        "api-version": "ProvidersAdd.api_version",
        "context-window": "ProvidersAdd.context_window",
    }
    flags = LocalCoderCommand.flags | options(
        key=("ProvidersAdd.with_key", "Also prompt for its key, or read the key from stdin."),
        allow_unencrypted_key=(
            "ProvidersAdd.allow_unencrypted_key",
            "Allow sending the key to another machine over unencrypted HTTP.",
        ),
    )
    examples = """
jupyter localcoder providers add lab --type=ollama --model=qwen2.5-coder:7b
jupyter localcoder providers add gpt --type=openai --model=MODEL --key
"""

    type = Unicode(
        None,
        allow_none=True,
        config=True,
        help="Type: ollama, openai, azure_openai, gemini, openai_compatible (vLLM, llama-server, LM "
        "Studio, TGI and others), or a type that an installed package provides.",
    )
    url = Unicode(None, allow_none=True, config=True, help="Base URL of its API. Default: the vendor's URL.")
    model = Unicode(None, allow_none=True, config=True, help="Model to use; for Azure, the deployment.")
    display_name = Unicode(None, allow_none=True, config=True, help="Display name.")
    timeout_seconds = Float(
        None, allow_none=True, config=True, help="Time limit for a complete answer, in seconds."
    )
    silence_seconds = Float(
        None,
        allow_none=True,
        config=True,
        help="Idle timeout in seconds, including the wait for the first token.",
    )
    fill = Enum(
        get_args(providers.FillMode),
        None,
        allow_none=True,
        config=True,
        help="Fill-in-the-middle format of an openai_compatible server: off, suffix, infill "
        "(llama-server) or tokens.",
    )
    fill_template = Unicode(
        None,
        allow_none=True,
        config=True,
        help="Prompt template for `--fill=tokens`, with {prefix} and {suffix}.",
    )
    api_version = Unicode(None, allow_none=True, config=True, help="API version of Azure's dated API.")
    context_window = Integer(
        None,
        allow_none=True,
        config=True,
        help="Context window for Ollama, in tokens. 0 uses Ollama's default.",
    )
    allow_unencrypted_key = Bool(
        False, config=True, help="Allow sending the key to another machine over unencrypted HTTP."
    )
    with_key = Bool(False, config=True, help="Also prompt for its key, or read the key from stdin.")

    def run(self) -> ExitCode:
        """Send what it will be."""
        with self.client() as client:
            known: providers.ProviderList = client.call(
                registry.PROVIDER_LIST, providers.ProviderListRequest()
            )
            # What can never work is said before a key is asked for.
            request = codec.decode(providers.ProviderSaveRequest, self._fields(known))
            if self.with_key:
                require_a_place(client, known)
                fields = {**self._fields(known), "key": read_key(self.console, request.id)}
                request = codec.decode(providers.ProviderSaveRequest, fields)
            saved: providers.ProviderInfo = client.call(registry.PROVIDER_SAVE, request)
        self.console.document(saved)
        self.console.out(f"{saved.id} is saved ({saved.type}, key: {saved.key}).")
        if saved.problem:
            self.note(f"{saved.id}: {saved.problem}")
        return ExitCode.OK

    def _fields(self, known: providers.ProviderList) -> dict[str, Any]:
        id_ = self.extra_args[0]
        before = next((info for info in known.providers if info.id == id_), None)
        if before is None and self.type is None:
            raise InvalidArgument(
                f"The provider `{id_}` does not exist yet, so its type is required.",
                recovery="Give `--type`: " + _names(known) + ".",
            )
        if self.type is not None and self.type not in (kind.type for kind in known.kinds):
            raise InvalidArgument(
                f"`--type`: there is no provider type `{plain(self.type)}`.",
                recovery=f"Give one of {_names(known)}, or install the package that provides it.",
            )
        names = providers.ProviderFields.__struct_fields__
        fields = {name: getattr(before, name) for name in names} if before else {}
        given = {name: getattr(self, trait) for name, trait in _FIELDS.items()}
        fields |= {name: value for name, value in given.items() if value is not None}
        fields["allow_unencrypted_key"] = self.allow_unencrypted_key or fields.get(
            "allow_unencrypted_key", False
        )
        if id_ == providers.EMBEDDED:
            fields["base_url"] = self.url or ""
        return {"id": id_, **fields}


def _names(known: providers.ProviderList) -> str:
    return ", ".join(kind.type for kind in known.kinds if kind.type != providers.EMBEDDED)
