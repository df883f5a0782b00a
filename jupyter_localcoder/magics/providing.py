"""`%localcoder provider` and `%localcoder titles`: providers and title settings.

A key is entered at a prompt that does not show it, because the text of a cell is saved with the notebook.
"""

from __future__ import annotations

import getpass
from typing import Any

from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.interactiveshell import InteractiveShell

from ..client import Client
from ..contract.codec import decode
from ..contract.history import TitleConfig, TitleConfigGetRequest, TitleConfigSetRequest
from ..contract.providers import (
    EMBEDDED,
    ProviderFields,
    ProviderIdRequest,
    ProviderList,
    ProviderListRequest,
    ProviderSaveRequest,
    ProviderSetKeyRequest,
)
from ..contract.registry import (
    PROVIDER_DELETE,
    PROVIDER_FORGET_KEY,
    PROVIDER_LIST,
    PROVIDER_SAVE,
    PROVIDER_SET_ACTIVE,
    PROVIDER_SET_KEY,
    PROVIDER_TEST,
    TITLE_CONFIG_GET,
    TITLE_CONFIG_SET,
)
from ..errors import InvalidArgument
from ..text.plain_text import plain
from .table import table

USAGE = (
    "%localcoder provider ID | test ID | add ID type=TYPE [base_url=…] [model=…] [FIELD=VALUE]… | key ID "
    "| forget-key ID | delete ID"
)
TITLES_USAGE = "%localcoder titles [on | off | provider ID | model NAME | timeout SECONDS]"
_MODELS_SHOWN = 20


def list_providers(shell: InteractiveShell, client: Client) -> None:
    """Show all of them."""
    rows = [
        (
            info.id,
            "yes" if info.active else "-",
            info.type,
            info.model or "-",
            info.key,
            "the administrator" if info.configured else "you" if info.remote else "-",
            info.problem,
        )
        for info in _known(client).providers
    ]
    heads = ["Provider", "Active", "Type", "Model", "Key", "Configured by", "Trouble"]
    shell.display_pub.publish(table(heads, rows))


def provide(client: Client, words: list[str]) -> None:
    """Do what the words behind ``provider`` say.

    Raises
    ------
    UsageError
        They say nothing that can be done.
    LocalCoderError
    """
    match words:
        case [id_]:
            _activate(client, _named(id_))
        case ["test", id_]:
            _test(client, _named(id_))
        case ["add", id_, *fields]:
            _add(client, id_, fields)
        case ["key", id_]:
            _ask_key(client, _named(id_))
        case ["forget-key", id_]:
            _print_sentence(f"The key of {client.call(PROVIDER_FORGET_KEY, _named(id_)).id} is deleted.")
        case ["delete", id_]:
            note = client.call(PROVIDER_DELETE, _named(id_)).note
            _print_sentence(f"{id_} is removed. {note}".strip())
        case _:
            raise UsageError(USAGE)


def titles(client: Client, words: list[str]) -> None:
    """Show or change how titles are made; raises as `provide` does."""
    match words:
        case []:
            config = client.call(TITLE_CONFIG_GET, TitleConfigGetRequest())
        case ["on" | "off" as switch]:
            config = _set(client, enabled=switch == "on")
        case ["timeout", seconds]:
            try:
                config = _set(client, timeout_seconds=float(seconds))
            except ValueError:
                raise UsageError(TITLES_USAGE) from None
        case ["provider" | "model" as field, name]:
            # The embedded provider, and the model that is loaded, are what is meant by no name.
            config = _set(client, **{field: "" if name in (EMBEDDED, "default") else name})
        case _:
            raise UsageError(TITLES_USAGE)
    made = "Titles are generated" if config.enabled else "Titles are off; they would be generated"
    by = f"{config.provider or EMBEDDED}, {config.model or 'with the loaded model'}"
    _print_sentence(f"{made} by {by}, within {config.timeout_seconds:g} s. {config.problem}".strip())
    fixed = [name for name, layer in config.sources.items() if layer in ("environment", "command-line")]
    if words and fixed:
        _print_sentence(f"Fixed by the environment or the command line of the server: {', '.join(fixed)}.")


