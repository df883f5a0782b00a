"""How a request that streams ends: by itself, by a cancel, by its time; docs/api.md says the same."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import datetime
from typing import Any

import pytest

from jupyter_localcoder.contract.generation import (
    CompleteCancelRequest,
    CompleteRequest,
    Done,
    GenerateRequest,
    LlmCancelRequest,
    Started,
)
from jupyter_localcoder.errors import Canceled, Timeout
from tests.support.workers import spawn
from tests.unit.service.conftest import Desk, Open

COMMAND = GenerateRequest(command="explain", code="x = 1")
COMPLETION = CompleteRequest(prefix="x = ", suffix="")


@pytest.fixture
def endless(open_desk: Open, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Desk:
    """A service whose model begins, and never ends by itself."""
    desk = jp_asyncio_loop.run_until_complete(open_desk())
    desk.service.pool.spawn = spawn(json.dumps({"says": "begun", "ends": False}))
    return desk


def asked(desk: Desk, request: Any) -> Any:
    if isinstance(request, CompleteRequest):
        return desk.service.completion.tab_complete(request)
    return desk.service.generation.generate(request)


async def end(desk: Desk, request: Any, run: str, code: str) -> None:
    """End it as a client does; the time of a command is only over by the clock."""
    if isinstance(request, CompleteRequest):
        reason: Any = "timeout" if code == "TIMEOUT" else "user"
        await desk.service.completion.tab_cancel(CompleteCancelRequest(run=run, reason=reason))
    elif code == "CANCELED":
        await desk.service.queue.llm_cancel(LlmCancelRequest(id=run))
    else:
        found = desk.service.runs.find(run)
        assert found is not None
        found.cancel("timeout")


@pytest.mark.parametrize("request_", [COMMAND, COMPLETION])
async def test_the_start_has_a_time_and_what_ends_by_itself_no_code(desk: Desk, request_: Any) -> None:
    async with contextlib.aclosing(asked(desk, request_)) as frames:
        first, *_, last = [frame async for frame in frames]
    assert isinstance(first, Started)
    assert datetime.fromisoformat(first.started_at).utcoffset() is not None
    assert (last.finish, last.code) == ("stop", "")


@pytest.mark.parametrize("request_", [COMMAND, COMPLETION])
@pytest.mark.parametrize("code", ["CANCELED", "TIMEOUT"])
async def test_what_is_ended_once_its_model_has_begun_is_done(
    endless: Desk, request_: Any, code: str
) -> None:
    async def once_it_runs(run: str) -> None:
        await endless.until(lambda: any(state.state == "busy" for state in endless.of("backend:state")))
        await end(endless, request_, run, code)

    ending, last = None, None
    async with contextlib.aclosing(asked(endless, request_)) as frames:
        async for frame in frames:
            last = frame
            if isinstance(frame, Started):
                ending = asyncio.ensure_future(once_it_runs(frame.run))
    assert ending is not None
    await ending
    assert isinstance(last, Done)
    finish = "canceled" if code == "CANCELED" else "timeout"
    assert (last.code, last.finish) == (code, finish)


@pytest.mark.parametrize("request_", [COMMAND, COMPLETION])
@pytest.mark.parametrize("code", ["CANCELED", "TIMEOUT"])
async def test_what_is_ended_before_is_an_error_unless_it_is_the_time_of_a_completion(
    desk: Desk, request_: Any, code: str
) -> None:
    async def follow() -> Any:
        last = None
        async with contextlib.aclosing(asked(desk, request_)) as frames:
            async for frame in frames:
                last = frame
                if isinstance(frame, Started):
                    await end(desk, request_, frame.run, code)
        return last

    if isinstance(request_, CompleteRequest) and code == "TIMEOUT":
        last = await follow()
        assert (last.code, last.finish, last.text) == ("TIMEOUT", "timeout", "")
    else:
        with pytest.raises(Canceled if code == "CANCELED" else Timeout):
            await follow()
