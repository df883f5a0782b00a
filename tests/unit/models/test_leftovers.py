"""A copy that a killed import or check left behind goes when its model is linked; nobody else's file does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.models.store import ModelStore
from tests.support.dying import run_until

MINE = "mine"
COPY = f"{MINE}.gguf"
MOST_STEPS = 100


@pytest.fixture
def outside(make_gguf, tmp_path: Path) -> Path:
    """The file that is linked to; in no catalogue."""
    (tmp_path / "stick").mkdir()
    return make_gguf(tmp_path / "stick" / "model.gguf", weights=4096)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the model."""
    return tmp_path / "models" / MINE


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(models_dir=str(tmp_path / "models"), reserve_bytes=0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def leave(folder: Path) -> Path:
    """What is left where a model was damaged and its check killed: the file, and no manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COPY).write_bytes(b"damaged")
    return folder / COPY


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the child is a fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize(("damaged", "link"), [(True, True), (True, False), (False, False)])
def test_no_copy_is_left_wherever_the_import_before_was_killed(
    store: ModelStore, outside: Path, folder: Path, tmp_path: Path, monkeypatch, damaged: bool, link: bool
):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # Processes are killed here, not machines.

    def take(link: bool) -> None:
        with contextlib.suppress(errors.ChecksumMismatch):
            store.import_file(outside, model_id=MINE, link=link)

    leftovers = 0
    for step in range(MOST_STEPS):
        if damaged:
            take(link=False)
            (folder / COPY).write_bytes(b"damaged")
        killed = run_until(step, str(tmp_path), lambda: take(link))
        leftovers += (folder / COPY).exists() and not (folder / "manifest.json").exists()
        take(link=True)  # It may be the one that finds the damage.
        take(link=True)
        if store.locate(MINE).path == outside:
            assert list(folder.glob("*.gguf")) == []
        else:  # The copy was there in time.
            assert not damaged
        store.delete(MINE)
        if not killed:
            break
    else:
        raise AssertionError("the import has no end")
    assert leftovers


def test_what_was_left_before_goes_too(store: ModelStore, outside: Path, folder: Path):
    store.import_file(outside, model_id=MINE, link=True)
    leave(folder)
    store.import_file(outside, model_id=MINE, link=True)
    assert names(folder) == ["manifest.json"]
    assert store.locate(MINE).path == outside


def test_a_model_that_is_a_copy_keeps_it(store: ModelStore, outside: Path, folder: Path):
    store.import_file(outside, model_id=MINE)
    store.import_file(outside, model_id=MINE, link=True)
    assert store.locate(MINE).path == folder / COPY


def test_a_file_that_is_linked_to_in_the_folder_itself_stays(store: ModelStore, outside: Path, folder: Path):
    folder.mkdir(parents=True)
    outside.rename(folder / COPY)
    for _ in range(2):
        store.import_file(folder / COPY, model_id=MINE, link=True)
        assert store.locate(MINE).path == folder / COPY


def test_files_of_a_person_beside_the_one_that_is_linked_to_stay(
    store: ModelStore, outside: Path, folder: Path
):
    leave(folder)
    outside.rename(folder / "other.gguf")
    store.import_file(folder / "other.gguf", model_id=MINE, link=True)
    assert names(folder) == ["manifest.json", COPY, "other.gguf"]


def test_what_another_model_is_linked_to_stays(
    store: ModelStore, outside: Path, folder: Path, make_gguf, tmp_path: Path
):
    folder.mkdir(parents=True)
    make_gguf(folder / COPY, layers=3, weights=4096)
    (tmp_path / "alias").symlink_to(folder)
    store.import_file(tmp_path / "alias" / COPY, model_id="another", link=True)
    store.import_file(outside, model_id=MINE, link=True)
    assert store.locate("another").path.samefile(folder / COPY)


def test_what_another_model_is_linked_to_stays_where_it_was_moved_to(
    store: ModelStore, outside: Path, folder: Path, make_gguf, tmp_path: Path
):
    path = make_gguf(tmp_path / "another.gguf", layers=3, weights=4096)
    store.import_file(path, link=True)
    folder.mkdir(parents=True)
    path.rename(folder / COPY)
    path.symlink_to(folder / COPY)
    store.import_file(outside, model_id=MINE, link=True)
    assert store.locate("another").path.samefile(folder / COPY)


def test_nothing_goes_behind_a_folder_that_is_a_symbolic_link(
    store: ModelStore, outside: Path, folder: Path, tmp_path: Path
):
    store.import_file(outside, model_id=MINE, link=True)
    elsewhere = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(elsewhere)
    kept = leave(elsewhere)
    store.import_file(outside, model_id=MINE, link=True)
    assert kept.read_bytes() == b"damaged"


def test_a_symbolic_link_in_the_place_of_the_copy_is_left_alone(
    store: ModelStore, outside: Path, folder: Path, tmp_path: Path
):
    kept = leave(tmp_path / "elsewhere")
    folder.mkdir(parents=True)
    (folder / COPY).symlink_to(kept)
    store.import_file(outside, model_id=MINE, link=True)
    assert (folder / COPY).is_symlink()
    assert kept.read_bytes() == b"damaged"
