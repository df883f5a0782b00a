"""What the worker takes from itself before anything else runs: it must never be what takes a machine down.

Nothing here fails: what a system does not offer is left out.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

OOM_SCORE_ADJUSTMENT = 500
"""Of 1000: when the system must kill somebody for memory, it is the worker and not a kernel or the server."""

_PR_SET_PDEATHSIG = 1


def apply() -> None:
    """Write no core files, go first when memory is short, and go with the service."""
    _no_core_files()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE_ADJUSTMENT))
        _die_with_parent()


def limit_memory(most_bytes: int) -> None:
    """Let an allocation fail that would take more than so many bytes of private memory; 0 takes no limit.

    A failed allocation is an error that is told. Without a limit the system swaps until nothing moves, or
    kills whom it likes. Mapped weights do not count: the system can drop them.
    """
    if sys.platform != "linux":
        return  # Others do not count mapped memory for this limit.
    import resource

    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = most_bytes if most_bytes > 0 else hard
        if hard != resource.RLIM_INFINITY:
            soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _no_core_files() -> None:
    """A core file of a worker holds the model, and what was asked."""
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent() -> None:
    """Be killed when the thread of the service that started this process is gone, also in a hang."""
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # It went in between, and nothing will tell of it.
