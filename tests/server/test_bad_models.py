"""What goes wrong with models over REST: each a sentence and a way out, and nothing half-done."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.models import files
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Answer, Ask
from tests.support.jupyter_server import JupyterServer, wait_until
from tests.support.model_source import running_source, write_catalogue
from tests.support.waiting import PATIENCE_SECONDS


def refused(answer: Answer, status: int, code: str) -> str:
    """The sentence of a refusal, which comes with a way out."""
    assert (answer.status, answer.code) == (status, code), answer.text
    error = answer.data["error"]
    assert error["message"].endswith(".")
    assert error["recovery"].endswith(".")
    return str(error["message"])


async def installed(ask: Ask) -> tuple[list[str], list[Path]]:
    """Models that are here, and every file below the folder of the models."""
    listed = (await ask("GET", "models")).data
    folder = Path(listed["models_dir"])
    here = [one["id"] for one in listed["models"] if one["state"] != "idle"]
    return here, [path for path in folder.rglob("*") if path.is_file() and path.suffix in (".gguf", ".part")]


@pytest.mark.parametrize("content", [b"", b"no model at all", b"<!DOCTYPE html><title>404</title>", b"GGUF"])
async def test_a_file_that_is_no_gguf(ask: Ask, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "notes.gguf"
    file.write_bytes(content)
    for link in (False, True):
        answer = await ask("POST", "models/import", {"path": str(file), "link": link})
        assert "file" in refused(answer, 400, "INVALID_MODEL")
    assert await installed(ask) == ([], [])


@pytest.mark.parametrize("name", ["a/b", "../x", "a b", ".hidden", "a\\b"])
async def test_a_name_with_a_slash(ask: Ask, tiny_gguf: Path, name: str) -> None:
    answer = await ask("POST", "models/import", {"path": str(tiny_gguf), "id": name})
    message = refused(answer, 400, "VALIDATION_ERROR")
    assert "letters, digits, dots, dashes and underscores" in message
    assert "regex" not in message
    assert answer.data["error"]["details"]["field"] == "id"
    assert await installed(ask) == ([], [])


class Full:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self._room = file, room

    def write(self, data: bytes) -> int:
        if len(data) > self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room -= len(data)
        return int(self._file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


async def test_a_disk_that_fills_while_a_file_is_taken_in(
    ask: Ask, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., Any] = files.open_part
    monkeypatch.setattr(files, "open_part", lambda path, position: Full(real(path, position), 1000))
    answer = await ask("POST", "models/import", {"path": str(tiny_gguf), "id": "tiny"})
    assert "disk" in refused(answer, 507, "DISK_FULL")
    assert await installed(ask) == ([], [])
    monkeypatch.undo()
    assert (await ask("POST", "models/import", {"path": str(tiny_gguf), "id": "tiny"})).status == 200


async def test_a_link_in_place_of_a_file(ask: Ask, tiny_gguf: Path, tmp_path: Path) -> None:
    nowhere, circle, good = (tmp_path / f"{name}.gguf" for name in ("nowhere", "loop", "good"))
    nowhere.symlink_to(tmp_path / "gone.gguf")
    circle.symlink_to(circle)
    good.symlink_to(tiny_gguf)
    for broken in (nowhere, circle):
        refused(await ask("POST", "models/import", {"path": str(broken)}), 404, "FILE_NOT_FOUND")
    assert await installed(ask) == ([], [])
    # What a good one leads to is copied: the model stays when the link goes.
    assert (await ask("POST", "models/import", {"path": str(good), "id": "tiny"})).status == 200
    good.unlink()
    here, (file,) = await installed(ask)
    assert here == ["tiny"]
    assert not file.is_symlink()
    assert (await ask("POST", "models/tiny/load")).status == 200


async def test_what_one_tab_deletes_another_one_cannot_load(
    ask: Ask, tiny_model: str, extension: LocalCoderApp
) -> None:
    await ask("POST", "models/tiny/load")
    assert "loaded" in refused(await ask("DELETE", "models/tiny"), 409, "MODEL_IN_USE")
    deleted, loaded = await asyncio.gather(
        ask("DELETE", "models/tiny?force=true"), ask("POST", "models/tiny/load")
    )
    assert deleted.status == 200
    if loaded.status != 200:
        assert loaded.code in ("MODEL_IN_USE", "MODEL_NOT_READY", "MODEL_NOT_FOUND", "BACKEND_UNAVAILABLE")
        assert loaded.data["error"]["recovery"]
    assert await installed(ask) == ([], [])
    answer = await ask("POST", "models/tiny/load")
    assert answer.status in (404, 503)
    assert answer.data["error"]["recovery"]
    status = (await ask("GET", "health")).data
    assert status["state"] in ("stopped", "ready")


async def test_a_verification_and_a_deletion_at_once_leave_nothing_behind(ask: Ask, tiny_model: str) -> None:
    for _ in range(5):
        verified, deleted = await asyncio.gather(
            ask("POST", "models/tiny/verify"), ask("DELETE", "models/tiny")
        )
        assert deleted.status == 200 or deleted.code == "MODEL_IN_USE", deleted.text
        assert verified.status == 200 or verified.code in ("MODEL_NOT_FOUND", "MODEL_NOT_READY")
        if deleted.status == 200:
            break
    while (info := await one(ask)) is not None and info["activity"]:
        await asyncio.sleep(0.01)
    assert info is None or info["state"] == "ready"


async def one(ask: Ask) -> Any:
    """What the service says of the model; None where it knows none."""
    listed = (await ask("GET", "models")).data["models"]
    return next((info for info in listed if info["id"] == "tiny"), None)


def test_a_restart_in_mid_download_goes_on_from_what_came(tiny_gguf: Path, tmp_path: Path) -> None:
    """The server is killed, without a chance to clean up, and started again."""
    body = tiny_gguf.read_bytes()
    with running_source({"tiny.gguf": body}) as source:
        source.hold(len(body) // 2)
        catalogue = write_catalogue(tmp_path / "catalogue.json", source.entry("tiny", "tiny.gguf"))
        (tmp_path / "config").mkdir()
        config = {"ModelStore": {"catalogue_path": str(catalogue)}}
        (tmp_path / "config" / "jupyter_server_config.json").write_text(json.dumps(config))
        first = JupyterServer(tmp_path, tmp_path / "models")
        first.start()
        try:
            license = first.call("GET", "localcoder/models")["licenses"]
            accepted = next(one["sha256"] for one in license if one["id"] == "Apache-2.0")
            request = {"allow_download": True, "accept_license": accepted}
            first.call("POST", "localcoder/models/tiny/ensure", request)
            until(first, lambda info: info["received_bytes"] > 0)
            wait_until(lambda: received(tmp_path / "models") > 0)  # what it says may not be in the file yet
        finally:
            first.kill()
        second = JupyterServer(tmp_path, tmp_path / "models")
        second.start()
        try:
            kept = until(second, lambda info: True)
            assert (kept["state"], kept["activity"], kept["license_accepted"]) == ("idle", "", True)
            assert 0 < kept["received_bytes"] < len(body)
            with pytest.raises(AssertionError, match="MODEL_NOT_READY"):
                second.call("POST", "localcoder/models/tiny/load", {})
            source.release()
            second.call("POST", "localcoder/models/tiny/ensure", {"allow_download": True})
            until(second, lambda info: info["state"] == "ready")
            assert source.requests[-1][1] >= kept["received_bytes"] > 0
            assert (tmp_path / "models" / "tiny" / "tiny.gguf").read_bytes() == body
            assert not list((tmp_path / "models").rglob("*.part"))
        finally:
            second.stop()


def received(folder: Path) -> int:
    """Bytes of downloads that are not complete."""
    return sum(path.stat().st_size for path in folder.rglob("*.part") if path.exists())


def until(server: JupyterServer, holds: Callable[[Any], bool]) -> Any:
    """Ask until it holds of the model; the model."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        listed = server.call("GET", "localcoder/models")["models"]
        info = next(one for one in listed if one["id"] == "tiny")
        if holds(info):
            return info
        time.sleep(0.05)
    raise AssertionError(info)
