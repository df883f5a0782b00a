"""One store for all small files: nothing that was acknowledged is lost, whatever is in the way."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_localcoder.errors import DiskFull, FileWriteError
from jupyter_localcoder.storage import locks
from jupyter_localcoder.storage.json_file import MOST_BYTES, MOST_DEPTH, JsonFile
from tests.soak.lost_changes import measure
from tests.support.full_disk import fill_up, small_disk
from tests.support.waiting import PATIENCE_SECONDS

unix = pytest.mark.skipif(os.name == "nt", reason="pipes, devices and signals of Unix")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "things.json"


def file_of(path: Path, told: list[str] | None = None, **options: Any) -> JsonFile:
    return JsonFile(path, what="The things", report=(told if told is not None else []).append, **options)


def put(file: JsonFile, name: str, value: Any = 1) -> None:
    with file.change() as document:
        document[name] = value


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir()}


# Nothing is lost


def test_threads_and_objects_lose_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_SECONDS", PATIENCE_SECONDS)
    shared = file_of(path)

    def write(writer: int) -> None:
        for number in range(25):
            put(shared if writer % 2 else file_of(path), f"{writer}-{number}")

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shared.read().document) == 4 * 25 + 1


def test_four_writers_in_two_processes_lose_none_of_some_hundred_changes(tmp_path: Path) -> None:
    found = measure(tmp_path, changes=400, writers=4, processes=2)
    assert found[:3] == (400, 0, 0)


@unix
@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=3), st.integers(1, 2))
def test_writers_that_are_killed_lose_nothing_that_was_acknowledged(kills: list[int], threads: int) -> None:
    """Each writer is killed after it was told of so many changes, in the middle of the next."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "things.json"
        writers = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.json_writer", path, prefix, str(threads), "100000"],
                stdout=subprocess.PIPE,
                text=True,
            )
            for prefix in "abc"[: len(kills)]
        ]
        told: list[str] = []
        for writer, after in zip(writers, kills, strict=True):
            assert writer.stdout is not None
            told += [writer.stdout.readline().strip() for _ in range(after)]
            writer.kill()
            # What it printed before it died was acknowledged too.
            told += writer.communicate()[0].split("\n")[:-1]
        assert all(told)
        file = file_of(path)
        put(file, "after")
        assert set(told) <= set(file.read().document["changes"])
        assert names(path) == {"things.json", "things.lock"}


def test_an_exception_in_the_middle_changes_nothing(path: Path) -> None:
    put(file_of(path), "a")
    before = path.read_bytes()
    with contextlib.suppress(RuntimeError), file_of(path).change() as document:
        document["a"] = 2
        raise RuntimeError
    assert path.read_bytes() == before
    put(file_of(path), "b")


def test_what_is_not_changed_is_not_written(path: Path) -> None:
    put(file_of(path), "a")
    before = path.stat()
    put(file_of(path), "a")
    assert path.stat().st_ino == before.st_ino


# Locks


def test_a_lock_that_is_never_given_back_ends_with_a_way_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a dead process on a network file system: the system goes on to say that it is held."""
    put(file_of(path), "a")
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.05)
    file = file_of(path)
    with FileLock(path.with_suffix(".lock")).acquire(), pytest.raises(FileWriteError) as caught:
        _in_a_thread(lambda: put(file, "b"))
    assert "things.lock" in caught.value.message
    assert "remove" in caught.value.recovery
    put(file, "b")
    assert set(file.read().document) == {"format", "a", "b"}


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_a_clock_that_jumps_moves_no_limit(path: Path, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    began = time.time()
    jumped = threading.Event()
    monkeypatch.setattr(time, "time", lambda: began + (jump if jumped.is_set() else 0.0))
    monkeypatch.setattr(locks, "LOCK_SECONDS", PATIENCE_SECONDS)
    first, second = file_of(path), file_of(path)
    waiting = threading.Thread(target=put, args=(second, "b"))
    with first.change() as document:
        document["a"] = 1
        waiting.start()
        jumped.set()
    waiting.join()
    assert set(first.read().document) == {"format", "a", "b"}
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.05)
    with (
        FileLock(path.with_suffix(".lock")).acquire(),
        pytest.raises(FileWriteError),
    ):
        _in_a_thread(lambda: put(second, "c"))


@unix
def test_a_fork_while_another_thread_writes_leaves_the_child_a_lock_of_its_own(path: Path) -> None:
    lock = locks.Lock(path.with_suffix(".lock"))
    with lock.held():
        lock._process = -1  # as in a child that was forked just now
        assert lock._of_this_process().acquire(blocking=False)


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no flock")]
)
def test_a_file_system_without_locks_is_a_clear_error(
    path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(locks.FileLock, "acquire", acquire)
    with pytest.raises(FileWriteError, match="The things cannot be saved") as caught:
        put(file_of(path, place="`Some.trait`"), "a")
    assert "`Some.trait`" in caught.value.recovery


def _in_a_thread(work: Any) -> None:
    """Do it in a thread of its own: who holds a lock must not take it again."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


