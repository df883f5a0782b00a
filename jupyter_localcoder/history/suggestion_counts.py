"""What became of the suggestions on this machine, in numbers: a small file, and what follows from it.

Counted are models, languages and outcomes; no text of a suggestion or of a notebook comes here.

The probability at which a suggestion ends depends on the last suggestions: whoever accepts many of them is
shown longer and less certain ones, whoever accepts few is shown only what is more certain. See `adapted`.
"""

from __future__ import annotations

import datetime
import logging
import math
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..contract.stats import SuggestionCounts, SuggestionOutcome
from ..errors import DiskFull, FileWriteError
from ..storage.json_file import Document, JsonFile

RECENT = 50
"""Number of the last suggestions that the threshold depends on."""
LEAST_RECENT = 20
"""With fewer, the threshold is the configured one."""
LEAST_PROBABILITY, MOST_PROBABILITY = 0.35, 0.70
"""Bounds of the threshold."""
FEW, USUAL, MANY = 0.05, 0.25, 0.50
"""Share accepted at which the threshold is the upper bound, the configured value, and the lower bound."""
STEP = 0.05
"""The threshold moves in steps of this size, so that one suggestion more or less seldom changes it."""
MOST_ROWS = 200
"""Pairs of a model and a language that are counted apart; further ones are counted under an empty name."""

_ACCEPTED = ("accepted", "accepted_line", "accepted_word")
_OUTCOMES = ("shown", *_ACCEPTED, "dismissed", "kept")
_MOST_PENDING = 5000
"""Outcomes that wait for a disk that cannot be written."""


def adapted(configured: float | None, recent: Iterable[bool]) -> float | None:
    """The least probability of an automatic suggestion.

    Linear in the share of the last suggestions that was accepted: the upper bound at `FEW`, the configured
    value at `USUAL`, the lower bound at `MANY`. A configured value outside of the bounds is used as it is,
    since an administrator has set it.

    Parameters
    ----------
    configured
        The configured probability; None for no limit.
    recent
        Of each of the last suggestions, whether it was accepted.
    """
    seen = list(recent)[-RECENT:]
    if configured is None or len(seen) < LEAST_RECENT:
        return configured
    if not LEAST_PROBABILITY <= configured <= MOST_PROBABILITY:
        return configured
    share = sum(seen) / len(seen)
    if share < USUAL:
        part = min(1.0, (USUAL - share) / (USUAL - FEW))
        moved = part * (MOST_PROBABILITY - configured)
    else:
        part = min(1.0, (share - USUAL) / (MANY - USUAL))
        moved = part * (LEAST_PROBABILITY - configured)
    stepped = configured + STEP * round(moved / STEP)
    return min(MOST_PROBABILITY, max(LEAST_PROBABILITY, stepped))


class SuggestionLog:
    """The counts: those of the file, and those that are not in it yet. Methods may block, from any thread."""

    def __init__(self, path: Path) -> None:
        self._file = JsonFile(path, what="The counts of suggestions", check=_check)
        self._disk = threading.Lock()
        """Held while the file is read or written, so that one follows the other."""
        self._lock = threading.Lock()
        """Held for a moment only, never during I/O."""
        self._pending: list[SuggestionOutcome] = []
        self._recent: list[bool] = []
        """Of each of the last suggestions, whether it was accepted: those of the file, once it was read."""

    def add(self, outcomes: Sequence[SuggestionOutcome]) -> None:
        """Count outcomes; `save` writes them. Does not block."""
        with self._lock:
            self._pending = [*self._pending, *outcomes][-_MOST_PENDING:]
            _follow(self._recent, outcomes)

    @property
    def unsaved(self) -> bool:
        """Whether there is something to write."""
        return bool(self._pending)

    def recent(self) -> list[bool]:
        """Of each of the last suggestions, whether it was accepted, as far as the file was read.

        Does not block.
        """
        with self._lock:
            return list(self._recent)

    def read(self) -> tuple[str, list[SuggestionCounts]]:
        """When counting began, and the counts of each model and language, the most shown first."""
        with self._disk:
            document = self._file.read().document
            with self._lock:
                pending = list(self._pending)
                self._recent = _recent_of(document)
                _follow(self._recent, pending)
        _count(document, pending)
        rows = [_row(row) for row in document.get("counts", [])]
        return document.get("since", ""), sorted(rows, key=lambda row: -row.shown)

    def save(self) -> None:
        """Write what was counted. What cannot be written now is written with the next call."""
        with self._disk:
            with self._lock:
                taken, self._pending = self._pending, []
            if not taken:
                return
            try:
                with self._file.change() as document:
                    _count(document, taken)
            except (FileWriteError, DiskFull) as failure:
                logging.getLogger("jupyter_localcoder").warning("%s", failure.message)
                with self._lock:
                    self._pending = [*taken, *self._pending][-_MOST_PENDING:]
                return
            with self._lock:
                self._recent = _recent_of(document)
                _follow(self._recent, self._pending)

    def erase(self) -> None:
        """Remove all counts.

        Raises
        ------
        FileWriteError, DiskFull
        """
        with self._disk:
            with self._file.change() as document:
                for name in ("since", "counts", "recent"):
                    document.pop(name, None)
            with self._lock:
                self._pending, self._recent = [], []


def total_of(rows: Iterable[SuggestionCounts]) -> SuggestionCounts:
    """The sums over all models and languages."""
    rows = list(rows)
    return SuggestionCounts(**{name: sum(getattr(row, name) for row in rows) for name in _OUTCOMES})


def log_probability(probability: float | None) -> float | None:
    """Natural logarithm, as the gate of suggestions takes it."""
    return None if probability is None else math.log(probability)


def _count(document: Document, outcomes: list[SuggestionOutcome]) -> None:
    if not outcomes:
        return
    document.setdefault("since", datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"))
    rows: list[dict[str, Any]] = document.setdefault("counts", [])
    by_name = {(row.get("model", ""), row.get("language", "")): row for row in rows}
    for one in outcomes:
        name = (one.model, one.language)
        if name not in by_name and len(rows) >= MOST_ROWS:
            name = ("", "")
        if name not in by_name:
            by_name[name] = {"model": name[0], "language": name[1]}
            rows.append(by_name[name])
        row = by_name[name]
        row[one.outcome] = row.get(one.outcome, 0) + 1
    seen = _recent_of(document)
    _follow(seen, outcomes)
    document["recent"] = [int(accepted) for accepted in seen]


def _follow(seen: list[bool], outcomes: Iterable[SuggestionOutcome]) -> None:
    """Add outcomes to the last suggestions; one that is accepted is the last one that was shown."""
    for one in outcomes:
        if one.outcome == "shown":
            seen.append(False)
        elif one.outcome in _ACCEPTED and seen:
            seen[-1] = True
    del seen[:-RECENT]


def _recent_of(document: Document) -> list[bool]:
    return [bool(value) for value in document.get("recent", [])][-RECENT:]


def _row(row: dict[str, Any]) -> SuggestionCounts:
    return msgspec.convert(row, SuggestionCounts)


def _check(document: Document) -> None:
    msgspec.convert(document.get("counts", []), list[SuggestionCounts])
    msgspec.convert(document.get("recent", []), list[int])
    msgspec.convert(document.get("since", ""), str)
