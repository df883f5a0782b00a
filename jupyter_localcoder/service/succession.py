"""What the embedded provider does from now on where one that was named is removed, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..contract.providers import EMBEDDED
from ..contract.settings import SettingsView


def note(id_: str, view: SettingsView, *, completed: bool, titled: bool) -> str:
    """The sentences; empty where nothing named it.

    Parameters
    ----------
    view
        The settings in force after it was removed: what the environment or the command line fixes has stayed.
    completed, titled
        Whether it was named for completion, for titles.
    """
    return " ".join(_sentences(id_, view, completed, titled))


def _sentences(id_: str, view: SettingsView, completed: bool, titled: bool) -> Iterator[str]:
    completes = view.settings.completion_provider
    if completed and completes == EMBEDDED:
        yield "The embedded model completes while you type now."
    if titled:
        yield "The embedded model makes the titles now."
    if completes == id_:
        layer = view.sources["completion_provider"]
        where = "environment" if layer == "environment" else "command line"
        yield f"The {where} of the server still says that {id_} completes: until that changes, nothing does."
