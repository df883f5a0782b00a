"""Keeping, listing, reading, changing and deleting answers."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.contract.history import ResponseExportRequest
from jupyter_localcoder.history import HistoryStore, document, folder, names
from tests.support.responses import on_disk, response

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions and links")


def ids(page) -> list[str]:
    return [each.id for each in page.responses]


def path_of(store: HistoryStore, each) -> Path:
    return store.root / "responses" / names.folder_name(each.prompt_id) / f"{each.id}.md"


def test_an_answer_comes_back_as_it_was_kept(store, kept):
    one = kept(content="---\r\n\0🎉", prompt="a\nb", sampling={"seed": 3}, cost_usd=0.5)
    assert store.get(one.id) == one
    assert one.preview == "a b"


def test_the_list_is_newest_first_and_comes_in_pages(store, kept):
    kept_ids = [kept(prompt_id=f"p{n % 2}").id for n in range(7)][::-1]
    assert ids(store.page()) == kept_ids
    assert ids(store.page(limit=3, offset=2)) == kept_ids[2:5]
    assert store.page(limit=3, offset=6).total == 7
    assert ids(store.page("p1")) == kept_ids[1::2]
    assert ids(store.page(offset=100)) == []


def test_an_unknown_prompt_is_told(store, kept):
    kept()
    for ask in (store.page, store.delete_all, lambda p: store.export(ResponseExportRequest(prompt_id=p))):
        with pytest.raises(errors.PromptNotFound):
            ask("other")


def test_an_answer_whose_file_is_gone_is_not_listed(store, kept):
    one, two = kept(), kept()
    path_of(store, one).unlink()
    with pytest.raises(errors.SourceFileNotFound) as caught:
        store.get(one.id)
    assert caught.value.code == "FILE_NOT_FOUND"
    assert ids(store.page()) == [two.id]
    assert store.page().total == 1
    assert [each.response.id for each in store.search("list").found] == [two.id]
    with pytest.raises(errors.ResponseNotFound):
        store.get(one.id)


def test_a_page_is_full_where_files_before_it_are_gone(store, kept):
    all_ = [kept() for _ in range(9)][::-1]
    for each in all_[1:6:2]:
        path_of(store, each).unlink()
    page = store.page(limit=4)
    assert (ids(page), page.total) == ([all_[n].id for n in (0, 2, 4, 6)], 6)
    for each in all_:
        path_of(store, each).unlink(missing_ok=True)
    assert (store.page(limit=2).responses, store.page().total) == ((), 0)


def test_a_file_that_cannot_be_looked_at_is_not_forgotten(store, kept, monkeypatch):
    one = kept()
    monkeypatch.setattr(folder.HistoryFolder, "is_there", lambda *_: False)
    assert (store.page().responses, store.page().total) == ((), 0)
    monkeypatch.undo()
    assert ids(store.page()) == [one.id]


def test_a_file_that_was_damaged_is_told(store, kept):
    one = kept()
    path_of(store, one).write_bytes(b"---\nnothing")
    with pytest.raises(errors.FileReadError):
        store.get(one.id)


@posix
def test_only_the_owner_can_read_what_was_asked(store, kept):
    one = kept()
    path = path_of(store, one)
    for each in (path, store.root / "history.sqlite3", store.root / "history.sqlite3-wal"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each
    for each in (path.parent, store.root, store.root / "responses"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700, each


@posix
def test_symbolic_links_are_not_followed(store, kept, tmp_path):
    secret = tmp_path / "secret.md"
    secret.write_bytes(document.render(response(content="secret")))
    one = kept()
    path_of(store, one).unlink()
    path_of(store, one).symlink_to(secret)
    assert (ids(store.page()), store.page().total) == ([], 0)
    with pytest.raises(errors.FileReadError):
        store.get(one.id)
    assert store.export(ResponseExportRequest(id=one.id)).count == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (store.root / "responses" / "p2").symlink_to(elsewhere)
    with pytest.raises(errors.FileWriteError):
        kept(prompt_id="p2")
    assert list(elsewhere.iterdir()) == []
    store.sweep()
    store.delete(one.id)
    assert secret.exists()


def test_delete_takes_file_row_and_words(store, kept):
    one, two = kept(content="zebra"), kept(content="yak")
    store.delete(one.id)
    assert on_disk(store.root) == {f"p1/{two.id}.md"}
    assert ids(store.page()) == [two.id]
    assert store.search("zebra").found == ()
    with pytest.raises(errors.ResponseNotFound):
        store.delete(one.id)


def test_an_answer_whose_file_is_gone_can_be_deleted(store, kept):
    one = kept()
    path_of(store, one).unlink()
    store.delete(one.id)
    assert store.page().total == 0


def test_delete_all_of_a_prompt_and_of_everything(store, kept):
    for n in range(5):
        kept(prompt_id=f"p{n % 2}")
    assert store.delete_all("p0") == 3
    assert store.page().total == 2
    assert store.delete_all() == 2
    assert store.delete_all() == 0
    assert on_disk(store.root) == set()
    assert not list((store.root / "responses").iterdir())


def test_nothing_of_what_was_deleted_stays_in_the_database(store, kept):
    kept(prompt="the canary sings", content="xylophone " * 300)
    store.delete_all()
    store.close()
    left = b"".join(path.read_bytes() for path in store.root.glob("history.sqlite3*"))
    assert b"canary" not in left
    assert b"xylophone" not in left


def test_a_delete_that_the_database_refuses_leaves_both(store, kept, monkeypatch):
    one = kept()

    def refuse(*_):
        raise errors.DatabaseError

    monkeypatch.setattr("jupyter_localcoder.history.rows.remove", refuse)
    with pytest.raises(errors.DatabaseError):
        store.delete(one.id)
    assert store.get(one.id) == one
    assert on_disk(store.root) == {f"p1/{one.id}.md"}


def test_a_file_that_cannot_be_deleted_leaves_both(store, kept, monkeypatch):
    one, two = kept(prompt_id="a"), kept(prompt_id="b")
    real = Path.replace

    def replace(path, target):
        if path.name == f"{two.id}.md":
            raise PermissionError(13, "Permission denied")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(errors.FileDeleteError):
        store.delete_all()
    assert set(ids(store.page())) == {one.id, two.id}


def test_an_answer_that_the_database_refuses_leaves_neither(store, kept, monkeypatch):
    kept()

    def refuse(*_):
        raise errors.DiskFull

    monkeypatch.setattr("jupyter_localcoder.history.rows.add", refuse)
    with pytest.raises(errors.DiskFull):
        kept(prompt_id="other")
    assert len(on_disk(store.root)) == 1
    assert not (store.root / "responses" / "other").exists()


def test_a_sweep_that_removes_the_empty_folder_meanwhile_costs_no_answer(store, kept, monkeypatch):
    require = folder._require_folder

    def after_a_sweep(path: Path) -> None:
        monkeypatch.undo()
        path.rmdir()
        require(path)

    monkeypatch.setattr(folder, "_require_folder", after_a_sweep)
    assert store.get(kept(content="the answer").id).content == "the answer"


def test_a_title_stands_in_the_file_and_in_the_row(store, kept):
    one = kept(content="the answer")
    titled = store.set_title(one.id, "Lists", "hand")
    assert (titled.title, titled.title_source) == ("Lists", "hand")
    assert store.get(one.id).title == store.page().responses[0].title == "Lists"
    assert store.get(one.id).content == "the answer"
    assert [each.response.id for each in store.search("lists").found] == [one.id]
    with pytest.raises(errors.ResponseNotFound):
        store.set_title(names.new_id(), "x", "hand")


def test_a_title_brings_nothing_back_that_is_deleted_meanwhile(store, kept, monkeypatch):
    one = kept()
    prepare = type(store._parts()[0]).prepare

    def and_delete(self, *args):
        part = prepare(self, *args)
        monkeypatch.undo()
        store.delete(one.id)
        return part

    monkeypatch.setattr(type(store._parts()[0]), "prepare", and_delete)
    with pytest.raises(errors.ResponseNotFound):
        store.set_title(one.id, "late", "generated")
    assert on_disk(store.root) == set()


def test_export_as_a_zip_that_is_carried_or_written(store, kept, tmp_path):
    one, two = kept(content="one"), kept(prompt_id="../evil", content="two")
    carried = store.export(ResponseExportRequest())
    with zipfile.ZipFile(io.BytesIO(carried.content)) as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    assert (carried.count, carried.size_bytes, carried.path) == (2, len(carried.content), "")
    assert {document.parse(text).content for text in texts.values()} == {"one", "two"}
    assert all(".." not in name and not name.startswith("/") for name in texts)
    written = store.export(ResponseExportRequest(id=one.id, path=str(tmp_path)))
    assert (written.count, written.content) == (1, b"")
    assert Path(written.path).parent == tmp_path
    assert Path(written.path).stat().st_size == written.size_bytes
    named = store.export(ResponseExportRequest(prompt_id=two.prompt_id, path=str(tmp_path / "x.zip")))
    assert Path(named.path).name == "x.zip"
    assert zipfile.ZipFile(named.path).testzip() is None


@pytest.mark.parametrize("path", ["relative.zip", "/nul\0.zip"])
def test_export_refuses_a_path_that_makes_no_sense(store, kept, path: str):
    kept()
    with pytest.raises(errors.InvalidArgument):
        store.export(ResponseExportRequest(path=path))


def test_export_to_where_nothing_can_be_written(store, kept, tmp_path):
    kept()
    with pytest.raises(errors.FileWriteError):
        store.export(ResponseExportRequest(path=str(tmp_path / "missing" / "x.zip")))


def test_a_carried_export_has_a_largest_size(store, kept, monkeypatch):
    monkeypatch.setattr("jupyter_localcoder.history.exporting.MAX_CARRIED_BYTES", 100)
    kept()
    with pytest.raises(errors.InvalidArgument):
        store.export(ResponseExportRequest())


def test_everything_is_kept_by_default(store, kept):
    kept(created_at="1970-01-01T00:00:00.000Z")
    assert store.retain() == 0


def test_retention_by_age_count_and_size(tmp_path):
    now = datetime(2026, 6, 1, tzinfo=timezone.utc)
    store = HistoryStore(history_dir=str(tmp_path), clock=lambda: now)
    made = [
        store.keep(response(created_at=(now - timedelta(days=days)).isoformat(timespec="milliseconds")))
        for days in range(9, -1, -1)
    ]
    store.keep_days = 6.5
    assert store.retain() == 3
    store.keep_days, store.keep_count = 0, 5
    assert store.retain() == 2
    store.keep_count, store.keep_megabytes = 0, 0.0011
    store.retain()
    assert 0 < store.page().total < 5
    assert ids(store.page())[0] == made[-1].id
    store.keep_megabytes = 0.000001
    store.retain()
    assert ids(store.page()) == [made[-1].id], "the newest one stays, however large it is"
    store.close()


def test_a_clock_that_was_set_back_deletes_nothing(tmp_path):
    store = HistoryStore(history_dir=str(tmp_path), clock=lambda: datetime(1980, 1, 1, tzinfo=timezone.utc))
    store.keep(response())
    store.keep_days = 1.0
    assert store.retain() == 0
    store.close()


def test_the_folder_may_be_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALCODER_HISTORY_DIR", str(tmp_path / "mine"))
    assert HistoryStore().root == tmp_path / "mine"
    monkeypatch.delenv("LOCALCODER_HISTORY_DIR")
    assert HistoryStore().root.name == "history"


def test_a_folder_that_is_removed_while_it_is_used_is_begun_anew(store, kept):
    import shutil

    kept()
    shutil.rmtree(store.root)
    two = kept()
    assert ids(store.page()) == [two.id]


def test_several_answers_are_kept_together(store):
    several = [response(prompt_id=f"p{n % 3}", prompt=f"word{n}") for n in range(20)]
    assert store.keep_all(several) == [store.get(each.id) for each in several]
    assert ids(store.page()) == [each.id for each in several[::-1]]
    assert [each.response.id for each in store.search("word7").found] == [several[7].id]


def test_of_several_answers_none_is_kept_where_one_cannot_be(store, kept):
    one = kept()
    wrong = response(prompt_id="blocked")
    (store.root / "responses" / "blocked").write_text("a file where a folder should be")
    with pytest.raises(errors.FileWriteError):
        store.keep_all([response(prompt_id="fine"), wrong, response(prompt_id="fine")])
    assert ids(store.page()) == [one.id]
    assert on_disk(store.root) == {f"p1/{one.id}.md", "blocked"}
