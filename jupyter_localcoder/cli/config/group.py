"""``config``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class ConfigGroup(LocalCoderGroup):
    """Show and change the settings."""

    usage = "config COMMAND [options]"
    description = """Show and change settings. They are saved in a file, and a running Jupyter
    server applies changes immediately. The source of each value (option, environment, config file)
    is shown next to it."""
    subcommands = {
        "show": (lazy("config.show.ConfigShow"), "Print all settings, and the source of each value."),
        "get": (lazy("config.show.ConfigGet"), "Print one setting."),
        "set": (lazy("config.change.ConfigSet"), "Change a setting and save it."),
        "reset": (lazy("config.change.ConfigReset"), "Reset settings to their inherited values."),
        "path": (lazy("config.show.ConfigPath"), "Print the path of the settings file."),
    }
