"""Code that does harm, in real processes: nothing outside of the copy changes, and the verdict says why."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_localcoder.trial.report import TrialLimits, Wall
from jupyter_localcoder.trial.trial import Notebook, attempt
from jupyter_localcoder.trial.verdict import GUARD_ONLY, Verdict
from tests.support.waiting import PATIENCE_SECONDS

Make = Callable[..., Notebook]
SMALL = TrialLimits(
    seconds=60, memory_bytes=300_000_000, processes=12, disk_bytes=20_000_000, copied_bytes=1_000_000
)
SHORT = TrialLimits(seconds=0.5)


@pytest.fixture(params=["namespace", "guard"])
def wall(request: pytest.FixtureRequest, notebook: Make) -> Wall:
    chosen: Wall = request.param
    if attempt("x = 1", notebook(), wall=chosen).wall != chosen:
        pytest.skip("this system permits no namespaces")
    return chosen


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + PATIENCE_SECONDS
    # A process that was killed may be listed until its parent has noticed.
    while left := [one for one in _children() if one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline, left


def _children() -> list[psutil.Process]:
    found = []
    for one in psutil.process_iter():
        try:
            if "jupyter_localcoder.trial.child" in one.cmdline():
                found.append(one)
        except psutil.Error:
            continue
    return [one for one in found if one.is_running() and _own(one)]


def _own(process: psutil.Process) -> bool:
    try:
        return os.getpid() in [process.pid, *(one.pid for one in process.parents())] or process.ppid() == 1
    except psutil.Error:
        return False


def tried(code: str, notebook: Notebook, wall: Wall, limits: TrialLimits = SMALL) -> Verdict:
    return attempt(code, notebook, wall=wall, limits=limits)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time\ntime.sleep(1000)",
        "import threading\nthreading.Event().wait()",
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "while True:\n    try:\n        while 1: 1\n    except BaseException: pass",
    ],
)
def test_a_loop_without_end(notebook: Make, wall: Wall, code: str) -> None:
    found = tried(code, notebook(), wall, SHORT)
    assert found.sentence == "Tried in a copy: the code does not end within the time limit of 0.5 s."


@pytest.mark.parametrize(
    "code",
    [
        "x = []\nwhile True: x.append(bytearray(5_000_000))",
        "x = bytearray(10**12)",
        "x = 'a'\nwhile True: x += x",
    ],
)
def test_memory_without_end(notebook: Make, wall: Wall, code: str) -> None:
    found = tried(code, notebook(), wall)
    assert found.sentence == "Tried in a copy: the code reaches the memory limit of 300 MB."


def test_processes_without_end(notebook: Make, wall: Wall) -> None:
    found = tried("import os\nwhile True: os.fork()", notebook(), wall)
    assert found.sentence == (
        "Tried in a copy: the code reaches the limit of 12 processes."
        if wall == "namespace"
        else "Cannot be checked: the code starts a program, which cannot be isolated on this system."
    )


def test_a_process_that_hides_ends_with_the_copy(notebook: Make, wall: Wall) -> None:
    # In a session of its own, its parents gone. The end of the copy is its end.
    code = (
        "import os\nif os.fork() == 0:\n    os.setsid()\n"
        "    if os.fork() == 0:\n        while True: pass\n    os._exit(0)"
    )
    found = tried(code, notebook(), wall)
    assert found.kind == ("runs" if wall == "namespace" else "unchecked")


def test_of_a_process_that_runs_on_after_the_cell_nothing_is_reported(notebook: Make) -> None:
    if tried("x = 1", notebook(), "namespace").wall != "namespace":
        pytest.skip("this system permits no namespaces")
    code = "import os\nchild = os.fork()\nif child: os.waitpid(child, 0)\nx = bool(child)\nx"
    found = tried(code, notebook(), "namespace")
    assert found.new is not None
    assert [one.name for one in found.new.values] == ["child", "x", "the last line"]
    assert found.kind == "runs"


def test_files_without_end(notebook: Make, wall: Wall) -> None:
    found = tried("with open('a', 'wb') as f:\n    while True: f.write(bytes(1_000_000))", notebook(), wall)
    assert found.sentence == "Tried in a copy: the code reaches the disk limit of 20 MB."
    many = "n = 0\nwhile True:\n    n += 1\n    with open(f'f{n}', 'wb') as f: f.write(bytes(1_000_000))"
    assert tried(many, notebook(), wall).sentence == found.sentence


def test_open_files_without_end(notebook: Make, wall: Wall) -> None:
    found = tried("x = [open('/dev/null') for _ in range(10**6)]", notebook(), wall)
    assert found.sentence == "Tried in a copy: the code reaches the limit of 512 open files."


OUTSIDE = {
    "write": "open({path!r}, 'w').write('changed')",
    "append": "open({path!r}, 'a').write('changed')",
    "low level": "import os\nos.open({path!r}, os.O_WRONLY | os.O_TRUNC)",
    "pathlib": "from pathlib import Path\nPath({path!r}).write_text('changed')",
    "remove": "import os\nos.remove({path!r})",
    "rename": "import os\nos.rename({path!r}, 'mine')",
    "replace": "import os\nopen('mine', 'w').write('x')\nos.replace('mine', {path!r})",
    "truncate": "import os\nos.truncate({path!r}, 0)",
    "mode": "import os\nos.chmod({path!r}, 0o777)",
    "hard link": "import os\nos.link({path!r}, 'mine')\nopen('mine', 'w').write('changed')",
    "folder": "import shutil\nshutil.rmtree({folder!r})",
    "new folder": "import os\nos.makedirs({folder!r} + '/new')",
    "new file": "open({folder!r} + '/new', 'x')",
    "link to it": "open('data.csv', 'w').write('changed')",
    "own link": "import os\nos.symlink({path!r}, 'mine')\nopen('mine', 'w').write('changed')",
    "database": "import sqlite3\nsqlite3.connect({folder!r} + '/new.db').execute('create table t (a)')",
    "frame": "import pandas\npandas.DataFrame().to_csv({path!r})",
}


@pytest.mark.parametrize("how", OUTSIDE)
def test_nothing_is_written_or_deleted_outside(notebook: Make, wall: Wall, how: str) -> None:
    made = notebook()
    folder = Path(str(made.folder))
    path = folder / "data.csv"
    before = path.read_bytes(), path.stat().st_mode
    found = tried(OUTSIDE[how].format(path=str(path), folder=str(folder)), made, wall)
    assert (path.read_bytes(), path.stat().st_mode) == before
    assert [one.name for one in folder.iterdir()] == ["data.csv"]
    assert not found.runs
    if how not in ("database", "hard link"):  # their errors are those of the database and of the system
        assert found.sentence.startswith("Cannot be checked: the code writes outside of the copy"), found


def test_a_deleted_folder_of_files_is_that_of_the_copy(notebook: Make, wall: Wall) -> None:
    made = notebook()
    found = tried(
        "import os\nfor name in os.listdir('.'):\n    os.remove(name)\nleft = os.listdir('.')", made, wall
    )
    assert found.kind == "runs"
    assert [one.name for one in Path(str(made.folder)).iterdir()] == ["data.csv"]


def test_programs_change_nothing_outside(notebook: Make, wall: Wall) -> None:
    made = notebook()
    path = Path(str(made.folder)) / "data.csv"
    before = path.read_bytes()
    code = (
        f"import subprocess, os\nsubprocess.run(['rm', '-rf', {str(path.parent)!r}])\nos.system('rm {path}')"
    )
    found = tried(code, made, wall)
    assert path.read_bytes() == before
    assert found.kind == ("runs" if wall == "namespace" else "unchecked")


def test_native_code_changes_nothing_outside(notebook: Make) -> None:
    made = notebook()
    path = Path(str(made.folder)) / "data.csv"
    code = f"import ctypes\nx = ctypes.CDLL(None).unlink({str(path).encode()!r})"
    if tried("x = 1", made, "namespace").wall != "namespace":
        pytest.skip("this system permits no namespaces")
    found = tried(code, made, "namespace")
    assert found.kind == "runs"
    assert path.exists()


@pytest.mark.parametrize(
    "code",
    [
        "import socket\nsocket.create_connection(('127.0.0.1', {port}))",
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}').read()",
        "import socket\nsocket.getaddrinfo('localhost', 80)",
        "import socket as s\ns.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
        "import asyncio\nawait asyncio.open_connection('127.0.0.1', {port})",
        "import httpx\nhttpx.get('http://127.0.0.1:{port}')",
    ],
)
def test_no_connection_is_opened(notebook: Make, wall: Wall, code: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        found = tried(code.format(port=server.getsockname()[1]), notebook(), wall)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert found.sentence.startswith("Cannot be checked: the code needs the network"), found.new


def test_a_program_has_no_network(notebook: Make) -> None:
    if tried("x = 1", notebook(), "namespace").wall != "namespace":
        pytest.skip("this system permits no namespaces")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))"
        tried(
            f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}])",
            notebook(),
            "namespace",
        )
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "code",
    [
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
        "import os, signal\nos.kill({pid}, signal.SIGKILL)",
        "import os, signal\nos.killpg(0, signal.SIGKILL)",
        "import os, signal\nos.kill(-1, signal.SIGKILL)",
    ],
)
def test_no_process_outside_is_killed(notebook: Make, wall: Wall, code: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        found = tried(code.format(pid=other.pid), notebook(), wall)
        assert other.poll() is None
        other.communicate(b"\n")
        assert other.returncode == 0
    assert not found.runs


def test_keys_of_the_environment_are_not_there(
    notebook: Make, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_API_KEY", "s3cret")
    monkeypatch.setenv("JUPYTER_TOKEN", "s3cret")
    monkeypatch.setenv("JPY_API_TOKEN", "s3cret")
    code = "import os, subprocess\nseen = repr(dict(os.environ))\nassert 's3cret' not in seen"
    assert tried(code, notebook(), wall).kind == "runs"


def test_keys_in_the_environment_of_other_processes_are_not_there(notebook: Make) -> None:
    made = notebook()
    if tried("x = 1", made, "namespace").wall != "namespace":
        pytest.skip("this system permits no namespaces")
    code = (
        "import glob\nseen = ''\n"
        "for path in glob.glob('/proc/[0-9]*/environ'):\n"
        "    try: seen += open(path).read()\n    except OSError: pass\n"
        "assert 's3cret' not in seen"
    )
    environment = {**os.environ, "NVIDIA_API_KEY": "s3cret"}
    command = [sys.executable, "-c", "print('here', flush=True); input()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as other:
        # It is to be found here, as soon as the program has been read.
        assert other.stdout is not None
        assert other.stdout.readline() == b"here\n"
        assert "s3cret" in Path(f"/proc/{other.pid}/environ").read_text()
        assert tried(code, made, "namespace").kind == "runs"
        other.communicate(b"\n")


def test_the_weaker_wall_is_told(notebook: Make, wall: Wall) -> None:
    assert (GUARD_ONLY in tried("x = 1", notebook(), wall).notes) == (wall == "guard")


def test_a_stop_ends_everything(notebook: Make, wall: Wall) -> None:
    asked: list[Any] = []

    def stopped() -> bool:
        asked.append(None)
        return len(asked) > 3

    with pytest.raises(KeyboardInterrupt):
        attempt("while True: pass", notebook(), wall=wall, stopped=stopped)


def test_a_kernel_that_dies_takes_its_copy_along(tmp_path: Path, wall: Wall) -> None:
    program = (
        "from jupyter_localcoder.trial.trial import Notebook, attempt\n"
        f'attempt(\'open("here", "w").close()\\nwhile True: pass\', Notebook({{}}, str), wall={wall!r})'
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as kernel:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not list(tmp_path.glob("localcoder-trial-*/new/work/here")):
            assert time.monotonic() < deadline
            assert kernel.poll() is None
        family = psutil.Process(kernel.pid).children(recursive=True)
        assert family
        kernel.kill()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert alive == []
