"""Memory of a process, in MB (10⁶ bytes)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1e6


@dataclass(frozen=True)
class Footprint:
    """What a process holds; where the system cannot say, USS and PSS are its RSS."""

    rss: float
    """All that is resident, shared libraries in full."""
    pss: float
    """Shared pages by the share of each process."""
    uss: float
    """What would be free if it ended."""


def footprint(pid: int) -> Footprint:
    """Measure a process."""
    process = psutil.Process(pid)
    try:
        full = process.memory_full_info()
    except (psutil.AccessDenied, NotImplementedError):
        rss = process.memory_info().rss / MB
        return Footprint(rss, rss, rss)
    uss = getattr(full, "uss", full.rss)
    return Footprint(full.rss / MB, getattr(full, "pss", uss) / MB, uss / MB)


@dataclass(frozen=True)
class Mappings:
    """What of a process' resident memory lies where."""

    file: float
    """Pages of one file."""
    buffers: float
    """Anonymous mappings of 16 MB and more: what llama.cpp allocates, and nothing that Python does."""
    reserved: float
    """Size of these mappings, with what of them was never touched."""


def mappings(pid: int, file: Path) -> Mappings | None:
    """Look through the mappings of a process; None where the system does not tell them."""
    process = psutil.Process(pid)
    if not hasattr(process, "memory_maps"):
        return None
    maps = process.memory_maps(grouped=False)
    # What may not be written is address space that malloc keeps for later.
    buffers = [m for m in maps if m.path == "[anon]" and m.size >= 16 * MB and "w" in m.perms]
    return Mappings(
        file=sum(part.rss for part in maps if part.path == str(file)) / MB,
        buffers=sum(part.rss for part in buffers) / MB,
        reserved=sum(part.size for part in buffers) / MB,
    )
