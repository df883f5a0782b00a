"""The memory of this machine: what is free, and who holds the rest. It serves no operation itself."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable

import psutil

from ..contract import backend
from ..models import memory
from .load_plan import LoadPlan
from .pool import WorkerPool

_LEAST_SPARE_BYTES = 64 * 1024 * 1024
"""A worker can always take so much more: an answer needs some."""
KernelPids = Callable[[], Iterable[int]]
"""Answers the process ids of the kernels that are open."""


class MemoryUsage:
    """Looks at memory; every method blocks for some milliseconds."""

    def __init__(self, pool: WorkerPool, kernel_pids: KernelPids) -> None:
        self._pool = pool
        self._kernel_pids = kernel_pids

    def memory(self) -> backend.Memory:
        """Everything, in bytes."""
        available, total = memory.available()
        kernels = [_tree_bytes(pid) for pid in self._kernel_pids()]
        return backend.Memory(
            worker_bytes=sum(resident_bytes(one.pid) for one in self._pool.holding),
            server_bytes=resident_bytes(os.getpid()),
            available_bytes=available,
            total_bytes=total,
            kernels=len(kernels),
            kernels_bytes=sum(kernels),
            given_back_bytes=self.given_back_bytes(),
        )

    def given_back_bytes(self) -> int:
        """What comes free when all that is loaded is unloaded; 0 where nothing is."""
        return sum(self.taken_bytes(one.pid, one.plan) for one in self._pool.holding if one.plan)

    def taken_bytes(self, pid: int | None, plan: LoadPlan) -> int:
        """What a worker has taken that others cannot have, and what comes free when it ends."""
        if pid is None:
            return 0
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            info = process.memory_info()
            if plan.load.use_mlock:
                return int(info.rss)
            if psutil.LINUX:
                # Pages of the model's file count as free already: the system can drop them at any time.
                return int(info.rss - info.shared)
            return int(process.memory_full_info().uss)
        return 0

    def keep_within(self, pid: int, memory_bytes: int) -> None:
        """Let a process that runs take no more private memory than this; 0 takes the limit away.

        What it has already is left to it.
        """
        if sys.platform != "linux":
            return  # See `worker.limits`.
        import resource

        with contextlib.suppress(OSError, ValueError, psutil.Error):
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            least = psutil.Process(pid).memory_info().data + _LEAST_SPARE_BYTES
            soft = max(memory_bytes, least) if memory_bytes > 0 else hard
            if hard != resource.RLIM_INFINITY:
                soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
            resource.prlimit(pid, resource.RLIMIT_DATA, (soft, hard))


def _tree_bytes(pid: int) -> int:
    """Memory of a process and its children."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0
    return resident_bytes(pid) + sum(resident_bytes(child.pid) for child in children)


def resident_bytes(pid: int | None) -> int:
    """What a process holds in memory; 0 where that cannot be read."""
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0
