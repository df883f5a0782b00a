"""The one change of a worker that is under way."""

from __future__ import annotations

import asyncio
import logging

import pytest

from jupyter_localcoder.engine.current_change import CurrentChange
from jupyter_localcoder.errors import BackendUnavailable, Canceled
from tests.support.workers import plan


async def ended(event: asyncio.Event, failure: Exception | None = None) -> None:
    await event.wait()
    if failure is not None:
        raise failure


async def test_a_change_is_under_way_until_its_end() -> None:
    change, event = CurrentChange(), asyncio.Event()
    assert (change.task, change.kind, change.plan) == (None, None, None)
    task = change.begin("load", ended(event), plan("a"))
    assert (change.task, change.kind, change.plan) == (task, "load", plan("a"))
    event.set()
    await change.wait(plan("a"))
    assert (change.task, change.kind, change.plan) == (None, None, None)


async def test_a_new_change_replaces_the_old_one_which_goes_on() -> None:
    change, event = CurrentChange(), asyncio.Event()
    older = change.begin("load", ended(event), plan("a"))
    newer = change.begin("unload", ended(asyncio.Event()))
    assert (change.task, change.kind, change.plan) == (newer, "unload", None)
    event.set()
    await older
    assert change.task is newer
    newer.cancel()


@pytest.mark.parametrize("same", [True, False])
async def test_a_failure_is_raised_to_those_who_wait_for_the_same_plan(same: bool) -> None:
    change, event = CurrentChange(), asyncio.Event()
    change.begin("load", ended(event, BackendUnavailable("It is broken.")), plan("a"))
    waiting = asyncio.ensure_future(change.wait(plan("a" if same else "b")))
    await asyncio.sleep(0)
    event.set()
    if same:
        with pytest.raises(BackendUnavailable, match="broken"):
            await waiting
    else:
        await waiting


@pytest.mark.parametrize("same", [True, False])
async def test_a_cancelled_load_is_an_error_for_its_plan_only(same: bool) -> None:
    change = CurrentChange()
    task = change.begin("load", ended(asyncio.Event()), plan("a"))
    waiting = asyncio.ensure_future(change.wait(plan("a" if same else "b")))
    await asyncio.sleep(0)
    task.cancel()
    if same:
        with pytest.raises(Canceled):
            await waiting
    else:
        await waiting


async def test_a_failure_that_nobody_waits_for_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    change, event = CurrentChange(), asyncio.Event()
    event.set()
    task = change.begin("load", ended(event, BackendUnavailable("It is broken.")), plan("a"))
    await asyncio.wait([task])
    del task
    change.begin("unload", ended(event))
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text
