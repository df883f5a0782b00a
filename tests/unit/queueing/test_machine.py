"""Any interleaving of calls, cancels, answers, failures, time-outs and clients that leave: one end each."""

from __future__ import annotations

import asyncio
import collections
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jupyter_localcoder import errors
from jupyter_localcoder.contract.generation import LlmCancelAllRequest, LlmCancelRequest
from jupyter_localcoder.generation import clients
from jupyter_localcoder.queueing.ticket import RANKS
from tests.support.scripted_provider import ScriptedProvider, Stream
from tests.support.waiting import quiet
from tests.unit.queueing.conftest import Desk

LIMIT = 6


class QueueMachine(RuleBasedStateMachine):
    """Drives a queue with two providers, and keeps its own account of what must be."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.desk = self.do(self.make())
        self.calls: dict[str, tuple[str, int, bool]] = {}
        """Provider, rank and whether it is kept, of all that were ever taken, in that order."""
        self.owners: dict[str, str | None] = {}
        self.connections: list[tuple[clients.ConnectedClient, list[str]]] = []
        self.visitors: set[str] = set()
        self.expected: dict[str, str] = {}
        """Ends that must have been told by now."""

    async def make(self) -> Desk:
        return Desk(Path(self.folder.name), max_queued=LIMIT, lease_seconds=50.0, grace_seconds=5.0)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def within(self, do: Callable[..., None], *arguments: Any) -> None:
        """Call something in the event loop, and let nothing else happen before or after it."""

        async def call() -> None:
            do(*arguments)

        self.do(call())

    def settle(self) -> None:
        self.do(quiet())

    def forward(self, seconds: float) -> None:
        """Move the clock, and let everything happen that follows from each thing that was due."""

        async def run() -> None:
            until = self.desk.clock.now + seconds
            while self.desk.clock.step(until):
                await quiet()

        self.do(run())

    @property
    def open(self) -> list[str]:
        return [id_ for id_ in self.calls if id_ not in self.expected]

    @property
    def streams(self) -> list[Stream]:
        return [*self.desk.provider.open, *self.desk.other.open]

    def id_of(self, stream: Stream) -> str:
        return list(self.calls)[int(stream.prompt)]

    @rule(
        provider=st.sampled_from(["first", "second"]),
        priority=st.sampled_from(sorted(RANKS)),
        keep=st.booleans(),
        who=st.sampled_from(["local", "visitor", "connection", "same"]),
        settled=st.booleans(),
    )
    def call(self, provider: str, priority: Any, keep: bool, who: str, settled: bool) -> None:
        caller: clients.Caller = None
        if who == "visitor":
            caller = clients.PollingClient("visitor")
        elif who == "connection" or (who == "same" and not self.connections):
            self.connections.append((clients.ConnectedClient(f"owner {len(self.connections)}"), []))
        if who in ("connection", "same"):
            caller = self.connections[-1][0]
        owner = None if caller is None else caller.owner
        held = sum(self.owners[id_] == owner for id_ in self.open)
        left = LIMIT - len(self.open) - 1
        full = left < 0 or (owner is not None and held > 0 and held + 1 > left)
        try:
            queued = self.do(
                self.desk.call(str(len(self.calls)), caller, provider=provider, priority=priority, keep=keep)
            )
        except errors.QueueFull:
            assert full
            return
        assert not full
        self.calls[queued.id] = (provider, RANKS[priority], keep)
        self.owners[queued.id] = owner
        if who == "visitor" and not keep:
            self.visitors.add(queued.id)
        elif caller is not None and not keep:
            self.connections[-1][1].append(queued.id)
        if settled:
            self.settle()

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(list(self.calls)))
        try:
            self.do(self.desk.queue.llm_cancel(LlmCancelRequest(id=id_)))
        except errors.RequestAlreadyCompleted:
            assert id_ in self.expected
            return
        assert id_ not in self.expected
        self.expected[id_] = "CANCELED"

    @rule()
    def cancel_all(self) -> None:
        open_ = self.open
        assert self.do(self.desk.queue.llm_cancel_all(LlmCancelAllRequest())).count == len(open_)
        self.expected.update(dict.fromkeys(open_, "CANCELED"))

    @precondition(lambda self: self.streams)
    @rule(data=st.data(), fails=st.booleans())
    def answer(self, data: st.DataObject, fails: bool) -> None:
        stream = data.draw(st.sampled_from(self.streams))
        id_ = self.id_of(stream)
        if fails:
            self.within(stream.give, "half", errors.RateLimited())
        else:
            self.within(stream.finish)
        self.settle()
        if id_ not in self.expected:
            self.expected[id_] = "RATE_LIMITED" if fails else "done"

    @precondition(lambda self: self.streams)
    @rule(data=st.data())
    def answer_and_cancel_at_once(self, data: st.DataObject) -> None:
        """The answer lies ready and has not been taken: the cancel is the one end."""
        stream = data.draw(st.sampled_from(self.streams))
        id_ = self.id_of(stream)

        def both() -> None:
            stream.finish()
            self.desk.requests.cancel(id_)

        if id_ not in self.expected:
            self.within(both)
            self.expected[id_] = "CANCELED"
        self.settle()

    @precondition(lambda self: self.connections)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        connection, ids = self.connections.pop(data.draw(st.integers(0, len(self.connections) - 1)))
        self.within(connection.end)
        self.expected.update({id_: "CANCELED" for id_ in ids if id_ not in self.expected})

    @rule(seconds=st.sampled_from([1.0, 20.0, 49.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.settle()
        for id_ in self.visitors:
            if id_ not in self.expected:
                self.do(self.desk.get(id_))  # shows up, in time
        self.forward(seconds)
        self.note_time_outs()

    @rule()
    def everybody_is_silent(self) -> None:
        """Leases end; providers that never answer are left."""
        self.settle()
        lapsed = [id_ for id_ in self.visitors if id_ not in self.expected]
        self.forward(50.0)
        told = dict(self.desk.ends)
        for id_ in lapsed:
            # Its time at the provider may have been over a moment before.
            assert told.get(id_) in ("CANCELED", "TIMEOUT")
            self.expected[id_] = told[id_]
        self.note_time_outs()

    def note_time_outs(self) -> None:
        """The machine keeps no clock of its own: a time-out must be of a request whose stream has closed."""
        for id_, code in self.desk.ends:
            if id_ not in self.expected:
                assert code == "TIMEOUT"
                number = str(list(self.calls).index(id_))
                assert all(stream.prompt != number for stream in self.streams)
                self.expected[id_] = "TIMEOUT"

    @invariant()
    def each_has_one_end_and_it_is_the_right_one(self) -> None:
        counts = collections.Counter(id_ for id_, _ in self.desk.ends)
        assert all(count == 1 for count in counts.values())
        assert dict(self.desk.ends) == self.expected

    @invariant()
    def what_is_open_is_listed_and_nothing_else(self) -> None:
        view = self.do(self.desk.list())
        assert sorted(item.id for item in (*view.running, *view.waiting)) == sorted(self.open)
        assert len(self.desk.requests) == len(self.open)

    @invariant()
    def one_at_a_time_and_in_their_turn(self) -> None:
        self.settle()
        for name, provider in (("first", self.desk.provider), ("second", self.desk.other)):
            assert provider.most_open <= 1
            mine = [id_ for id_ in self.open if self.calls[id_][0] == name]
            view = self.do(self.desk.list())
            assert len([item for item in view.running if item.provider == name]) == min(1, len(mine))
            waiting = [item.id for item in view.waiting if item.provider == name]
            order = list(self.calls)
            assert waiting == sorted(waiting, key=lambda id_: (self.calls[id_][1], order.index(id_)))
            assert [i.position for i in view.waiting if i.provider == name] == list(
                range(2, 2 + len(waiting))
            )

    def teardown(self) -> None:
        open_ = self.open
        self.do(self.desk.queue.close())
        self.settle()
        self.expected.update(dict.fromkeys(open_, "BACKEND_UNAVAILABLE"))
        self.each_has_one_end_and_it_is_the_right_one()
        assert self.streams == []
        after = self.do(self.make())
        lost = {item.id for item in self.do(after.list()).ended}
        assert lost == set(open_)
        self.do(after.queue.close())
        self.loop.close()
        self.folder.cleanup()


QueueMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestQueueMachine = QueueMachine.TestCase


def test_scripted_providers_are_providers() -> None:
    from jupyter_localcoder.providers.base import Provider

    provider: Provider = ScriptedProvider()
    assert provider is not None
