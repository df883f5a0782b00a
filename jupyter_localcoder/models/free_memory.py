"""Memory that is free for a new program: the least of the machine's and of each container's limit.

psutil sees the machine and no cgroup, and a container that asks for more than its limit is killed. So
the limits are read here, of both generations of cgroups, at the process's own group and above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

_UNLIMITED_BYTES = 2**62
"""Generation 1 writes "no limit" as nearly 2**63."""


def available(root: Path = Path("/")) -> tuple[int, int]:
    """Free and total memory in bytes; 0 and 0 where neither can be read.

    Parameters
    ----------
    root
        Where ``/proc`` and ``/sys`` are.

    """
    try:
        memory = psutil.virtual_memory()
        free, total = int(memory.available), int(memory.total)
    except (OSError, RuntimeError, psutil.Error):
        return 0, 0
    for limit, in_use in _limits(root):
        total = min(total, limit)
        free = min(free, max(0, limit - in_use))
    return free, total


def _limits(root: Path) -> Iterator[tuple[int, int]]:
    """Limit and use, in bytes, of each group that has a limit; the use without reclaimable cache."""
    for folder, names in _groups(root):
        limit = _number(folder / names[0])
        use = _number(folder / names[1])
        if limit is None or use is None or limit >= _UNLIMITED_BYTES:
            continue
        cache = _statistics(folder / "memory.stat")
        prefix = names[2]
        reclaimable = cache.get(f"{prefix}inactive_file", 0) + cache.get(f"{prefix}active_file", 0)
        yield limit, max(0, use - reclaimable)


_V2 = ("memory.max", "memory.current", "")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")


def _groups(root: Path) -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """Folders of the process's memory groups, from its own to the top."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers == "":
            mounts, names = ["sys/fs/cgroup", "sys/fs/cgroup/unified"], _V2
        elif "memory" in controllers.split(","):
            mounts, names = ["sys/fs/cgroup/memory"], _V1
        else:
            continue
        parts = [part for part in group.split("/") if part not in ("", "..")]
        for mount in mounts:
            # Inside of a container the group's own path is often not mounted, only its top.
            for depth in range(len(parts), -1, -1):
                yield root.joinpath(mount, *parts[:depth]), names


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _statistics(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
