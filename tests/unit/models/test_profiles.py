"""Which profile `auto` takes, and the reason that it gives."""

from __future__ import annotations

import msgspec
import pytest

from jupyter_localcoder.contract.models import ModelInfo
from jupyter_localcoder.models import catalogue, info, memory, profiles

GB = 1_000_000_000


def infos(available: int, *installed: str) -> list[ModelInfo]:
    listed = []
    for entry in catalogue.load().entries.values():
        terms, free = memory.Terms(context_window=8192), (available, 64 * GB)
        fit = memory.fit_of(entry.shape, entry.size_bytes, entry.context_length, terms, free)
        one = info.of_catalogue(entry, None, accepted=False, received_bytes=0, error=None, fit=fit)
        listed.append(msgspec.structs.replace(one, state="ready" if entry.id in installed else "idle"))
    return listed


def choose(available: int, *installed: str, gpu: bool = False, measured: dict[str, float] | None = None):
    profile, reason = profiles.choose(
        infos(available, *installed), catalogue.load().profiles, available, gpu, measured
    )
    return profile.name, reason


@pytest.mark.parametrize(
    ("available", "gpu", "expected"),
    [
        (8 * GB, False, "Compact"),
        (64 * GB, False, "Compact"),
        (12 * GB, True, "Fast"),
        (3 * GB, True, "Compact"),
        (1 * GB, False, "Tiny"),
        (0, False, "Compact"),
    ],
)
def test_it_recommends_for_the_machine(available: int, gpu: bool, expected: str):
    name, reason = choose(available, gpu=gpu)
    assert name == expected
    assert "downloaded" in reason or "smallest" in reason


def test_it_prefers_what_is_installed_and_fits():
    assert choose(8 * GB, "qwen2.5-coder-0.5b")[0] == "Tiny"
    assert choose(8 * GB, "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")[0] == "Compact"
    assert choose(12 * GB, "qwen2.5-coder-1.5b", "qwen2.5-coder-7b", gpu=True)[0] == "Fast"


def test_it_never_takes_the_heavy_one_by_itself():
    assert choose(64 * GB, "qwen2.5-coder-14b", gpu=True)[0] == "Fast"


def test_it_leaves_a_slow_model_for_a_lighter_one_that_is_here():
    name, _ = choose(8 * GB, "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", measured={"qwen2.5-coder-1.5b": 2.0})
    assert name == "Tiny"


def test_it_says_when_everything_here_is_slow():
    name, reason = choose(8 * GB, "qwen2.5-coder-1.5b", measured={"qwen2.5-coder-1.5b": 2.0})
    assert name == "Compact"
    assert "slow" in reason


def test_a_base_model_is_chosen_by_a_person_and_asked_nothing():
    here = infos(12 * GB, "qwen2.5-coder-1.5b-base", "qwen2.5-coder-0.5b")
    for role in ("code", "general"):
        found = profiles.stand_in(here, role, gpu=False)
        assert found is not None
        assert found.id == "qwen2.5-coder-0.5b"
    assert choose(12 * GB, "qwen2.5-coder-1.5b-base", "qwen2.5-coder-0.5b")[0] == "Tiny"
    alone = infos(12 * GB, "qwen2.5-coder-1.5b-base")
    assert profiles.stand_in(alone, "general", gpu=False) is None


def test_with_too_little_memory_it_says_so():
    name, reason = choose(100_000_000)
    assert name == "Tiny"
    assert "may not be enough" in reason
