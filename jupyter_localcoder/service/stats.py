"""``stats:*``: what became of the suggestions on this machine, and the threshold that follows from it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from ..contract import registry, stats
from ..contract.common import Empty
from ..history.suggestion_counts import RECENT, SuggestionLog, adapted, log_probability, total_of
from ..settings import LocalCoderSettings
from .dispatch import serves

SAVE_SECONDS = 5.0
"""Outcomes of so much time are written together."""


class StatsOperations:
    """Counts what becomes of suggestions.

    Parameters
    ----------
    min_log_probability
        Returns the configured threshold; None for no limit.
    save_seconds
        Delay in seconds before outcomes are written.
    """

    def __init__(
        self,
        settings: LocalCoderSettings,
        log: SuggestionLog,
        min_log_probability: Callable[[], float | None],
        *,
        save_seconds: float = SAVE_SECONDS,
    ) -> None:
        self._settings = settings
        self._log = log
        self._configured = min_log_probability
        self._save_seconds = save_seconds
        self._saving: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[object] | None = None

    @property
    def min_log_probability(self) -> float | None:
        """The threshold of automatic suggestions now: the configured one, moved by what was accepted."""
        configured = self._configured()
        if configured is None or not self._settings.current.suggestion_counts:
            return configured
        if self._reading is None:
            # The file is read beside the first completion, which does not wait for it.
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._log.read))
        before = math.exp(configured)
        probability = adapted(before, self._log.recent())
        return configured if probability == before else log_probability(probability)

    @serves(registry.STATS_RECORD)
    async def stats_record(self, request: stats.StatsRecordRequest) -> Empty:
        """Count outcomes; nothing is counted while the setting is off."""
        if self._settings.current.suggestion_counts:
            self._log.add(request.outcomes)
            if self._saving is None or self._saving.done():
                self._saving = asyncio.ensure_future(self._save_later())
        return Empty()

    @serves(registry.STATS_GET)
    async def stats_get(self, _request: stats.StatsGetRequest) -> stats.SuggestionStats:
        """Show the counts."""
        since, rows = await asyncio.to_thread(self._log.read)
        threshold = self.min_log_probability
        recent = self._log.recent()
        return stats.SuggestionStats(
            enabled=self._settings.current.suggestion_counts,
            since=since,
            counts=tuple(rows),
            total=total_of(rows),
            recent_shown=len(recent[-RECENT:]),
            recent_accepted=sum(recent[-RECENT:]),
            min_probability=None if threshold is None else round(math.exp(threshold), 3),
        )

    @serves(registry.STATS_ERASE)
    async def stats_erase(self, _request: stats.StatsEraseRequest) -> Empty:
        """Remove all counts; the threshold is the configured one again."""
        await asyncio.to_thread(self._log.erase)
        return Empty()

    async def close(self) -> None:
        """Write what is not written yet."""
        for task in (self._saving, self._reading):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._log.unsaved:
            await asyncio.to_thread(self._log.save)

    async def _save_later(self) -> None:
        await asyncio.sleep(self._save_seconds)
        await asyncio.to_thread(self._log.save)
