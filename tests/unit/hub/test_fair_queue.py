"""Whose turn it is: nobody waits because somebody else asks more."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from jupyter_localcoder.errors import BackendUnavailable, QueueFull
from jupyter_localcoder.hub.fair_queue import FairQueue, Rank
from tests.support.waiting import PATIENCE_SECONDS


class User:
    """Sends requests, and notes when each gets its place."""

    def __init__(self, queue: FairQueue, served: list[str]) -> None:
        self.queue = queue
        self.served = served
        self.ends: list[asyncio.Event] = []
        self.tasks: list[asyncio.Task[None]] = []

    def ask(self, who: str, rank: Rank = Rank.COMMAND, cost: int = 10, used: int | None = None) -> None:
        end = asyncio.Event()
        self.ends.append(end)
        self.tasks.append(asyncio.create_task(self._run(who, rank, cost, used, end)))

    async def _run(self, who: str, rank: Rank, cost: int, used: int | None, end: asyncio.Event) -> None:
        async with self.queue.place(who, rank, cost, PATIENCE_SECONDS) as turn:
            self.served.append(who)
            await end.wait()
            turn.used = used


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def jain(shares: list[float]) -> float:
    return sum(shares) ** 2 / (len(shares) * sum(each**2 for each in shares))


async def flooded(costs: dict[str, int], counts: dict[str, int], served: int) -> Counter[str]:
    """Tokens that each user got of the first requests, where one runs at a time."""
    queue, order = FairQueue(1, 10_000, 100), []
    tokens: Counter[str] = Counter()
    tasks = []

    async def one(who: str) -> None:
        async with queue.place(who, Rank.COMMAND, costs[who], PATIENCE_SECONDS):
            order.append(who)
            if len(order) <= served:
                tokens[who] += costs[who]
            await asyncio.sleep(0)

    for who, count in counts.items():
        tasks += [asyncio.create_task(one(who)) for _ in range(count)]
    await asyncio.gather(*tasks)
    assert queue.running == queue.waiting() == 0
    return tokens


async def test_a_flood_gets_one_share() -> None:
    tokens = await flooded({"a": 50, "b": 50, "c": 50}, {"a": 1000, "b": 40, "c": 40}, 100)
    assert jain(list(tokens.values())) >= 0.99, tokens


async def test_shares_are_of_tokens_and_not_of_requests() -> None:
    tokens = await flooded({"a": 400, "b": 20, "c": 100}, {"a": 200, "b": 2000, "c": 500}, 600)
    assert jain(list(tokens.values())) >= 0.95, tokens


async def test_the_rank_decides_among_those_without_a_debt() -> None:
    queue, served = FairQueue(1, 100, 100), []
    user = User(queue, served)
    user.ask("busy")
    await settle()
    for who, rank in (("x", Rank.BACKGROUND), ("y", Rank.COMMAND), ("z", Rank.COMPLETION)):
        user.ask(who, rank)
    await settle()
    for end in user.ends:
        end.set()
    await asyncio.gather(*user.tasks)
    assert served == ["busy", "z", "y", "x"]


async def test_a_flood_of_completions_does_not_stop_the_commands_of_others() -> None:
    queue, served = FairQueue(1, 1000, 100), []
    user = User(queue, served)
    for _ in range(200):
        user.ask("flood", Rank.COMPLETION, 50)
    user.ask("other", Rank.COMMAND, 50)
    # The first one holds the place until all of them wait.
    await settle()
    for end in user.ends:
        end.set()
    await asyncio.gather(*user.tasks)
    assert served.index("other") <= 3


async def test_who_asks_one_request_after_the_other_does_not_stop_the_rest() -> None:
    """A user who always comes back at once gets no new credit for that."""
    queue, served = FairQueue(1, 1000, 1000), []
    user = User(queue, served)

    async def comes_back() -> None:
        for _ in range(100):
            async with queue.place("again", Rank.COMPLETION, 50, PATIENCE_SECONDS):
                served.append("again")
                await asyncio.sleep(0)

    again = asyncio.create_task(comes_back())
    for _ in range(20):
        user.ask("rest", Rank.COMMAND, 50)
    for end in user.ends:
        end.set()
    await asyncio.gather(again, *user.tasks)
    assert served[:40].count("rest") >= 15, served


async def test_one_user_leaves_a_place_free() -> None:
    queue, served = FairQueue(3, 100, 100), []
    user = User(queue, served)
    for _ in range(10):
        user.ask("flood")
    await settle()
    assert served == ["flood", "flood"]
    user.ask("other")
    await settle()
    assert served[-1] == "other"
    for end in user.ends:
        end.set()
    await asyncio.gather(*user.tasks)


async def test_unused_tokens_are_given_back() -> None:
    queue, served = FairQueue(1, 100, 100), []
    user = User(queue, served)
    user.ask("long", cost=10_000, used=10)
    await settle()
    user.ask("long", cost=10)
    user.ask("other", cost=10)
    for end in user.ends:
        end.set()
    await asyncio.gather(*user.tasks)
    assert Counter(served) == {"long": 2, "other": 1}


async def test_a_waiting_request_that_is_cancelled_takes_no_place() -> None:
    queue, served = FairQueue(1, 100, 100), []
    user = User(queue, served)
    user.ask("a")
    await settle()
    user.ask("b")
    user.ask("c")
    await settle()
    user.tasks[1].cancel()
    for end in user.ends:
        end.set()
    await asyncio.gather(*user.tasks, return_exceptions=True)
    assert served == ["a", "c"]
    assert queue.running == queue.waiting() == 0


async def test_a_place_that_is_given_in_the_moment_of_a_cancel_is_free_again() -> None:
    queue, served = FairQueue(1, 100, 100), []
    user = User(queue, served)
    user.ask("a")
    await settle()
    user.ask("b")
    await settle()
    user.ends[0].set()
    while queue.waiting():
        await asyncio.sleep(0)
    # It has its place, and has not run since.
    user.tasks[1].cancel()
    user.ask("c")
    user.ends[2].set()
    await asyncio.gather(*user.tasks, return_exceptions=True)
    assert served[-1] == "c"
    assert queue.running == 0


async def test_a_full_queue_refuses_and_says_when() -> None:
    queue = FairQueue(1, 1, 100)
    user = User(queue, [])
    user.ask("a")
    user.ask("a")
    await settle()
    with pytest.raises(QueueFull) as caught:
        async with queue.place("b", Rank.COMMAND, 1, PATIENCE_SECONDS):
            pass
    assert caught.value.details["retry_after_seconds"]
    for end in user.ends:
        end.set()
    await asyncio.gather(*user.tasks)


async def test_a_queue_of_no_length_still_serves() -> None:
    queue = FairQueue(1, 0, 100)
    async with queue.place("a", Rank.COMMAND, 1, PATIENCE_SECONDS):
        with pytest.raises(QueueFull):
            async with queue.place("b", Rank.COMMAND, 1, PATIENCE_SECONDS):
                pass


async def test_who_waits_too_long_is_told() -> None:
    queue = FairQueue(1, 10, 100)
    async with queue.place("a", Rank.COMMAND, 1, PATIENCE_SECONDS):
        with pytest.raises(QueueFull, match=r"0\.01 seconds"):
            async with queue.place("b", Rank.COMMAND, 1, 0.01):
                pass
    assert queue.running == queue.waiting() == 0


async def test_a_closed_queue_tells_who_waits_and_who_comes() -> None:
    queue, served = FairQueue(1, 10, 100), []
    user = User(queue, served)
    user.ask("a")
    user.ask("b")
    await settle()
    queue.close()
    with pytest.raises(BackendUnavailable):
        await user.tasks[1]
    with pytest.raises(BackendUnavailable):
        async with queue.place("c", Rank.COMMAND, 1, PATIENCE_SECONDS):
            pass
    user.ends[0].set()
    await user.tasks[0]
    assert served == ["a"]
