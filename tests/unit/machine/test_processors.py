"""How many threads there are for a computation, in containers of both kinds and outside of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jupyter_localcoder.cli.doctor.memory import processor_findings
from jupyter_localcoder.engine.calibration_store import Calibrations
from jupyter_localcoder.engine.tuning import Tuning
from jupyter_localcoder.machine import processors
from tests.support.cgroup import processor_group
from tests.support.workers import plan


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 cores with two hyper-threads each."""
    monkeypatch.setattr(os, "cpu_count", lambda: 32)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 32 if logical else 16)
    monkeypatch.setattr(processors, "affinity", lambda: frozenset(range(32)))


def tree(root: Path, **groups: str) -> Path:
    """``/proc`` and ``/sys``: ``self`` is the file that names the groups, the rest lies in theirs."""
    files = {f"sys/fs/cgroup/{name}": text for name, text in groups.items()}
    files["proc/self/cgroup"] = groups.get("self", "")
    for cpu in range(32):
        core = cpu % 16
        files[f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"] = f"{core},{core + 16}\n"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    ("files", "threads", "why"),
    [
        ({}, 16, ""),
        ({"self": "0::/\n", "cpu.max": "max 100000\n"}, 16, ""),
        ({"self": "0::/\n", "cpu.max": "400000 100000\n"}, 4, "quota of 4 "),
        ({"self": "0::/\n", "cpu.max": "150000 100000\n"}, 1, "quota of 1.5 "),
        ({"self": "0::/\n", "cpu.max": "20000 100000\n"}, 1, "quota of 0.2 "),
        ({"self": "0::/\n", "cpu.max": "200000\n"}, 2, "quota of 2 "),
        ({"self": "0::/\n", "cpu.max": "nonsense\n"}, 16, ""),
        ({"self": "0::/\n", "cpu.max": "100000 0\n"}, 16, ""),
        # Nested: the least of all above counts, wherever it stands.
        ({"self": "0::/pod/app\n", "pod/cpu.max": "300000 100000\n",
          "pod/app/cpu.max": "max 100000\n"}, 3, "quota of 3 "),
        ({"self": "0::/pod/app\n", "pod/cpu.max": "800000 100000\n",
          "pod/app/cpu.max": "200000 100000\n"}, 2, "quota of 2 "),
        # The group's own path is not mounted in a container, only its top.
        ({"self": "0::/../../pod\n", "cpu.max": "500000 100000\n"}, 5, "quota of 5 "),
        ({"self": "3:cpu,cpuacct:/docker/x\n", "cpu,cpuacct/cpu.cfs_quota_us": "250000",
          "cpu,cpuacct/cpu.cfs_period_us": "100000"}, 2, "quota of 2.5 "),
        ({"self": "3:cpu:/x\n", "cpu/x/cpu.cfs_quota_us": "-1",
          "cpu/x/cpu.cfs_period_us": "100000"}, 16, ""),
        ({"self": "0::/x\n", "unified/x/cpu.max": "600000 100000"}, 6, "quota of 6 "),
        # Two hyper-threads of one core are one.
        ({"self": "0::/\n", "cpuset.cpus.effective": "0-1,16-17\n"}, 2, "4 processors"),
        ({"self": "2:cpuset:/x\n", "cpuset/x/cpuset.cpus": "4,5,6\n"}, 3, "3 processors"),
        ({"self": "0::/\n", "cpuset.cpus.effective": "\n"}, 16, ""),
        ({"self": "0::/\n", "cpuset.cpus.effective": "0-99999999999\n"}, 16, ""),
        ({"self": "0::/\n", "cpuset.cpus.effective": "0-7\n",
          "cpu.max": "300000 100000\n"}, 3, "quota of 3 "),
    ],
)  # fmt: skip
def test_the_least_limit_holds(tmp_path: Path, files: dict[str, str], threads: int, why: str) -> None:
    found = processors.available(tree(tmp_path, **files))
    assert (found.threads, found.cores) == (threads, 16)
    assert why in found.reason
    assert bool(found.reason) == bool(why)


@pytest.mark.usefixtures("large")
def test_processors_that_the_process_was_tied_to_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "affinity", lambda: frozenset({0, 1, 16, 17, 5}))
    found = processors.available(tree(tmp_path))
    assert (found.threads, found.reason) == (3, "the process may run on 5 of 32 processors")


def test_the_affinity_is_that_of_this_process() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    code += "from jupyter_localcoder.machine import processors; print(processors.available().threads)"
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system ties no process to processors")
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "1"


def test_a_real_quota_is_seen() -> None:
    code = "import sys; sys.stdin.read(1)\n"
    code += "from jupyter_localcoder.machine import processors; print(*processors.available(), sep='|')"
    with processor_group(1.0) as group:
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            group.add(child.pid)
            out, _ = child.communicate("x")
        finally:
            child.kill()
            child.wait()
    threads, cores, reason = out.strip().split("|")
    assert threads == "1"
    assert cores == "1" or "quota of 1 " in reason


@pytest.mark.usefixtures("large")
def test_a_quota_makes_another_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    load = plan().load
    keys = set()
    for threads in (16, 4):
        monkeypatch.setattr(processors, "available", lambda n=threads: processors.Processors(n, 16, ""))
        keys.add(Calibrations.key("a", load))
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("configured", "verdict", "words"),
    [(0, "ok", "4 of 16 cores"), (2, "ok", "2 threads, as `Tuning.threads` says"), (9, "note", "9 threads")],
)
def test_the_doctor_says_how_many_and_why(
    monkeypatch: pytest.MonkeyPatch, configured: int, verdict: str, words: str
) -> None:
    here = processors.Processors(4, 16, "its container has a quota of 4 processors")
    monkeypatch.setattr(processors, "available", lambda: here)
    (finding,) = processor_findings(Tuning(threads=configured).threads)
    assert finding.verdict == verdict
    assert words in finding.found
    assert "quota" in finding.meaning or configured
