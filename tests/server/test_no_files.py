"""Pipes and devices in the folders of the product: a real server answers, and ends when it is told to."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask
from tests.support import no_files
from tests.support.jupyter_server import JupyterServer
from tests.support.waiting import PATIENCE_SECONDS


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


async def test_a_home_that_hangs_leaves_health_and_jupyter_answering(
    ask: Ask, jp_fetch: Any, extension: LocalCoderApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = extension.service.user_settings
    assert (await ask("PATCH", "settings", {"air_gap": True})).status == 200
    answers, hung, loop = threading.Event(), threading.Event(), threading.current_thread()
    stat: Callable[..., os.stat_result] = Path.stat

    def hang(path: Path, **options: bool) -> os.stat_result:
        if path == settings.path:
            assert threading.current_thread() is not loop, "the event loop waits for the disk"
            hung.set()
            assert answers.wait(PATIENCE_SECONDS)
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", hang)
    try:
        # More than there are threads that all of Jupyter shares.
        health = await asyncio.gather(*(ask("GET", "health") for _ in range(40)))
        assert hung.is_set()
        assert {(one.status, one.data["air_gap"]) for one in health} == {(200, True)}
        assert (await jp_fetch("api", "status")).code == 200
        assert (await jp_fetch("api", "contents")).code == 200
    finally:
        answers.set()
