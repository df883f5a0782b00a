"""Every operation, asked with what its document allows and with what it does not: never a 500.

What is sent is made by schemathesis out of the OpenAPI document, so that an operation that is added is tried
too. The worker is scripted and the air gap is on: nothing is computed, and no connection is opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from tornado.httpclient import HTTPClientError

from jupyter_localcoder.contract.registry import COMMON_ERRORS, OPERATIONS, Operation
from jupyter_localcoder.server.app import LocalCoderApp
from jupyter_localcoder.server.openapi import openapi
from jupyter_localcoder.server.status import status_of
from tests.server.conftest import Answer
from tests.support.waiting import PATIENCE_SECONDS, within
from tests.support.workers import spawn

DOCUMENT = openapi("/localcoder")
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
EXAMPLES = int(os.environ.get("LOCALCODER_FUZZ_EXAMPLES", "20"))
"""Of each operation, kind and way of asking."""
NAMES = [op.name for op in OPERATIONS]
ROUTING = ("INVALID_ARGUMENT", "NOT_FOUND")
"""What is answered before an operation is reached: a path that is none, a body that is too large."""


class Foreign:
    """Wrong paths that would name something outside of the test's own folder are kept inside of it."""

    NAMES = frozenset({"path", "models_dir"})

    def __init__(self, folder: Path) -> None:
        self._odd = ["", ".", "relative", "a\0b", "~nobody/x", "x" * 5000, "/nowhere/at/all", str(folder)]
        self._odd += [str(folder / "file.zip"), str(folder / ".." / "up"), "/etc/passwd", "/dev/null"]

    def tamed(self, value: Any, draw: Any, *, writes: bool) -> Any:
        if not isinstance(value, dict):
            return value
        odd = [path for path in self._odd if not writes or not path.startswith(("/etc", "/dev"))]
        return {
            name: draw(st.sampled_from(odd)) if name in self.NAMES and isinstance(part, str) else part
            for name, part in value.items()
        }


@pytest.fixture(autouse=True)
def scripted(
    extension: LocalCoderApp, tiny_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "LOCALCODER_AIR_GAP", "true")
    service = extension.service
    service.user_settings.environment["LOCALCODER_AIR_GAP"] = "true"
    service.pool.spawn = spawn("echo")


def check(op: Operation[Any, Any], status: int, code: str | None) -> None:
    if code is None:
        assert status == 200
        return
    assert code in (*COMMON_ERRORS, *op.errors, *ROUTING), f"{op.name} does not say that it answers {code}"
    assert code != "UNKNOWN_ERROR"
    assert status == status_of(code) or (status in (404, 405) and code in ROUTING)


def cases(op: Operation[Any, Any], mode: GenerationMode) -> Any:
    return SCHEMA["/" + op.path][op.method].as_strategy(generation_mode=mode)


def fuzzed(strategy: Any, run: Any) -> None:
    """Run the examples; a test's own fixtures serve them all."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=strategy, data=st.data())
    def each(case: Any, data: st.DataObject) -> None:
        run(case, data.draw)

    each()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
def test_over_rest(
    op: Operation[Any, Any],
    mode: GenerationMode,
    jp_fetch: Any,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
    tmp_path: Path,
) -> None:
    foreign = Foreign(tmp_path)

    async def ask(case: Any, draw: Any) -> Answer:
        sent = case.as_transport_kwargs(base_url="http://localhost/localcoder")
        body = sent.get("data")
        if "json" in sent:
            body = json.dumps(foreign.tamed(sent["json"], draw, writes=op.action == "write")).encode()
        query = foreign.tamed(sent.get("params") or {}, draw, writes=False)
        path = str(sent["url"]).removeprefix("http://localhost/")
        try:
            response = await jp_fetch(
                *path.split("/"),
                method=op.method,
                body=body if isinstance(body, bytes) else b"" if op.method in ("POST", "PUT") else None,
                params={str(name): _text(value) for name, value in query.items()},
                allow_nonstandard_methods=True,
                request_timeout=PATIENCE_SECONDS,
            )
        except HTTPClientError as failure:
            if failure.response is None:
                raise
            response = failure.response
        return Answer(response)

    def run(case: Any, draw: Any) -> None:
        answer = jp_asyncio_loop.run_until_complete(ask(case, draw))
        if answer.status != 200:
            error = answer.data["error"]
            assert error["message"]
            assert error["recovery"]
            assert "Traceback" not in answer.text
        check(op, answer.status, None if answer.status == 200 else answer.code)

    fuzzed(cases(op, mode), run)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("op", OPERATIONS, ids=NAMES)
def test_over_the_channel(
    op: Operation[Any, Any],
    mode: GenerationMode,
    jp_ws_fetch: Any,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
    tmp_path: Path,
) -> None:
    foreign = Foreign(tmp_path)
    socket = jp_asyncio_loop.run_until_complete(jp_ws_fetch("localcoder", "channel"))
    numbers = iter(range(1_000_000))

    async def ask(payload: Any) -> tuple[int, str | None]:
        id_ = str(next(numbers))
        await socket.write_message(json.dumps({"id": id_, "op": op.name, "payload": payload}))
        while True:
            message = json.loads(await within(socket.read_message()))
            if message.get("id") == id_ and "event" not in message:
                break
            if not message.get("id") and message.get("success") is False:
                break  # not even the envelope could be read
        if message["success"]:
            if op.streams:
                await _rest_of_stream(socket, id_)
            return 200, None
        code = message["error"]["code"]
        return status_of(code), code

    def run(case: Any, draw: Any) -> None:
        # A place-holder of the path that is no string cannot be sent over REST; here it can.
        payload: Any = case.body if not isinstance(case.body, type(schemathesis.Case)) else {}
        if isinstance(payload, dict) or not _is_json(payload):
            payload = {**(payload if isinstance(payload, dict) else {}), **case.path_parameters, **case.query}
        payload = foreign.tamed(payload, draw, writes=op.action == "write")
        check(op, *jp_asyncio_loop.run_until_complete(ask(payload)))

    fuzzed(cases(op, mode), run)
    socket.close()


async def _rest_of_stream(socket: Any, id_: str) -> None:
    while True:
        message = json.loads(await within(socket.read_message()))
        if message.get("id") == id_ and message["payload"]["type"] in ("done", "error"):
            if message["payload"]["type"] == "error":
                assert message["payload"]["error"]["code"] != "UNKNOWN_ERROR"
            return


@given(message=st.one_of(st.text(), st.binary(), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "op", "payload", "x"]), inner),
).map(json.dumps)))  # fmt: skip
@settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_no_message_breaks_the_channel(channel: Any, message: str | bytes) -> None:
    channel(message)


@pytest.fixture
def channel(jp_ws_fetch: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Any:
    socket = jp_asyncio_loop.run_until_complete(jp_ws_fetch("localcoder", "channel"))

    async def send(message: str | bytes) -> None:
        await socket.write_message(message, binary=isinstance(message, bytes))
        answer = json.loads(await within(socket.read_message()))
        assert answer["success"] is False
        assert answer["error"]["code"] in ("VALIDATION_ERROR", "INVALID_ARGUMENT")

    yield lambda message: jp_asyncio_loop.run_until_complete(send(message))
    socket.close()


def _is_json(value: Any) -> bool:
    with contextlib.suppress(TypeError, ValueError):
        json.dumps(value)
        return True
    return False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else quote(json.dumps(value))
