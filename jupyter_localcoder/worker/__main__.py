"""``python -m jupyter_localcoder.worker``: make the pipes private, then serve.

Started by `process.WorkerProcess`, with frames on what are at first standard input and output.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import BinaryIO

from ..contract.wire import EXIT_WITHOUT_ENGINE


def private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output away from everybody else.

    The frames move to descriptors that no library knows. What native code prints to standard output
    goes to stderr from here on, and who reads standard input finds it empty.
    """
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(0, os.O_BINARY)
        msvcrt.setmode(1, os.O_BINARY)
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return reader, writer


def main() -> None:
    """Serve until the input ends."""
    # Ctrl-C in a terminal reaches the whole group of processes; the worker ends with its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Without this an abort inside ggml starts a debugger to print a backtrace.
    os.environ["GGML_NO_BACKTRACE"] = "1"
    reader, writer = private_pipes()

    from . import isolation, limits

    isolation.close_network()
    limits.apply()

    try:
        from .engine import Engine
    except (ImportError, OSError, RuntimeError) as failure:
        # Not installed, or a library that it is linked with is missing. The parent reads the last line.
        traceback.print_exc()
        print(f"{type(failure).__name__}: {failure}".splitlines()[0], file=sys.stderr, flush=True)
        os._exit(EXIT_WITHOUT_ENGINE)
    from .loop import Loop

    Loop(reader, writer, Engine()).run()
    # Freeing a model natively takes time and can crash; the end of the process frees everything.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
