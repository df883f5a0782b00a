"""``titles``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Titles(LocalCoderGroup):
    """See and change how titles of answers are made."""

    usage = "titles COMMAND [options]"
    description = """Show and change how titles of answers are generated. By default, the loaded
    model generates them when it is idle."""
    subcommands = {
        "show": (lazy("titles.config.TitlesShow"), "Print the title settings."),
        "set": (lazy("titles.config.TitlesSet"), "Change the title settings."),
    }
