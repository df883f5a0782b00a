"""Work that takes long for a long text: beside the event loop, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AT_ONCE_CHARS = 32_000
"""What is read of a text so long takes a few milliseconds: less than the way to a thread and back costs in
waiting for its turn."""


class BackgroundWork:
    """Does what is short at once, and what is long in a thread of its own, in the order in which it comes."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="localcoder-aside")

    async def do(self, chars: int, work: Callable[[], T]) -> T:
        """The result of some work over so many characters; it raises what the work raises.

        Who stops waiting for work that has not begun takes it away.
        """
        if chars <= AT_ONCE_CHARS:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Take nothing more, and drop what has not begun."""
        self._thread.shutdown(wait=False, cancel_futures=True)
