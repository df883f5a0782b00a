"""Without a Jupyter server: a terminal, a plain shell, `nbconvert`; and the same answers as with one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pexpect
import psutil
import pytest

from jupyter_localcoder.client.http import HttpClient
from tests.support.assistant import Assistant
from tests.support.jupyter_server import JupyterServer, has_ended, own_environment, wait_until
from tests.support.real_model import MODEL
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.workers import ENDLESS_FROM_HERE

PROMPT = r"In \[\d+\]: "


@pytest.fixture
def environment(tmp_path: Path, real_model: Path) -> dict[str, str]:
    return own_environment(tmp_path, real_model)


def test_a_seed_gives_the_same_text_over_http_and_in_process(
    assistant: Assistant, server: JupyterServer
) -> None:
    over_http = Assistant(HttpClient(server.connection))
    sampling = {"temperature": 0.8, "seed": 11}
    here, there = (
        each.chat("Invent a name for a boat.", sampling=sampling) for each in (assistant, over_http)
    )
    assert here.text == there.text
    assert here.end.prompt_sha256 == there.end.prompt_sha256
    assert here.end.model == there.end.model


def test_a_plain_shell_writes_the_answer_as_text(environment: dict[str, str], tmp_path: Path) -> None:
    """The worker does not outlive the process, which ends without a word about it."""
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'jupyter_localcoder')\n"
        "result = shell.run_cell('%%explain --max-tokens 30 --temperature 0\\nx = [n * n for n in y]')\n"
        "result.raise_error()\n"
        "import psutil\n"
        "print('worker', *(c.pid for c in psutil.Process().children() if 'worker' in c.cmdline()[-1]))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert "tokens/s · " in ran.stdout
    assert MODEL in ran.stdout
    assert "\x1b" not in ran.stdout
    assert "list" in ran.stdout
    pid = int(ran.stdout.rsplit("worker ", 1)[1])
    assert not psutil.pid_exists(pid)


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Iterator[pexpect.spawn]:
    """IPython in a terminal, with the magics."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
        env={**environment, "TERM": "dumb"},
        cwd=str(tmp_path),
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        echo=False,
    )
    child.expect(PROMPT)
    child.sendline("%load_ext jupyter_localcoder")
    child.expect(PROMPT)
    yield child
    child.close(force=True)


def test_ctrl_c_in_a_terminal_ends_the_answer_and_not_the_session(
    terminal: pexpect.spawn, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """The answer would never end by itself."""
    terminal.sendline(ENDLESS_FROM_HERE)
    terminal.expect(PROMPT)
    terminal.sendline("%coder --max-tokens 2000 Write the numbers from 1 to 500, one per line.")
    terminal.expect(r"\n5\r?\n")
    found = psutil.Process(terminal.pid).children()
    assert len(found) == 1
    started = time.monotonic()
    terminal.sendintr()
    terminal.expect(PROMPT)
    record_testsuite_property("ctrl_c_seconds", time.monotonic() - started)
    assert "Cancelled. The partial answer is kept." in terminal.before
    assert "Traceback" not in terminal.before
    terminal.sendline("%coder --max-tokens 8 --temperature 0 What is the capital of France.")
    terminal.expect("Paris")
    terminal.expect(PROMPT)
    assert psutil.Process(terminal.pid).children() == found, "the worker is the one that it was"
    terminal.sendline("exit")
    terminal.expect(pexpect.EOF)
    wait_until(lambda: has_ended(found[0]))


def test_nbconvert_executes_a_notebook(environment: dict[str, str], tmp_path: Path) -> None:
    cells = [
        nbformat.v4.new_code_cell("%load_ext jupyter_localcoder"),
        nbformat.v4.new_code_cell("%%explain --max-tokens 20 --temperature 0\nx = 1"),
    ]
    path = tmp_path / "two.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", str(path)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    answer, note = nbformat.read(path, as_version=4).cells[1].outputs
    assert answer.metadata["localcoder"]["model"] == MODEL
    assert len(answer.data["text/markdown"]) > 20
    assert "tokens/s" in note.data["text/plain"]
