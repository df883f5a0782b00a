"""The file that keeps how titles are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ..contract.history import TitleConfig
from ..storage.json_file import Document, JsonFile, Report

_TITLES = "titles"


class TitleFile:
    """``titles.json`` in the folder of the history. All methods may block."""

    def __init__(self, path: Path, report: Report | None = None) -> None:
        self._file = JsonFile(
            path,
            what="The settings of the titles",
            place="`HistoryStore.history_dir`",
            check=_check,
            report=report,
        )

    def read(self) -> TitleConfig:
        """What the file says; the defaults where there is none, or one that this version cannot read."""
        return _config_of(self._file.read().document)

    def change(self, alter: Callable[[TitleConfig], TitleConfig]) -> TitleConfig:
        """Replace what the file says by what ``alter`` makes of it; what it raises changes nothing.

        Raises
        ------
        FileWriteError, DiskFull
            It stays as it was.
        """
        with self._file.change() as document:
            config = alter(_config_of(document))
            document[_TITLES] = {**document.get(_TITLES, {}), **msgspec.to_builtins(config)}
            return config


def _check(document: Document) -> None:
    _config_of(document)


def _config_of(document: Document) -> TitleConfig:
    """A `ValueError` where it makes no sense."""
    titles: Any = document.get(_TITLES, {})
    return msgspec.convert(titles, TitleConfig)
