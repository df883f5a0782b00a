"""The manager over the real service in this process: a real store, a real download."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyter_localcoder.client.local import LocalClient
from jupyter_localcoder.widgets import ModelManager
from tests.support.model_source import ModelSource, running_source, write_catalogue
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def source(tiny_gguf: Path) -> Iterator[ModelSource]:
    with running_source({"tiny.gguf": tiny_gguf.read_bytes()}) as source:
        yield source


@pytest.fixture
def manager(source: ModelSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelManager]:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("LOCALCODER_MODELS_DIR", raising=False)
    # Each chunk is told of, however soon it comes after the last one.
    monkeypatch.setattr("jupyter_localcoder.models.meter.INTERVAL_SECONDS", 0.0)
    catalogue = write_catalogue(tmp_path / "catalogue.json", source.entry("tiny", "tiny.gguf"))
    store = {"catalogue_path": str(catalogue), "models_dir": str(tmp_path / "models")}
    settings = {"settings_dir": str(tmp_path / "settings")}
    with LocalClient(Config({"ModelStore": store, "LocalCoderSettings": settings})) as client:
        manager = ModelManager(client)
        manager.controller.refresh()
        yield manager
        manager.close()


def until(manager: ModelManager, holds: Callable[[Any], bool]) -> Any:
    """Ask until it holds of the model; the model."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        manager.controller.refresh()
        (known,) = [one for one in manager.controller.known if one.info.id == "tiny"]
        if holds(known) and not manager.controller.busy:
            return known
        time.sleep(0.02)
    raise AssertionError(known)


def test_download_pause_resume_verify_and_delete(manager: ModelManager, source: ModelSource) -> None:
    controller = manager.controller
    tiny = until(manager, lambda known: known.info.state == "idle").info
    source.hold(tiny.size_bytes // 2)
    controller.download("tiny", controller.consent_of(tiny).sha256)
    until(manager, lambda known: known.under_way and known.info.received_bytes > 0)
    controller.stop("tiny")
    paused = until(manager, lambda known: not known.under_way)
    assert 0 < paused.progress.received_bytes < tiny.size_bytes
    source.release()
    assert controller.consent_of(paused.info) is None
    controller.download("tiny")
    until(manager, lambda known: known.info.state == "ready")
    assert source.requests[-1][1] == paused.info.received_bytes
    controller.verify("tiny")
    until(manager, lambda known: known.info.state == "ready" and not known.under_way)
    controller.delete("tiny")
    until(manager, lambda known: known.info.state == "idle" and not known.info.received_bytes)
    assert controller.notes == {}


def test_what_is_found_damaged_is_told_and_no_error_stays_when_it_is_deleted(
    manager: ModelManager, tmp_path: Path
) -> None:
    controller = manager.controller
    tiny = until(manager, lambda known: known.info.state == "idle").info
    controller.download("tiny", controller.consent_of(tiny).sha256)
    until(manager, lambda known: known.info.state == "ready")
    file = tmp_path / "models" / "tiny" / "tiny.gguf"
    stat = file.stat()
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    controller.verify("tiny")
    damaged = until(manager, lambda known: known.info.error is not None and not known.under_way)
    assert damaged.info.error.code == "CHECKSUM_MISMATCH"
    assert damaged.info.error.recovery
    controller.delete("tiny")
    assert until(manager, lambda known: known.info.state == "idle").info.error is None


def test_a_licence_that_is_not_accepted_is_refused_by_the_service_too(
    manager: ModelManager, source: ModelSource
) -> None:
    manager.controller.download("tiny")
    until(manager, lambda known: "tiny" in manager.controller.notes)
    assert source.requests == []
    assert manager.controller.notes["tiny"].recovery
