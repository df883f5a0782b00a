"""Answers are kept behind the backs of those who wait for them."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.contract.generation import (
    CompleteRequest,
    GenerateRequest,
    LlmCancelRequest,
    Origin,
    Started,
)
from jupyter_localcoder.contract.history import (
    ResponseDeleteAllRequest,
    ResponseRequest,
    ResponseSearchRequest,
)
from jupyter_localcoder.contract.queue import CallRequest
from jupyter_localcoder.history import HistoryStore
from jupyter_localcoder.text.answers import change_of
from tests.support.responses import response
from tests.support.waiting import answered, happened, within
from tests.unit.service.conftest import Desk, Open


async def test_a_command_is_kept_with_all_it_takes_to_ask_again(desk: Desk):
    done = await desk.explain("x = 1", instruction="briefly", origin=Origin(notebook="a/b.ipynb", cell="c1"))
    (listed,) = await desk.listed()
    kept = await desk.service.history.response_get(ResponseRequest(id=listed.id))
    assert kept.id == done.run
    assert (kept.kind, kept.command, kept.provider, kept.model) == ("generate", "explain", "embedded", "tiny")
    assert (kept.notebook, kept.cell) == ("a/b.ipynb", "c1")
    assert kept.prompt == "briefly\n\n```python\nx = 1\n```"
    assert kept.content == done.text == "An answer."
    assert (kept.digest, kept.quantization) == (done.model.digest, done.model.quantization)
    assert kept.sampling["seed"] == done.sampling.seed
    assert kept.prompt_sha256 == done.prompt_sha256
    assert kept.text_sha256 == done.text_sha256 == hashlib.sha256(b"An answer.").hexdigest()
    assert (kept.title, kept.title_source) == ("tiny", "model")


async def test_its_end_is_told_once_it_is_kept(desk: Desk):
    done = await desk.explain(origin=Origin(notebook="a.ipynb"))
    (told,) = await desk.until(lambda: desk.of("response:complete"))
    assert (told.request_id, told.response_id, told.path) == (done.run, done.run, "a.ipynb")
    assert desk.store.get(told.response_id).prompt_id == told.prompt_id


async def test_the_same_question_is_the_same_prompt(desk: Desk):
    for code in ("x = 1", "x = 2", "x = 1"):
        await desk.explain(code)
    first, second, third = await desk.listed()
    assert first.prompt_id == third.prompt_id != second.prompt_id
    assert len(await desk.listed(prompt_id=first.prompt_id)) == 2


async def test_the_turns_of_a_chat_lie_together(desk: Desk):
    await desk.chat("Hello?")
    await desk.chat("Hello?", "An answer.", "And then?")
    second, first = await desk.listed()
    assert first.prompt_id == second.prompt_id
    assert (first.preview, second.preview) == ("Hello?", "And then?")


async def test_a_queued_prompt_is_kept_under_its_own_id(desk: Desk):
    call = CallRequest(prompt="Hi", prompt_id="../mine", path="a.ipynb", cell="c2", keep=True)
    queued = await desk.service.queue.llm_call(call)
    answer = await answered(desk.service, queued.id)
    assert answer.response_id == queued.id
    kept = await desk.service.history.response_get(ResponseRequest(id=queued.id))
    assert (kept.kind, kept.prompt_id, kept.notebook, kept.cell) == ("queue", "../mine", "a.ipynb", "c2")
    assert (kept.prompt, kept.content) == ("Hi", "An answer.")


async def test_completions_are_not_kept(desk: Desk):
    await desk.last(desk.service.completion.tab_complete(CompleteRequest(prefix="x = ")))
    assert await desk.listed() == []


async def test_private_and_switched_off_nothing_is_written(desk: Desk):
    await desk.explain(private=True)
    await desk.settings(history=False)
    await desk.explain()
    queued = await desk.service.queue.llm_call(CallRequest(prompt="Hi", private=True, keep=True))
    await answered(desk.service, queued.id)
    await desk.until(lambda: len(desk.of("response:complete")) == 3)
    assert {told.response_id for told in desk.of("response:complete")} == {""}
    assert not desk.store.root.exists()
    await desk.settings(history=True)
    await desk.explain()
    assert len(await desk.listed()) == 1


async def test_a_slow_disk_holds_no_answer_up(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """The disk answers only after the last of them."""
    await desk.explain()
    begun, over = threading.Event(), threading.Event()
    keep_all = desk.store.keep_all

    def wait(responses):
        begun.set()
        over.wait()
        return keep_all(responses)

    monkeypatch.setattr(desk.store, "keep_all", wait)
    try:
        for n in range(5):
            await within(desk.explain(f"x = {n}"))
            await happened(begun)
    finally:
        over.set()
    assert len(await desk.listed()) == 6


async def test_answers_that_come_together_are_kept_together(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """All that are there when the disk has kept the first ones."""
    batches: list[int] = []
    keep_all = desk.store.keep_all
    there = threading.Event()

    def count(responses):
        batches.append(len(responses))
        there.wait()
        return keep_all(responses)

    monkeypatch.setattr(desk.store, "keep_all", count)
    try:
        await asyncio.gather(*(desk.explain(f"x = {n}") for n in range(30)))
    finally:
        there.set()
    assert len(await desk.listed()) == 30
    assert len(batches) <= 2
    assert sum(batches) == 30


async def test_one_answer_that_cannot_be_kept_takes_no_other_with_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    keep_all = desk.store.keep_all

    def refuse(responses):
        if any("x = 3" in each.prompt for each in responses):
            raise errors.DiskFull
        return keep_all(responses)

    monkeypatch.setattr(desk.store, "keep_all", refuse)
    await asyncio.gather(*(desk.explain(f"x = {n}") for n in range(6)))
    assert len(await desk.listed()) == 5
    (notice,) = desk.of("notice")
    assert "not saved" in notice.message


async def test_a_disk_that_fails_is_told_once_until_it_goes_well_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    def refuse(responses):
        raise errors.DiskFull

    for round_ in (1, 2):
        with monkeypatch.context() as broken:
            broken.setattr(desk.store, "keep_all", refuse)
            for _ in range(3):
                assert (await desk.explain()).text == "An answer."
            await desk.until(lambda: len(desk.of("response:complete")) % 4 == 3)
        notices = desk.of("notice")
        assert len(notices) == round_
        assert notices[-1].severity == "warning"
        assert "complete" in notices[-1].message
        await desk.explain()
        await desk.until(lambda: len(desk.of("response:complete")) % 4 == 0)


async def test_a_failure_that_nobody_foresaw_reaches_no_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(desk.store, "keep_all", lambda responses: 1 / 0)
    assert (await desk.explain()).text == "An answer."
    await desk.until(lambda: desk.of("response:complete"))
    assert len(desk.of("notice")) == 1


async def test_what_was_answered_last_is_listed_at_once(desk: Desk):
    for n in range(10):
        done = await desk.explain(f"x = {n}")
        assert (await desk.listed())[0].id == done.run


async def test_closing_keeps_what_was_just_answered(open_desk: Open):
    desk = await open_desk()
    done = await desk.explain()
    await desk.service.close()
    assert HistoryStore(history_dir=desk.store.history_dir).get(done.run).content == "An answer."


async def test_closing_keeps_it_also_where_no_thread_takes_work_any_more(open_desk: Open):
    """As at the end of a process, where the interpreter has ended the threads before."""
    desk = await open_desk()
    desk.service.recorder.begin()
    thread = desk.service.recorder._thread = ThreadPoolExecutor(1)
    thread.shutdown()
    done = await desk.explain()
    await desk.service.close()
    assert HistoryStore(history_dir=desk.store.history_dir).get(done.run).content == "An answer."


async def test_a_request_that_fails_is_told_and_not_kept(open_desk: Open, monkeypatch: pytest.MonkeyPatch):
    from tests.support.workers import spawn

    desk = await open_desk()
    monkeypatch.setattr(desk.service.pool, "spawn", spawn("fails"))
    with pytest.raises(errors.TokenLimitExceeded):
        await desk.explain()
    (told,) = desk.of("response:error")
    assert (told.kind, told.error.code) == ("generate", "TOKEN_LIMIT_EXCEEDED")
    assert told.request_id
    assert await desk.listed() == []


async def test_a_request_that_is_cancelled_keeps_what_had_come(open_desk: Open, monkeypatch):
    from tests.support.workers import spawn

    desk = await open_desk()
    monkeypatch.setattr(desk.service.pool, "spawn", spawn("waits"))
    from jupyter_localcoder.contract.generation import Delta, Done, GenerateRequest

    run = ""
    async for frame in desk.service.generation.generate(GenerateRequest(command="explain", code="x")):
        if isinstance(frame, Started):
            run = frame.run
        if isinstance(frame, Delta):
            await desk.service.queue.llm_cancel(LlmCancelRequest(id=run))
        if isinstance(frame, Done):
            assert frame.finish == "canceled"
    (listed,) = await desk.listed()
    assert listed.finish == "canceled"


async def test_who_leaves_in_the_middle_leaves_nothing(open_desk: Open, monkeypatch):
    from jupyter_localcoder.contract.generation import Delta, GenerateRequest
    from tests.support.workers import spawn

    desk = await open_desk()
    monkeypatch.setattr(desk.service.pool, "spawn", spawn("waits"))
    frames = desk.service.generation.generate(GenerateRequest(command="explain", code="x"))
    async for frame in frames:
        if isinstance(frame, Delta):
            break
    await frames.aclose()
    assert await desk.listed() == []
    assert desk.of("response:error") == []


async def test_what_a_killed_process_left_is_adopted_at_the_first_use(open_desk: Open, tmp_path):
    other = HistoryStore(history_dir=str(tmp_path / "history"))
    left = other.keep(response())
    other.close()
    for path in other.root.glob("history.sqlite3*"):
        path.unlink()
    desk = await open_desk()
    await desk.listed()
    await desk.until(lambda: [told for told in desk.of("history:changed") if told.reason == "swept"])
    assert [each.id for each in await desk.listed()] == [left.id]


async def test_old_answers_are_deleted_behind_the_new_ones(open_desk: Open, monkeypatch):
    monkeypatch.setattr("jupyter_localcoder.history.recorder.RETAIN_SECONDS", 0.0)
    desk = await open_desk(keep_count=2)
    for n in range(5):
        await desk.explain(f"x = {n}")
    await desk.until(lambda: any(told.reason == "deleted" for told in desk.of("history:changed")))
    await asyncio.gather(*(desk.service.recorder.settled() for _ in range(2)))
    assert len(await desk.listed()) == 2


async def test_the_operations_tell_what_was_deleted(desk: Desk):
    first = await desk.explain("x = 1")
    await desk.explain("x = 2")
    await desk.service.history.response_delete(ResponseRequest(id=first.run))
    assert desk.of("history:changed")[-1].response_id == first.run
    for wrong in ({}, {"all": True, "prompt_id": "p"}):
        with pytest.raises(errors.InvalidArgument):
            await desk.service.history.response_delete_all(ResponseDeleteAllRequest(**wrong))
    assert (await desk.service.history.response_delete_all(ResponseDeleteAllRequest(all=True))).count == 1
    assert await desk.listed() == []


async def test_search_through_the_service(desk: Desk):
    done = await desk.explain("zebra = 1")
    found = await desk.service.history.response_search(ResponseSearchRequest(query="zebra"))
    assert [each.response.id for each in found.found] == [done.run]


async def test_why_an_answer_was_no_change_is_kept_in_the_same_words(open_desk: Open):
    desk = await open_desk("```bash\nls\n```")
    done = await desk.last(
        desk.service.generation.generate(GenerateRequest(command="fix", code="x = 1", language="python"))
    )
    assert done.change is not None
    assert done.change.problem
    await desk.until(lambda: desk.of("response:complete"))
    kept = desk.store.get(done.run)
    assert kept.not_offered == f"{done.change.problem} {done.change.recovery}"
    assert kept.content == done.text


@pytest.mark.parametrize(
    ("says", "command"), [("```python\nx = 2\n```", "fix"), ("It is a number.", "explain")]
)
async def test_what_was_offered_or_is_no_code_has_no_such_words(open_desk: Open, says: str, command: str):
    desk = await open_desk(says)
    done = await desk.last(desk.service.generation.generate(GenerateRequest(command=command, code="x = 1")))
    await desk.until(lambda: desk.of("response:complete"))
    assert desk.store.get(done.run).not_offered == ""


async def test_an_answer_is_kept_where_nobody_waits_for_what_may_be_written(desk: Desk, monkeypatch):
    judging = asyncio.Event()

    async def hangs(*_args):
        judging.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("jupyter_localcoder.service.generation.asyncio.to_thread", _first_then(hangs))
    asking = asyncio.ensure_future(
        desk.last(desk.service.generation.generate(GenerateRequest(command="fix", code="x = 1")))
    )
    await within(judging.wait())
    asking.cancel()
    await asyncio.wait([asking])
    monkeypatch.undo()
    await desk.until(lambda: desk.of("response:complete"))
    (kept,) = await desk.listed()
    assert kept.command == "fix"


def _first_then(later):
    """The thread for what the code is; what may be written of the answer hangs."""
    real = asyncio.to_thread

    async def to_thread(work, *args, **named):
        return await (later() if work is change_of else real(work, *args, **named))

    return to_thread
