"""The time limit without a request, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_localcoder.engine.idle_timer import IdleTimer
from tests.support.still_loop import StillLoop


class Watched:
    """A timer, and the times at which it called its function."""

    def __init__(self) -> None:
        self.loop = StillLoop()
        self.calls: list[float] = []
        self.timer = IdleTimer(lambda: self.calls.append(self.loop.time()))

    def restart(self) -> None:
        async def restart() -> None:
            self.timer.restart()

        self.loop.do(restart())


@pytest.fixture
def watched() -> Iterator[Watched]:
    one = Watched()
    yield one
    one.loop.close()


def test_it_calls_once_after_its_time(watched: Watched) -> None:
    watched.timer.seconds = 60.0
    begin = watched.loop.time()
    watched.restart()
    watched.loop.forward(59.0)
    assert not watched.calls
    watched.loop.forward(600.0)
    assert watched.calls == [begin + 60.0]


def test_a_restart_begins_from_the_present(watched: Watched) -> None:
    watched.timer.seconds = 60.0
    watched.restart()
    watched.loop.forward(50.0)
    watched.restart()
    watched.loop.forward(50.0)
    assert not watched.calls
    watched.loop.forward(10.0)
    assert len(watched.calls) == 1


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_without_a_limit_and_after_a_stop_it_calls_nothing(watched: Watched, seconds: float | None) -> None:
    watched.timer.seconds = seconds
    watched.restart()
    if seconds is not None:
        watched.timer.stop()
    watched.loop.forward(3600.0)
    assert not watched.calls
