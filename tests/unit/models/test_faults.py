"""Full disks, folders that cannot be written, processes that race, and processes that are killed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.models import files
from tests.support.waiting import PATIENCE_SECONDS

CHILD = """
import os, sys, threading
from pathlib import Path
from jupyter_localcoder.models import files
from jupyter_localcoder.models.store import ModelStore

store = ModelStore(
    models_dir=sys.argv[1], catalogue_path=sys.argv[2], retry_wait_seconds=0.0, reserve_bytes=0
)
point = sys.argv[3]

def die(*_, **__):
    os._exit(9)

if point == "sync":
    files.sync_file = die
if point == "rename":
    replace = Path.replace
    Path.replace = lambda path, target: die() if path.suffix == ".part" else replace(path, target)
if point == "manifest":
    from jupyter_localcoder.models import installed
    installed.write_manifest = die

def progress(step):
    if point == "write" and step.state == "downloading" and step.received_bytes > 0:
        os._exit(9)

print(store.fetch("tiny", progress=progress, cancel=threading.Event()).digest)
"""


def child(work, point: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(CHILD)]
    arguments = [str(work.folder), work.store.catalogue_path, point]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)


def test_two_processes_that_fetch_the_same_model_make_one_file(bench, server, url_source):
    work = bench(url_source(server))
    children = [child(work), child(work)]
    digests = {process.communicate(timeout=PATIENCE_SECONDS)[0].strip() for process in children}
    assert digests == {work.store.catalogue.entries["tiny"].sha256}
    assert len(server.requests) == 1
    assert work.store.locate("tiny").path.read_bytes() == server.body


def test_who_waits_for_another_download_can_be_cancelled(bench, server, url_source, answer):
    server.answers = [answer(hang_after=100)]
    work = bench(url_source(server))

    class WhileItWaits(threading.Event):
        """Set when it is looked at for the first time: before that the lock was waited for in vain."""

        def is_set(self) -> bool:
            self.set()
            return super().is_set()

    first, second = threading.Event(), WhileItWaits()
    outcome: list[BaseException] = []

    def fetch() -> None:
        try:
            work.fetch(first)
        except errors.Canceled as canceled:
            outcome.append(canceled)

    thread = threading.Thread(target=fetch)
    thread.start()
    assert server.hanging.wait(PATIENCE_SECONDS)
    with pytest.raises(errors.ModelInUse):
        work.store.delete("tiny")
    with pytest.raises(errors.Canceled):
        work.fetch(second)
    assert len(server.requests) == 1
    first.set()
    thread.join(PATIENCE_SECONDS)
    assert len(outcome) == 1


@pytest.mark.parametrize("point", ["write", "sync", "rename", "manifest"])
def test_a_killed_download_leaves_a_verified_model_or_none(bench, server, url_source, point: str):
    work = bench(url_source(server))
    process = child(work, point)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 9
    assert work.store.info("tiny", 0).state == "idle"
    with pytest.raises(errors.ModelNotReady):
        work.store.locate("tiny")
    assert work.fetch().path.read_bytes() == server.body
    assert server.sent_bytes <= 2 * len(server.body)


def test_killed_between_rename_and_manifest_nothing_is_fetched_again(bench, server, url_source):
    work = bench(url_source(server))
    child(work, "manifest").communicate(timeout=PATIENCE_SECONDS)
    assert work.visible == ["tiny.gguf"]
    work.fetch()
    assert len(server.requests) == 1


class _Full:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file, room: int) -> None:
        self._file, self._room = file, room

    def write(self, data: bytes) -> int:
        if len(data) > self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room -= len(data)
        return self._file.write(data)

    def __getattr__(self, name: str):
        return getattr(self._file, name)


def test_a_disk_that_fills_up_keeps_the_part(bench, server, url_source, monkeypatch):
    real = files.open_part
    target = "jupyter_localcoder.models.sources.http.open_part"
    monkeypatch.setattr(target, lambda path, position: _Full(real(path, position), 100_000))
    work = bench(url_source(server))
    with pytest.raises(errors.DiskFull):
        work.fetch()
    assert 0 < work.store.received_bytes("tiny") <= 100_000
    assert work.store.info("tiny", 0).state == "idle"
    monkeypatch.setattr(target, real)
    assert work.fetch().path.read_bytes() == server.body
    assert server.requests[1]["range"].startswith("bytes=")


def test_a_really_full_disk_is_told_as_such(tmp_path: Path):
    """Only Linux has a device that is always full."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(errors.DiskFull):
        files.write_chunk(full, b"x")


def test_too_little_space_is_told_before_the_first_byte(bench, server, url_source):
    work = bench(url_source(server), reserve_bytes=2**62)
    with pytest.raises(errors.DiskFull) as caught:
        work.prepare()
    assert caught.value.details["needed_bytes"] > caught.value.details["free_bytes"] > 0
    with pytest.raises(errors.DiskFull):
        work.fetch()
    assert server.requests == []


def test_a_folder_that_cannot_be_made_is_told(bench, server, url_source, tmp_path: Path, tiny: Path):
    (tmp_path / "file").write_text("in the way")
    work = bench(url_source(server), models_dir=str(tmp_path / "file" / "models"))
    with pytest.raises(errors.FileWriteError):
        work.prepare()
    with pytest.raises(errors.FileWriteError):
        work.store.import_file(tiny)
    with pytest.raises(errors.FileWriteError):
        work.fetch()
    assert work.store.info("tiny", 0).state == "idle"
    assert server.requests == []


def test_a_folder_that_refuses_writes_is_told(bench, tiny: Path, monkeypatch):
    work = bench({"type": "file", "path": str(tiny)})

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(errors.FileWriteError, match="Read-only"):
        work.prepare()


def test_a_model_in_a_folder_that_others_own_can_be_used(bench, tiny: Path, monkeypatch):
    """An administrator's read-only folder: the file was touched by a backup, and nothing can be noted."""
    work = bench()
    path = work.store.import_file(tiny).path
    os.utime(path, ns=(1, 1))

    def refuse(*_: object, **__: object) -> None:
        raise errors.FileWriteError()

    monkeypatch.setattr("jupyter_localcoder.models.folder.ModelsFolder.require_writable", refuse)
    monkeypatch.setattr("jupyter_localcoder.models.installed.write_whole", refuse)
    assert work.store.locate("tiny").digest == work.store.catalogue.entries["tiny"].sha256


def test_a_changed_model_in_a_folder_that_others_own_is_refused_each_time(bench, tiny: Path, monkeypatch):
    work = bench()
    path = work.store.import_file(tiny).path
    with path.open("r+b") as file:
        file.write(b"GGUG")

    def refuse(*_: object, **__: object) -> None:
        raise errors.FileWriteError()

    monkeypatch.setattr("jupyter_localcoder.models.folder.ModelsFolder.require_writable", refuse)
    monkeypatch.setattr("jupyter_localcoder.models.folder.ModelsFolder.quarantine", refuse)
    for _ in range(2):
        with pytest.raises(errors.ChecksumMismatch):
            work.store.locate("tiny")
