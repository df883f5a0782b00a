"""Does something in a child process that is killed at its n-th step: each file operation, each SQL statement.

Nothing in the product knows of it: Python tells an audit hook of every file that is opened, renamed or
removed, and SQLite tells a trace callback of every statement.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from jupyter_localcoder.history.database import Database

KILLED = 9
FAILED = 1
_STEPS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def run_until(step: int, root: str, action: Callable[[], Any]) -> bool:
    """Run the action in a fork of this process and kill it before its step of this number.

    Returns whether it was killed: False means that it came to its end.
    """
    child = os.fork()
    if child == 0:
        try:
            _count_down(step, root)
            action()
            os._exit(0)
        except BaseException as failure:
            print(f"the child failed: {failure!r}", file=sys.stderr)
            os._exit(FAILED)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), f"the child ended with {code}"
    return code == KILLED


def _count_down(steps: int, root: str) -> None:
    left = steps

    def count() -> None:
        nonlocal left
        if left == 0:
            os._exit(KILLED)
        left -= 1

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STEPS and str(arguments[0]).startswith(root):
            count()

    connect = Database._connect

    def traced(self: Database) -> Any:
        connection = connect(self)
        connection.set_trace_callback(lambda _: count())
        return connection

    Database._connect = traced  # type: ignore[method-assign]
    sys.addaudithook(hook)
