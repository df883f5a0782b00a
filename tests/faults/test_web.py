"""Rows 44 and 47: who asks from where it may not, and what nobody should ask.

The other refusals stand in tests/server/test_access.py; all operations are fuzzed in
tests/server/test_fuzz.py, with a scripted worker.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from jupyter_server.utils import url_path_join
from schemathesis import GenerationMode
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_localcoder.contract import registry
from jupyter_localcoder.contract.registry import OPERATIONS, Operation
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask, Connect, queue_answer
from tests.server.test_access import ReadOnly, fetch
from tests.server.test_fuzz import cases, check, fuzzed


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
async def test_44_a_foreign_host_is_refused(
    extension: LocalCoderApp,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
    op: Operation[Any, Any],
) -> None:
    """A page whose name was made to point to this machine (DNS rebinding) says its own name as the host."""
    headers = {**jp_auth_header, "Host": "evil.example"}
    assert await fetch(http_server_client, jp_base_url, op, headers) == 403


async def test_44_the_channel_is_refused_to_a_foreign_host(
    extension: LocalCoderApp, http_server_client: Any, jp_base_url: str, jp_auth_header: dict[str, str]
) -> None:
    path = url_path_join(jp_base_url, "localcoder/channel")
    url = http_server_client.get_url(path).replace("http", "ws", 1)
    with pytest.raises(HTTPClientError, match="403"):
        await websocket_connect(HTTPRequest(url, headers={**jp_auth_header, "Host": "evil.example"}))
    (await websocket_connect(HTTPRequest(url, headers=jp_auth_header))).close()


async def test_44_who_may_only_read_can_only_read_over_the_channel(
    connect: Connect, jp_serverapp: Any, extension: LocalCoderApp
) -> None:
    jp_serverapp.web_app.settings["authorizer"] = ReadOnly()
    channel = await connect()
    assert (await channel.call("backend:ping"))["success"] is True
    for op in OPERATIONS:
        if op.action != "read":
            answer = await channel.call(op.name)
            assert (answer["success"], answer["error"]["code"]) == (False, "AUTH_ERROR"), op.name
    assert extension.service.pool.generation == 0


GENERATIONS = (registry.GENERATE, registry.CHAT, registry.TAB_COMPLETE, registry.TAB_WARM, registry.LLM_CALL)


@pytest.mark.parametrize("op", GENERATIONS, ids=lambda op: op.name)
def test_47_a_real_worker_outlives_whatever_it_is_asked(
    op: Operation[Any, Any],
    ask: Ask,
    tiny_model: str,
    extension: LocalCoderApp,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> None:
    """Whatever the document allows; but for the name of what answers, so that the engine is reached."""
    answered = 0

    async def generate(body: dict[str, Any]) -> None:
        nonlocal answered
        short = {name: value for name, value in _SHORT.items() if name in op.request.__struct_fields__}
        body = {name: value for name, value in body.items() if name not in _NAMES}
        for name in {"code", "prefix", "prompt"} & set(op.request.__struct_fields__):
            if not str(body.get(name, "")).strip():
                body[name] = "x"  # nothing would be asked
        if op is registry.CHAT:
            # Turns of every kind may stand before it, but the last one is a question.
            body["messages"] = [*body.get("messages", ()), {"role": "user", "content": "x"}]
        answer = await ask(op.method, op.path, {**body, **short})
        check(op, answer.status, None if answer.status == 200 else answer.code)
        answered += answer.status == 200
        if op is registry.LLM_CALL and answer.status == 200:
            queued = await queue_answer(ask, answer.data["id"])
            assert queued.data["item"]["state"] in ("done", "failed"), queued.text
            if failure := queued.data.get("error"):
                check(op, 200, None if failure["code"] in op.errors else failure["code"])

    def run(case: Any, _draw: Any) -> None:
        jp_asyncio_loop.run_until_complete(generate(case.body if isinstance(case.body, dict) else {}))

    jp_asyncio_loop.run_until_complete(ask("POST", "models/tiny/load"))
    fuzzed(cases(op, GenerationMode.POSITIVE), run)
    assert answered
    assert extension.service.pool.generation == 1, extension.service.pool.front.reason
    assert extension.service.pool.front.state in ("ready", "busy")


_NAMES = ("model", "profile", "provider", "conversation", "parent", "regenerate")
"""What would be refused for naming something that is not there."""
_SHORT = {"max_tokens": 4, "timeout_ms": 3_600_000}
