"""No request makes the event loop compute much at one go, however much work it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.context.bounds import MAX_PARSED_CHARS
from jupyter_localcoder.contract.generation import ChatRequest, Message
from jupyter_localcoder.contract.registry import OPERATIONS
from jupyter_localcoder.errors import LocalCoderError
from tests.support.loop_work import LoopWork
from tests.support.worst_requests import WorstRequests
from tests.unit.service.conftest import Desk, Open

MOST_UNITS = 15_000
"""A few milliseconds; a thousandth of what the largest request asks for."""
CHARS = 1_000_000


_parsed: list[int] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "compile" and isinstance(arguments[0], str | bytes):
        _parsed.append(len(arguments[0]))


# It hears of every thread, and stays for good.
sys.addaudithook(_hear)


async def ask(desk: Desk, op: Any, request: Any) -> None:
    """Do what an operation does, to its end, whatever that is."""
    with contextlib.suppress(LocalCoderError):
        answer = await desk.service.handle(op, request)
        if not op.streams:
            return
        async with contextlib.aclosing(answer) as frames:
            async for _ in frames:
                pass


async def worst_requests(desk: Desk, folder: Path) -> WorstRequests:
    """The largest requests, over a service in which something was asked before."""
    first = await desk.explain()
    turn = await desk.last(
        desk.service.generation.chat(
            ChatRequest(messages=(Message(role="user", content="hi"),), conversation="new")
        )
    )
    return WorstRequests(
        CHARS,
        model="tiny",
        response=first.run,
        conversation=turn.conversation,
        turn=turn.run,
        folder=str(folder),
    )


def test_each_operation_has_a_case() -> None:
    cases = WorstRequests(1, model="a", response="a", conversation="a", turn="a", folder="a").by_operation()
    assert set(cases) == {op.name for op in OPERATIONS}


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: re.sub(r"\W", "_", op.name))
async def test_the_worst_request_leaves_the_loop_to_the_others(desk: Desk, tmp_path: Path, op: Any) -> None:
    worst = await worst_requests(desk, tmp_path)
    _parsed.clear()
    for make in worst.by_operation()[op.name]:
        request = make()
        with LoopWork() as work:
            await ask(desk, op, request)
            # What it has set going.
            for _ in range(50):
                await asyncio.sleep(0)
        assert work.most < MOST_UNITS, work.where
    # Whoever parses keeps the interpreter's lock from all other threads.
    assert max(_parsed, default=0) <= MAX_PARSED_CHARS


async def test_work_in_the_loop_is_seen(open_desk: Open) -> None:
    with LoopWork() as work:
        await asyncio.sleep(0)
        sum(len(word) for word in ("x " * 50_000).split())
    assert work.most > MOST_UNITS
    with LoopWork() as work:
        for _ in range(50_000):
            await asyncio.sleep(0)
    assert work.most < MOST_UNITS
    with LoopWork() as work:
        text = "x" * 20_000_000
        re.search("y", text)
    assert work.most > MOST_UNITS
