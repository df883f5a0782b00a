"""A real Jupyter server with the extension, and ways to talk to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPResponse
from traitlets.config import Config

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.pool import WorkerPool
from jupyter_localcoder.engine.worker_link import WorkerLink
from jupyter_localcoder.server.app import LocalCoderApp
from tests.support.waiting import PATIENCE_SECONDS, PATIENT_SUPERVISOR, until, within
from tests.support.workers import endless


@pytest.fixture
def jp_server_config(tmp_path: Path) -> Config:
    return Config(
        {
            "ServerApp": {"jpserver_extensions": {"jupyter_localcoder": True}},
            "LocalCoderSettings": {"settings_dir": str(tmp_path / "settings")},
            "Supervisor": {"backoff_first_seconds": 0.05, "stop_grace_seconds": 0.5, **PATIENT_SUPERVISOR},
        }
    )


@pytest.fixture
def extension(jp_serverapp: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[LocalCoderApp]:
    """The extension in its server; its worker is gone when the test is."""
    app = jp_serverapp.extension_manager.extension_apps["jupyter_localcoder"].copy().pop()
    jp_asyncio_loop.run_until_complete(app._start_jupyter_server_extension(jp_serverapp))
    yield app
    jp_asyncio_loop.run_until_complete(app.stop_extension())


class Answer:
    """Status, headers and content of an HTTP answer."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status = response.code
        self.headers = response.headers
        self.text = (response.body or b"").decode()

    @property
    def data(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.data["error"]["code"])

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Frames of an event stream, each held against its event's name."""
        frames = []
        for block in filter(None, self.text.split("\n\n")):
            name, data = block.split("\n", 1)
            frames.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {frames[-1]['type']}"
        return frames


Ask = Callable[..., Awaitable[Answer]]


@pytest.fixture
def ask(jp_fetch: Any, extension: LocalCoderApp) -> Ask:
    """Ask ``METHOD path`` with a JSON body; an error status is an answer too."""

    async def ask_(method: str, path: str, body: Any = None, **options: Any) -> Answer:
        if body is None and method in ("POST", "PUT", "PATCH"):
            body = {}
        data = body if isinstance(body, str | bytes) else None if body is None else json.dumps(body)
        options.setdefault("request_timeout", PATIENCE_SECONDS)
        # A copy: the fixture adds the token of this server to it.
        options["headers"] = dict(options.get("headers", {}))
        path, _, query = path.partition("?")
        if query:
            options["params"] = dict(part.split("=", 1) for part in query.split("&"))
        try:
            return Answer(
                await jp_fetch("localcoder", *path.split("/"), method=method, body=data,
                               allow_nonstandard_methods=True, **options)
            )  # fmt: skip
        except HTTPClientError as failure:
            if failure.response is None:
                raise
            return Answer(failure.response)

    return ask_


async def queue_answer(ask: Ask, id_: str) -> Answer:
    """The answer to a queued prompt, once it has ended, however long that takes."""
    while True:
        answer = await ask("GET", f"queue/{id_}?wait_ms=30000")
        if answer.status != 200 or answer.data["item"]["state"] not in ("waiting", "running", "saving"):
            return answer


class Endless:
    """A real worker whose long answers never end by themselves, and what it has written."""

    def __init__(self, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.supervisor = pool.front
        self.texts: list[wire.Text] = []
        monkeypatch.setattr(pool, "spawn", endless())
        receive = WorkerLink.receive

        def hear(link: WorkerLink, frame: wire.FromWorker) -> None:
            receive(link, frame)
            if isinstance(frame, wire.Text):
                self.texts.append(frame)

        monkeypatch.setattr(WorkerLink, "receive", hear)

    async def writes(self, requests: int = 1) -> None:
        """Wait until it is in the middle of so many answers."""
        await until(lambda: len({text.id for text in self.texts}) >= requests)

    async def rests(self) -> None:
        """Wait until it has nothing to do, and see that it is the worker that it was."""
        await until(lambda: self.supervisor.state == "ready")
        pong = await self.supervisor.ping(PATIENCE_SECONDS)
        assert pong is not None
        assert (pong.running, pong.waiting) == (0, 0)
        assert self.supervisor.generation == 1, self.supervisor.reason


@pytest.fixture
def endless_worker(extension: LocalCoderApp, monkeypatch: pytest.MonkeyPatch) -> Endless:
    """The worker that the extension will start."""
    return Endless(extension.service.pool, monkeypatch)


class Channel:
    """One connection; what comes without being waited for is kept."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []

    async def send(self, op: str, payload: dict[str, Any] | None = None, id_: str = "1") -> None:
        await self.socket.write_message(json.dumps({"id": id_, "op": op, "payload": payload or {}}))

    async def next(self) -> dict[str, Any]:
        message = await within(self.socket.read_message())
        assert message is not None, "the connection was closed"
        return dict(json.loads(message))

    async def answer(self, id_: str = "1") -> dict[str, Any]:
        while True:
            message = await self.next()
            if message.get("id") == id_:
                return message
            self.events.append(message)

    async def call(self, op: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        await self.send(op, payload)
        return await self.answer()


Connect = Callable[[], Awaitable[Channel]]


@pytest.fixture
def connect(jp_ws_fetch: Any, extension: LocalCoderApp) -> Connect:
    async def connect_() -> Channel:
        return Channel(await jp_ws_fetch("localcoder", "channel"))

    return connect_


@pytest.fixture
def tiny_model(ask: Ask, tiny_gguf: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> str:
    """Id of a tiny model that is imported, and set as the model of both roles."""

    async def prepare() -> str:
        answer = await ask("POST", "models/import", {"path": str(tiny_gguf), "id": "tiny"})
        assert answer.status == 200, answer.text
        answer = await ask("PATCH", "settings", {"model": "tiny", "general_model": "tiny"})
        assert answer.status == 200, answer.text
        return "tiny"

    return jp_asyncio_loop.run_until_complete(prepare())
