"""One process of a copy: start it, watch what it uses, and end it with everything that it has started.

On the side of the kernel.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil

from ..machine.child_environment import environment_for_computing
from ..storage.regular import read_regular
from .child import JOB, NO_NAMESPACES, REPORT, WORK
from .report import Job, LimitKind, TrialLimits, Wall

PREPARING_SECONDS = 60.0
"""For the start of the interpreter and for reading the inputs, beyond the time of the code."""
MAX_LINKS = 1_000
_LOOK_SECONDS = 0.05
_MAX_REPORT_BYTES = 8_000_000
_STARTED = "started"
_PLOTS = "matplotlib"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a process has ended."""

    report: bytes = b""
    """What it reported; empty if it did not."""
    limit: LimitKind | None = None
    crash: str = ""
    """For example `SIGSEGV`."""
    seconds: float = 0.0
    """Since the code began."""


class NoNamespaces(Exception):
    """The system does not permit namespaces; nothing was run."""


def new_folder(parent: Path, name: str, beside: Path | None) -> Path:
    """Make the folder of a process; its working folder has links to the files of another one.

    Parameters
    ----------
    beside
        The working folder of the kernel: relative paths lead to the same files, for reading.
    """
    own = parent / name
    work = own / WORK
    work.mkdir(parents=True, mode=0o700)
    if beside is not None:
        _link(beside, work)
        # Without its list of fonts, matplotlib looks at every font for seconds.
        plots = own / _PLOTS
        plots.mkdir()
        for cache in (os.environ.get("XDG_CACHE_HOME"), "~/.cache"):
            if cache and not any(plots.iterdir()):
                _link(Path(cache).expanduser() / _PLOTS, plots)
    return own


def _link(source: Path, target: Path) -> None:
    """Make links to the first files of a folder; none if it cannot be read, or on a system without links."""
    with contextlib.suppress(OSError, RuntimeError), os.scandir(source) as entries:
        for entry in itertools.islice(entries, MAX_LINKS):
            (target / entry.name).symlink_to(entry.path)


def run_process(own: Path, job: Job, wall: Wall, stopped: Callable[[], bool]) -> Ended:
    """Run a job to its end, or to the end of a limit.

    Parameters
    ----------
    stopped
        Asked again and again; once it is true the process is ended.

    Raises
    ------
    NoNamespaces
    KeyboardInterrupt
        The process is ended.
    """
    (own / JOB).write_bytes(msgspec.json.encode(job))
    with subprocess.Popen(
        [sys.executable, "-m", "jupyter_localcoder.trial.child", str(own), wall],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=own,
        env=_environment(own),
        start_new_session=True,
    ) as child:
        try:
            limit, seconds = _watch(child, own, job.limits, stopped)
        finally:
            _end(child)
    if limit is not None:
        return Ended(limit=limit, seconds=seconds)
    if child.returncode == NO_NAMESPACES:
        raise NoNamespaces
    try:
        return Ended(report=read_regular(own / REPORT, _MAX_REPORT_BYTES, follow=False), seconds=seconds)
    except OSError:
        if child.returncode in (128 + _SIGXCPU, -_SIGXCPU):
            return Ended(limit="time", seconds=seconds)
        return Ended(crash=_named(child.returncode), seconds=seconds)


def remove(folder: Path) -> None:
    """Delete a folder of a trial, also if the code has taken its permissions away."""

    def permit(function: Callable[..., Any], path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            for one in (os.path.dirname(path), path):  # noqa: PTH120
                if not os.path.islink(one):  # noqa: PTH114
                    os.chmod(one, stat.S_IRWXU)  # noqa: PTH101
            function(path)

    for _ in range(2):
        if folder.exists():
            if sys.version_info >= (3, 12):
                shutil.rmtree(folder, onexc=permit)
            else:
                shutil.rmtree(folder, onerror=permit)


_SIGXCPU = getattr(signal, "SIGXCPU", 24)


def _environment(own: Path, source: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the code needs to run, by exact names: no key, no token."""
    package = str(Path(__file__).resolve().parents[2])
    kept = environment_for_computing(source)
    paths = [package, *filter(None, kept.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",  # sets have one order in all runs
        "MPLBACKEND": "agg",  # no window
        "MPLCONFIGDIR": str(own / _PLOTS),
        "IPYTHONDIR": str(own / "ipython"),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(own)),
    }


def _watch(
    child: subprocess.Popen[bytes], own: Path, limits: TrialLimits, stopped: Callable[[], bool]
) -> tuple[LimitKind | None, float]:
    """Wait for the end of a process or of a limit; the limit, and the seconds since the code began."""
    spawned, began, base = time.monotonic(), 0.0, 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_LOOK_SECONDS)
            return None, time.monotonic() - (began or time.monotonic())
        if stopped():
            raise KeyboardInterrupt
        family = _family(child.pid)
        memory = _memory(family)
        if not began and (own / _STARTED).exists():
            began, base = time.monotonic(), memory
        seconds = time.monotonic() - (began or spawned)
        if seconds > (limits.seconds if began else PREPARING_SECONDS):
            return "time", seconds
        if len(family) > limits.processes:
            return "processes", seconds
        most = base + limits.memory_bytes + (0 if began else 2 * limits.copied_bytes)
        if memory > most and _memory(family, exact=True) > most:
            return "memory", seconds
        if _size(own, limits.disk_bytes) > limits.disk_bytes + 2 * limits.copied_bytes:
            return "disk", seconds


def _family(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(family: Sequence[psutil.Process], *, exact: bool = False) -> int:
    """Memory in bytes; ``exact`` counts what processes share once, where the system tells it."""
    memory = 0
    for one in family:
        with contextlib.suppress(psutil.Error):
            used = one.memory_info().rss
            if exact:
                with contextlib.suppress(psutil.AccessDenied):
                    used = getattr(one.memory_full_info(), "pss", used)
            memory += used
    return memory


def _size(folder: Path, enough: int) -> int:
    """Bytes in the files of a folder, links not followed."""
    total, waiting, looked = 0, [str(folder)], 0
    while waiting and total <= enough and looked < 20_000:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                looked += 1
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
    return total


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started."""
    family = _family(child.pid)
    if child.poll() is None and hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.kill()
    child.wait()
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()
    psutil.wait_procs(family, timeout=10)


def _named(code: int) -> str:
    number = -code if code < 0 else code - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"exit status {code}"
