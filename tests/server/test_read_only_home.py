"""A home that cannot be written: what is there works, and what cannot be kept is told once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.full_disk import small_disk
from tests.support.jupyter_server import JupyterServer, wait_until

EXPLAIN = {"command": "explain", "code": "x = 1", "max_tokens": 8}
CHAT = {"messages": [{"role": "user", "content": "Hi"}], "conversation": "new", "max_tokens": 8}


def server_in(home: Path, tmp_path: Path) -> JupyterServer:
    """A server with all of its folders in the home, but for the one of sockets and process ids.

    Without that one Jupyter itself starts no kernel.
    """
    return JupyterServer(home, home / "models", JUPYTER_RUNTIME_DIR=str(tmp_path / "runtime"), HOME=str(home))


@pytest.fixture(params=["used before", "new"])
def home(request: pytest.FixtureRequest, tmp_path: Path, tiny_gguf: Path) -> Iterator[Path]:
    """A read-only home with a model; with answers of an earlier time, or without."""
    with small_disk(tmp_path / "home", 400_000_000) as home:
        for name in ("config", "data", "ipython", "notebooks"):
            (home / name).mkdir()
        server = server_in(home, tmp_path)
        server.start()
        server.call("POST", "localcoder/models/import", {"path": str(tiny_gguf), "id": "tiny"})
        server.call("PATCH", "localcoder/settings", {"model": "tiny", "general_model": "tiny"})
        if request.param == "used before":
            server.call("POST", "localcoder/chat", CHAT)
            wait_until(lambda: server.call("GET", "localcoder/conversations")["conversations"])
            (home / "used").touch()
        server.stop()
        (home / "server.log").unlink()
        (home / "server.log").symlink_to(tmp_path / "server.log")
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        yield home


def refused(server: JupyterServer, method: str, path: str, body: Any = None) -> str:
    with pytest.raises(AssertionError) as caught:
        server.call(method, f"localcoder/{path}", body)
    return str(caught.value)


def test_what_is_there_works_and_the_rest_is_told(home: Path, tmp_path: Path) -> None:
    server = server_in(home, tmp_path)
    server.start()
    try:
        assert server.call("POST", "localcoder/complete", {"prefix": "x = "})["usage"]["completion_tokens"]
        for _ in range(3):
            assert server.call("POST", "localcoder/generate", EXPLAIN)["usage"]["completion_tokens"]
        assert server.call("POST", "localcoder/chat", CHAT)["text"]
        kept = server.call("GET", "localcoder/conversations")["conversations"]
        assert bool(kept) == (home / "used").exists()
        assert server.call("GET", "localcoder/settings")["settings"]["model"] == "tiny"
        assert server.call("GET", "localcoder/providers")["providers"]
        with server.kernel() as kernel:
            assert kernel.run("%load_ext jupyter_localcoder").ok
            explained = kernel.run("%%explain --max-tokens 8\nx = 1")
            assert explained.ok, explained.reply
        for method, path, body in (
            ("PATCH", "settings", {"temperature": 0.5}),
            ("PATCH", "titles/config", {"enabled": False}),
            ("PUT", "providers/acme", {"type": "ollama", "name": "A", "base_url": "http://127.0.0.1:9"}),
            ("DELETE", "models/tiny?force=true", None),
        ):
            said = refused(server, method, path, body)
            assert "UNKNOWN_ERROR" not in said
            assert "cannot be" in said, said
    finally:
        server.stop()
    log = (tmp_path / "server.log").read_text()
    assert "Traceback" not in log
    warnings = [
        line.partition("] ")[2] for line in log.splitlines() if line.startswith("[W") and "LocalCoder" in line
    ]
    assert warnings
    assert len(set(warnings)) == len(warnings), warnings
