"""A real HTTP server on a real socket, whose answers each test scripts."""

from __future__ import annotations

import copy
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from jupyter_localcoder.client import proof
from jupyter_localcoder.client.connection import ServerConnection
from jupyter_localcoder.contract.codec import encode
from jupyter_localcoder.contract.common import ModelStamp, Sampling, Timings, Usage
from jupyter_localcoder.contract.generation import Delta, Done, Started
from tests.support.waiting import PATIENCE_SECONDS

TOKEN = "secret-token"


class Exchange(BaseHTTPRequestHandler):
    """One request, as the script of the test sees it."""

    protocol_version = "HTTP/1.1"
    server: Any

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        if "/localcoder/proof?" in self.path:
            self.server.asked.append(copy.copy(self))  # a connection is one object
            self.server.proof(self)
            return
        self.server.seen.append(self)
        self.server.script(self)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, *args: Any) -> None:
        pass

    @property
    def challenge(self) -> str:
        """What is to be proven."""
        return self.path.rpartition("=")[2]

    def prove(self, token: str = TOKEN, address: str = "") -> None:
        """Answer as the server of a token does."""
        address = address or proof.address(self.connection.getsockname(), "")
        self.json(200, {"proof": proof.prove(token, self.challenge, address).proof})

    def json(self, status: int, value: Any, **headers: str) -> None:
        """Answer with JSON."""
        self.whole(status, "application/json", json.dumps(value).encode(), **headers)

    def whole(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        """Answer with these bytes."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def begin_events(self) -> None:
        """Answer with events, in chunks."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        """Send a chunk of the body."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def frame(self, frame: Any) -> None:
        """Send a frame as an event."""
        self.chunk(event_of(frame))

    def end_events(self) -> None:
        """End the body as it should end."""
        self.wfile.write(b"0\r\n\r\n")

    def wait_for_hangup(self) -> bool:
        """Say nothing any more until the client breaks the connection; whether it does."""
        self.connection.settimeout(2 * PATIENCE_SECONDS)
        try:
            return self.connection.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def drop(self) -> None:
        """Break the connection, here and now."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def event_of(frame: Any) -> bytes:
    """A frame in the form in which it travels."""
    name = frame.__struct_config__.tag
    return b"event: %b\ndata: %b\n\n" % (name.encode(), encode(frame))


def started() -> Started:
    return Started(run="r1")


def delta(text: str) -> Delta:
    return Delta(run="r1", text=text)


def done(text: str) -> Done:
    return Done(
        run="r1",
        text=text,
        finish="stop",
        usage=Usage(prompt_tokens=10, cached_tokens=0, completion_tokens=3),
        timings=Timings(
            queue_ms=0.0,
            prefill_ms=1.0,
            decode_ms=2.0,
            total_ms=3.0,
            prefill_tokens_per_second=0.0,
            decode_tokens_per_second=0.0,
        ),
        model=ModelStamp(id="tiny", digest="00", quantization="Q4_K_M"),
        sampling=Sampling(temperature=0.2, top_k=40, top_p=0.9, min_p=0.0, repeat_penalty=1.0, seed=7),
        prompt_sha256="ab",
    )


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is not given up because the machine is busy."""
    monkeypatch.setattr("jupyter_localcoder.client.http.LOOK_SECONDS", PATIENCE_SECONDS)


class Frames:
    """The makers of frames, for tests."""

    started = staticmethod(started)
    delta = staticmethod(delta)
    done = staticmethod(done)
    event_of = staticmethod(event_of)


@pytest.fixture
def frames() -> type[Frames]:
    return Frames


class Server:
    """A server and what it has seen."""

    def __init__(self) -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
        self.http.daemon_threads = True
        self.http.seen = []  # type: ignore[attr-defined]
        self.http.asked = []  # type: ignore[attr-defined]
        self.http.proof = Exchange.prove  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/base/"

    @property
    def connection(self) -> ServerConnection:
        return ServerConnection(url=self.url, token=TOKEN)

    @property
    def seen(self) -> list[Any]:
        """The requests after a proof."""
        return self.http.seen  # type: ignore[attr-defined, no-any-return]

    @property
    def asked(self) -> list[Any]:
        """The requests for a proof."""
        return self.http.asked  # type: ignore[attr-defined, no-any-return]

    def proof(self, script: Callable[[Any], None]) -> None:
        """How a proof is given; without this, as it should be."""
        self.http.proof = script  # type: ignore[attr-defined]

    def script(self, script: Callable[[Any], None]) -> None:
        self.http.script = script  # type: ignore[attr-defined]

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def start_server() -> Iterator[Callable[[], Server]]:
    servers: list[Server] = []

    def start() -> Server:
        servers.append(Server())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(start_server: Callable[[], Server]) -> Server:
    return start_server()