def _activate(client: Client, request: ProviderIdRequest) -> None:
    listed = client.call(PROVIDER_SET_ACTIVE, request)
    trouble = next((info.problem for info in listed.providers if info.active), "")
    said = f"{listed.active} is now the active provider."
    _print_sentence(f"{said} But: {trouble}" if trouble else said)


def _test(client: Client, request: ProviderIdRequest) -> None:
    tested = client.call(PROVIDER_TEST, request)
    said = [f"{tested.id} responded in {tested.latency_ms:.0f} ms."]
    if tested.models:
        more = len(tested.models) - _MODELS_SHOWN
        shown = ", ".join(tested.models[:_MODELS_SHOWN])
        said.append(f"Models: {shown}, and {more} more." if more > 0 else f"Models: {shown}.")
    if tested.model_listed is False:
        said.append("The configured model is not among them.")
    _print_sentence(" ".join(said))


def _add(client: Client, id_: str, words: list[str]) -> None:
    """Add one, or change what is given of one."""
    given = dict(word.partition("=")[::2] for word in words)
    names = ProviderFields.__struct_fields__
    if any("=" not in word for word in words) or not set(given) <= set(names):
        raise UsageError(f"{USAGE}; the fields are {', '.join(names)}")
    known = _known(client)
    before = next((info for info in known.providers if info.id == id_), None)
    fields: dict[str, Any] = {name: getattr(before, name) for name in names} if before else {}
    if before is None and "type" not in given:
        raise InvalidArgument(
            f"The provider `{id_}` does not exist yet, so its type is required.",
            recovery="Give `type=` one of "
            + ", ".join(f"`{kind.type}`" for kind in known.kinds if kind.type != EMBEDDED)
            + ".",
        )
    saved = client.call(PROVIDER_SAVE, decode(ProviderSaveRequest, {"id": id_, **fields, **_typed(given)}))
    said = f"{saved.id} is saved ({saved.type}, key: {saved.key})."
    _print_sentence(f"{said} But: {saved.problem}" if saved.problem else said)


def _typed(given: dict[str, str]) -> dict[str, Any]:
    """Texts as what their fields hold; what is no number is left to the contract to refuse."""
    typed: dict[str, Any] = dict(given)
    for name, text in given.items():
        if name.endswith("_seconds") or name == "context_window":
            try:
                typed[name] = float(text) if name.endswith("_seconds") else int(text)
            except ValueError:
                continue
        elif name == "allow_unencrypted_key" and text in ("true", "false"):
            typed[name] = text == "true"
    return typed


def _ask_key(client: Client, request: ProviderIdRequest) -> None:
    try:
        key = getpass.getpass(f"Key of {request.id} (it is not shown): ").strip()
    except (StdinNotImplementedError, EOFError):
        raise InvalidArgument(
            "Cannot prompt for a key here.",
            recovery=f"In a terminal, run `jupyter localcoder providers set-key {request.id}`.",
        ) from None
    if not key:
        raise InvalidArgument("No key was entered.", recovery="Type it at the prompt.")
    saved = client.call(PROVIDER_SET_KEY, decode(ProviderSetKeyRequest, {"id": request.id, "key": key}))
    _print_sentence(f"The key of {saved.id} is saved ({saved.key}).")


def _set(client: Client, **fields: Any) -> TitleConfig:
    return client.call(TITLE_CONFIG_SET, decode(TitleConfigSetRequest, fields))


def _named(id_: str) -> ProviderIdRequest:
    return decode(ProviderIdRequest, {"id": id_})


def _known(client: Client) -> ProviderList:
    return client.call(PROVIDER_LIST, ProviderListRequest())


def _print_sentence(sentence: str) -> None:
    print(plain(sentence))
