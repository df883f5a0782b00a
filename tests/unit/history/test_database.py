"""The database over versions, and when it is broken."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
from contextlib import closing

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.history import HistoryStore, schema
from jupyter_localcoder.history.database import Database
from tests.support import no_files
from tests.support.responses import response
from tests.support.waiting import PATIENCE_SECONDS


def path_of(store):
    return store.root / "history.sqlite3"


def test_a_newer_database_is_left_alone_with_a_sentence(store, kept):
    kept()
    store.close()
    with closing(sqlite3.connect(path_of(store))) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = path_of(store).read_bytes()
    for use in (kept, store.page, store.sweep):
        with pytest.raises(errors.DatabaseError, match="newer version") as caught:
            use()
        assert caught.value.details == {"found": schema.VERSION + 1, "known": schema.VERSION}
    store.close()
    assert path_of(store).read_bytes() == before


@pytest.fixture
def next_version(monkeypatch):
    """What the next release might do to the tables."""
    steps = (*schema.STEPS, "ALTER TABLE responses ADD COLUMN stars INTEGER NOT NULL DEFAULT 0;\n")
    monkeypatch.setattr(schema, "VERSION", len(steps))
    monkeypatch.setattr(schema.migrate, "__defaults__", (steps,))
    return steps


def test_an_older_database_is_brought_up_and_a_copy_stays(store, kept, request):
    one = kept()
    store.close()
    request.getfixturevalue("next_version")
    again = HistoryStore(history_dir=str(store.root))
    assert again.get(one.id) == one
    again.close()
    with closing(sqlite3.connect(path_of(store))) as db:
        assert schema.version_of(db) == schema.VERSION
        assert db.execute("SELECT stars FROM responses").fetchall() == [(0,)]
    with closing(sqlite3.connect(store.root / f"history.v{schema.VERSION - 1}.backup.sqlite3")) as db:
        assert schema.version_of(db) == schema.VERSION - 1
        assert db.execute("SELECT id FROM responses").fetchall() == [(one.id,)]


def test_a_step_that_fails_changes_nothing(store, kept, next_version, monkeypatch):
    monkeypatch.setattr(schema, "VERSION", 1)
    monkeypatch.setattr(schema.migrate, "__defaults__", (schema.STEPS,))
    one = kept()
    store.close()
    monkeypatch.setattr(schema, "VERSION", 2)
    broken = next_version[1] + "CREATE TABLE responses (x);\n"
    monkeypatch.setattr(schema.migrate, "__defaults__", ((*schema.STEPS, broken),))
    with pytest.raises(errors.DatabaseError):
        store.page()
    with closing(sqlite3.connect(path_of(store))) as db:
        assert schema.version_of(db) == 1
    monkeypatch.setattr(schema, "VERSION", 1)
    monkeypatch.setattr(schema.migrate, "__defaults__", (schema.STEPS,))
    assert store.get(one.id) == one


@pytest.mark.parametrize("damage", ["garbage", "zeros in the middle", "cut off"])
def test_a_damaged_database_is_set_aside_and_made_again_from_the_files(tmp_path, damage: str):
    heard: list[str] = []
    store = HistoryStore(history_dir=str(tmp_path))
    store.on_damage.listen(heard.append)
    made = [store.keep(response(prompt_id=f"p{n % 7}", content="word " * 200)) for n in range(60)]
    store.close()
    data = path_of(store).read_bytes()
    broken = {
        "garbage": b"this is no database at all, and never was\n" * 1000,
        "zeros in the middle": data[:4096] + bytes(len(data) - 8192) + data[-4096:],
        "cut off": data[: len(data) // 2],
    }[damage]
    path_of(store).write_bytes(broken)
    # What finds the damage may fail, what comes after it does not.
    with contextlib.suppress(errors.DatabaseError):
        store.sweep()
    store.sweep()
    store.keep(response(id="f" * 16))
    assert {each.id for each in store.page().responses} == {each.id for each in made} | {"f" * 16}
    assert store.search("word").found
    assert len(heard) == 1
    assert (tmp_path / heard[0]).read_bytes() == broken
    store.close()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    store = HistoryStore(history_dir=str(tmp_path / "file" / "history"))
    for use in (lambda: store.keep(response()), store.sweep):
        with pytest.raises(errors.FileWriteError):
            use()
    assert store.page().responses == (), "there is nothing to read, which needs no folder"


def test_who_holds_the_database_for_too_long_is_told_of(tmp_path):
    store = HistoryStore(history_dir=str(tmp_path), busy_seconds=0.05)
    one = store.keep(response())
    with closing(sqlite3.connect(path_of(store), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.DatabaseError, match="too long"):
            store.keep(response())
        assert store.get(one.id) == one, "who reads waits for nobody"
        with pytest.raises(errors.DatabaseError, match="too long"):
            store.delete(one.id)
        other.execute("ROLLBACK")
    assert store.get(one.id) == one
    assert len(list((tmp_path / "responses" / "p1").iterdir())) == 1
    store.close()


def test_many_threads_at_once(store):
    def work(prompt: str) -> None:
        try:
            for _ in range(10):
                one = store.keep(response(prompt_id=prompt))
                store.page(prompt)
                store.search("list")
                assert store.get(one.id) == one
        except BaseException as failure:
            failures.append(failure)

    failures: list[BaseException] = []
    threads = [threading.Thread(target=work, args=(f"p{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert failures == []
    assert store.page().total == 80


def test_a_closed_store_opens_again(store, kept):
    one = kept()
    store.close()
    assert store.get(one.id) == one


@pytest.mark.parametrize(
    "words", ["disk I/O error", "unable to open database file", "database or disk is full"]
)
@pytest.mark.parametrize("number", [errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)])
def test_a_full_disk_is_the_same_error_as_everywhere(store, kept, monkeypatch, words, number):
    """Of a user's share that is full, SQLite says only that something could not be written."""
    kept()

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.DiskFull) as caught, Database(path_of(store)).reading():
        raise sqlite3.OperationalError(words)
    usual = errors.DiskFull()
    assert (caught.value.message, caught.value.recovery) == (usual.message, usual.recovery)


def test_a_broken_disk_is_not_called_full(store, kept):
    kept()
    with pytest.raises(errors.DatabaseError), Database(path_of(store)).reading():
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("kind", ["pipe", "zeros", "loop", "folder"])
def test_an_answer_whose_file_is_none_is_told(store, kept, kind):
    one = kept()
    path = next(store.root.rglob(f"*{one.id}*.md"))
    no_files.put(kind, path)
    with pytest.raises(errors.FileReadError):
        store.get(one.id)
