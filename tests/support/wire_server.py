"""An HTTP server on loopback that says exactly the bytes that a test tells it to, and hears who leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Heard:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """What an answer is written to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes | str) -> None:
        self._writer.write(data.encode() if isinstance(data, str) else data)
        await self._writer.drain()

    async def head(self, status: int = 200, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Said", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join(lines) + "\r\n\r\n")

    async def left(self) -> None:
        """Wait until the other side closes its end."""
        while await self._reader.read(65536):
            pass


Script = Callable[[Line], Awaitable[None]]


@dataclass
class WireServer:
    """What it will say next, and what it has heard."""

    url: str = ""
    scripts: list[Script] = field(default_factory=list)
    """One for each request; the last one stays."""
    heard: list[Heard] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a script was ended by the other side's leaving."""

    def say(self, *scripts: Script) -> None:
        self.scripts[:] = scripts

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            method, path, _ = request.split(" ")
            self.heard.append(Heard(method, path, headers, body))
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            try:
                await script(Line(reader, writer))
            except ConnectionError:
                self.left.set()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def wire_server() -> AsyncIterator[WireServer]:
    """A server that is gone, with all of its connections, at the end of the block."""
    said = WireServer()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await said.serve(reader, writer)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    said.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield said
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# Scripts


def events(*data: str | dict[str, Any], done: bool = True, pieces: int = 0) -> Script:
    """A stream of server-sent events; with ``pieces`` cut into so many bytes each."""
    texts = [item if isinstance(item, str) else json.dumps(item) for item in data]
    raw = "".join(f"data: {text}\n\n" for text in [*texts, *(["[DONE]"] if done else [])]).encode()
    return body(raw, content_type="text/event-stream", pieces=pieces)


def ndjson(*data: dict[str, Any]) -> Script:
    """A JSON document on each line."""
    return body(
        "".join(json.dumps(item) + "\n" for item in data).encode(), content_type="application/x-ndjson"
    )


def document(value: Any, status: int = 200, **headers: str) -> Script:
    """One JSON document."""
    return body(json.dumps(value).encode(), status=status, content_type="application/json", **headers)


def body(raw: bytes, *, status: int = 200, pieces: int = 0, **headers: str) -> Script:
    """A body that ends with the connection."""

    async def script(line: Line) -> None:
        await line.head(status, **headers)
        size = pieces or max(1, len(raw))
        for start in range(0, len(raw), size):
            await line.send(raw[start : start + size])
            if pieces:
                await asyncio.sleep(0)

    return script


def hangs(after: bytes = b"", *, head: bool = True, left: asyncio.Event | None = None) -> Script:
    """Says something, then nothing any more, until the other side leaves."""

    async def script(line: Line) -> None:
        if head:
            await line.head(content_type="text/event-stream")
        if after:
            await line.send(after)
        await line.left()
        if left is not None:
            left.set()

    return script


def floods(piece: bytes, content_type: str = "text/event-stream") -> Script:
    """Says the same for ever."""

    async def script(line: Line) -> None:
        await line.head(content_type=content_type)
        while True:
            await line.send(piece)
            await asyncio.sleep(0)

    return script


def hangs_up() -> Script:
    """Closes the connection without a word."""

    async def script(line: Line) -> None:
        return None

    return script
