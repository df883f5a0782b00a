"""``config show``, ``config get`` and ``config path``: the settings, read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...contract import registry
from ...contract.settings import SettingsGetRequest, SettingsView
from ..command import LocalCoderCommand
from ..exits import ExitCode
from ..table import table
from .fields import check_name

if TYPE_CHECKING:
    from ...client import Client


def settings_of(client: Client) -> SettingsView:
    """The settings in force."""
    view: SettingsView = client.call(registry.SETTINGS_GET, SettingsGetRequest())
    return view


def value_text(value: Any) -> str:
    """A value as ``config set`` takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


class ConfigShow(LocalCoderCommand):
    """Print all settings."""

    usage = "config show [options]"
    description = """Print all settings and the source of each value: command-line, environment,
    settings (the file that `config set` writes), config (a traitlets config file) or default."""

    def run(self) -> ExitCode:
        """Print them."""
        with self.client() as client:
            view = settings_of(client)
        self.console.document(view)
        rows = [
            (name, value_text(value) or '""', view.sources.get(name, "default"))
            for name, value in msgspec.to_builtins(view.settings).items()
        ]
        self.console.out(table(("SETTING", "VALUE", "DECIDED BY"), rows, width=self.console.width))
        return ExitCode.OK


class ConfigGet(LocalCoderCommand):
    """Print one setting."""

    usage = "config get KEY [options]"
    description = "Print only the value of one setting."
    arguments = (1, 1)

    def run(self) -> ExitCode:
        """Print it."""
        name = self.extra_args[0]
        check_name(name)
        with self.client() as client:
            view = settings_of(client)
        value = getattr(view.settings, name)
        self.console.document({"key": name, "value": value, "source": view.sources.get(name, "default")})
        self.console.out(value_text(value))
        return ExitCode.OK


class ConfigPath(LocalCoderCommand):
    """Print the path of the settings file."""

    usage = "config path [options]"
    description = "Print the path of the settings file. `config set` creates the file if needed."

    def run(self) -> ExitCode:
        """Print it."""
        with self.client() as client:
            path = settings_of(client).path
        self.console.document({"path": path})
        self.console.out(path)
        return ExitCode.OK
