"""An OpenAI-compatible server that does what a test says, and notes what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import PATIENCE_SECONDS

MARKER = "a-marker-that-stands-nowhere-else"


class ModelServer:
    """Writes `word ` as often as a request allows tokens.

    Parameters
    ----------
    port
        Its port, so that a test can start it again at the same place; 0 for any.
    """

    def __init__(self, port: int = 0) -> None:
        self.requests: list[dict[str, Any]] = []
        """Bodies, with `path`, in the order in which they came."""
        self.manner = "answers"
        """`answers`, `endless`, `silent`, `lies`, `breaks`, `fails`."""
        self.closed = 0
        """Number of answers whose reader went away."""
        self.open = 0
        self.most_open = 0
        self.gate = threading.Semaphore(0)
        self.gated = False
        """Whether each answer waits for one `gate.release()`."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Accept no more connections."""
        self._server.shutdown()
        self._server.server_close()

    def asked(self, body: dict[str, Any]) -> None:
        """Note a request."""
        with self._lock:
            self.requests.append(body)
            self.open += 1
            self.most_open = max(self.most_open, self.open)

    def ended(self, *, closed: bool) -> None:
        """Note the end of an answer."""
        with self._lock:
            self.open -= 1
            self.closed += closed


def _handler(model: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._json(200, {"object": "list", "data": [{"id": "coder"}, {"id": "other"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked({**body, "path": self.path})
            closed = False
            try:
                if model.gated:
                    assert model.gate.acquire(timeout=PATIENCE_SECONDS)
                self._answer(body)
            except OSError:
                closed = True
            finally:
                model.ended(closed=closed)

        def _answer(self, body: dict[str, Any]) -> None:
            if model.manner == "fails":
                self._json(500, {"error": {"message": "the model server is broken"}})
                return
            if model.manner == "silent":
                # Until the other side goes away.
                self.connection.settimeout(PATIENCE_SECONDS)
                if not self.connection.recv(1):
                    raise ConnectionResetError
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for piece in self._pieces(body):
                self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
                self.wfile.flush()

        def _pieces(self, body: dict[str, Any]) -> Iterator[Any]:
            chat, infill = "chat" in self.path, self.path == "/infill"
            count = body.get("max_tokens", body.get("n_predict", 16))
            told = 0
            while model.manner == "endless" or told < count:
                told += 1
                said = {"delta": {"content": "word "}} if chat else {"text": "word "}
                if infill:
                    yield {"content": "word ", "stop": False}
                else:
                    yield {"choices": [{"index": 0, **said, "finish_reason": None}]}
                if model.manner == "breaks":
                    self.connection.close()
                    raise ConnectionResetError
            if infill:
                yield {"content": "", "stop": True, "stop_type": "limit", "tokens_predicted": count}
                return
            end = {"delta": {}} if chat else {"text": ""}
            usage = {"prompt_tokens": 5, "completion_tokens": count}
            if model.manner == "lies":
                usage = {"prompt_tokens": 10**9, "completion_tokens": -(10**9)}
            yield {"choices": [{"index": 0, **end, "finish_reason": "length"}], "usage": usage}

        def _json(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
