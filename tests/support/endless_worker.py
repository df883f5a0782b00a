"""The real worker, in which what is long does not end by itself: ``python endless_worker.py``.

The engine, the batches, the abort in the middle of one, the pipes and the process are the real ones. But a
batch of nothing but long requests is computed again and again, until it is aborted or others have work to do:

- the prompt of a request with more than `LONG_PROMPT` characters is read for ever;
- an answer that may have more than `LONG_ANSWER` tokens is written as fast as always up to token
  `FIRST_TOKENS`, then slowly, so that who shows it has always something new; from the middle on it stands.

So a test can act in the middle of a request on a machine of any speed, and only an abort lets it go on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from jupyter_localcoder.contract import wire
from jupyter_localcoder.worker import __main__ as worker
from jupyter_localcoder.worker.engine import Engine
from jupyter_localcoder.worker.loop import Loop
from jupyter_localcoder.worker.model import Item
from jupyter_localcoder.worker.task import Task

LONG_PROMPT = 10_000
LONG_ANSWER = 1000
FIRST_TOKENS = 32
SLOW_SECONDS = 0.1
"""A token of a long answer takes at least so long, after the first ones."""


def never_end() -> None:
    """Change the worker of this process."""
    load, decode = Loop._load, Engine.decode
    loaded: list[Loop] = []

    def loads(self: Loop, plan: wire.LoadFrame) -> None:
        load(self, plan)
        loaded.append(self)

    def decodes(self: Engine, items: Sequence[Item]) -> None:
        began = time.monotonic()
        decode(self, items)
        # A draft model has an engine of its own.
        while loaded and loaded[-1]._engine is self and _again(loaded[-1], time.monotonic() - began):
            for sequence, position in _starts(items).items():
                self.remove(sequence, position)
            decode(self, items)

    Loop._load = loads  # type: ignore[method-assign]
    Engine.decode = decodes  # type: ignore[method-assign]


def _again(loop: Loop, seconds: float) -> bool:
    """Whether to compute the batch under way once more."""
    scheduler = loop._scheduler
    assert scheduler is not None
    batch = scheduler.batch_jobs
    with loop._wake:
        if loop._inbox or loop._leaving:
            return False
        ended = [job for job in loop._jobs.values() if job.ended]
    if ended and not all(job.ended for job in batch):
        return False  # The next step ends them. Where all of the batch have ended, the abort is to come.
    return bool(batch) and all(_goes_on(task, seconds) for task in scheduler._tasks if task.job in batch)


def _goes_on(task: Task, seconds: float) -> bool:
    request = task.job.request
    if task.reading and not task.answer:
        return len(msgspec.json.encode(request.prompt)) > LONG_PROMPT
    if request.max_tokens <= LONG_ANSWER or task.written < FIRST_TOKENS:
        return False
    return task.written >= task.limit // 2 or seconds < SLOW_SECONDS


def _starts(items: Sequence[Item]) -> dict[int, int]:
    """The first position that a batch computes of each sequence."""
    starts: dict[int, int] = {}
    for item in items:
        starts[item.sequence] = min(item.position, starts.get(item.sequence, item.position))
    return starts


if __name__ == "__main__":
    never_end()
    worker.main()
