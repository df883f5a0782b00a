"""Reasoning of the model on this machine, from the worker's text to what is kept."""

from __future__ import annotations

import pytest

from jupyter_localcoder.contract.generation import Delta, GenerateRequest
from jupyter_localcoder.contract.history import ResponseRequest
from jupyter_localcoder.contract.queue import CallRequest, QueueGetRequest
from jupyter_localcoder.errors import NoAnswer
from tests.unit.service.conftest import Open

SAYS = "<think>\nFirst: ```python\nwrong\n```\n</think>\n\nAn answer."
REASONING = "\nFirst: ```python\nwrong\n```\n"


async def test_a_command_tells_reasoning_and_answer_apart(open_desk: Open):
    desk = await open_desk(SAYS)
    frames = [
        f async for f in desk.service.generation.generate(GenerateRequest(command="explain", code="x = 1"))
    ]
    deltas = [frame for frame in frames if isinstance(frame, Delta)]
    done = frames[-1]
    assert (done.text, done.reasoning) == ("An answer.", REASONING)
    assert "".join(each.text for each in deltas) == "An answer."
    assert "".join(each.reasoning for each in deltas) == REASONING
    assert 0 < done.usage.reasoning_tokens <= done.usage.completion_tokens
    await desk.until(lambda: desk.of("response:complete"))
    kept = await desk.service.history.response_get(ResponseRequest(id=done.run))
    assert (kept.content, kept.reasoning) == ("An answer.", REASONING)


async def test_where_the_template_has_opened_it(open_desk: Open):
    desk = await open_desk("Hm.\n</think>\n\nAn answer.")
    done = await desk.explain()
    assert (done.text, done.reasoning) == ("An answer.", "Hm.\n")


async def test_reasoning_alone_is_no_answer(open_desk: Open):
    desk = await open_desk("<think>\nHm, and on, and on")
    with pytest.raises(NoAnswer, match="reasoned, and finished without an answer"):
        await desk.explain()
    assert await desk.listed() == []


async def test_the_queue_tells_them_apart(open_desk: Open):
    desk = await open_desk(SAYS)
    queued = await desk.service.queue.llm_call(CallRequest(prompt="Hello?"))
    await desk.until(lambda: desk.of("response:complete"))
    answer = await desk.service.queue.queue_get(QueueGetRequest(id=queued.id))
    assert (answer.text, answer.reasoning) == ("An answer.", REASONING)


async def test_a_title_is_not_made_of_reasoning(open_desk: Open):
    desk = await open_desk(title="<think>Words</think>A title of it")
    await desk.explain()
    told = await desk.until(lambda: [e for e in desk.of("title:status") if e.status == "completed"])
    assert told[0].title == "A title of it"
