"""Whoever listens to a part of the service listens beside those who do already."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.contract.queue import CallRequest
from jupyter_localcoder.errors import OutOfMemory
from jupyter_localcoder.events import Listeners
from tests.unit.service.conftest import Desk


def test_all_listeners_are_told_in_order_until_they_leave() -> None:
    heard: list[tuple[str, int]] = []
    listeners: Listeners[[int]] = Listeners()
    leave = listeners.listen(lambda number: heard.append(("first", number)))
    listeners.listen(lambda number: heard.append(("second", number)))
    listeners.notify(1)
    leave()
    leave()
    listeners.notify(2)
    assert heard == [("first", 1), ("second", 1), ("second", 2)]


def test_a_listener_may_leave_while_it_is_told() -> None:
    heard: list[str] = []
    listeners: Listeners[[]] = Listeners()

    def once() -> None:
        heard.append("once")
        leave()

    leave = listeners.listen(once)
    listeners.listen(lambda: heard.append("always"))
    listeners.notify()
    listeners.notify()
    assert heard == ["once", "always", "always"]


async def test_the_service_hears_what_a_second_listener_hears_too(desk: Desk) -> None:
    service, heard = desk.service, dict[str, list[Any]]()

    def hear(name: str, listeners: Listeners[...]) -> None:
        listeners.listen(lambda *told: heard.setdefault(name, []).append(told))

    hear("demand", service.pool.on_demand)
    hear("loaded", service.pool.on_loaded)
    hear("kept", service.recorder.on_kept)
    hear("queue", service.queue.requests.on_change)
    hear("runs", service.runs.on_change)

    done = await desk.explain()
    queued = await service.queue.llm_call(CallRequest(prompt="Hello?"))
    await desk.until(lambda: [end for end in desk.of("response:complete") if end.request_id == queued.id])
    assert {*heard} == {"demand", "loaded", "kept", "queue", "runs"}
    assert [response.id for (response,) in heard["kept"]] == [done.run, queued.id]
    assert any(isinstance(request, wire.GenerateFrame) for (request,) in heard["demand"])

    # What the service itself does with each of them.
    assert desk.of("queue:updated")
    await desk.until(lambda: [one for one in desk.of("title:status") if one.status == "completed"])
    (plan, loaded, hello), *_ = heard["loaded"]
    assert service.pool.holds(plan)
    service.planner.gpu = True
    service.pool.on_loaded.notify(plan, loaded, hello)
    assert not service.planner.gpu, "a load has shown that there is none"


async def test_memory_that_runs_out_counts_though_another_one_listens(desk: Desk) -> None:
    service, heard = desk.service, list[Any]()
    service.pool.on_out_of_memory.listen(lambda *told: heard.append(told))
    await desk.explain()
    plan = service.pool.front.plan
    assert plan is not None
    service.pool.on_out_of_memory.notify(plan, "said")
    assert heard == [(plan, "said")]
    with pytest.raises(OutOfMemory):
        await desk.explain()


async def test_a_damaged_history_is_told_to_all(desk: Desk) -> None:
    heard: list[str] = []
    desk.store.on_damage.listen(heard.append)
    desk.service.recorder.begin()
    desk.store.on_damage.notify("history.damaged.db")
    assert heard == ["history.damaged.db"]
    notices = await desk.until(lambda: [one for one in desk.of("notice") if "damaged" in one.message])
    assert "history.damaged.db" in notices[0].action
    swept = desk.service.recorder._swept
    assert swept is not None
    await swept
