"""A file whose time has changed is not gone: it is checked once more, and that is remembered."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.models import files, installed
from jupyter_localcoder.models.store import ModelStore


@pytest.fixture(autouse=True)
def folder_of_models(_own_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALCODER_MODELS_DIR", str(tmp_path / "models"))


@pytest.fixture
def store(tiny: Path) -> ModelStore:
    made = ModelStore()
    made.import_file(tiny, model_id="mine")
    return made


@pytest.fixture
def digests(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files whose whole digest was computed."""
    computed: list[Path] = []
    original = files.sha256

    def counted(path: Path, **kwargs: Any) -> str:
        computed.append(path)
        return original(path, **kwargs)

    monkeypatch.setattr(files, "sha256", counted)
    return computed


def touch(path: Path, seconds: int) -> None:
    os.utime(path, ns=(0, seconds * 10**9))


def by_copy(path: Path) -> None:
    """Another inode and another time, as a copy, a restored backup or a container layer makes them."""
    shutil.copyfile(path, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
    touch(path, 5)


def by_hard_link(path: Path) -> None:
    os.link(path, path.with_suffix(".other"))
    touch(path, 5)


def by_moved_folder(path: Path) -> None:
    root = path.parent.parent
    root.rename(root.with_name("elsewhere"))
    root.symlink_to(root.with_name("elsewhere"))
    touch(path, 5)


@pytest.mark.parametrize("change", [by_copy, by_hard_link, by_moved_folder])
def test_it_stays_ready_and_is_verified_once(
    store: ModelStore, digests: list[Path], change: Callable[[Path], None]
) -> None:
    change(store.locate("mine").path)
    again = ModelStore()
    listed = again.info("mine", 0)
    assert (listed.state, listed.recheck, listed.error) == ("ready", True, None)
    assert digests == []
    again.locate("mine")
    ModelStore().locate("mine")
    assert len(digests) == 1
    assert not ModelStore().info("mine", 0).recheck


def test_in_a_folder_that_is_only_read_it_is_remembered_for_the_user(
    store: ModelStore, digests: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store.locate("mine").path
    before = (path.parent / "manifest.json").read_bytes()
    touch(path, 5)

    def refuse(*_: object, **__: object) -> None:
        raise errors.FileWriteError()

    monkeypatch.setattr("jupyter_localcoder.models.folder.ModelsFolder.require_writable", refuse)
    monkeypatch.setattr("jupyter_localcoder.models.installed.write_whole", refuse)
    ModelStore().verify("mine")
    for _ in range(2):
        assert not ModelStore().info("mine", 0).recheck
        ModelStore().locate("mine")
    assert len(digests) == 1
    assert (path.parent / "manifest.json").read_bytes() == before


def test_two_machines_that_see_other_times_do_not_check_in_turns(
    store: ModelStore, digests: list[Path]
) -> None:
    path = store.locate("mine").path
    for seconds in (5, 6, 5, 6):
        touch(path, seconds)
        ModelStore().locate("mine")
    assert len(digests) == 2


def test_another_file_of_the_same_size_is_told_at_once(store: ModelStore) -> None:
    path = store.locate("mine").path
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    touch(path, 5)
    assert store.info("mine", 0).state == "error"
    with pytest.raises(errors.ModelNotReady):
        store.inspect("mine")
    with pytest.raises(errors.ChecksumMismatch):
        store.locate("mine")


def test_what_turned_out_to_be_another_file_is_not_remembered(store: ModelStore) -> None:
    path = store.locate("mine").path
    touch(path, 5)
    store.locate("mine")
    touch(path, 6)
    store.locate("mine")
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        file.write(bytes(byte ^ 1 for byte in path.read_bytes()[middle : middle + 1]))
    touch(path, 5)
    with pytest.raises(errors.ChecksumMismatch):
        store.verify("mine")


def test_a_manifest_of_before_is_read_and_completed(store: ModelStore) -> None:
    folder = store.locate("mine").path.parent
    manifest = installed.read_manifest(folder)
    assert manifest is not None
    assert manifest.sample
    raw = (folder / "manifest.json").read_text().replace(f'"{manifest.sample}"', '""')
    (folder / "manifest.json").write_text(raw)
    touch(folder / manifest.file, 5)
    assert store.info("mine", 0).recheck
    store.locate("mine")
    assert installed.read_manifest(folder).sample == manifest.sample  # type: ignore[union-attr]


def test_many_who_want_it_at_once_wait_for_one_check(store: ModelStore, digests: list[Path]) -> None:
    touch(store.locate("mine").path, 5)
    threads = [threading.Thread(target=store.locate, args=("mine",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 1
