"""``stats:*``: what is counted, when it is written, and what it changes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.contract.stats import (
    Outcome,
    StatsEraseRequest,
    StatsGetRequest,
    StatsRecordRequest,
    SuggestionOutcome,
    SuggestionStats,
)
from jupyter_localcoder.history.suggestion_counts import SuggestionLog
from jupyter_localcoder.service.stats import StatsOperations
from jupyter_localcoder.settings import LocalCoderSettings
from tests.support.waiting import until

CONFIGURED = math.log(0.5)


class Counter:
    """The operations, on a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = LocalCoderSettings(environment={})
        self.operations = self.made()

    def made(self, save_seconds: float = 0.0) -> StatsOperations:
        return StatsOperations(
            self.settings, SuggestionLog(self.path), lambda: CONFIGURED, save_seconds=save_seconds
        )

    async def record(self, *names: Outcome) -> None:
        outcomes = tuple(SuggestionOutcome(outcome=name, model="coder", language="python") for name in names)
        await self.operations.stats_record(StatsRecordRequest(outcomes=outcomes))

    async def get(self) -> SuggestionStats:
        return await self.operations.stats_get(StatsGetRequest())


@pytest.fixture
def counter(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Counter]:
    made = Counter(tmp_path / "suggestions.json")
    yield made
    jp_asyncio_loop.run_until_complete(made.operations.close())


async def test_outcomes_are_counted_and_written(counter: Counter) -> None:
    await counter.record("shown", "accepted", "kept")
    found = await counter.get()
    assert found.enabled
    assert (found.total.shown, found.total.accepted, found.total.kept) == (1, 1, 1)
    assert (found.recent_shown, found.recent_accepted) == (1, 1)
    assert found.min_probability == 0.5
    await until(counter.path.exists)
    assert [(row.model, row.language) for row in (await counter.get()).counts] == [("coder", "python")]


async def test_what_was_not_written_yet_is_written_at_the_end(counter: Counter) -> None:
    counter.operations = counter.made(save_seconds=3600)
    await counter.record("shown")
    await counter.operations.close()
    assert SuggestionLog(counter.path).read()[1][0].shown == 1


async def test_the_threshold_follows_and_erasing_resets_it(counter: Counter) -> None:
    await counter.record(*["shown"] * 30)
    assert counter.operations.min_log_probability == pytest.approx(math.log(0.7))
    assert (await counter.get()).min_probability == 0.7
    await counter.record(*["shown", "accepted"] * 60)  # type: ignore[arg-type]
    assert (await counter.get()).min_probability == 0.35
    await counter.operations.stats_erase(StatsEraseRequest())
    found = await counter.get()
    assert (found.total.shown, found.since, found.min_probability) == (0, "", 0.5)
    assert counter.operations.min_log_probability == CONFIGURED


async def test_a_new_process_has_the_same_threshold(counter: Counter) -> None:
    await counter.record(*["shown"] * 30)
    await counter.operations.close()
    counter.operations = counter.made()
    first = counter.operations.min_log_probability
    assert first == CONFIGURED, "the first completion does not wait for the disk"
    await until(lambda: counter.operations.min_log_probability != first)
    assert counter.operations.min_log_probability == pytest.approx(math.log(0.7))


async def test_while_it_is_off_nothing_is_counted_and_nothing_adapts(counter: Counter) -> None:
    await counter.record(*["shown"] * 30)
    counter.settings.update(SettingsUpdateRequest(suggestion_counts=False))
    await counter.record("shown", "accepted")
    found = await counter.get()
    assert not found.enabled
    assert (found.total.shown, found.total.accepted) == (30, 0)
    assert counter.operations.min_log_probability == CONFIGURED
