"""Doctor: memory for a model, of the machine and of the container."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from ...models.free_memory import available
from ..units import size
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
            "Memory", found, "Too little for the smallest model: close programs, or enlarge the machine."
        )
    machine = int(psutil.virtual_memory().total)
    if total < machine:
        yield ok("Memory limit", f"a container allows {size(total)} of the machine's {size(machine)}")
    else:
        yield ok("Memory limit", "none below the machine's own memory")
