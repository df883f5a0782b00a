"""A disk that does not answer holds nobody up, and what was read before stays in force."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.settings import LocalCoderSettings
from jupyter_localcoder.storage import latest
from jupyter_localcoder.storage.latest import Latest, in_own_thread
from tests.support.waiting import PATIENCE_SECONDS, happened, until


class Disk:
    """Answers a number; while it hangs, not before it is let go."""

    def __init__(self) -> None:
        self.says = 1
        self.hung = threading.Event()
        self.answers = threading.Event()
        self.answers.set()
        self.reads = 0

    def read(self) -> int:
        self.reads += 1
        says = self.says
        if not self.answers.is_set():
            self.hung.set()
            assert self.answers.wait(PATIENCE_SECONDS)
        return says


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.answers.set()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "SECONDS", 0.01)
    monkeypatch.setattr(latest, "FIRST_SECONDS", 0.01)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(latest, "FIRST_SECONDS", PATIENCE_SECONDS)


@pytest.mark.usefixtures("patient")
async def test_a_thread_of_a_request_reads_nothing_again(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "STALE_SECONDS", math.inf)
    kept, other = Latest(disk.read, 0), Latest(disk.read, 0)
    await kept.refresh()
    disk.says = 2
    assert [await asyncio.to_thread(kept.get) for _ in range(3)] == [1, 1, 1]
    assert disk.reads == 1
    assert await asyncio.to_thread(other.get) == 2, "the request has not read this one"
    disk.says = 3
    await asyncio.to_thread(kept.read)
    assert await asyncio.to_thread(kept.get) == 3, "a change by this process is in force at once"
    disk.says = 4
    await kept.refresh()
    assert await asyncio.to_thread(kept.get) == 4
    disk.says = 5
    monkeypatch.setattr(latest, "STALE_SECONDS", -1.0)
    assert await asyncio.to_thread(kept.get) == 5, "a request that takes long reads again"


@pytest.mark.usefixtures("patient")
def test_a_read_sees_what_was_written_before_it(disk: Disk) -> None:
    kept = Latest(disk.read, 0)
    for number in range(1, 20):
        disk.says = number
        assert kept.get() == number


@pytest.mark.usefixtures("patient")
def test_a_read_that_is_under_way_is_not_taken_for_one_that_is_asked_later(disk: Disk) -> None:
    kept = Latest(disk.read, 0)
    disk.answers.clear()
    first = kept.start_read()
    assert disk.hung.wait(PATIENCE_SECONDS)
    disk.says = 2
    second, third = kept.start_read(), kept.start_read()
    disk.answers.set()
    assert first.result(PATIENCE_SECONDS) == 1
    assert second.result(PATIENCE_SECONDS) == third.result(PATIENCE_SECONDS) == 2
    assert disk.reads == 2


@pytest.mark.usefixtures("impatient")
def test_a_disk_that_hangs_takes_one_thread_and_the_last_stays_in_force(disk: Disk) -> None:
    kept = Latest(disk.read, 0)
    kept.start_read().result(PATIENCE_SECONDS)
    disk.answers.clear()
    disk.says = 2
    threads = threading.active_count()
    assert [kept.get() for _ in range(50)] == [1] * 50
    assert kept.hangs
    assert threading.active_count() <= threads + 1
    disk.answers.set()
    assert kept.start_read().result(PATIENCE_SECONDS) == 2
    assert not kept.hangs


@pytest.mark.usefixtures("impatient")
def test_a_disk_that_never_answered_leaves_the_default(disk: Disk) -> None:
    disk.answers.clear()
    assert Latest(disk.read, 7).get() == 7


async def test_the_loop_never_waits_for_the_disk(disk: Disk, patient: None) -> None:
    kept = Latest(disk.read, 0)
    await kept.refresh()
    disk.answers.clear()
    disk.says = 2
    waiting = asyncio.ensure_future(kept.refresh())
    await happened(disk.hung)
    assert kept.get() == 1, "the loop has waited"
    disk.answers.set()
    await waiting
    await until(lambda: kept.get() == 2)


async def test_who_leaves_cancels_nobody_else(disk: Disk, patient: None) -> None:
    kept = Latest(disk.read, 0)
    disk.answers.clear()
    first, second = (asyncio.ensure_future(kept.refresh()) for _ in range(2))
    await happened(disk.hung)
    first.cancel()
    await asyncio.wait([first])
    disk.answers.set()
    await second
    assert kept.get() == 1


async def test_work_in_a_thread_of_its_own_answers_and_fails_as_it_does() -> None:
    assert await in_own_thread(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        await in_own_thread(lambda: 1 // 0)


@pytest.mark.usefixtures("impatient")
async def test_settings_of_a_home_that_hangs_are_those_that_were_read_last(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = LocalCoderSettings(settings_dir=str(tmp_path), environment={})
    settings._latest.start_read().result(PATIENCE_SECONDS)
    with monkeypatch.context() as patched:
        patched.setattr(latest, "SECONDS", PATIENCE_SECONDS)
        patched.setattr(latest, "FIRST_SECONDS", PATIENCE_SECONDS)
        settings.update(SettingsUpdateRequest(air_gap=True))
    stat: Callable[..., object] = Path.stat

    def hung(path: Path, **options: bool) -> object:
        if path == settings.path:
            disk.read()
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", hung)
    disk.answers.clear()
    await settings.refresh()
    assert settings.current.air_gap
    assert (await asyncio.to_thread(settings.view)).settings.air_gap
    disk.answers.set()
    await until(lambda: not settings._latest.is_reading)
