"""`%localcoder config`: the settings, shown and changed."""

from __future__ import annotations

import difflib

import msgspec
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ..client import Client
from ..contract import codec
from ..contract.registry import SETTINGS_GET, SETTINGS_UPDATE
from ..contract.settings import SettingsGetRequest, SettingsUpdateRequest
from ..errors import InvalidArgument
from ..text.plain_text import plain
from .table import table

USAGE = "%localcoder config [NAME VALUE]; the value `default` resets a setting"
_NAMES = SettingsUpdateRequest.__struct_fields__


def configure(shell: InteractiveShell, client: Client, words: list[str]) -> None:
    """Do what the words behind ``config`` say.

    Raises
    ------
    UsageError
        They say nothing that can be done.
    LocalCoderError
    """
    match words:
        case []:
            view = client.call(SETTINGS_GET, SettingsGetRequest())
            rows = [
                (name, _text(value), view.sources.get(name, "default"))
                for name, value in msgspec.to_builtins(view.settings).items()
            ]
            shell.display_pub.publish(table(["Setting", "Value", "Decided by"], rows))
        case [name, text]:
            _change(client, name, text)
        case _:
            raise UsageError(USAGE)


def _change(client: Client, name: str, text: str) -> None:
    if name not in _NAMES:
        near = difflib.get_close_matches(name, _NAMES, n=1)
        raise InvalidArgument(
            f"Unknown setting `{name}`." + (f" Did you mean `{near[0]}`?" if near else ""),
            recovery="`%localcoder config` lists all settings.",
            field=name,
        )
    if text == "default":
        request = codec.decode(SettingsUpdateRequest, {name: None})
    else:
        request = codec.decode(SettingsUpdateRequest, {name: text}, from_text=True)
    view = client.call(SETTINGS_UPDATE, request)
    layer = view.sources.get(name, "default")
    said = f"{name} = {_text(getattr(view.settings, name))} ({layer})"
    if layer in ("environment", "command-line"):
        said += f". Your value is saved, but the {layer} of the server currently overrides it."
    print(plain(said))


def _text(value: object) -> str:
    """A value as it can be given."""
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'
