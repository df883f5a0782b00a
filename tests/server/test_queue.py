"""The queue over REST and the channel, on a real Jupyter server with a real worker."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from jupyter_server.utils import url_path_join

from jupyter_localcoder.queueing.ticket import Ticket
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask, Connect, Endless, queue_answer
from tests.support.waiting import until, within

LONG = {"prompt": "Tell a long story.", "max_tokens": 3900}
SHORT = {"prompt": "Say {{word}}.", "parameters": {"word": "hello"}, "max_tokens": 8}


async def test_a_queued_prompt_is_answered(ask: Ask, tiny_model: str) -> None:
    queued = (await ask("POST", "queue", SHORT)).data
    assert queued["position"] == 1
    answer = (await queue_answer(ask, queued["id"])).data
    assert (answer["item"]["state"], answer["finish"]) == ("done", answer["finish"])
    assert answer["text"]
    assert 0 < answer["usage"]["completion_tokens"] <= 8
    assert (answer["item"]["provider"], answer["milliseconds"] > 0) == ("embedded", True)
    assert (await ask("DELETE", f"queue/{queued['id']}")).code == "REQUEST_ALREADY_COMPLETED"


async def test_requests_wait_are_listed_and_cancelled(
    ask: Ask, tiny_model: str, endless_worker: Endless
) -> None:
    await ask("POST", "models/tiny/load")
    ids = [(await ask("POST", "queue", LONG)).data["id"] for _ in range(3)]
    listed = (await ask("GET", "queue")).data
    assert [item["id"] for item in listed["running"]] == ids[:1]
    assert [(item["id"], item["position"]) for item in listed["waiting"]] == [(ids[1], 2), (ids[2], 3)]
    assert (await ask("GET", "health")).data["queue_length"] == 3
    assert (await ask("DELETE", f"queue/{ids[1]}")).status == 200
    assert (await ask("GET", f"queue/{ids[1]}")).data["item"]["state"] == "canceled"
    assert (await ask("DELETE", "queue")).data == {"count": 2}
    assert (await ask("GET", "queue")).data["running"] == []


async def test_a_completion_is_not_behind_the_queue(
    ask: Ask, tiny_model: str, endless_worker: Endless
) -> None:
    await ask("POST", "models/tiny/load")
    first = (await ask("POST", "queue", LONG)).data["id"]
    await ask("POST", "queue", LONG)
    await endless_worker.writes()
    done = await ask("POST", "complete", {"prefix": "def f(", "max_tokens": 4})
    assert done.status == 200
    command = await ask("POST", "generate", {"command": "explain", "code": "print(1)", "max_tokens": 4})
    assert command.status == 200
    assert (await ask("GET", f"queue/{first}")).data["item"]["state"] == "running"
    await ask("DELETE", "queue")


async def test_a_command_that_streams_is_listed_beside_the_queue(
    ask: Ask, tiny_model: str, extension: LocalCoderApp, endless_worker: Endless
) -> None:
    told: list[str] = []
    extension.service.events.listen(lambda event, _: told.append(event.name))
    await ask("POST", "models/tiny/load")
    request = {"command": "explain", "code": "x", "max_tokens": 3900, "origin": {"notebook": "a.ipynb"}}
    asking = asyncio.create_task(ask("POST", "generate", request))
    while not (streams := (await ask("GET", "queue")).data["streams"]):
        assert not asking.done()
    (stream,) = streams
    await endless_worker.writes()
    assert (stream["kind"], stream["command"], stream["path"]) == ("generate", "explain", "a.ipynb")
    assert told.count("queue:updated") == 1
    assert (await ask("DELETE", f"queue/{stream['id']}")).status == 200
    assert (await asking).data["finish"] == "canceled"
    assert (await ask("GET", "queue")).data["streams"] == []
    assert told.count("queue:updated") == 2


async def test_a_full_queue_is_a_503_that_says_when(
    ask: Ask, tiny_model: str, extension: LocalCoderApp, endless_worker: Endless
) -> None:
    extension.service.queue.requests.max_queued = 1
    await ask("POST", "queue", LONG)
    refused = await ask("POST", "queue", LONG)
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "QUEUE_FULL", "2")
    await ask("DELETE", "queue")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"prompt": ""}, 400, "VALIDATION_ERROR"),
        ({"prompt": " \n"}, 400, "INVALID_ARGUMENT"),
        ({"prompt": "{{a}}", "parameters": {}}, 400, "VALIDATION_ERROR"),
        ({"prompt": "a", "parameters": {"not a name": "x"}}, 400, "VALIDATION_ERROR"),
        ({"prompt": "a", "provider": "nobody"}, 404, "PROVIDER_NOT_FOUND"),
        ({"prompt": "a", "priority": "urgent"}, 400, "VALIDATION_ERROR"),
        ({"prompt": "a", "timeout_ms": 0}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_bad_calls_are_refused(ask: Ask, body: dict[str, Any], status: int, code: str) -> None:
    answer = await ask("POST", "queue", body)
    assert (answer.status, answer.code) == (status, code)


async def test_what_a_closed_channel_has_asked_is_dropped_unless_it_is_to_be_kept(
    ask: Ask, tiny_model: str, jp_ws_fetch: Any, endless_worker: Endless
) -> None:
    await ask("POST", "models/tiny/load")
    socket = await jp_ws_fetch("localcoder", "channel")
    ids = {}
    for name, keep in (("dropped", False), ("kept", True)):
        await socket.write_message(
            json.dumps({"id": name, "op": "llm:call", "payload": {**LONG, "keep": keep}})
        )
    events = []
    while len(ids) < 2:
        message = json.loads(await within(socket.read_message()))
        if "event" in message:
            events.append(message["event"])
        else:
            ids[message["id"]] = message["data"]["id"]
    assert "queue:updated" in events
    socket.close()
    ended = (await queue_answer(ask, ids["dropped"])).data
    assert ended["item"]["state"] == "canceled"
    assert (await ask("GET", f"queue/{ids['kept']}")).data["item"]["state"] in ("running", "waiting")
    await ask("DELETE", "queue")


async def test_the_end_of_a_request_is_told_to_everybody(ask: Ask, tiny_model: str, jp_ws_fetch: Any) -> None:
    socket = await jp_ws_fetch("localcoder", "channel")
    queued = (await ask("POST", "queue", {**SHORT, "prompt_id": "mine"})).data
    while True:
        message = json.loads(await within(socket.read_message()))
        if message.get("event") == "response:complete":
            break
    payload = message["payload"]
    assert (payload["request_id"], payload["prompt_id"]) == (queued["id"], "mine")
    assert payload["model"] == "tiny"
    socket.close()


async def test_who_closes_the_connection_does_not_wait_any_more(
    ask: Ask,
    connect: Connect,
    tiny_model: str,
    extension: LocalCoderApp,
    endless_worker: Endless,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over REST and over the channel. The time that it would have waited for is never over here."""

    async def for_ever(ticket: Ticket, seconds: float) -> None:
        assert seconds == 30.0
        await ticket.ended.wait()

    monkeypatch.setattr("jupyter_localcoder.service.queue._ended", for_ever)
    await ask("POST", "models/tiny/load")
    id_ = (await ask("POST", "queue", {**LONG, "keep": True})).data["id"]
    ticket = extension.service.queue.requests.find(id_)
    assert ticket is not None
    path = url_path_join(jp_base_url, f"localcoder/queue/{id_}?wait_ms=30000")
    url = urlsplit(http_server_client.get_url(path))
    head = {"Host": url.netloc, **jp_auth_header}
    lines = [f"GET {url.path}?{url.query} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    _, connection = await asyncio.open_connection(url.hostname, url.port)
    connection.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    channel = await connect()
    await channel.send("queue:get", {"id": id_, "wait_ms": 30_000})
    await until(lambda: ticket.visitors == 2)
    connection.close()
    await until(lambda: ticket.visitors == 1)
    channel.socket.close()
    await until(lambda: ticket.visitors == 0)
    assert not ticket.over
    await ask("DELETE", "queue")
