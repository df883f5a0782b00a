"""``config``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class ConfigGroup(LocalCoderGroup):
    """Show and change the settings."""

    usage = "config COMMAND [options]"
    description = """Show and change the settings. They are kept in a file; a running Jupyter server
    is told at once. What an option, the environment or a config file decides stands beside each."""
    subcommands = {
        "show": (lazy("config.show.ConfigShow"), "Print all settings, and which layer decided each."),
        "get": (lazy("config.show.ConfigGet"), "Print one setting."),
        "set": (lazy("config.change.ConfigSet"), "Change one setting, and keep it."),
        "reset": (lazy("config.change.ConfigReset"), "Give settings back to the layers below."),
        "path": (lazy("config.show.ConfigPath"), "Print the path of the settings file."),
    }
