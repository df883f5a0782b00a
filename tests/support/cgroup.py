"""A memory group of one's own, where root may make one: its limit is the real thing."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_SECONDS

_TOP = Path("/sys/fs/cgroup")


class MemoryGroup:
    """A group with a limit; who is moved into it is killed when it takes more."""

    def __init__(self, folder: Path, limit_file: str, limit_bytes: int) -> None:
        self._folder = folder
        (folder / limit_file).write_text(str(limit_bytes))

    def add(self, pid: int) -> None:
        """Move a process into it."""
        (self._folder / "cgroup.procs").write_text(str(pid))


@contextlib.contextmanager
def memory_group(limit_bytes: int) -> Iterator[MemoryGroup]:
    """Make a group, and remove it; skips the test where that is not allowed."""
    name = f"localcoder-test-{secrets.token_hex(4)}"
    tried: list[str] = []
    for parent, limit_file in ((_TOP / "memory", "memory.limit_in_bytes"), (_TOP, "memory.max")):
        folder = parent / name
        try:
            if not (parent / "cgroup.procs").exists():
                raise OSError(f"{parent} is no group")
            folder.mkdir()
            group = MemoryGroup(folder, limit_file, limit_bytes)
        except OSError as failure:
            tried.append(str(failure))
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        try:
            yield group
        finally:
            _remove(folder)
        return
    pytest.skip("no memory group can be made here: " + "; ".join(tried))


@contextlib.contextmanager
def processor_group(quota: float) -> Iterator[Path]:
    """Make a group with a quota of processors; gives the file that takes its processes."""
    name = f"localcoder-test-{secrets.token_hex(4)}"
    tried: list[str] = []
    for parent, limits in (
        (_TOP / "cpu", {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": str(round(quota * 100_000))}),
        (_TOP, {"cpu.max": f"{round(quota * 100_000)} 100000"}),
    ):
        folder = parent / name
        try:
            if not (parent / "cgroup.procs").exists():
                raise OSError(f"{parent} is no group")
            folder.mkdir()
            for file, text in limits.items():
                (folder / file).write_text(text)
        except OSError as failure:
            tried.append(str(failure))
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        try:
            yield folder / "cgroup.procs"
        finally:
            _remove(folder)
        return
    pytest.skip("no group of processors can be made here: " + "; ".join(tried))


def _remove(folder: Path) -> None:
    """A group can be removed once those in it are reaped."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.05)
