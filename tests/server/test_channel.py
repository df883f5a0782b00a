"""The websocket: operations, streams and events over one connection."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from jupyter_localcoder.server.app import LocalCoderApp
from jupyter_localcoder.server.channel import ChannelHandler
from jupyter_localcoder.server.outbox import Outbox
from tests.server.conftest import Ask, Connect, Endless
from tests.support.waiting import until


async def test_an_operation_is_answered_under_its_id(connect: Connect) -> None:
    channel = await connect()
    answer = await channel.call("backend:ping")
    assert answer["success"] is True
    assert answer["data"]["state"] == "stopped"


async def test_a_completion_streams_as_tab_stream(connect: Connect, tiny_model: str) -> None:
    channel = await connect()
    started = await channel.call("tab:complete", {"prefix": "def f(", "max_tokens": 4})
    run = started["data"]["run"]
    frames = []
    while not frames or frames[-1]["payload"]["type"] != "done":
        frames.append(await channel.answer())
    assert {frame["event"] for frame in frames} == {"tab:stream"}
    assert {frame["payload"]["run"] for frame in frames} == {run}


async def test_no_frame_waits_for_the_confirmation_of_another(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[ChannelHandler] = []
    really = ChannelHandler.open
    monkeypatch.setattr(ChannelHandler, "open", lambda self: (opened.append(self), really(self))[1])
    channel = await connect()
    await channel.call("backend:ping")
    connection = opened[0].ws_connection
    assert connection is not None
    ours = connection.stream.socket
    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_a_command_streams_as_its_frames(connect: Connect, tiny_model: str) -> None:
    channel = await connect()
    await channel.call("generate", {"command": "explain", "code": "x", "max_tokens": 4})
    names = []
    while not names or names[-1] != "done":
        names.append((await channel.answer())["event"])
    assert set(names) <= {"delta", "done"}


async def test_a_completion_is_cancelled_by_its_run(
    connect: Connect,
    tiny_model: str,
    extension: LocalCoderApp,
    endless_worker: Endless,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Random weights write control characters and line ends, which end a suggestion.
    monkeypatch.setattr("jupyter_localcoder.service.completion.VisibleGate", lambda gate, before: gate)
    service = extension.service
    service.completion_checks, service.completion_min_log_probability = "off", None
    channel = await connect()
    await channel.call("model:load", {"id": "tiny"})
    started = await channel.call("tab:complete", {"prefix": "x", "max_tokens": 3900, "multiline": True})
    await endless_worker.writes()
    await channel.send("tab:cancel", {"run": started["data"]["run"], "reason": "input"}, id_="2")
    while (frame := (await channel.answer())["payload"])["type"] == "delta":
        pass
    assert frame["finish"] == "canceled"
    assert frame["text"].startswith(endless_worker.texts[0].text)
    await endless_worker.rests()


async def test_two_streams_at_once_do_not_mix(connect: Connect, tiny_model: str) -> None:
    channel = await connect()
    for id_ in ("a", "b"):
        await channel.send("generate", {"command": "explain", "code": id_, "max_tokens": 6}, id_=id_)
    runs: dict[str, set[str]] = {"a": set(), "b": set()}
    done = 0
    while done < 2:
        message = await channel.next()
        if "id" not in message:
            continue
        runs[message["id"]].add(message.get("data", message.get("payload"))["run"])
        done += message.get("event") == "done"
    assert len(runs["a"]) == len(runs["b"]) == 1
    assert runs["a"] != runs["b"]


async def test_everybody_hears_what_the_worker_does(connect: Connect, ask: Ask, tiny_model: str) -> None:
    first, second = await connect(), await connect()
    await ask("POST", "models/tiny/load")
    for channel in (first, second):
        states: list[str] = []
        while not states or states[-1] != "ready":
            message = await channel.next()
            assert message["event"] == "backend:state"
            states.append(message["payload"]["state"])
        assert states == ["starting", "loading", "ready"]


async def test_an_import_is_told(connect: Connect, ask: Ask, tiny_gguf: Any) -> None:
    channel = await connect()
    await ask("POST", "models/import", {"path": str(tiny_gguf), "id": "told"})
    while (message := await channel.next())["payload"]["state"] == "verifying":
        pass  # how far it is, where that takes a while
    assert (message["event"], message["payload"]["id"], message["payload"]["state"]) == (
        "model:state",
        "told",
        "ready",
    )


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "VALIDATION_ERROR"),
        ("[]", "VALIDATION_ERROR"),
        ('{"id": "1", "op": "no:such"}', "VALIDATION_ERROR"),
        ('{"op": "backend:ping"}', "INVALID_ARGUMENT"),
        ('{"id": "1", "op": "generate", "payload": {"command": "explain", "code": ""}}', "INVALID_ARGUMENT"),
        ('{"id": "1", "op": "generate", "payload": {"command": "dance"}}', "VALIDATION_ERROR"),
        ('{"id": "1", "op": "tab:cancel", "payload": {"run": "x"}}', "NOT_FOUND"),
        ('{"id": "1", "op": "backend:ping", "extra": 1}', "VALIDATION_ERROR"),
    ],
)
async def test_a_wrong_message_is_answered_and_the_channel_goes_on(
    connect: Connect, message: str, code: str
) -> None:
    channel = await connect()
    await channel.socket.write_message(message)
    answer = await channel.next()
    assert (answer["success"], answer["error"]["code"]) == (False, code)
    assert (await channel.call("backend:ping"))["success"] is True


async def test_closing_the_channel_cancels_what_it_started(
    connect: Connect, tiny_model: str, extension: LocalCoderApp, endless_worker: Endless
) -> None:
    channel = await connect()
    await channel.call("model:load", {"id": "tiny"})
    await channel.call("generate", {"command": "explain", "code": "x", "max_tokens": 3900})
    await endless_worker.writes()
    assert len(extension.service.runs) == 1
    channel.socket.close()
    await until(lambda: len(extension.service.runs) == 0)
    await endless_worker.rests()


async def test_its_limits_can_be_configured(
    connect: Connect, tiny_model: str, extension: LocalCoderApp, endless_worker: Endless
) -> None:
    extension.channel_requests = 1
    extension.channel_message_bytes = 64 * 1024
    channel = await connect()
    await channel.call("model:load", {"id": "tiny"})
    await channel.call("generate", {"command": "explain", "code": "x", "max_tokens": 3900})
    await endless_worker.writes()
    await channel.send("backend:ping", id_="2")
    refused = await channel.answer("2")
    assert refused["error"]["code"] == "QUEUE_FULL"
    assert refused["error"]["message"] == "This connection already has 1 open requests."
    await channel.socket.write_message("x" * (64 * 1024 + 1))
    await until(lambda: len(extension.service.runs) == 0)
    await endless_worker.rests()


@pytest.mark.parametrize(("most_bytes", "most_messages"), [(1000, 1000), (10_000, 10)])
async def test_a_client_that_does_not_read_is_given_up(most_bytes: int, most_messages: int) -> None:
    given_up: list[bool] = []

    async def never(_message: bytes) -> None:
        await asyncio.Event().wait()

    outbox = Outbox(never, lambda: given_up.append(True), most_bytes=most_bytes, most_messages=most_messages)
    for _ in range(50):
        outbox.put(b"x" * 100)
        await asyncio.sleep(0)
    assert given_up == [True]
    assert not outbox._waiting


async def test_an_outbox_keeps_the_order() -> None:
    sent: list[bytes] = []

    async def send(message: bytes) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    outbox = Outbox(send, lambda: None)
    for i in range(100):
        outbox.put(b"%d" % i)
    await until(lambda: len(sent) == 100)
    outbox.close()
    assert sent == [b"%d" % i for i in range(100)]
