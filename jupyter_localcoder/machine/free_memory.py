"""Memory that is free for a new program: the least of the machine's and of each container's limit.

psutil sees the machine and no cgroup, and a container that asks for more than its limit is killed. So
the limits are read here, of both generations of cgroups, at the process's own group and above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

from .cgroups import groups, number, text

_NAMES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    2: ("memory.max", "memory.current", ""),
}
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
    for folder, generation in groups(root, "memory"):
        names = _NAMES[generation]
        limit = number(folder / names[0])
        use = number(folder / names[1])
        if limit is None or use is None or limit >= _UNLIMITED_BYTES:
            continue
        cache = _statistics(folder / "memory.stat")
        prefix = names[2]
        reclaimable = cache.get(f"{prefix}inactive_file", 0) + cache.get(f"{prefix}active_file", 0)
        yield limit, max(0, use - reclaimable)


def _statistics(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
