"""How many threads compute best here: the cores that this process may use, and no more than its quota.

The machine's number of cores is wrong in a container: with a quota, more threads than it allows are stopped
together again and again, and text comes many times more slowly.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from .cgroups import groups, number, text

_ROOT = Path("/")


class Processors(NamedTuple):
    """What there is to compute with."""

    threads: int
    """So many at once; at least 1."""
    cores: int
    """Physical cores of the machine."""
    reason: str
    """Why ``threads`` is less than ``cores``; empty where it is not."""


def available(root: Path = _ROOT) -> Processors:
    """The threads for a computation of this process: a hyper-thread does not help a matrix product.

    Parameters
    ----------
    root
        Where ``/proc`` and ``/sys`` are.
    """
    logical = os.cpu_count() or 1
    cores = psutil.cpu_count(logical=False) or logical
    found, reason = cores, ""
    for limit, why in _limits(root, frozenset(range(logical))):
        if limit < found:
            found, reason = limit, why
    return Processors(max(1, found), cores, reason)


def _limits(root: Path, machine: frozenset[int]) -> Iterator[tuple[int, str]]:
    mine = affinity()
    if mine is not None:
        yield _cores(root, mine), f"the process may run on {len(mine)} of {len(machine)} processors"
    for folder, generation in groups(root, "cpuset"):
        names = ("cpuset.cpus.effective",) if generation == 2 else ("cpuset.effective_cpus", "cpuset.cpus")
        allowed = next((cpus for name in names if (cpus := _cpus(text(folder / name)))), None)
        if allowed:
            yield _cores(root, allowed), f"its container may use {len(allowed)} processors"
    for folder, generation in groups(root, "cpu"):
        quota = _quota_v2(folder) if generation == 2 else _quota_v1(folder)
        if quota is not None:
            # A part of a processor is left to Jupyter and the kernels.
            yield max(1, int(quota)), f"its container has a quota of {quota:g} processors"


def affinity() -> frozenset[int] | None:
    """Processors that this process may run on; None where the system does not tell."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    try:
        return frozenset(os.sched_getaffinity(0))
    except OSError:
        return None


def _cores(root: Path, cpus: Collection[int]) -> int:
    """Physical cores of some processors: those that share one count once."""
    shared = set()
    for cpu in cpus:
        topology = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        siblings = _cpus(text(topology / "thread_siblings_list"))
        shared.add(min(siblings) if siblings else cpu)
    return len(shared)


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = text(folder / "cpu.max").strip().partition(" ")
    if not quota.isdigit() or not (period or "100000").isdigit():
        return None
    return _share(int(quota), int(period or 100_000))


def _quota_v1(folder: Path) -> float | None:
    """None also for -1, which is no limit."""
    quota, period = number(folder / "cpu.cfs_quota_us"), number(folder / "cpu.cfs_period_us")
    return None if quota is None or period is None else _share(quota, period)


def _share(quota: int, period: int) -> float | None:
    return quota / period if quota > 0 and period > 0 else None


def _cpus(listed: str) -> frozenset[int]:
    """The numbers of a list such as ``0-3,8``; empty where it is none."""
    found: set[int] = set()
    for part in listed.strip().split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdigit() or not (last or first).isdigit() or int(last or first) - int(first) > 1 << 16:
            return frozenset()
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
