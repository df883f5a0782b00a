"""What is known of requests after the process that held them is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from jupyter_localcoder.contract.queue import CallRequest
from jupyter_localcoder.queueing import journal
from jupyter_localcoder.queueing.journal import Journal, JournalEntry
from tests.support import no_files

_HOLDS_TWO = """
import sys, time
from pathlib import Path
from jupyter_localcoder.queueing.journal import Journal, JournalEntry
journal = Journal(Path(sys.argv[1]))
for name in ("answered", "running", "waiting"):
    journal.opened(JournalEntry(id=name, provider="embedded", added=f"2026-01-01T00:00:0{len(name)}+00:00"))
journal.ended("answered")
print("ready", flush=True)
time.sleep(600)
"""


def entry(id_: str, added: str = "2026-01-01T00:00:00+00:00") -> JournalEntry:
    return JournalEntry(id=id_, provider="embedded", added=added)


def test_what_a_killed_process_left_open_is_lost_and_what_it_answered_is_not(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDS_TWO, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        mine = Journal(tmp_path)
        assert mine.lost() == []  # it lives
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()
    assert {lost.id for lost in mine.lost()} == {"running", "waiting"}
    assert {lost.id for lost in Journal(tmp_path).lost()} == {"running", "waiting"}


def test_a_process_that_answered_all_leaves_nothing(tmp_path: Path) -> None:
    mine = Journal(tmp_path)
    mine.opened(entry("a"))
    mine.ended("a")
    mine.close()
    assert Journal(tmp_path).lost() == []
    assert list(tmp_path.glob("*.jsonl")) == []


def test_reading_writes_nothing(tmp_path: Path) -> None:
    assert Journal(tmp_path / "nowhere").lost() == []
    assert not (tmp_path / "nowhere").exists()


def test_a_line_that_was_cut_off_costs_itself_only(tmp_path: Path) -> None:
    mine = Journal(tmp_path)
    mine.opened(entry("a"))
    mine.opened(entry("b"))
    mine.close()
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes() + b'{"ended": "a')
    assert {lost.id for lost in Journal(tmp_path).lost()} == {"a", "b"}
    path.write_bytes(b"\xff\xfe\x00nonsense")
    assert Journal(tmp_path).lost() == []


def test_it_does_not_grow_with_what_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_FILE_BYTES", 2000)
    mine = Journal(tmp_path)
    mine.opened(entry("stays"))
    for number in range(300):
        mine.opened(entry(f"r{number}"))
        mine.ended(f"r{number}")
    (path,) = tmp_path.glob("*.jsonl")
    assert path.stat().st_size < 4000
    mine.close()
    assert [lost.id for lost in Journal(tmp_path).lost()] == ["stays"]


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    mine = Journal(tmp_path)
    mine.opened(entry("a"))
    mine.close()
    (path,) = tmp_path.glob("*.jsonl")
    long_ago = time.time() - journal.KEEP_SECONDS - 1
    os.utime(path, (long_ago, long_ago))
    assert Journal(tmp_path).lost() == []
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    mine = Journal(tmp_path / "queue")
    mine.opened(entry("a"))
    (path,) = (tmp_path / "queue").glob("*.jsonl")
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    mine.close()


@pytest.mark.parametrize("kind", ["pipe", "zeros", "loop", "folder", "sparse"])
def test_what_is_no_file_loses_nothing_else(tmp_path: Path, kind: str) -> None:
    no_files.put(kind, tmp_path / "1-x.jsonl")
    (tmp_path / "2-y.jsonl").write_bytes(b"[" * 100_000 + b"\n")
    (tmp_path / "3-z.jsonl").write_bytes(b'{"opened": {"id": "a", "provider": "p", "added": "2026"}}\n')
    (tmp_path / "3-z.tmp").touch()
    assert [entry.id for entry in Journal(tmp_path).lost()] == ["a"]
    assert not (tmp_path / "3-z.tmp").exists(), "what a killed writer left"


def test_prompts_are_bounded_in_the_file_and_those_that_ended_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = len(msgspec.json.encode(CallRequest(prompt="a" * 100)))
    monkeypatch.setattr(journal, "MAX_PROMPT_BYTES", 2 * one)
    mine = Journal(tmp_path)
    for name in ("a", "b", "c", "d"):
        asked = CallRequest(prompt=name * 100)
        mine.opened(msgspec.structs.replace(entry(name), asked=asked))
        if name == "c":
            mine.ended("a")
    mine.close()
    prompts = {lost.id: lost.asked.prompt[:1] if lost.asked else None for lost in Journal(tmp_path).lost()}
    assert prompts == {"b": "b", "c": None, "d": "d"}


def test_a_file_of_an_older_version_is_read(tmp_path: Path) -> None:
    line = b'{"opened":{"id":"a","provider":"embedded","added":"2026-01-01T00:00:00+00:00"}}'
    (tmp_path / "1-aa.jsonl").write_bytes(line + b"\n")
    (lost,) = Journal(tmp_path).lost()
    assert (lost.id, lost.asked) == ("a", None)
