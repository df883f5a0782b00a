"""Rows 25, 30 and 34: hostile files, files that go away under a loaded model, a disk that is really full."""

from __future__ import annotations

import shutil
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.models import gguf
from jupyter_localcoder.models.store import ModelStore
from tests.faults.conftest import Open
from tests.support.full_disk import fill_up, small_disk
from tests.support.mutated_headers import mutated
from tests.support.workers import request
from tests.unit.models.conftest import answer, bench, serve, server, tiny, url_source

__all__ = ["answer", "bench", "serve", "server", "tiny", "url_source"]

HEADERS = 600


@contextmanager
def little_work(most_calls: int) -> Iterator[None]:
    """The block makes no more calls, each of them short. Their number is the same on every machine."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
    assert 0 < calls < most_calls, calls


def test_25_a_corpus_of_mutated_headers_is_read_or_refused_in_time(tiny_gguf: Path, tmp_path: Path) -> None:
    """Facts that are within the limits, or `InvalidModel`."""
    whole = tiny_gguf.read_bytes()
    path = tmp_path / "mutated.gguf"
    refused = 0
    for number in range(HEADERS):
        raw = mutated(whole, number)
        path.write_bytes(raw)
        with little_work(5_000):
            try:
                header = gguf.read(path)
            except errors.InvalidModel:
                refused += 1
                continue
        assert 1 <= header.n_layers <= gguf.MAX_LAYERS
        assert 0 < header.tensor_bytes <= len(raw)
    assert HEADERS > refused > HEADERS // 2


def _header(n_keys: int, keys: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 1, n_keys) + keys


LARGEST = {
    "arrays of numbers": lambda: _header(
        4096,
        b"".join(struct.pack("<Q4sIIQ", 4, b"%04d" % n, 9, 0, 512) + bytes(512) for n in range(4096)),
    ),
    "texts": lambda: _header(
        4096, b"".join(struct.pack("<Q4sIQ", 4, b"%04d" % n, 8, 4000) + b"x" * 4000 for n in range(4096))
    ),
    "a list of texts": lambda: _header(2, struct.pack("<Q1sIIQ", 1, b"a", 9, 8, 500_000) + bytes(4_000_000)),
}


@pytest.mark.parametrize("what", LARGEST)
def test_25_the_most_that_a_header_may_claim_is_refused_in_time(
    tmp_path: Path, what: str, record_property: Callable[[str, object], None]
) -> None:
    path = tmp_path / "large.gguf"
    path.write_bytes(LARGEST[what]())
    began = time.process_time()
    with pytest.raises(errors.InvalidModel):
        gguf.read(path)
    record_property("processor_seconds", time.process_time() - began)
    # The strings in its lists are looked at one by one: half a million of them take 0.1 seconds.
    with little_work(600_000), pytest.raises(errors.InvalidModel):
        gguf.read(path)


@pytest.mark.parametrize("how", ["renamed", "deleted"])
async def test_30_a_file_that_goes_away_while_it_is_loaded(
    open_model: Open, tiny_gguf: Path, tmp_path: Path, how: str
) -> None:
    path = tmp_path / "model.gguf"
    shutil.copy(tiny_gguf, path)
    bench = open_model(path)
    before, _ = await bench.ask(request(max_tokens=8, fresh=True))
    if how == "renamed":
        path.rename(tmp_path / "other.gguf")
    else:
        path.unlink()
    after, _ = await bench.ask(request(max_tokens=8, fresh=True))
    assert after == before
    assert bench.supervisor.generation == 1


def test_34_a_really_full_disk_is_told_and_the_part_is_gone_on_from(
    bench: Any, server: Any, url_source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # There was room when it was looked at; somebody else has taken it since.
    monkeypatch.setattr(ModelStore, "_require_space", lambda *_: None)
    with small_disk(tmp_path / "models", 200 * 1024) as disk:
        work = bench(url_source(server))
        assert len(server.body) > 200 * 1024
        with pytest.raises(errors.DiskFull):
            work.fetch()
        received = work.store.received_bytes("tiny")
        assert 0 < received <= 200 * 1024
        assert work.store.info("tiny", 0).state == "idle"
        assert work.visible == []
        parts = {part.name: part.read_bytes() for part in disk.rglob("*") if part.is_file()}
        assert any(server.body.startswith(data) and data for data in parts.values())


def test_34_an_import_to_a_full_disk_leaves_nothing(bench: Any, tiny: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "models", 200 * 1024) as disk:
        work = bench()
        with pytest.raises(errors.DiskFull):
            work.store.import_file(tiny)
        assert work.store.info("tiny", 0).state == "idle"
        assert sum(path.stat().st_size for path in disk.rglob("*") if path.is_file()) < 16 * 1024


def test_34_a_full_disk_keeps_the_settings_that_are_there(tmp_path: Path) -> None:
    from jupyter_localcoder.contract.settings import SettingsUpdateRequest
    from jupyter_localcoder.settings import LocalCoderSettings

    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        settings = LocalCoderSettings(settings_dir=str(disk), environment={})
        settings.update(SettingsUpdateRequest(temperature=0.5))
        before = settings.path.read_bytes()
        fill_up(disk)
        with pytest.raises(errors.DiskFull):
            settings.update(SettingsUpdateRequest(temperature=0.7))
        assert settings.path.read_bytes() == before
        again = LocalCoderSettings(settings_dir=str(disk), environment={})
        assert again.current.temperature == 0.5
