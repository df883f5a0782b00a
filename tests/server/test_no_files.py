"""Pipes and devices in the folders of the product: a real server answers, and ends when it is told to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import no_files
from tests.support.jupyter_server import JupyterServer


@pytest.mark.parametrize("kind", ["pipe", "zeros"])
def test_a_server_amid_what_is_no_file_answers_and_ends(tmp_path: Path, kind: str) -> None:
    server = JupyterServer(tmp_path, tmp_path / "models")
    server.start()
    try:
        state = Path(server.call("GET", "localcoder/settings")["path"]).parent
        offered = server.call("GET", "localcoder/models")["models"][0]["id"]
        for path in (
            *(
                state / f"{name}.json"
                for name in ("settings", "providers", "prices", "calibration", "verified")
            ),
            *(tmp_path / "models" / name / "manifest.json" for name in (offered, "other")),
            tmp_path / "models" / "licenses.json",
            state / "history" / "titles.json",
            state / "queue" / "1-a.jsonl",
        ):
            no_files.put(kind, path)
        for name in ("health", "models", "settings", "providers", "queue", "titles/config"):
            server.call("GET", f"localcoder/{name}")
        server.call("GET", "api/status")
        assert server.call("PATCH", "localcoder/settings", {"top_k": 3})["settings"]["top_k"] == 3
        assert "settings.damaged.json" in {path.name for path in state.iterdir()}
    finally:
        server.stop()
