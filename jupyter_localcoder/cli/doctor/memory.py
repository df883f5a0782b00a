"""Doctor: memory and processors for a model, of the machine and of the container."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from ...machine import processors
from ...machine.free_memory import available
from ...text.units import size
from .finding import Finding, note, ok

SMALL_BYTES = 1_000_000_000
"""What the smallest model of the catalogue needs, with its context and the worker."""


def findings() -> Iterator[Finding]:
    """Look."""
    free, total = available()
    found = f"{size(free)} of {size(total)} free"
    if free >= SMALL_BYTES:
        yield ok("Memory", found)
    else:
        yield note(
            "Memory",
            found,
            "Not enough for the smallest model: close other programs, or use a machine with more memory.",
        )
    machine = int(psutil.virtual_memory().total)
    if total < machine:
        yield ok("Memory limit", f"a container allows {size(total)} of the machine's {size(machine)}")
    else:
        yield ok("Memory limit", "no limit below the physical memory of the machine")


def processor_findings(threads: int) -> Iterator[Finding]:
    """How many threads compute, and why not more; ``threads`` is what the configuration says, 0 nothing."""
    here = processors.available()
    usual = f"{here.threads} of {here.cores} cores" if here.reason else f"all {here.cores} cores"
    if threads > here.threads:
        yield note(
            "Processors",
            f"{threads} threads, as `Tuning.threads` says; {usual} can be used",
            "More threads slow each other down: leave `Tuning.threads` at 0.",
        )
    elif threads:
        yield ok("Processors", f"{threads} threads, as `Tuning.threads` says; {usual} can be used")
    else:
        yield ok("Processors", f"{usual} compute", here.reason and f"Limited because {here.reason}.")
