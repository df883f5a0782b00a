"""The real worker with one point at which it fails: ``python failing_worker.py POINT[@text] [PART_OF_PATH]``.

Everything but the failure is real: the engine, the pipes, the process. It fails while it reads the prompt, or
with ``@text`` once it has sent some text. With a second argument only a model whose path contains it fails.
"""

from __future__ import annotations

import ctypes
import os
import signal
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


def killed() -> None:
    """The end by a signal that nobody explains."""
    os.kill(os.getpid(), signal.SIGKILL)


def eats_memory() -> None:
    """A computation that takes more memory than there is."""
    taken = []
    while True:
        taken.append(b"x" * 16_000_000)


POINTS: dict[str, Callable[[], None]] = {
    "holds-the-lock": holds_the_lock,
    "stuck": stuck,
    "out-of-memory": out_of_memory,
    "bad-alloc": bad_alloc,
    "killed": killed,
    "eats-memory": eats_memory,
}


def fail_at(point: Callable[[], None], part_of_path: str, after_text: bool) -> None:
    """Fail in the first computation for a request, after the load; or in the first after a text was sent."""
    load, decode, send = Loop._load, Engine.decode, Loop._send
    armed, sent = False, False

    def loads(self: Loop, plan: wire.LoadFrame) -> None:
        nonlocal armed
        load(self, plan)
        armed = part_of_path in plan.path

    def decodes(self: Engine, items: Any) -> None:
        if armed and (sent or not after_text):
            point()
        decode(self, items)

    def sends(self: Loop, frame: wire.FromWorker) -> None:
        nonlocal sent
        send(self, frame)
        sent = sent or isinstance(frame, wire.Text)

    Loop._load, Loop._send = loads, sends  # type: ignore[method-assign]
    Engine.decode = decodes  # type: ignore[method-assign]


if __name__ == "__main__":
    name, _, when = sys.argv[1].partition("@")
    fail_at(POINTS[name], sys.argv[2] if len(sys.argv) > 2 else "", when == "text")
    worker.main()
