"""Progress is told a few times a second, with the rate of the last seconds."""

from __future__ import annotations

import pytest

from jupyter_localcoder.models.meter import Meter
from jupyter_localcoder.models.progress import TransferProgress


@pytest.fixture
def told() -> list[TransferProgress]:
    return []


def test_it_is_told_five_times_a_second_and_at_the_end(told: list[TransferProgress]):
    now = [0.0]
    meter = Meter(told.append, "downloading", 1000, clock=lambda: now[0])
    for count in range(0, 1001, 10):
        meter(count)
        now[0] += 0.02
    assert 10 <= len(told) <= 13
    assert (told[0].received_bytes, told[-1].received_bytes) == (0, 1000)
    assert told[-1].rate_bytes_per_second == pytest.approx(500, rel=0.01)


def test_the_first_bytes_are_told_at_once_and_without_a_rate(told: list[TransferProgress]):
    now = [0.0]
    meter = Meter(told.append, "downloading", 1000, clock=lambda: now[0])
    for count in (0, 100, 200, 300):
        meter(count)
        now[0] += 0.001
    assert [step.received_bytes for step in told] == [0, 100]
    assert told[-1].rate_bytes_per_second == 0


def test_the_first_bytes_of_a_resumed_download_are_told_at_once(told: list[TransferProgress]):
    meter = Meter(told.append, "downloading", 1000, clock=lambda: 0.0)
    for count in (500, 500, 600, 700):
        meter(count)
    assert [step.received_bytes for step in told] == [500, 600]


def test_a_download_that_starts_over_has_no_negative_rate(told: list[TransferProgress]):
    now = [0.0]
    meter = Meter(told.append, "downloading", 1000, clock=lambda: now[0])
    for count in (0, 600, 0, 100):
        meter(count)
        now[0] += 1.0
    assert all(step.rate_bytes_per_second >= 0 for step in told)


def test_the_end_is_told_once(told: list[TransferProgress]):
    meter = Meter(told.append, "verifying", 10, clock=lambda: 0.0)
    for _ in range(5):
        meter(10)
    assert len(told) == 1
