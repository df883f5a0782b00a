"""Whether a process has ended that left a file behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from jupyter_localcoder.storage import processes
from jupyter_localcoder.storage.processes import birth, can_be_seen, has_ended


def changed(birth_: str, **parts: str) -> str:
    return " ".join(processes._Birth(*birth_.split(" "))._replace(**parts))


def test_a_process_that_runs_has_not_ended() -> None:
    own = birth(os.getpid())
    assert own
    assert not has_ended(os.getpid(), own)
    assert not has_ended(os.getpid(), "")
    assert own == birth(os.getpid())


def test_one_that_was_killed_has_ended_also_before_anybody_asked_for_its_remains() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = birth(child.pid)
    assert not has_ended(child.pid, born)
    child.kill()
    if sys.platform != "win32":
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still to be reaped
        assert has_ended(child.pid, born)
        assert birth(child.pid) == ""
    child.communicate()
    assert has_ended(child.pid, born)


def test_another_process_of_the_same_number_is_not_the_one_that_was_there() -> None:
    for part in ("began", "boot"):
        assert has_ended(os.getpid(), changed(birth(os.getpid()), **{part: "another"}))


@pytest.mark.parametrize("part", ["host", "space"])
def test_numbers_of_another_machine_or_container_mean_nothing_here(part: str) -> None:
    elsewhere = changed(birth(os.getpid()), **{part: "another"})
    assert not can_be_seen(elsewhere)
    assert not has_ended(os.getpid(), elsewhere)


def test_what_was_there_before_the_machine_was_started_anew_can_be_told_to_have_ended() -> None:
    before = changed(birth(os.getpid()), boot="another", space="another")
    assert can_be_seen(before)
    assert has_ended(os.getpid(), before)


@pytest.mark.parametrize("text", ["", "x", "a b c", "a b c d e", "\0"])
def test_a_birth_that_cannot_be_read_leaves_the_number(text: str) -> None:
    assert not has_ended(os.getpid(), text)
    assert can_be_seen(text)
    for pid in (0, -1, 2**31 - 1):
        assert has_ended(pid, text)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_name_of_a_program_may_hold_anything() -> None:
    """It stands in the middle of what is read."""
    code = (
        "import ctypes, sys\n"
        "ctypes.CDLL(None).prctl(15, b') Z 1 2 (', 0, 0, 0)\n"
        "print('named', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"named\n"
    assert not has_ended(child.pid, birth(child.pid))
    child.communicate()


def test_without_what_linux_says_there_is_what_psutil_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes.sys, "platform", "darwin")
    own = birth(os.getpid())
    assert not has_ended(os.getpid(), own)
    assert has_ended(os.getpid(), changed(own, began="1.00"))
    assert has_ended(2**31 - 1, own)
