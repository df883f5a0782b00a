"""The queue's operations: order, limits, ends, callers who leave, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.contract import queue
from jupyter_localcoder.contract.generation import LlmCancelAllRequest, LlmCancelRequest
from jupyter_localcoder.generation import clients
from tests.support.waiting import quiet, until, within
from tests.unit.queueing.conftest import Desk

MakeDesk = Callable[..., Desk]


async def test_an_answer_is_told_and_kept(desk: Desk) -> None:
    queued = await desk.call(
        "Add {{a}}.", parameters={"a": "{{b}}"}, prompt_id="p1", path="a.ipynb", cell="c"
    )
    assert queued.position == 1
    await quiet()
    (stream,) = desk.provider.streams
    assert stream.prompt == "Add {{b}}."
    stream.give("one ")
    await quiet()
    so_far = await desk.get(queued.id)
    assert (so_far.item.state, so_far.text, so_far.finish) == ("running", "one ", None)
    stream.finish("two")
    answer = await desk.get(queued.id, wait_ms=30_000)
    assert (answer.item.state, answer.text, answer.finish) == ("done", "one two", "stop")
    assert answer.usage.completion_tokens == 2
    (event,) = desk.of("response:complete")
    assert (event.request_id, event.prompt_id, event.provider, event.model) == (
        queued.id, "p1", "first", "scripted-1",
    )  # fmt: skip
    assert (event.path, event.cell) == ("a.ipynb", "c")
    assert (await desk.get(queued.id)).text == "one two"


async def test_braces_are_text_where_nobody_gives_parameters(desk: Desk) -> None:
    await desk.call("print(f'{{name}}')")
    await quiet()
    assert desk.provider.streams[0].prompt == "print(f'{{name}}')"


async def test_what_is_missing_is_named_and_nothing_is_queued(desk: Desk) -> None:
    with pytest.raises(errors.ValidationError, match="`b`"):
        await desk.call("{{a}} {{b}}", parameters={"a": "x"})
    with pytest.raises(errors.InvalidArgument):
        await desk.call("{{a}}", parameters={"a": " "})
    assert len(desk.requests) == 0


async def test_one_at_a_time_by_priority_and_then_in_order(desk: Desk) -> None:
    running = await desk.call("0")
    for prompt, priority in [("c", "low"), ("b1", "normal"), ("a", "high"), ("b2", "normal")]:
        await desk.call(prompt, priority=priority)
    await quiet()
    view = await desk.list()
    assert [item.id for item in view.running] == [running.id]
    assert [item.position for item in view.waiting] == [2, 3, 4, 5]
    order = []
    for _ in range(5):
        (stream,) = desk.provider.open
        order.append(stream.prompt)
        stream.finish()
        await quiet()
    assert order == ["0", "a", "b1", "b2", "c"]
    assert desk.provider.most_open == 1


async def test_providers_do_not_wait_for_each_other(desk: Desk) -> None:
    await desk.call("1")
    assert (await desk.call("2", provider="second")).position == 1
    await quiet()
    assert [s.prompt for s in desk.other.open] == ["2"]


async def test_more_at_once_if_that_is_wanted(make_desk: MakeDesk) -> None:
    desk = make_desk(at_once=2)
    for prompt in "123":
        await desk.call(prompt)
    await quiet()
    assert [s.prompt for s in desk.provider.open] == ["1", "2"]


async def test_the_queue_is_bounded_by_bytes(make_desk: MakeDesk) -> None:
    desk = make_desk(max_queued_bytes=1_000_000)
    for _ in range(3):
        await desk.call("é" * 150_000)
    with pytest.raises(errors.QueueFull, match="450 kB"):
        await desk.call("界" * 300_000)
    assert len(desk.requests) == 3
    await desk.queue.llm_cancel_all(LlmCancelAllRequest())
    await desk.call("界" * 300_000)


async def test_parameters_count_once_they_are_filled_in_and_are_held_once(make_desk: MakeDesk) -> None:
    desk = make_desk(max_queued_bytes=1_000_000)
    await desk.call("begin")
    await desk.call("{{a}}" * 3, parameters={"a": "x" * 300_000, "unused": "y" * 4_000_000})
    with pytest.raises(errors.QueueFull):
        await desk.call("{{a}}" * 3, parameters={"a": "x" * 300_000})
    held = sum(len(call.prompt) + len(call.request.prompt) for call in desk.queue._calls.values())
    assert held == len("begin") + 900_000
    assert all(call.request.parameters is None for call in desk.queue._calls.values())


async def test_one_caller_leaves_as_much_as_it_holds(make_desk: MakeDesk) -> None:
    desk = make_desk(max_queued=8)
    loud, quiet_one = clients.PollingClient("loud"), clients.ConnectedClient("quiet")
    for _ in range(4):
        await desk.call("x", loud, keep=True)
    for _ in range(3):
        with pytest.raises(errors.QueueFull, match="4 of the 4 waiting or running requests are yours"):
            # Another connection of the same owner is no other owner.
            await desk.call("x", clients.ConnectedClient("loud"), keep=True)
    await desk.call("x", quiet_one)
    await desk.call("x", quiet_one)
    with pytest.raises(errors.QueueFull):
        await desk.call("x", quiet_one)
    await desk.call("x", clients.PollingClient("third"))
    quiet_one.end()
    await desk.call("x", clients.PollingClient("fourth"))


async def test_one_caller_leaves_as_many_bytes_as_it_holds(make_desk: MakeDesk) -> None:
    desk = make_desk(max_queued_bytes=1_000_000)
    for _ in range(4):
        await desk.call("x" * 120_000, clients.PollingClient("loud"), keep=True)
    with pytest.raises(errors.QueueFull, match=r"[Yy]our"):
        await desk.call("x" * 120_000, clients.PollingClient("loud"), keep=True)
    await desk.call("x" * 400_000, clients.PollingClient("other"), keep=True)


async def test_one_kernel_leaves_as_many_bytes_as_it_holds_to_the_others(make_desk: MakeDesk) -> None:
    desk = make_desk(max_queued_bytes=1_000_000)
    one, other = (clients.PollingClient("kernels", kernel=True, member=name) for name in ("a", "b"))
    await desk.call("x" * 120_000, one, keep=True)
    await desk.call("x" * 120_000, one, keep=True)
    with pytest.raises(errors.QueueFull, match="that come from this kernel have a total size of 240"):
        await desk.call("x" * 120_000, one, keep=True)
    await desk.call("x" * 120_000, other, keep=True)
    with pytest.raises(errors.QueueFull, match="that come from this kernel have a total size of 120"):
        await desk.call("x" * 120_000, other, keep=True)
    await desk.call("x" * 300_000, clients.PollingClient("person"), keep=True)
    with pytest.raises(
        errors.QueueFull, match="that come from kernels and terminals have a total size of 360"
    ):
        await desk.call("x" * 120_000, one, keep=True)


async def test_what_a_kernel_gives_back_is_there_again(make_desk: MakeDesk) -> None:
    desk = make_desk(max_queued=8)
    one = clients.PollingClient("kernels", kernel=True, member="a")
    for _ in range(3):
        await desk.call("x", one)
        await desk.call("x", one)
        with pytest.raises(errors.QueueFull):
            await desk.call("x", one)
        await desk.queue.llm_cancel_all(LlmCancelAllRequest())


async def test_a_full_queue_says_when_to_come_back(make_desk: MakeDesk) -> None:
    desk = make_desk(max_queued=2)
    await desk.call("1")
    await desk.call("2")
    with pytest.raises(errors.QueueFull) as caught:
        await desk.call("3")
    assert caught.value.details["retry_after_seconds"] == 2
    assert len(desk.requests) == 2


async def test_a_refusal_of_the_choice_queues_nothing(desk: Desk) -> None:
    with pytest.raises(errors.ProviderNotFound):
        await desk.call("1", provider="nobody")
    desk.choice.refusal = errors.AirGapped()
    with pytest.raises(errors.AirGapped):
        await desk.call("1", provider="second")
    assert desk.told == []


async def test_cancel_of_what_waits_runs_is_over_or_was_never_there(desk: Desk) -> None:
    running, waiting = await desk.call("1"), await desk.call("2")
    await quiet()
    for queued in (waiting, running):
        await desk.queue.llm_cancel(LlmCancelRequest(id=queued.id))
    await quiet()
    assert desk.ends == [(waiting.id, "CANCELED"), (running.id, "CANCELED")]
    assert desk.provider.open == []
    with pytest.raises(errors.RequestAlreadyCompleted):
        await desk.queue.llm_cancel(LlmCancelRequest(id=running.id))
    with pytest.raises(errors.RequestNotFound):
        await desk.queue.llm_cancel(LlmCancelRequest(id="nothing"))
    with pytest.raises(errors.RequestNotFound):
        await desk.get("nothing")


async def test_cancel_all_counts_and_starts_nothing(desk: Desk) -> None:
    for prompt in "1234":
        await desk.call(prompt)
    await desk.call("5", provider="second")
    await quiet()
    assert (await desk.queue.llm_cancel_all(LlmCancelAllRequest())).count == 5
    await quiet()
    assert len(desk.provider.streams) == 1
    assert len(desk.ends) == 5
    assert (await desk.queue.llm_cancel_all(LlmCancelAllRequest())).count == 0


async def test_a_failure_of_the_provider_is_the_end_with_its_words(desk: Desk) -> None:
    queued, following = await desk.call("1"), await desk.call("2")
    await quiet()
    desk.provider.streams[0].give("half", errors.RateLimited("Come back at noon."))
    answer = await desk.get(queued.id, wait_ms=30_000)
    assert answer.item.error is not None
    assert (answer.item.state, answer.item.error.message) == ("failed", "Come back at noon.")
    await quiet()
    assert desk.ends == [(queued.id, "RATE_LIMITED")]
    assert (await desk.list()).running[0].id == following.id


async def test_a_defect_in_a_provider_leaves_without_its_words(desk: Desk) -> None:
    queued = await desk.call("1")
    await quiet()
    desk.provider.streams[0].give(RuntimeError("key sk-123"))
    answer = await desk.get(queued.id, wait_ms=30_000)
    assert answer.item.error is not None
    assert answer.item.error.code == "UNKNOWN_ERROR"
    assert "sk-123" not in answer.item.error.message


async def test_a_provider_that_does_not_keep_its_time_is_left(desk: Desk) -> None:
    queued = await desk.call("1", timeout_ms=2000)
    await quiet()
    assert desk.provider.streams[0].request.timeout_seconds == 2.0
    desk.clock.forward(2.0)
    await quiet()
    assert desk.ends == []  # the provider may still say what it has
    desk.clock.forward(desk.requests.grace_seconds)
    await quiet()
    assert desk.ends == [(queued.id, "TIMEOUT")]
    assert desk.provider.open == []


async def test_waiting_in_the_queue_is_no_time_of_the_provider(desk: Desk) -> None:
    await desk.call("1", timeout_ms=3_600_000)
    second = await desk.call("2", timeout_ms=1000)
    desk.clock.forward(600.0)
    await quiet()
    desk.provider.streams[0].finish()
    await quiet()
    desk.provider.streams[1].finish()
    await quiet()
    assert desk.ends[1] == (second.id, "done")


async def test_a_provider_that_does_not_let_go_does_not_stop_the_others(desk: Desk) -> None:
    desk.provider.lets_go = False
    first, second = await desk.call("1"), await desk.call("2")
    await quiet()
    await desk.queue.llm_cancel(LlmCancelRequest(id=first.id))
    await quiet()
    assert (await desk.list()).running == ()
    desk.clock.forward(desk.requests.grace_seconds)
    await quiet()
    assert [item.id for item in (await desk.list()).running] == [second.id]
    desk.provider.lets_go = True
    await until(lambda: not desk.provider.streams[0].open)
    await quiet()
    assert desk.ends == [(first.id, "CANCELED")]


async def test_who_leaves_takes_what_is_not_to_be_kept(desk: Desk) -> None:
    connection = clients.ConnectedClient()
    dropped = await desk.call("1", connection)
    kept = await desk.call("2", connection, keep=True)
    others = await desk.call("3")
    connection.end()
    await quiet()
    assert desk.ends == [(dropped.id, "CANCELED")]
    view = await desk.list()
    assert [item.id for item in (*view.running, *view.waiting)] == [kept.id, others.id]


async def test_who_has_left_already_is_heard_no_more(desk: Desk) -> None:
    connection = clients.ConnectedClient()
    connection.end()
    queued = await desk.call("1", connection)
    assert desk.ends == [(queued.id, "CANCELED")]


async def test_a_visitor_who_does_not_come_back_has_left(desk: Desk) -> None:
    lease = desk.requests.lease_seconds
    asked = await desk.call("1", clients.PollingClient(), timeout_ms=3_600_000)
    ignored = await desk.call("2", clients.PollingClient())
    kept = await desk.call("3", clients.PollingClient(), keep=True)
    desk.clock.forward(lease - 1)
    await desk.get(asked.id)
    desk.clock.forward(2)
    await quiet()
    assert desk.ends == [(ignored.id, "CANCELED")]
    waits = asyncio.ensure_future(desk.get(asked.id, wait_ms=30_000))
    await quiet()
    desk.clock.forward(3 * lease)
    await quiet()
    assert not waits.done()
    waits.cancel()
    await quiet()
    desk.clock.forward(lease)
    await quiet()
    assert desk.ends[1] == (asked.id, "CANCELED")
    assert [item.id for item in (await desk.list()).running] == [kept.id]


async def test_updates_come_with_each_change(desk: Desk) -> None:
    first = await desk.call("1", prompt_id="p")
    await quiet()
    second = await desk.call("2")
    await quiet()
    desk.provider.streams[0].finish()
    await quiet()
    told = [(u.length, u.current.id if u.current else None) for u in desk.of("queue:updated")]
    assert told[0] == (1, first.id)
    assert (2, first.id) in told
    assert told[-1] == (1, second.id)
    assert desk.of("queue:updated")[0].current == queue.QueueCurrent(id=first.id, prompt_id="p", position=1)
    await desk.queue.llm_cancel_all(LlmCancelAllRequest())
    await quiet()
    assert desk.of("queue:updated")[-1] == queue.QueueUpdated(length=0, current=None)


async def test_the_end_of_the_service_ends_all_and_the_next_one_knows(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    desk = make_desk()
    done = await desk.call("0")
    await quiet()
    desk.provider.streams[0].finish()
    await quiet()
    running, waiting = (
        await desk.call("1", path="a.ipynb"),
        await desk.call("2", private=True, path="b.ipynb"),
    )
    await quiet()
    await desk.queue.close()
    assert {id_: code for id_, code in desk.ends if id_ != done.id} == {
        running.id: "BACKEND_UNAVAILABLE",
        waiting.id: "BACKEND_UNAVAILABLE",
    }
    with pytest.raises(errors.BackendUnavailable):
        await desk.call("3")
    after = make_desk(tmp_path)
    ended = {item.id: item for item in (await after.list()).ended}
    assert set(ended) == {running.id, waiting.id}
    assert {item.state for item in ended.values()} == {"failed"}
    assert (ended[running.id].path, ended[waiting.id].path) == ("a.ipynb", "")
    assert (await after.get(running.id)).item.error is not None
    with pytest.raises(errors.RequestAlreadyCompleted):
        await after.queue.llm_cancel(LlmCancelRequest(id=waiting.id))
    assert after.provider.streams == []  # nothing is asked again


async def test_a_prompt_that_failed_is_read_and_asked_again(desk: Desk) -> None:
    fields = {"model": "m-1", "max_tokens": 7, "stop": ("END",), "prompt_id": "cities", "path": "a.ipynb"}
    queued = await desk.call("Where is {{city}}?", parameters={"city": "{{Bern}}"}, **fields)
    assert await desk.prompt(queued.id) == "Where is {{Bern}}?"  # while it runs, too
    assert (await desk.get(queued.id)).prompt == ""
    with pytest.raises(errors.InvalidArgument, match="waiting or running"):
        await desk.retry(queued.id)
    await quiet()
    desk.provider.streams[0].give(errors.RateLimited("Come back at noon."))
    failed = (await desk.get(queued.id, wait_ms=30_000)).item
    assert (failed.state, failed.prompt_kept) == ("failed", True)
    assert await desk.prompt(queued.id) == "Where is {{Bern}}?"
    again = await desk.retry(queued.id, keep=True)
    assert again.id != queued.id
    await quiet()
    first, second = (stream.request for stream in desk.provider.streams)
    assert second == first
    item = (await desk.get(again.id)).item
    assert (item.prompt_id, item.path, item.model, item.keep) == ("cities", "a.ipynb", "m-1", True)
    desk.provider.streams[1].finish()
    assert (await desk.get(again.id, wait_ms=30_000)).item.state == "done"
    with pytest.raises(errors.RequestNotFound):
        await desk.retry("nothing")


async def test_what_was_cancelled_is_asked_again_of_who_is_active_then(desk: Desk) -> None:
    named, unnamed = await desk.call("1", provider="first"), await desk.call("2")
    await desk.queue.llm_cancel_all(LlmCancelAllRequest())
    desk.choice.active = "second"
    await desk.retry(named.id)
    await desk.retry(unnamed.id)
    await quiet()
    assert [stream.request.input.turns[0].content for stream in desk.provider.streams[1:]] == ["1"]
    assert [stream.request.input.turns[0].content for stream in desk.other.streams] == ["2"]


@pytest.mark.parametrize("history", [True, False])
async def test_prompts_outlive_the_service_unless_they_are_private_or_nothing_is_kept(
    make_desk: MakeDesk, tmp_path: Path, history: bool
) -> None:
    desk = make_desk(history=history)
    shown, hidden = await desk.call("a secret plan"), await desk.call("a private plan", private=True)
    await desk.queue.close()
    written = b"".join(file.read_bytes() for file in (tmp_path / "queue").iterdir())
    assert b"private plan" not in written
    assert (b"secret plan" in written) == history
    after = make_desk(tmp_path)
    kept = {item.id: item.prompt_kept for item in (await after.list()).ended}
    assert kept == {shown.id: history, hidden.id: False}
    assert await after.prompt(shown.id) == ("a secret plan" if history else "")
    for id_ in [hidden.id] if history else [shown.id, hidden.id]:
        with pytest.raises(errors.PromptNotFound, match="not saved"):
            await after.retry(id_)
    if history:
        await after.retry(shown.id)
        await quiet()
        assert after.provider.streams[0].request.input.turns[0].content == "a secret plan"


async def test_a_folder_that_cannot_be_written_costs_the_journal_only(
    make_desk: MakeDesk, tmp_path: Path
) -> None:
    (tmp_path / "queue").write_text("in the way")
    desk = make_desk()
    queued = await desk.call("1")
    await quiet()
    desk.provider.streams[0].finish()
    assert (await desk.get(queued.id, wait_ms=30_000)).item.state == "done"
    assert (await desk.list()).limit == 512


async def test_what_is_remembered_of_the_ended_is_bounded(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_localcoder.service.queue.MAX_ENDED", 5)
    desk = make_desk()
    desk.provider.auto = True
    ids = [(await desk.call(str(number))).id for number in range(8)]
    await quiet()
    assert [item.id for item in (await desk.list()).ended] == ids[:-6:-1]
    monkeypatch.setattr("jupyter_localcoder.service.queue.MAX_ENDED_CHARS", 20)
    last = await desk.call("z")
    await quiet()
    assert [item.id for item in (await desk.list()).ended] == [last.id]


async def test_the_service_asks_for_itself_without_a_word(desk: Desk) -> None:
    asking = asyncio.ensure_future(desk.queue.ask(queue.CallRequest(prompt="title?", priority="low")))
    await quiet()
    assert len(desk.requests) == 1
    desk.provider.streams[0].finish("A title")
    assert (await asking).text == "A title"
    failing = asyncio.ensure_future(desk.queue.ask(queue.CallRequest(prompt="title?")))
    await quiet()
    desk.provider.streams[1].give(errors.RateLimited())
    with pytest.raises(errors.RateLimited):
        await failing
    leaving = asyncio.ensure_future(desk.queue.ask(queue.CallRequest(prompt="title?")))
    await quiet()
    leaving.cancel()
    await quiet()
    assert desk.provider.open == []
    assert desk.ends == []
    assert (await desk.list()).ended == ()


async def test_what_is_being_kept_is_stopped_by_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is complete: who cancels it, all of them, or leaves, comes too late."""
    writing, written = asyncio.Event(), asyncio.Event()
    keep = desk.recorder.keep

    async def slowly(*arguments: Any) -> str:
        writing.set()
        await written.wait()
        return await keep(*arguments)

    monkeypatch.setattr(desk.recorder, "keep", slowly)
    caller = clients.ConnectedClient()
    asked = await desk.call("1", caller)
    await quiet()
    desk.provider.streams[0].finish("one")
    await within(writing.wait())
    assert (await desk.get(asked.id)).item.state == "saving"
    with pytest.raises(errors.RequestAlreadyCompleted):
        await desk.queue.llm_cancel(LlmCancelRequest(id=asked.id))
    assert (await desk.queue.llm_cancel_all(LlmCancelAllRequest())).count == 0
    caller.end()
    desk.requests.client_left(asked.id)
    await quiet()
    assert (await desk.get(asked.id)).item.state == "saving"
    written.set()
    answer = await desk.get(asked.id, wait_ms=30_000)
    assert (answer.item.state, answer.text) == ("done", "one")
    assert desk.ends == [(asked.id, "done")]
