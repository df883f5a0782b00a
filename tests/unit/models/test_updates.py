"""A newer file in the catalogue: offered, fetched when asked, refused while the model is pinned."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.models.store import ModelStore


@pytest.fixture
def newer(
    bench: Any, server: Any, url_source: Any, tiny: Path, make_gguf: Callable[..., Path], tmp_path: Path
):
    """A store that has the first version, and whose catalogue offers a second one."""
    work = bench()
    work.store.import_file(tiny)
    second = make_gguf(tmp_path / "second.gguf", layers=3)
    server.body = second.read_bytes()
    catalogue = json.loads(Path(work.store.catalogue_path).read_text())
    entry = catalogue["models"][0]
    entry |= {
        "file": "tiny-2.gguf",
        "size_bytes": second.stat().st_size,
        "sha256": hashlib.sha256(second.read_bytes()).hexdigest(),
        "sources": [url_source(server)],
    }
    Path(work.store.catalogue_path).write_text(json.dumps(catalogue))
    work.store = ModelStore(**{name: getattr(work.store, name) for name in _TRAITS})
    return work


_TRAITS = ("models_dir", "catalogue_path", "retry_wait_seconds", "reserve_bytes", "download_timeout_seconds")


def test_an_update_is_offered_and_what_is_here_stays_in_use(newer: Any, tiny: Path) -> None:
    info = newer.store.info("tiny", 0)
    offered = newer.store.catalogue.entries["tiny"]
    assert info.state == "ready"
    assert (info.update.digest, info.update.size_bytes) == (offered.sha256, offered.size_bytes)
    assert info.digest != offered.sha256
    assert info.size_bytes == tiny.stat().st_size
    assert newer.prepare().digest == info.digest


def test_an_update_takes_the_place_of_the_file(newer: Any) -> None:
    assert newer.prepare(update=True) is None
    installed = newer.store.fetch("tiny", progress=lambda _: None, cancel=threading.Event(), update=True)
    assert installed.digest == newer.store.catalogue.entries["tiny"].sha256
    assert newer.store.info("tiny", 0).update is None
    assert newer.visible == ["tiny-2.gguf"]


def test_an_update_that_fails_leaves_the_version_that_is_here(newer: Any, server: Any, answer: Any) -> None:
    server.answers = [answer(status=404)]
    before = newer.store.locate("tiny").digest
    with pytest.raises(errors.DownloadFailed):
        newer.store.fetch("tiny", progress=lambda _: None, cancel=threading.Event(), update=True)
    assert newer.store.locate("tiny").digest == before


def test_a_pinned_model_is_not_updated_until_it_is_unpinned(newer: Any) -> None:
    newer.store.pin("tiny", pinned=True)
    assert newer.store.info("tiny", 0).pinned
    with pytest.raises(errors.ModelPinned):
        newer.prepare(update=True)
    assert newer.prepare() is not None
    newer.store.pin("tiny", pinned=False)
    assert newer.prepare(update=True) is None


def test_only_what_is_here_can_be_pinned(bench: Any) -> None:
    store = bench().store
    with pytest.raises(errors.ModelNotReady):
        store.pin("tiny", pinned=True)
    with pytest.raises(errors.ModelNotFound):
        store.pin("nobody", pinned=True)


def test_a_pin_does_not_travel_in_a_bundle(newer: Any, tmp_path: Path) -> None:
    newer.store.pin("tiny", pinned=True)
    bundle, _ = newer.store.export("tiny", tmp_path)
    other = ModelStore(models_dir=str(tmp_path / "other"))
    assert not other.info(other.import_file(bundle).id, 0).pinned
