"""A web server of small models that a test can slow down and hold, and a catalogue that names it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CHUNK_BYTES = 16 * 1024
_LONGEST_HOLD_SECONDS = 600.0
_TINY = {"layers": 2, "heads": 4, "kv_heads": 2, "key_length": 32, "embedding_length": 128, "vocabulary": 269}


class ModelSource:
    """Files by their names, served with ranges."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.url = ""
        self.chunk_seconds = 0.0
        """Pause after each chunk of `CHUNK_BYTES`: makes a download as slow as a test needs it."""
        self.hold_after: int | None = None
        """Send no byte after this one until `release`."""
        self.requests: list[tuple[str, int]] = []
        """Name and first byte of each request."""
        self._released = threading.Event()

    def release(self) -> None:
        """Send what was held back, and hold nothing more."""
        self.hold_after = None
        self._released.set()

    def hold(self, after: int) -> None:
        """Stop each answer after so many bytes of the file; one that is stopped goes on to there."""
        self._released.clear()
        self.hold_after = after

    def wait_at(self, position: int) -> None:
        """Wait where a test holds the answer."""
        deadline = time.monotonic() + _LONGEST_HOLD_SECONDS
        while (until := self.hold_after) is not None and position >= until and time.monotonic() < deadline:
            self._released.wait(0.05)

    def entry(self, model_id: str, file: str, **changes: Any) -> dict[str, Any]:
        """The catalogue's entry of a file."""
        body = self.files[file]
        return {
            "id": model_id,
            "name": f"Tiny {model_id}",
            "file": file,
            "size_bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "quantization": "F32",
            "parameters": "0.3M",
            "license": "Apache-2.0",
            "context_length": 4096,
            "roles": ["code", "general"],
            "fill_in_the_middle": True,
            "sources": [{"type": "url", "url": f"{self.url}/{file}"}],
            "architecture": _TINY,
            **changes,
        }


def write_catalogue(path: Path, *entries: dict[str, Any], **rest: Any) -> Path:
    """A catalogue file of these entries, to be laid over the built-in one."""
    path.write_text(json.dumps({"models": list(entries), **rest}))
    return path


@contextlib.contextmanager
def running_source(files: Mapping[str, bytes]) -> Iterator[ModelSource]:
    """Serve the files until the end of the ``with`` block."""
    source = ModelSource(files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(source))
    server.daemon_threads = True
    source.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield source
    finally:
        source.release()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(source: ModelSource) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            body = source.files.get(name)
            self.close_connection = True
            if body is None:
                self.send_error(404)
                return
            asked = self.headers.get("Range", "")
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            source.requests.append((name, start))
            self.send_response(206 if start else 200)
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
            self.send_header("Connection", "close")
            self.send_header("Content-Length", str(len(body) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            with contextlib.suppress(OSError):  # The other side may stop the download.
                for position in range(start, len(body), CHUNK_BYTES):
                    source.wait_at(position)
                    self.wfile.write(body[position : position + CHUNK_BYTES])
                    self.wfile.flush()
                    time.sleep(source.chunk_seconds)

    return Handler
