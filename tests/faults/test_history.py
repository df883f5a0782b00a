"""Rows 43 and 48 to 50: keys in the history; processes that die over it, share it, or have no disk for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import errors
from jupyter_localcoder.history import HistoryStore, names
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Ask, queue_answer
from tests.support.full_disk import small_disk
from tests.support.responses import on_disk, response
from tests.support.wire_server import WireServer, document, events, wire_server
from tests.unit.service.conftest import Desk, Open, open_desk

__all__ = ["open_desk"]

ROOT = Path(__file__).parents[2]
KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def server(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[WireServer]:
    context = wire_server()
    yield jp_asyncio_loop.run_until_complete(context.__aenter__())
    jp_asyncio_loop.run_until_complete(context.__aexit__(None, None, None))


def says(text: str) -> Any:
    return events({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]})


async def test_43_a_key_is_in_no_answer_that_is_kept(
    ask: Ask, server: WireServer, extension: LocalCoderApp, tmp_path: Path
) -> None:
    """An answer is kept, listed, searched, titled by the same provider, refused a title, and exported."""
    provider = {"type": "openai_compatible", "base_url": server.url + "/v1", "model": "m", "key": KEY}
    assert (await ask("PUT", "providers/acme", provider)).status == 200
    await ask("PATCH", "titles/config", {"provider": "acme", "enabled": False})
    server.say(says("marker: an answer"))
    queued = (await ask("POST", "queue", {"prompt": "marker: a question", "provider": "acme"})).data["id"]
    answered = (await queue_answer(ask, queued)).data
    id_ = answered["item"]["id"]
    server.say(says("marker: a title"))
    assert (await ask("POST", f"responses/{id_}/title")).data["title"] == "marker: a title"
    server.say(document({"error": f"bad key {KEY}"}, 401))
    refused = await ask("POST", f"responses/{id_}/title")
    assert refused.code == "TITLE_PROVIDER_ERROR"
    told = [
        await ask("GET", "responses"),
        await ask("GET", f"responses/{id_}"),
        await ask("GET", "responses/search?query=marker"),
        await ask("POST", "responses/export", {"path": str(tmp_path / "all.zip")}),
    ]
    assert [heard.headers["authorization"] for heard in server.heard] == [f"Bearer {KEY}"] * 3
    assert "canary" not in "".join(answer.text for answer in (*told, refused))
    await extension.stop_extension()
    root = extension.service.recorder.store.root
    with contextlib.closing(sqlite3.connect(root / "history.sqlite3")) as database:
        rows = "\n".join(database.iterdump())
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        packed = b"".join(archive.read(name) for name in archive.namelist())
    files = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    # The scan finds what is there: the answer in the rows, in its file and in the zip file.
    assert "marker: a question" in rows
    assert b"marker: an answer" in packed
    assert [path.suffix for path, data in files.items() if b"marker: a title" in data]
    assert "canary" not in rows
    assert b"canary" not in packed
    assert not [path for path, data in files.items() if b"canary" in data]


# 48: killed


def write(folder: Path, prefix: str, *counts: int) -> subprocess.Popen[str]:
    """A process that keeps answers in this history, and says which; see `history_writer`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.history_writer", str(folder), prefix, *map(str, counts)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def agree(store: HistoryStore) -> set[str]:
    """Ids of the answers, which are the same in files and rows, and can all be opened and found."""
    page = store.page(limit=1000)
    listed = {each.id for each in page.responses}
    assert page.total == len(page.responses) == len(listed)
    # A file that was being written is removed when it is too old to be somebody's work of this moment.
    files = {name for name in on_disk(store.root) if not name.endswith(names.PART_SUFFIX)}
    assert files == {f"{names.folder_name(r.prompt_id)}/{r.id}.md" for r in page.responses}
    for each in page.responses:
        assert store.get(each.id).content
    return listed


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_48_a_process_that_is_killed_leaves_both_or_neither(tmp_path: Path) -> None:
    """What it had told of is there, whenever it dies; of the one that it was about nobody can say."""
    chance = random.Random(48)
    store = HistoryStore(history_dir=str(tmp_path))
    known: set[str] = set()
    for _ in range(6):
        with write(tmp_path, "a", 10_000) as process:
            assert process.stdout is not None
            # It goes on meanwhile: where in its work it is killed, nobody knows.
            told = [process.stdout.readline().strip() for _ in range(chance.randrange(2, 120))]
            process.kill()
            told += [line.strip() for line in process.stdout if line.endswith("\n")]
        gone = {line[1:] for line in told if line.startswith("-")}
        known |= {line for line in told if line and not line.startswith("-")}
        known -= gone
        store.sweep()
        here = agree(store)
        # The last one may have been deleted without having told of it.
        assert len(known - here) <= 1
        assert len(here - known) <= 1
        known = here
    assert len(known) > 6  # two in each round, at least
    store.close()


# 49: several at once


