"""Fewer threads where others compute, all of them where nobody does."""

from __future__ import annotations

import random

from jupyter_localcoder.worker.threads import ThreadPolicy


class Machine:
    """Two cores: how long a step takes by its threads, with and without somebody else on one of them."""

    QUIET = {2: 1.0, 1: 1.6}
    CROWDED = {2: 3.0, 1: 1.7}

    def __init__(self, times: dict[int, float]) -> None:
        self.times = times
        self.applied: list[int] = []
        self.policy = ThreadPolicy(2, self.applied.append)
        self.random = random.Random(1)

    def run(self, steps: int) -> list[int]:
        """Threads of each step."""
        seen = []
        for _ in range(steps):
            seen.append(self.policy.threads)
            self.policy.observe(self.times[self.policy.threads] * self.random.uniform(0.93, 1.07))
        return seen


def test_on_a_quiet_machine_nothing_is_tried() -> None:
    machine = Machine(Machine.QUIET)
    assert set(machine.run(5000)) == {2}
    assert machine.applied == []


def test_fewer_where_others_compute_and_all_again_afterwards() -> None:
    machine = Machine(Machine.QUIET)
    machine.run(100)
    machine.times = Machine.CROWDED
    machine.run(40)
    crowded = machine.run(2000)
    assert crowded.count(1) > 0.95 * len(crowded)
    machine.times = Machine.QUIET
    machine.run(1100)
    assert set(machine.run(500)) == {2}


def test_where_fewer_are_no_better_they_are_seldom_tried() -> None:
    machine = Machine({2: 2.5, 1: 3.2})  # slow for another reason, such as a hot processor
    seen = machine.run(5000)
    assert seen.count(2) > 0.97 * len(seen)


def test_many_threads_go_down_in_steps() -> None:
    times = {8: 4.0, 7: 2.5, 4: 1.8, 1: 5.0}
    machine = Machine(times)
    machine.policy = ThreadPolicy(8, machine.applied.append)
    seen = machine.run(400)
    assert seen[-1] in (4, 7)
    assert seen.count(4) > 200


def test_one_thread_stays_one() -> None:
    machine = Machine({1: 9.0})
    machine.policy = ThreadPolicy(1, machine.applied.append)
    assert set(machine.run(500)) == {1}
