"""The file in which older versions kept how titles are made; today the settings say it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from ..contract.history import TitleConfig
from ..errors import DiskFull, FileWriteError
from ..storage.json_file import Document, JsonFile, Report

_TITLES = "titles"


class TitleFile:
    """``titles.json`` in the folder of the history; implements `settings.Earlier`. All methods may block."""

    def __init__(self, path: Path, report: Report | None = None) -> None:
        self._path = path
        self._file = JsonFile(
            path,
            what="The settings of the titles",
            place="`HistoryStore.history_dir`",
            check=_check,
            report=report,
        )

    def read(self) -> dict[str, Any]:
        """What it says, by the names of the settings; nothing where there is none that can be read."""
        given: dict[str, Any] = self._file.read().document.get(_TITLES, {})
        settings = {f"title_{name}": given[name] for name in ("provider", "model") if given.get(name)}
        if "enabled" in given:
            settings["titles"] = given["enabled"]
        if "timeout_seconds" in given:
            settings["title_timeout_seconds"] = given["timeout_seconds"]
        return settings

    def remove(self) -> None:
        """Its settings are kept elsewhere now.

        A file of a newer version stays, a damaged one under another name.
        """
        if not self._path.exists():
            return
        # Of a history that is read only it stays too: what was kept since wins.
        with contextlib.suppress(OSError, FileWriteError, DiskFull):
            with self._file.change():
                pass
            self._path.unlink(missing_ok=True)


def _check(document: Document) -> None:
    """A `ValueError` where it makes no sense."""
    titles: Any = document.get(_TITLES, {})
    msgspec.convert(titles, TitleConfig)
