"""Completions are sized to the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_localcoder.engine.calibration_store import Calibrations
from jupyter_localcoder.engine.completion_budget import budget
from tests.support.workers import plan

SLOW = {1: 0.12, 8: 0.6, 256: 12.0}
LAPTOP = {1: 0.035, 8: 0.146, 256: 1.7}
FAST = {1: 0.008, 8: 0.01, 256: 0.1}


def test_a_faster_machine_reads_and_writes_more() -> None:
    slow, laptop, fast = (budget(costs, 8192, 400) for costs in (SLOW, LAPTOP, FAST))
    assert slow.completion_tokens <= laptop.completion_tokens < fast.completion_tokens
    assert slow.prefix_tokens <= laptop.prefix_tokens <= fast.prefix_tokens
    assert laptop.decode_tokens_per_second == pytest.approx(28.6, abs=0.1)


def test_more_time_is_more_text() -> None:
    assert budget(LAPTOP, 8192, 1500).completion_tokens > budget(LAPTOP, 8192, 400).completion_tokens


@pytest.mark.parametrize("window", [256, 512, 2048, 8192, 131_072])
@pytest.mark.parametrize("costs", [SLOW, LAPTOP, FAST, {}])
def test_it_fits_into_the_window(window: int, costs: dict[int, float]) -> None:
    sized = budget(costs, window, 400)
    assert sized.prefix_tokens + sized.suffix_tokens + sized.completion_tokens <= max(window, 200)


def test_speeds_are_kept_for_each_model_and_setting(tmp_path: Path) -> None:
    kept = Calibrations(tmp_path / "deep" / "calibration.json")
    a = Calibrations.key("a", plan().load)
    b = Calibrations.key("b", plan().load)
    kept.remember(a, {1: 0.5})
    kept.remember(a, {1: 0.4})
    assert kept.find(a) == {1: 0.4}
    assert kept.find(b) == {}


def test_a_file_that_cannot_be_read_or_written_is_only_slower(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text("{")
    kept = Calibrations(tmp_path / "calibration.json")
    assert kept.find("x") == {}
    Calibrations(tmp_path / "calibration.json" / "below").remember("x", {1: 1.0})
