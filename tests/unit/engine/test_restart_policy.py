"""When a worker that has crashed is started again."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from jupyter_localcoder.engine.restart_policy import RestartPolicy


@dataclass
class Limits:
    backoff_first_seconds: float = 0.5
    backoff_max_seconds: float = 3.0
    max_crashes: int = 3
    crash_window_seconds: float = 300.0
    stable_seconds: float = 60.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("loading", "delays"),
    [(False, [0.0, 0.5, 1.0, 2.0, 3.0, 3.0]), (True, [0.5, 1.0, 2.0, 3.0, 3.0, 3.0])],
)
def test_the_delay_doubles_and_only_the_first_crash_of_a_loaded_model_has_none(
    clock: Clock, loading: bool, delays: list[float]
) -> None:
    policy = RestartPolicy(Limits(), clock)
    for delay in delays:
        policy.note_loaded()
        policy.note_crash(loading=loading)
        assert policy.delay_seconds(loading=loading) == delay


def test_it_gives_up_after_too_many_crashes_until_it_is_reset(clock: Clock) -> None:
    policy = RestartPolicy(Limits(), clock)
    given_up = []
    for _ in range(3):
        policy.note_crash(loading=True)
        given_up.append(policy.gives_up)
    assert given_up == [False, False, True]
    policy.reset()
    assert (policy.gives_up, policy.crashes) == (False, 0)


@pytest.mark.parametrize(("seconds", "crashes"), [(300.0, 2), (300.1, 1)])
def test_a_crash_counts_within_the_window(clock: Clock, seconds: float, crashes: int) -> None:
    policy = RestartPolicy(Limits(), clock)
    policy.note_crash(loading=True)
    clock.now += seconds
    policy.note_crash(loading=True)
    assert policy.crashes == crashes


@pytest.mark.parametrize(
    ("seconds", "loading", "crashes"), [(60.0, False, 2), (60.1, False, 1), (60.1, True, 2)]
)
def test_a_stable_time_with_a_loaded_model_forgets_earlier_crashes(
    clock: Clock, seconds: float, loading: bool, crashes: int
) -> None:
    policy = RestartPolicy(Limits(), clock)
    policy.note_crash(loading=True)
    policy.note_loaded()
    clock.now += seconds
    policy.note_crash(loading=loading)
    assert policy.crashes == crashes


def test_limits_that_change_apply_to_the_next_crash(clock: Clock) -> None:
    limits = Limits()
    policy = RestartPolicy(limits, clock)
    policy.note_crash(loading=True)
    limits.max_crashes = 1
    limits.backoff_first_seconds = 0.25
    assert policy.gives_up
    assert policy.delay_seconds(loading=True) == 0.25
