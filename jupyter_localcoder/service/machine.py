"""The memory of this machine: what is free, and who holds the rest. It serves no operation itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable

import psutil

from ..contract import backend
from ..models import memory
from ..supervisor import Supervisor

KernelPids = Callable[[], Iterable[int]]
"""Answers the process ids of the kernels that are open."""


class Machine:
    """Looks at memory; every method blocks for some milliseconds."""

    def __init__(self, supervisor: Supervisor, kernel_pids: KernelPids) -> None:
        self._supervisor = supervisor
        self._kernel_pids = kernel_pids

    def memory(self) -> backend.Memory:
        """Everything, in bytes."""
        available, total = memory.available()
        kernels = [_tree_bytes(pid) for pid in self._kernel_pids()]
        return backend.Memory(
            worker_bytes=_resident_bytes(self._supervisor.pid),
            server_bytes=_resident_bytes(os.getpid()),
            available_bytes=available,
            total_bytes=total,
            kernels=len(kernels),
            kernels_bytes=sum(kernels),
            given_back_bytes=self.given_back_bytes(),
        )

    def given_back_bytes(self) -> int:
        """What comes free when the loaded model is unloaded; 0 where none is."""
        pid, plan = self._supervisor.pid, self._supervisor.plan
        if pid is None or plan is None:
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


def _tree_bytes(pid: int) -> int:
    """Memory of a process and its children."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0
    return _resident_bytes(pid) + sum(_resident_bytes(child.pid) for child in children)


def _resident_bytes(pid: int | None) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0
