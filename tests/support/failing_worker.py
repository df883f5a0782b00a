"""The real worker with one point at which it fails: ``python failing_worker.py POINT [PART_OF_A_PATH]``.

Everything but the failure is real: the engine, the pipes, the process. With a second argument only a model
whose path contains it fails.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from jupyter_localcoder.contract import wire
from jupyter_localcoder.errors import OutOfMemory
from jupyter_localcoder.worker import __main__ as worker
from jupyter_localcoder.worker.engine import Engine
from jupyter_localcoder.worker.loop import Loop
from tests.support.workers import HANGS


def holds_the_lock() -> None:
    """A native call that keeps the interpreter's lock."""
    os.write(2, f"{HANGS}\n".encode())
    ctypes.PyDLL(None).sleep(600)


def stuck() -> None:
    """A native call that never comes back, and lets others run."""
    os.write(2, f"{HANGS}\n".encode())
    time.sleep(600)


def out_of_memory() -> None:
    """What llama.cpp reports where a computation finds no memory."""
    raise OutOfMemory(stage="compute")


def bad_alloc() -> None:
    """An allocation in C++ that fails where nobody catches it."""
    os.write(
        2, b"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n"
    )
    os.abort()


POINTS: dict[str, Callable[[], None]] = {
    "holds-the-lock": holds_the_lock,
    "stuck": stuck,
    "out-of-memory": out_of_memory,
    "bad-alloc": bad_alloc,
}


def fail_at(point: Callable[[], None], part_of_path: str) -> None:
    """Fail in the first computation for a request, after the load."""
    load, decode = Loop._load, Engine.decode
    armed = False

    def loads(self: Loop, plan: wire.Load) -> None:
        nonlocal armed
        load(self, plan)
        armed = part_of_path in plan.path

    def decodes(self: Engine, items: Any) -> None:
        if armed:
            point()
        decode(self, items)

    Loop._load = loads  # type: ignore[method-assign]
    Engine.decode = decodes  # type: ignore[method-assign]


if __name__ == "__main__":
    fail_at(POINTS[sys.argv[1]], sys.argv[2] if len(sys.argv) > 2 else "")
    worker.main()
