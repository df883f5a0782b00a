"""A control group of one's own, where root may make one: its limit is the real thing."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_SECONDS

_TOP = Path("/sys/fs/cgroup")


class Group:
    """A group with a limit that holds for all of its processes together."""

    def __init__(self, folder: Path) -> None:
        self.processes = folder / "cgroup.procs"
        """The file that takes the ids of its processes."""

    def add(self, pid: int) -> None:
        """Move a process into it."""
        self.processes.write_text(str(pid))


@contextlib.contextmanager
def memory_group(limit_bytes: int) -> Iterator[Group]:
    """Make a group whose processes are killed when they take more; skips the test where none can be made."""
    limit = str(limit_bytes)
    with _group(("memory", {"memory.limit_in_bytes": limit}), ("", {"memory.max": limit})) as group:
        yield group


@contextlib.contextmanager
def processor_group(quota: float) -> Iterator[Group]:
    """Make a group with a quota of processors; skips the test where none can be made."""
    microseconds = str(round(quota * 100_000))
    older = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": microseconds}
    with _group(("cpu", older), ("", {"cpu.max": f"{microseconds} 100000"})) as group:
        yield group


@contextlib.contextmanager
def _group(*versions: tuple[str, Mapping[str, str]]) -> Iterator[Group]:
    """The first of these that can be made: where its parent is, and what is written into its files."""
    name = f"localcoder-test-{secrets.token_hex(4)}"
    tried: list[str] = []
    for place, limits in versions:
        parent = _TOP / place
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
            yield Group(folder)
        finally:
            _remove(folder)
        return
    pytest.skip("no control group can be made here: " + "; ".join(tried))


def _remove(folder: Path) -> None:
    """A group can be removed once those in it are reaped."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.05)
