"""What a load has measured in a bad minute does not hold for the session."""

from __future__ import annotations

import pytest

from jupyter_localcoder.engine.completion_budget import FEWEST_TOKENS, budget
from jupyter_localcoder.engine.running_costs import MOST_SAMPLES, RunningCosts
from tests.unit.service.test_speeds import done

GOOD = {1: 0.008, 8: 0.01, 32: 0.02, 256: 0.1}
BAD = {size: 10 * cost for size, cost in GOOD.items()}


def test_a_bad_minute_at_load_is_forgotten_after_a_few_quick_completions() -> None:
    costs = RunningCosts()
    at_load = budget(costs.now("a", BAD), 8192, 400)
    assert at_load.completion_tokens == FEWEST_TOKENS
    for _ in range(3):
        costs.observe(done(speed=1 / GOOD[1], cached_tokens=98))
    now = budget(costs.now("a", BAD), 8192, 400)
    assert now.completion_tokens == budget(GOOD, 8192, 400).completion_tokens
    assert now.prefix_tokens == budget(GOOD, 8192, 400).prefix_tokens


def test_one_slow_completion_changes_nothing_and_many_do_until_it_is_quick_again() -> None:
    costs = RunningCosts()
    costs.observe(done(speed=1.0))
    assert costs.now("a", GOOD) == GOOD
    for _ in range(MOST_SAMPLES):
        costs.observe(done(speed=1.0))
    assert costs.now("a", GOOD)[1] == pytest.approx(1.0)
    for _ in range(MOST_SAMPLES):
        costs.observe(done(speed=1 / GOOD[1]))
    assert costs.now("a", GOOD)[1] == pytest.approx(GOOD[1])


def test_each_model_has_its_own_and_short_ones_say_nothing() -> None:
    costs = RunningCosts()
    for _ in range(9):
        costs.observe(done(speed=1.0, tokens=2, cached_tokens=98))
        costs.observe(done(speed=1.0, digest="b"))
    assert costs.now("a", GOOD) == GOOD
    assert costs.now("b", GOOD) != GOOD
    assert costs.now("b", {}) == {}


@pytest.mark.parametrize("cost", [0.001, 0.03, 0.5, 20.0])
def test_a_completion_is_never_shorter_than_a_line(cost: float) -> None:
    assert budget({1: cost, 8: 4 * cost}, 8192, 50).completion_tokens >= FEWEST_TOKENS >= 24
