"""Row 39: without a network everything local works, and with the air gap on nobody outside is turned to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_localcoder.cli.doctor import airgap
from jupyter_localcoder.cli.doctor.trace import contacts, tracer
from tests.faults.conftest import Open
from tests.support.jupyter_server import own_environment

REPOSITORY = Path(__file__).parents[2]


def session(folder: Path, model: Path, *more: str, before: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.offline_session", str(folder), str(model), *more]
    return subprocess.run([*before, *command], cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_39_everything_local_works_without_a_network(tiny_gguf: Path, tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    ended = session(tmp_path, tiny_gguf, "alone", before=[unshare, "-rn"])
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "all of it works" in ended.stdout


def test_39_no_system_call_names_another_machine(tiny_gguf: Path, tmp_path: Path) -> None:
    before = tracer(tmp_path / "trace")
    if before is None:
        pytest.skip("strace is not installed: system calls cannot be traced")
    if subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("strace may not trace here")
    (folder := tmp_path / "session").mkdir()
    ended = session(folder, tiny_gguf, "no-kernel", before=before)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = contacts((tmp_path / "trace").read_text(errors="replace").splitlines())
    # The client and the server talk over loopback: were there none, the trace would have seen nothing.
    assert found.inside >= 5
    assert found.outside == ()


def test_39_a_trace_is_read_right() -> None:
    lines = [
        '7 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0',
        '7 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
        '8 connect(4, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), '
        'inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = 0',
        '8 connect(4, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.2")}, 16) = -1 E',
        '9 sendto(5, ""..., 30, 0, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), '
        'inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 30',
        "9 sendto(5, \"\"..., 30, MSG_NOSIGNAL, NULL, 0) = 30",
        # It listens on this machine, and asks on another one.
        '9 connect(5, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0',
    ]  # fmt: skip
    found = contacts(lines)
    assert (found.inside, found.outside) == (
        2,
        ("10.0.0.2", "2001:db8::1", "the name service at 127.0.0.53"),
    )


def test_39_the_worker_has_no_network() -> None:
    finding = airgap.worker()
    assert finding.verdict in ("ok", "note")
    assert finding.found.startswith("no network")


async def test_39_the_running_worker_sees_no_network_device(open_model: Open, tiny_gguf: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has namespaces")
    bench = open_model(tiny_gguf)
    await bench.supervisor.load(bench.plan)
    devices = Path(f"/proc/{bench.supervisor.pid}/net/dev").read_text().splitlines()[2:]
    if airgap.worker().verdict == "note":
        pytest.skip("this user may make no network namespace: the guard in the interpreter stands alone")
    assert [line.partition(":")[0].strip() for line in devices] == ["lo"]


def test_39_the_doctor_proves_it_on_this_machine(tmp_path: Path) -> None:
    """On a machine without a model: a download is refused before any connection."""
    ended = subprocess.run(
        [sys.executable, "-m", "jupyter_localcoder.cli", "doctor", "--airgap", "--json"],
        cwd=REPOSITORY,
        env=own_environment(tmp_path, tmp_path / "models"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = {finding["topic"]: finding for finding in json.loads(ended.stdout)["findings"]}
    assert found["Download"]["verdict"] == "ok"
    assert found["Worker"]["found"].startswith("no network")
    traced = found["Trace of a download"]
    assert traced["verdict"] == ("note" if tracer(tmp_path) is None else "ok"), traced
