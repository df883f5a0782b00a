"""The real worker, held in the middle of its work: ``python held_worker.py STEPS KIND COUNT``.

It computes so many steps after the load, and no other one before it has heard so many frames of this kind;
where the kind is empty it never goes on. With 0 steps it is not held at all. It never leaves by force
because what it does at its end takes long.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from jupyter_localcoder.contract import wire
from jupyter_localcoder.worker import __main__ as worker
from jupyter_localcoder.worker import loop
from jupyter_localcoder.worker.engine import Engine
from jupyter_localcoder.worker.loop import Loop


def hold(steps: int, kind: str, count: int) -> None:
    """See the top of the file."""
    load, take, decode = Loop._load, Loop._handle_frame, Engine.decode
    go_on = threading.Event()
    loaded, heard, done = False, 0, 0

    def loads(self: Loop, plan: wire.LoadFrame) -> None:
        nonlocal loaded
        load(self, plan)
        loaded = True

    def takes(self: Loop, frame: wire.ToWorker) -> None:
        nonlocal heard
        take(self, frame)
        heard += type(frame).__name__ == kind
        if kind and heard == count:
            go_on.set()

    def decodes(self: Engine, items: Any) -> None:
        nonlocal done
        if loaded:
            if done == steps:
                go_on.wait()
            else:
                done += 1
        decode(self, items)

    Loop._load, Loop._handle_frame = loads, takes  # type: ignore[method-assign]
    Engine.decode = decodes  # type: ignore[method-assign]


if __name__ == "__main__":
    loop.LEAVE_SECONDS = 120.0
    if int(sys.argv[1]):
        hold(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    worker.main()