# Other versions


def test_a_newer_format_is_neither_overwritten_nor_read(path: Path) -> None:
    path.parent.mkdir()
    raw = b'{"format": 2, "a": 1}'
    path.write_bytes(raw)
    told: list[str] = []
    file = file_of(path, told)
    assert (file.read().document, file.read().kind) == ({"format": 1}, "newer")
    with pytest.raises(FileWriteError, match="Nothing was changed"):
        put(file, "b")
    assert path.read_bytes() == raw
    assert len(told) == 1


def test_what_is_not_known_is_kept(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'\xef\xbb\xbf{"format": 1, "wonder": {"deep": [1]}}')
    put(file_of(path), "b")
    assert json.loads(path.read_bytes()) == {"format": 1, "wonder": {"deep": [1]}, "b": 1}


def test_an_older_format_is_taken_over_with_one_backup(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"format": 1, "old": 5}')
    file = file_of(path, format_=2, migrations=(lambda document: {"format": 2, "new": document["old"]},))
    assert file.read().document["new"] == 5
    put(file, "b")
    assert json.loads(path.read_bytes()) == {"format": 2, "new": 5, "b": 1}
    assert path.with_suffix(".backup.json").read_bytes() == b'{"format": 1, "old": 5}'


def test_what_was_written_before_there_was_a_format_is_taken_over(path: Path) -> None:
    def unversioned(value: Any) -> dict[str, Any]:
        return {"all": msgspec.convert(value, list[int])}

    path.parent.mkdir()
    path.write_bytes(b"[1, 2]")
    file = file_of(path, unversioned=unversioned)
    assert file.read().document == {"format": 1, "all": [1, 2]}
    put(file, "b")
    assert json.loads(path.read_bytes()) == {"format": 1, "all": [1, 2], "b": 1}
    path.write_bytes(b'"x"')
    assert file.read().kind == "damaged"


# Trouble in the folder

DAMAGED = [
    b"",
    b"{",
    b"\xff\xfe",
    b"null",
    b"[]",
    b'{"format": 0}',
    b'{"format": true}',
    b'{"format": 1, "a": NaN}',
    b"[" * 200_000,
    b'{"a":' * 50_000,
    b'{"format": 1, "a": ' + b"[" * MOST_DEPTH + b"]" * MOST_DEPTH + b"}",
    b" " * (MOST_BYTES + 1),
]


@pytest.mark.parametrize("raw", DAMAGED, ids=range(len(DAMAGED)))
def test_garbage_is_told_set_aside_and_never_deleted(path: Path, raw: bytes) -> None:
    path.parent.mkdir()
    told: list[str] = []
    file = file_of(path, told)
    for round_ in ("", "-2", "-3"):
        path.write_bytes(raw)
        assert file.read().document == {"format": 1}
        assert path.read_bytes() == raw, "reading wrote"
        assert f"things.damaged{round_}.json" in told[-1]
        put(file, "a")
        assert path.with_name(f"things.damaged{round_}.json").read_bytes() == raw
        assert f"renamed to {path.with_name(f'things.damaged{round_}.json')}" in told[-1]
        assert file.read().document == {"format": 1, "a": 1}


