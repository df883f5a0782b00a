"""What the embedded provider does from now on where one that was named is removed, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Set

from ..contract.providers import EMBEDDED
from ..contract.settings import SettingsView

_DOES = {"completion_provider": "completes", "title_provider": "makes the titles"}
_NOW = {
    "completion_provider": "The embedded model now completes while you type.",
    "title_provider": "The embedded model now generates titles.",
}


def note(id_: str, view: SettingsView, named: Set[str]) -> str:
    """The sentences; empty where nothing named it.

    Parameters
    ----------
    view
        The settings in force after it was removed: what the environment or the command line fixes has stayed.
    named
        The settings that named it.
    """
    return " ".join(_sentences(id_, view, named))


def _sentences(id_: str, view: SettingsView, named: Set[str]) -> Iterator[str]:
    for setting, does in _DOES.items():
        in_force = getattr(view.settings, setting)
        if setting in named and in_force == EMBEDDED:
            yield _NOW[setting]
        if in_force == id_:
            layer = view.sources[setting]
            where = "environment" if layer == "environment" else "command line"
            yield (
                f"The {where} of the server still says that {id_} {does}: until that is changed, nothing "
                "does."
            )