def test_49_two_servers_keep_a_thousand_answers_in_one_history(tmp_path: Path) -> None:
    """While a third one sweeps, lists and searches."""
    store = HistoryStore(history_dir=str(tmp_path))
    writers = [write(tmp_path, prefix, 500, 250) for prefix in "ab"]
    looks = 0
    while any(writer.poll() is None for writer in writers):
        if looks == 10:  # by then they may be in the middle, or have hardly begun
            for writer in writers:
                assert writer.stdin is not None
                writer.stdin.write("go on\n")
                writer.stdin.flush()
        swept = store.sweep()
        assert (swept.removed_rows, swept.adopted) == (0, 0), "it took another one's work for a crash's"
        store.page()
        store.search("wordax1")
        looks += 1
    told: set[str] = set()
    for writer in writers:
        out, _ = writer.communicate()
        assert writer.returncode == 0
        lines = out.split()
        assert len(lines) == 510
        told |= {line for line in lines if f"-{line}" not in lines and not line.startswith("-")}
    assert looks > 10
    assert agree(store) == told
    assert len(told) == 980
    conversations = store.conversations().conversations
    assert {chat.id for chat in conversations} == {"a" * 16, "b" * 16}
    store.close()


# 50: a database that cannot be used


async def test_50_a_damaged_database_ends_no_answer_and_loses_none(open_desk: Open) -> None:
    desk = await open_desk()
    before = await desk.explain("x = 1")
    await desk.listed()
    desk.store.close()
    for path in desk.store.root.glob("history.sqlite3-*"):
        path.unlink()
    # As another file: one that is changed in place under an open connection may be read from its cache.
    damaged = desk.store.root / "damaged"
    damaged.write_bytes(b"no database at all\n" * 1000)
    damaged.replace(desk.store.root / "history.sqlite3")
    after = await desk.explain("x = 2")
    assert after.text == "An answer."
    await desk.until(lambda: [n for n in desk.of("notice") if "rebuilt from" in n.message])
    await desk.until(lambda: [told for told in desk.of("history:changed") if told.reason == "swept"])
    later = await desk.explain("x = 3")
    ids = {each.id for each in await desk.listed()}
    # The one that found the damage may have been lost, and then its notice says so.
    assert {before.run, later.run} <= ids
    assert after.run in ids or [n for n in desk.of("notice") if "not saved" in n.message]


async def test_50_a_database_that_cannot_be_written_is_told_once(open_desk: Open) -> None:
    desk = await open_desk()
    (desk.store.root / "history.sqlite3").mkdir(parents=True)  # also root cannot write this one
    for n in range(3):
        assert (await desk.explain(f"x = {n}")).text == "An answer."
    await desk.until(lambda: len(desk.of("response:complete")) == 3)
    assert [told.response_id for told in desk.of("response:complete")] == [""] * 3
    (notice,) = [n for n in desk.of("notice") if "not saved" in n.message]
    assert "The answer is complete" in notice.message
    assert notice.action
    with pytest.raises(errors.LocalCoderError):
        await desk.listed()
    (desk.store.root / "history.sqlite3").rmdir()
    done = await desk.explain("x = 4")
    assert [each.id for each in await desk.listed()] == [done.run]


async def test_50_a_full_disk_ends_no_answer(open_desk: Open, tmp_path: Path) -> None:
    """A real one. The answer is told, that it was not kept too, and what there was stays whole."""
    with small_disk(tmp_path / "disk", 3 * 1024 * 1024) as disk:
        desk = await open_desk(says="An answer. " * 200, history_dir=str(disk / "history"))
        kept: list[str] = []
        for n in range(400):
            done = await desk.explain(f"x = {n}")
            assert done.text == "An answer. " * 200
            end = await desk.until(lambda run=done.run: end_of(desk, run))
            if not end.response_id:
                break
            kept.append(end.response_id)
        assert len(kept) > 5
        notice = await desk.until(lambda: [n for n in desk.of("notice") if "not saved" in n.message])
        assert "disk" in notice[0].message
        assert "space" in notice[0].action
        assert len(notice) == 1
        # What was kept can be read, and room can be made by deleting.
        assert {each.id for each in await desk.listed(limit=1000)} == set(kept)
        assert desk.store.get(kept[0]).content == "An answer. " * 200
        await desk.service.close()


def end_of(desk: Desk, run: str) -> Any:
    return next((told for told in desk.of("response:complete") if told.request_id == run), None)


async def test_50_a_conversation_goes_on_without_its_database(open_desk: Open) -> None:
    from tests.unit.service.test_dialogue import Talk

    talk = Talk(await open_desk())
    (talk.desk.store.root / "history.sqlite3").mkdir(parents=True)
    await talk("one")
    await talk("two")
    assert talk.read[1] == ["one", "An answer.", "two"]


def test_a_clock_that_jumps_changes_no_order(tmp_path: Path) -> None:
    """Answers are listed as they came; a title, a deletion and the sweep find each of them."""
    from datetime import datetime, timedelta, timezone

    moment = datetime(2026, 6, 1, tzinfo=timezone.utc)
    store = HistoryStore(history_dir=str(tmp_path), clock=lambda: moment)
    made = []
    for jump in (timedelta(0), timedelta(days=-900), timedelta(days=4000), timedelta(seconds=-1)):
        moment += jump
        one = response(created_at=store.now(), conversation_id="c" * 16, parent_id=made[-1] if made else "")
        made.append(store.keep(one).id)
    assert [each.id for each in store.page().responses] == made[::-1]
    assert [turn.id for turn in store.conversation("c" * 16).turns] == made
    assert store.set_title(made[1], "Mine", "hand").title == "Mine"
    assert store.sweep().removed_rows == 0
    store.delete(made[2])
    assert [turn.id for turn in store.conversation("c" * 16).turns] == [made[0], made[1], made[3]]
    store.close()
