"""Where notebooks are: they are renamed, and what belongs to one goes along with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import LocalCoderError
from .recorder import Recorder

PathOfKernel = Callable[[str], Awaitable[str]]


async def unknown_path(_kernel: str) -> str:
    """The path of the notebook of a kernel, where no kernel is known."""
    return ""


class NotebookMoves:
    """Which notebooks have moved, in their order. Paths are those of Jupyter's contents."""

    def __init__(self) -> None:
        self._moves: list[tuple[str, str]] = []

    @property
    def mark(self) -> int:
        """The present moment, for `since`."""
        return len(self._moves)

    def add(self, old: str, new: str) -> None:
        """A file or a folder has moved."""
        self._moves.append((old, new))

    def since(self, mark: int, path: str) -> str:
        """Where a notebook is now that was at this path at a moment."""
        for old, new in self._moves[mark:]:
            path = moved_path(path, old, new)
        return path


class Notebooks:
    """Follows notebooks that are reported to have moved.

    Parameters
    ----------
    path_of_kernel
        Returns the path of the notebook of a kernel, by its id; empty where it is not known.
    """

    def __init__(
        self,
        recorder: Recorder,
        moves: NotebookMoves,
        log: logging.Logger | logging.LoggerAdapter[Any],
        path_of_kernel: PathOfKernel = unknown_path,
    ) -> None:
        self._recorder = recorder
        self._moves = moves
        self._log = log
        self._path_of_kernel = path_of_kernel
        self._writing = asyncio.Lock()

    @property
    def mark(self) -> int:
        """See `NotebookMoves.mark`."""
        return self._moves.mark

    async def current(self, path: str, kernel: str) -> str:
        """Where a notebook is now. A kernel that runs on goes by the name that it was started with."""
        return (await self._path_of_kernel(kernel) if kernel and path else "") or path

    async def moved(self, old: str, new: str) -> None:
        """Follow a file or a folder to its new path. Never raises: the file has moved in any case."""
        old, new = old.strip("/"), new.strip("/")
        if not old or not new or old == new:
            return
        self._moves.add(old, new)
        # In the order in which they moved.
        async with self._writing:
            try:
                self._recorder.begin()
                await self._recorder.settled()
                await asyncio.to_thread(self._recorder.store.move_notebooks, old, new)
            except LocalCoderError as failure:
                self._log.warning("The conversations of %r stay under its old name: %s", new, failure)

    async def settled(self) -> None:
        """Return when all is where it has moved to."""
        async with self._writing:
            pass


def moved_path(path: str, old: str, new: str) -> str:
    """A path after a file, or a folder that it is in, was renamed."""
    if path == old:
        return new
    return new + path[len(old) :] if path.startswith(f"{old}/") else path
