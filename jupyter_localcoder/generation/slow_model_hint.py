"""Notices that a model has been slow for a while, and suggests a lighter profile, once for each model."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..contract import registry
from ..contract.backend import Notice
from ..contract.generation import Done
from ..events import EventHub
from ..models.profiles import SLOW_TOKENS_PER_SECOND
from ..models.store import ModelStore
from ..text.units import tokens_per_second

SLOW_SECONDS = 60.0
_MEANINGFUL_TOKENS = 8


class SlowModelHint:
    """Hears of every answer; a model is slow that writes fewer tokens per second, for so many seconds."""

    def __init__(
        self,
        store: ModelStore,
        events: EventHub,
        clock: Callable[[], float] = time.monotonic,
        *,
        tokens_per_second: Callable[[], float] = lambda: SLOW_TOKENS_PER_SECOND,
        seconds: Callable[[], float] = lambda: SLOW_SECONDS,
    ) -> None:
        self._tokens_per_second = tokens_per_second
        self._seconds = seconds
        self._store = store
        self._events = events
        self._clock = clock
        self._slow_since: dict[str, float] = {}
        self._told: set[str] = set()

    def observe(self, done: Done) -> None:
        """Take note of how fast an answer was written."""
        timings, model = done.timings, done.model.id
        if (done.usage.completion_tokens or 0) < _MEANINGFUL_TOKENS or model in self._told:
            return
        if timings.decode_tokens_per_second >= self._tokens_per_second():
            self._slow_since.pop(model, None)
            return
        now = self._clock()
        since = self._slow_since.setdefault(model, now - timings.decode_ms / 1000)
        if now - since >= self._seconds():
            self._suggest(model, timings.decode_tokens_per_second)

    def _suggest(self, model: str, speed: float) -> None:
        self._told.add(model)
        lighter = self._lighter_profile(model)
        if lighter is None:
            return
        self._events.notify(
            registry.NOTICE,
            Notice(
                severity="info",
                message=f"`{model}` writes {tokens_per_second(speed)} on this machine, slower "
                "than reading speed.",
                action=f"The profile {lighter} is lighter: choose it in the settings, or with "
                f"`%localcoder use {lighter}`.",
                use_profile=lighter,
            ),
        )

    def _lighter_profile(self, model: str) -> str | None:
        """The profile with the largest model that is smaller than this one."""
        sizes = {info.id: info.size_bytes for info in self._store.infos(0)}
        own = sizes.get(model, 0)
        lighter = [
            (sizes[profile.model], profile.name)
            for profile in self._store.catalogue.profiles.values()
            if 0 < sizes.get(profile.model, 0) < own
        ]
        return max(lighter)[1] if lighter else None