@unix
@pytest.mark.parametrize("what", ["pipe", "folder", "device", "loop", "dangling", "sparse", "socketlike"])
def test_what_is_no_file_neither_blocks_nor_stays_in_the_way(path: Path, what: str) -> None:
    path.parent.mkdir()
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
        (path / "inside").touch()
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "loop":
        path.symlink_to(path)
    elif what == "dangling":
        path.symlink_to(path.with_name("nowhere"))
    elif what == "sparse":
        with path.open("wb") as file:
            file.truncate(2**40)
    else:
        path.symlink_to("/dev/fd/0")
    file = file_of(path)
    assert file.read().document == {"format": 1}
    put(file, "a")
    assert file.read().document == {"format": 1, "a": 1}
    assert os.path.lexists(path.with_name("things.damaged.json"))


def test_a_link_that_a_person_has_put_there_stays_one(path: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "things.json"
    kept.parent.mkdir()
    kept.write_bytes(b'{"format": 1, "mine": 1}')
    path.parent.mkdir()
    path.symlink_to(kept)
    put(file_of(path), "a")
    assert path.is_symlink()
    assert json.loads(kept.read_bytes()) == {"format": 1, "mine": 1, "a": 1}


def test_a_folder_that_is_a_link_is_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    put(file_of(tmp_path / "link" / "things.json"), "a")
    assert (tmp_path / "real" / "things.json").is_file()


def test_what_a_killed_writer_left_is_swept_and_nothing_else(path: Path) -> None:
    path.parent.mkdir()
    others = {".things.json.swp", ".other.json.0123abcd", "things.json.0123abcd", ".things.json.0123abcde"}
    for name in (*others, ".things.json.0123abcd", ".things.json.ffffffff"):
        (path.parent / name).touch()
    put(file_of(path), "a")
    assert names(path) == {"things.json", "things.lock", *others}


@unix
@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_not_overwritten(path: Path) -> None:
    put(file_of(path), "a")
    path.chmod(0)
    with pytest.raises(FileWriteError, match="cannot be read"):
        put(file_of(path), "b")


def test_a_file_that_cannot_be_read_is_not_overwritten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(file_of(path), "a")
    before = path.read_bytes()

    def broken(*_: object, **__: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("jupyter_localcoder.storage.json_file.read_regular", broken)
        file = file_of(path)
        assert "cannot be read: Input/output error" in file.read().problem
        with pytest.raises(FileWriteError, match="Nothing was changed"):
            put(file, "b")
    assert path.read_bytes() == before


@pytest.mark.parametrize("number", [errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)])
def test_a_full_disk_is_the_same_error_everywhere(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    put(file_of(path), "a")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull) as caught:
        put(file_of(path), "b")
    assert (caught.value.message, caught.value.recovery) == (DiskFull().message, DiskFull().recovery)
    assert path.read_bytes() == before
    assert names(path) == {"things.json", "things.lock"}


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1_000_000) as disk:
        path = disk / "state" / "things.json"
        put(file_of(path), "a")
        before = path.read_bytes()
        fill_up(disk)
        with pytest.raises(DiskFull):
            put(file_of(path), "b", "x" * 5000)
        assert path.read_bytes() == before
        (disk / "filler").unlink()
        put(file_of(path), "b")


@pytest.mark.parametrize(
    ("windows", "failure"),
    [
        (True, PermissionError(errno.EACCES, "in use")),
        (False, OSError(getattr(errno, "ESTALE", 116), "stale")),
    ],
)
def test_what_another_process_holds_for_a_moment_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, windows: bool, failure: OSError
) -> None:
    put(file_of(path), "a")
    refusals = [failure] * 3
    replace = Path.replace

    def refused(one: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return replace(one, target)

    monkeypatch.setattr("jupyter_localcoder.storage.atomic.IS_WINDOWS", windows)
    monkeypatch.setattr(Path, "replace", refused)
    put(file_of(path), "b")
    assert set(file_of(path).read().document) == {"format", "a", "b"}


def test_what_stays_refused_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(Path, "replace", refused)
    monkeypatch.setattr("jupyter_localcoder.storage.atomic.PATIENCE_SECONDS", 0.02)
    for windows in (False, True):
        monkeypatch.setattr("jupyter_localcoder.storage.atomic.IS_WINDOWS", windows)
        with pytest.raises(FileWriteError, match="in use"):
            put(file_of(path), "a")
