"""The fuzzer says who leads it, and tries headers also where nobody can."""

from __future__ import annotations

import importlib.util
import itertools
import math
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fuzz import __main__ as fuzz
from tests.fuzz import trial


@pytest.fixture(autouse=True)
def _own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second goes by with each look at the clock, and nothing takes too long."""
    ticks = itertools.count()
    monkeypatch.setattr(fuzz, "time", SimpleNamespace(monotonic=lambda: next(ticks) / 10, time=lambda: 1.7e9))
    monkeypatch.setattr(trial, "READ_SECONDS", math.inf)


@pytest.fixture
def without_atheris(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def found(name: str, *rest: Any) -> Any:
        return None if name == "atheris" else find(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", found)


@pytest.mark.usefixtures("without_atheris")
def test_without_atheris_it_says_so_and_damages_at_random(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--seconds", "2"]) == 0
    out, err = capsys.readouterr()
    assert "atheris is not installed" in err
    assert "at random instead" in err
    tried = int(out.splitlines()[-1].split()[0])
    assert tried >= 19


@pytest.mark.usefixtures("without_atheris")
def test_who_insists_on_coverage_is_told_that_it_cannot_lead(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--guided", "--seconds", "0.3"]) == 2
    out, err = capsys.readouterr()
    assert "atheris is not installed" in err
    assert out == ""


def test_a_header_that_is_named_is_tried_whoever_leads(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--first", "7", "--seconds", "2"]) == 0
    out, err = capsys.readouterr()
    assert "From number 7" in out
    assert err == ""


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_coverage_leads_where_it_can(capfd: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--seconds", "2"]) == 0
    out, _ = capfd.readouterr()
    assert out.startswith("Coverage leads.")
    assert "headers tried" in out
