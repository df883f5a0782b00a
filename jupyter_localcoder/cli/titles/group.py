"""``titles``: the list of its subcommands."""

from __future__ import annotations

from ..command import LocalCoderGroup, lazy


class Titles(LocalCoderGroup):
    """See and change how titles of answers are made."""

    usage = "titles COMMAND [options]"
    description = """How the titles of answers are made: by default by the model that is loaded, when nothing
    else is asked of it."""
    subcommands = {
        "show": (lazy("titles.config.TitlesShow"), "Print how they are made."),
        "set": (lazy("titles.config.TitlesSet"), "Change it, and keep it."),
    }
