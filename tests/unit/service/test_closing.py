"""The service ends while something is answered."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from jupyter_localcoder.contract.generation import Delta, Done, GenerateRequest, LlmCancelAllRequest
from jupyter_localcoder.errors import BackendUnavailable
from tests.support.waiting import within
from tests.support.wire_server import hangs, wire_server
from tests.unit.service.conftest import Desk

PIECE = b'data: {"choices": [{"delta": {"content": "Hal"}}]}\n\n'


@pytest.mark.parametrize("closes", [True, False])
async def test_an_answer_that_ends_with_the_service_says_so(desk: Desk, closes: bool):
    async with wire_server() as server:
        await desk.far(server.url)
        server.say(hangs(PIECE))
        frames = desk.service.generation.generate(GenerateRequest(command="explain", code="x = 1"))
        async with contextlib.aclosing(frames):
            async for frame in frames:
                if isinstance(frame, Delta):
                    break
            if closes:
                closing = asyncio.ensure_future(desk.service.close())
            else:
                await desk.service.queue.llm_cancel_all(LlmCancelAllRequest())
            done = [frame async for frame in frames][-1]
            assert isinstance(done, Done)
            assert (done.text, done.finish) == ("Hal", "canceled")
            assert done.note == (
                "The answer was stopped because the Jupyter server was shut down." if closes else ""
            )
        if closes:
            await within(closing)


async def test_one_that_had_not_begun_is_told_too(desk: Desk):
    async with wire_server() as server:
        await desk.far(server.url)
        server.say(hangs())
        frames = desk.service.generation.generate(GenerateRequest(command="explain", code="x = 1"))
        async with contextlib.aclosing(frames):
            await frames.__anext__()
            desk.service.runs.close()
            with pytest.raises(BackendUnavailable, match="server was shut down"):
                async for _ in frames:
                    pass
