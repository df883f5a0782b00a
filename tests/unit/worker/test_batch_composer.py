"""Which tasks share a batch, and how much of their prompts it reads."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.worker.batch_composer import BatchComposer, items_of
from jupyter_localcoder.worker.cache import Cache
from jupyter_localcoder.worker.costs import StepCosts
from jupyter_localcoder.worker.drafting import Drafting
from jupyter_localcoder.worker.task import CancelableRequest, Task
from tests.support.fake_engine import FakeEngine, FakePrompter
from tests.support.workers import request

COSTS = {1: 0.03, 8: 0.09, 64: 0.4, 512: 3.0}


class Bench:
    """A composer, and tasks in any state."""

    def __init__(self) -> None:
        self.engine: Any = FakeEngine(n_cells=4000, batch_size=512)
        self.cache = Cache(self.engine, 4000)
        costs = StepCosts(COSTS)
        self.composer = BatchComposer(self.engine, costs, Drafting(self.engine, costs, None), lambda _: None)
        self.tasks: list[Task] = []

    def task(self, priority: wire.Priority, todo: int, *, fresh: bool = False) -> Task:
        asked = request(16, "ab", priority=priority, fresh=fresh, scope=str(len(self.tasks)))
        job = CancelableRequest(asked)
        prompt: Any = FakePrompter().build(asked.prompt)
        sequence = self.cache.claim(asked.scope, prompt.tokens, 64, lambda _: 0)
        task = Task(job, prompt, sequence, self.engine, lambda _: None, 16)
        task.todo, task.next_token = list(range(todo)), 11
        self.tasks.append(task)
        self.tasks.sort(key=lambda one: one.rank)
        return task

    def compose(self) -> list[tuple[Task, int]]:
        return [(part.task, part.count) for part in self.composer.compose(self.tasks)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_without_tasks_there_is_no_batch(bench: Bench) -> None:
    assert bench.compose() == []


@pytest.mark.parametrize(("priority", "tokens"), [("completion", 512), ("command", 256), ("background", 128)])
def test_a_prompt_that_is_read_alone_is_read_in_the_chunks_of_its_rank(
    bench: Bench, priority: wire.Priority, tokens: int
) -> None:
    task = bench.task(priority, 1000)
    assert bench.compose() == [(task, tokens)]


def test_a_prompt_beside_a_writer_is_read_in_short_chunks(bench: Bench) -> None:
    writer, reader = bench.task("command", 0), bench.task("command", 1000)
    (first, one), (second, tokens) = bench.compose()
    assert (first, one, second) == (writer, 1, reader)
    assert StepCosts(COSTS).seconds(1 + tokens) <= 0.2


def test_only_the_highest_rank_is_computed(bench: Bench) -> None:
    bench.task("background", 0)
    command = bench.task("command", 0)
    assert bench.compose() == [(command, 1)]


def test_a_completion_is_alone_until_the_stream_has_waited(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, completion = bench.task("command", 0), bench.task("completion", 0)
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    bench.composer.command_wrote_at = 99.99
    assert bench.compose() == [(completion, 1)]
    bench.composer.command_wrote_at = 99.0
    assert bench.compose() == [(completion, 1), (command, 1)]


def test_a_request_with_a_seed_shares_no_batch(bench: Bench) -> None:
    fresh = bench.task("command", 0, fresh=True)
    bench.task("command", 0)
    assert bench.compose() == [(fresh, 1)]


def test_only_the_last_token_of_a_prompt_has_an_output(bench: Bench) -> None:
    bench.task("command", 3)
    bench.task("command", 0)
    slices = bench.composer.compose(bench.tasks)
    outputs = {part.task.reading: [] for part in slices}
    items = iter(items_of(slices))
    for part in slices:
        outputs[part.task.reading] = [next(items).output for _ in range(part.count)]
    assert outputs == {False: [True], True: [False, False, True]}
