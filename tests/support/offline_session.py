"""A whole session, as a person has it: ``python -m tests.support.offline_session FOLDER MODEL.gguf WORD…``.

A real Jupyter server, its worker and a kernel: import, load, complete, explain, chat, the queue, the
inspector, the history, a bundle, the magics, a download that is refused. Words: ``alone`` brings up the
loopback of a namespace that has nothing else; ``no-kernel`` starts no kernel, whose heart beats too slowly
for its clients while it is traced.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from tests.support.jupyter_server import running_server

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1


def bring_up_loopback() -> None:
    """What `ip link set lo up` does."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))


def session(folder: Path, model: Path, *, with_kernel: bool) -> None:
    """Do everything once; raises where something does not work."""
    with running_server(folder, folder / "models", NO_PROXY="127.0.0.1,localhost") as server:

        def call(method: str, path: str, body: Any = None) -> Any:
            return server.call(method, f"localcoder/{path}", body)

        call("POST", "models/import", {"path": str(model), "id": "tiny"})
        call("PATCH", "settings", {"model": "tiny", "general_model": "tiny", "air_gap": True})
        call("POST", "models/tiny/load", {})
        assert call("POST", "complete", {"prefix": "x = ", "max_tokens": 4})["model"]["id"] == "tiny"
        assert call("POST", "generate", {"command": "explain", "code": "x", "max_tokens": 4})["usage"]
        turns = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 4}
        assert call("POST", "chat", turns)["usage"]
        queued = call("POST", "queue", {"prompt": "hello", "max_tokens": 4})["id"]
        while (item := call("GET", f"queue/{queued}?wait_ms=30000")["item"])["state"] != "done":
            assert item["state"] in ("waiting", "running", "saving"), item
        _keep_and_carry(call, folder)
        licenses = {known["id"]: known["sha256"] for known in call("GET", "models")["licenses"]}
        refused = _refusal(call, {"allow_download": True, "accept_license": licenses["Apache-2.0"]})
        assert "AIR_GAPPED" in refused, refused
        assert call("GET", "health")["air_gap"] is True
        if not with_kernel:
            return
        with server.kernel() as kernel:
            ran = kernel.run("%load_ext jupyter_localcoder\n%localcoder status")
            assert ran.ok, ran.reply
            ran = kernel.run("%%explain --max-tokens 4\nx = 1")
            assert ran.ok, ran.reply


def _keep_and_carry(call: Any, folder: Path) -> None:
    """What was answered is kept, found and written out; the model is carried to another machine."""
    assert call("POST", "context/inspect", {})["kind"] in ("generate", "chat")
    (kept, *_) = call("GET", "responses")["responses"]
    assert call("GET", f"responses/{kept['id']}")["content"] is not None
    assert call("PUT", f"responses/{kept['id']}/title", {"title": "Mine"})["title"] == "Mine"
    assert call("GET", "responses/search?query=Mine")["found"]
    assert call("POST", "responses/export", {"path": str(folder / "answers.zip")})
    bundle = call("POST", "models/tiny/export", {"path": str(folder / "bundle")})["path"]
    call("POST", "models/import", {"path": bundle, "id": "carried"})
    assert call("POST", "models/carried/load", {})["context_window"]
    assert [one["id"] for one in call("GET", "providers")["providers"]] == ["embedded"]


def _refusal(call: Any, body: dict[str, Any]) -> str:
    try:
        call("POST", "models/qwen2.5-coder-0.5b/ensure", body)
    except AssertionError as failure:
        return str(failure)
    raise AssertionError("a download was not refused")


if __name__ == "__main__":
    if "alone" in sys.argv[3:]:
        bring_up_loopback()
        with socket.socket() as outside:
            assert outside.connect_ex(("192.0.2.1", 9)) == errno.ENETUNREACH, "there is a network"
    session(Path(sys.argv[1]), Path(sys.argv[2]), with_kernel="no-kernel" not in sys.argv)
    print("all of it works")
