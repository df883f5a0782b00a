"""The time limit that is configured for the embedded provider means what it means for all others."""

from __future__ import annotations

import json

import pytest

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.generation import ChatRequest, GenerateRequest, Message
from jupyter_localcoder.contract.providers import ProviderSaveRequest
from jupyter_localcoder.errors import Timeout
from tests.support.waiting import within
from tests.support.workers import spawn
from tests.unit.service.conftest import Open

EXPLAIN = GenerateRequest(command="explain", code="x = 1")
CHAT = ChatRequest(messages=(Message(role="user", content="Why?"),))


@pytest.mark.parametrize("request_", [EXPLAIN, CHAT], ids=["command", "chat"])
async def test_it_holds_for_answers(open_desk: Open, request_: GenerateRequest | ChatRequest):
    """The worker never ends one by itself; where it was too slow to begin, nothing could be kept."""
    desk = await open_desk()
    desk.service.pool.spawn = spawn(json.dumps({"says": "Hal", "ends": False}))
    limit = {"id": "embedded", "type": "embedded", "timeout_seconds": 2}
    await desk.service.providers.provider_save(codec.decode(ProviderSaveRequest, limit))
    ask = desk.service.generation.generate if request_ is EXPLAIN else desk.service.generation.chat
    try:
        done = await within(desk.last(ask(request_)))
    except Timeout:
        return
    assert ("Hal".startswith(done.text), done.finish) == (True, "timeout")
