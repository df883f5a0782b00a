"""Files and rows are made to agree, and nothing that is not ours is touched."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jupyter_localcoder.history import document, names, sweep
from jupyter_localcoder.history.folder import HistoryFolder
from tests.support.responses import on_disk, response


def orphan(store, **fields):
    """A file without a row, as a process that was killed leaves it."""
    one = response(**fields)
    folder = store.root / "responses" / names.folder_name(one.prompt_id)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{one.id}.md"
    path.write_bytes(document.render(one))
    return one, path


def test_a_file_without_a_row_is_adopted(store, kept):
    kept()
    one, _ = orphan(store, prompt_id="Another Prompt", content="zebra")
    assert store.sweep().adopted == 1
    assert store.get(one.id) == one
    assert [each.response.id for each in store.search("zebra").found] == [one.id]
    assert store.sweep() == sweep.SweepResult(files=2)


def test_files_are_adopted_in_the_order_in_which_they_came(store):
    made = [orphan(store, prompt_id=f"p{n}")[0].id for n in range(20)]
    store.sweep()
    assert [each.id for each in store.page().responses] == made[::-1]


def test_a_row_without_its_file_is_removed(store, kept):
    one, two = kept(prompt_id="a"), kept(prompt_id="b")
    (store.root / "responses" / "a" / f"{one.id}.md").unlink()
    assert store.sweep().removed_rows == 1
    assert [each.id for each in store.page().responses] == [two.id]
    assert [path.name for path in (store.root / "responses").iterdir()] == ["b"]


def test_a_deletion_that_was_begun_is_ended(store, kept):
    one, two = kept(), kept()
    path = store.root / "responses" / "p1" / f"{one.id}.md"
    path.rename(path.with_name(names.deleted_name(one.id)))
    assert store.sweep().removed_files == 1
    assert on_disk(store.root) == {f"p1/{two.id}.md"}
    assert store.page().total == 1


def test_a_part_is_removed_once_it_is_old(store, kept):
    one = kept()
    part = store.root / "responses" / "p1" / names.part_name(names.new_id())
    part.write_bytes(b"half")
    store.sweep()
    assert part.exists(), "somebody may be writing it"
    old = time.time() - sweep.PART_SECONDS - 1
    os.utime(part, (old, old))
    assert store.sweep().removed_files == 1
    assert on_disk(store.root) == {f"p1/{one.id}.md"}


@pytest.mark.parametrize(
    "name", ["notes.txt", "0123456789abcdef.md", "README.md", ".hidden", f"{'0' * 16}.md.orig"]
)
def test_what_is_not_ours_is_left_alone(store, kept, name: str):
    kept()
    path = store.root / "responses" / "p1" / name
    path.write_bytes(b"my own notes")
    swept = store.sweep()
    assert swept.left_alone == [f"p1/{name}"]
    assert path.read_bytes() == b"my own notes"
    assert store.page().total == 1


def test_a_file_in_another_prompts_folder_is_left_alone(store, kept):
    kept()
    one, path = orphan(store, prompt_id="p2")
    moved = store.root / "responses" / "p1" / path.name
    path.rename(moved)
    assert store.sweep().left_alone == [f"p1/{one.id}.md"]
    assert moved.exists()


def test_a_file_whose_name_is_another_id_is_left_alone(store):
    _, path = orphan(store)
    other = path.rename(path.with_name(names.file_name(names.new_id())))
    assert store.sweep().adopted == 0
    assert other.exists()


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_a_link_is_not_followed(store, kept, tmp_path):
    kept()
    outside, path = orphan(store, prompt_id="p9")
    target = tmp_path / "outside"
    path.parent.rename(target)
    (store.root / "responses" / "p9").symlink_to(target)
    (store.root / "responses" / "p1" / path.name).symlink_to(target / path.name)
    swept = store.sweep()
    assert swept.adopted == 0
    assert (target / f"{outside.id}.md").exists()


def test_a_sweep_can_be_given_up(store, kept):
    kept()
    for n in range(3):
        orphan(store, prompt_id=f"p{n}")
    assert store.sweep(lambda: True).adopted == 0
    assert store.page().total == 1
    assert store.sweep().adopted == 3


def test_a_folder_that_cannot_be_read_keeps_its_rows(store, kept, monkeypatch):
    one = kept()
    lstat = Path.lstat

    def refuse(path):
        if path.name == f"{one.id}.md":
            raise PermissionError(13, "Permission denied")
        return lstat(path)

    def scan(folder):
        yield from ()

    monkeypatch.setattr(HistoryFolder, "scan", scan)
    monkeypatch.setattr(Path, "lstat", refuse)
    assert store.sweep().removed_rows == 0
    monkeypatch.undo()
    assert store.page().total == 1


def test_a_sweep_of_nothing(store):
    assert store.sweep() == sweep.SweepResult()


def test_a_sweep_does_not_adopt_what_is_deleted_meanwhile(store, monkeypatch):
    _, path = orphan(store)
    read = sweep._read

    def and_delete(*arguments):
        found = list(read(*arguments))
        path.unlink()
        return found

    monkeypatch.setattr(sweep, "_read", and_delete)
    assert store.sweep().adopted == 0
    assert store.page().total == 0
