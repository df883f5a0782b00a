"""``config set`` and ``config reset``: the settings, changed."""

from __future__ import annotations

from traitlets import Bool

from ...contract import codec, registry
from ...contract.settings import SettingsUpdateRequest, SettingsView
from ...errors import InvalidArgument
from ..command import LocalCoderCommand, options
from ..exits import ExitCode
from .fields import check_name, parse
from .show import settings_of, value_text


class SettingsCommand(LocalCoderCommand):
    """Base of the commands that change settings."""

    def apply(self, names: list[str], request: SettingsUpdateRequest) -> ExitCode:
        """Send the change, and print what is now in force."""
        with self.client() as client:
            view: SettingsView = client.call(registry.SETTINGS_UPDATE, request)
        self.report(names, view)
        return ExitCode.OK

    def report(self, names: list[str], view: SettingsView) -> None:
        """Print what is now in force; a higher layer may still decide otherwise."""
        values = {name: getattr(view.settings, name) for name in names}
        sources = {name: view.sources.get(name, "default") for name in names}
        self.console.document({"settings": values, "sources": sources})
        for name in names:
            self.console.out(f"{name} = {value_text(values[name])}  ({sources[name]})")


class ConfigSet(SettingsCommand):
    """Change one setting, and keep it."""

    usage = "config set KEY VALUE [options]"
    description = """Change a setting and save it in the settings file. A running Jupyter server
    applies it immediately. Environment variables and command-line options take precedence."""
    arguments = (2, 2)
    examples = """
jupyter localcoder config set profile fast
jupyter localcoder config set temperature 0.2
"""

    def run(self) -> ExitCode:
        """Check it, and send it."""
        name, text = self.extra_args
        request = parse(name, text)
        return self.apply([name], request)

    def report(self, names: list[str], view: SettingsView) -> None:
        """Say so when the change is kept, and does not count."""
        super().report(names, view)
        above = [name for name in names if view.sources.get(name) in ("environment", "command-line")]
        for name in above:
            self.note(f"Note: the value is saved, but the {view.sources[name]} currently overrides `{name}`.")


class ConfigReset(SettingsCommand):
    """Give settings back to the layers below."""

    usage = "config reset KEY... | --all [options]"
    description = """Remove settings from the settings file. The value from a config file or the
    default then applies again."""
    arguments = (0, 100)
    flags = SettingsCommand.flags | options(all=("ConfigReset.all_keys", "Reset all settings."))

    all_keys = Bool(False, config=True, help="Reset all settings.")

    def run(self) -> ExitCode:
        """Send it."""
        names = list(dict.fromkeys(self.extra_args))
        if bool(names) == self.all_keys:
            raise InvalidArgument(
                "Name the settings to reset, or pass `--all`.",
                recovery=f"Usage: jupyter localcoder {self.usage}",
            )
        for name in names:
            check_name(name)
        if self.all_keys:
            with self.client() as client:
                sources = settings_of(client).sources
            names = [name for name, source in sources.items() if source == "settings"]
        return self.apply(names, codec.decode(SettingsUpdateRequest, dict.fromkeys(names)))
