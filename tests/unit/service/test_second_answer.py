"""An answer that cannot be used is asked for once more, as one request with one id and one end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest

from jupyter_localcoder.contract.generation import Delta, Done, GenerateRequest, InspectRequest, Started
from jupyter_localcoder.contract.notebook import Column, KernelVariable, NotebookCell
from jupyter_localcoder.contract.queue import ResponseComplete
from tests.support.workers import spawn
from tests.unit.service.conftest import Desk

GOOD = "```python\nx = 2\n```"
BROKEN = "```python\nx = (\n```"
ELSEWHERE = NotebookCell(source="def load(path):\n    return open(path).read()")
NEEDED = NotebookCell(source="path = 'a.csv'")


def says(desk: Desk, first: str, again: str) -> None:
    desk.service.pool.spawn = spawn(json.dumps({"says": first, "again": again, "title": "A title"}))


async def frames_of(desk: Desk, **fields: Any) -> list[Any]:
    request = GenerateRequest(**{"command": "improve", "code": "x = path", **fields})
    async with contextlib.aclosing(desk.service.generation.generate(request)) as frames:
        return [frame async for frame in frames]


async def test_the_second_answer_takes_the_place_of_the_first(desk: Desk) -> None:
    says(desk, BROKEN, GOOD)
    started, *deltas, done = await frames_of(desk, context=(ELSEWHERE, NEEDED))
    assert isinstance(started, Started)
    assert isinstance(done, Done)
    assert {frame.run for frame in deltas} == {started.run} == {done.run}
    assert all(isinstance(frame, Delta) for frame in deltas)
    assert "".join(frame.text for frame in deltas if frame.attempt == 1) == BROKEN
    assert "".join(frame.text for frame in deltas if frame.attempt == 2) == GOOD == done.text
    assert (done.change.code, done.change.problem) == ("x = 2", "")
    # Both have been computed.
    assert done.usage.completion_tokens == len(BROKEN) + len(GOOD)
    # The second was asked with the reason, and with what the code needs alone.
    read = (await desk.service.generation.context_inspect(InspectRequest(run=done.run))).prompt
    assert "The answer is not valid Python" in read
    assert NEEDED.source in read
    assert ELSEWHERE.source not in read
    # It is one answer in the history, and one request.
    await desk.until(lambda: desk.of("response:complete"))
    (told,) = desk.of("response:complete")
    assert isinstance(told, ResponseComplete)
    assert told.request_id == done.run
    (listed,) = await desk.listed()
    assert listed.id == done.run


async def test_what_fails_again_is_no_change_and_can_be_read(desk: Desk) -> None:
    says(desk, BROKEN, BROKEN)
    *_, done = await frames_of(desk)
    assert done.change.problem.startswith("No safe change was found. The answer is not valid Python")
    assert done.text == BROKEN
    assert done.finish == "stop"


@pytest.mark.parametrize(
    ("first", "fields"),
    [
        ("", {}),
        ("No.", {"command": "generate", "instruction": "x", "code": ""}),
        ('{"code": "x = 2", "why": "it"}', {}),
        ("```bash\nls\n```", {}),
        ("```python\ny = 2\n```", {"below": (NotebookCell(source="print(x)"),)}),
        ("```python\n" + "x = 'again'\n" * 50 + "```", {}),
        ("```python\ndef load(path):\n    return open(path).read()\n```", {"context": (ELSEWHERE,)}),
        ("```python\nx = path\n```", {"command": "fix", "error": "NameError"}),
        (
            "```python\nx = df['b']\n```",
            {"variables": (KernelVariable(name="df", type="DataFrame", shape=(1, 1),
                                          columns=(Column(name="a", dtype="int64"),)),)},
        ),
    ],
)  # fmt: skip
async def test_each_fault_is_asked_again_once(desk: Desk, first: str, fields: dict[str, Any]) -> None:
    says(desk, first, GOOD)
    *_, done = await frames_of(desk, **fields)
    assert (done.change.problem, done.change.code) == ("", "x = 2")


@pytest.mark.parametrize("command", ["explain", "prompt"])
async def test_an_answer_in_words_is_never_asked_again(desk: Desk, command: str) -> None:
    says(desk, BROKEN, GOOD)
    *_, done = await frames_of(desk, command=command)
    assert done.text == BROKEN


async def test_a_loop_is_stopped_in_the_stream(desk: Desk) -> None:
    desk.service.pool.spawn = spawn(json.dumps({"says": "It adds one.\n" * 1000, "ends": True}))
    *deltas, done = await frames_of(desk, command="explain")
    assert done.text == "It adds one.\n" * 4
    assert done.doubt == "repetition"
    assert done.finish == "stop"
    assert len(deltas) < 200


@pytest.mark.parametrize("reason", ["canceled", "timeout"])
async def test_it_can_be_ended_while_the_second_answer_comes(desk: Desk, reason: Any) -> None:
    # An empty second answer never ends by itself.
    says(desk, BROKEN, "")
    request = GenerateRequest(command="improve", code="x = 1")
    last = None
    async with contextlib.aclosing(desk.service.generation.generate(request)) as frames:
        async for frame in frames:
            last = frame
            if isinstance(frame, Started):
                run = desk.service.runs.find(frame.run)
            elif isinstance(frame, Delta) and frame.text.endswith("`"):
                assert run is not None
                _end_when_second(desk, run, reason)
    assert isinstance(last, Done)
    assert last.finish == reason
    assert last.change is not None
    assert last.change.problem


def _end_when_second(desk: Desk, run: Any, reason: Any) -> None:
    """End it as soon as the second run is the current one."""
    first = run._current

    async def wait() -> None:
        await desk.until(lambda: run._current is not first)
        run.cancel(reason)

    desk.ending = asyncio.ensure_future(wait())  # type: ignore[attr-defined]
