"""The one change of a worker that is under way: a load, an unload, or a release."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Literal

from ..errors import Canceled
from .load_plan import LoadPlan

Kind = Literal["load", "unload", "release"]
"""A release is an unload that waits for the answers that are being computed."""


class CurrentChange:
    """Holds the task of the last change; a new change replaces it at once."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._kind: Kind = "load"
        self._plan: LoadPlan | None = None

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The change under way; None: nothing changes."""
        return self._task if self._task is not None and not self._task.done() else None

    @property
    def kind(self) -> Kind | None:
        """What is under way."""
        return self._kind if self.task is not None else None

    @property
    def plan(self) -> LoadPlan | None:
        """What is being loaded; None: nothing is."""
        return self._plan if self.task is not None else None

    def begin(
        self, kind: Kind, change: Coroutine[Any, Any, Any], plan: LoadPlan | None = None
    ) -> asyncio.Task[Any]:
        """Start a change. The change before it is not cancelled."""
        self._kind, self._plan = kind, plan
        self._task = asyncio.ensure_future(change)
        self._task.add_done_callback(_retrieve_failure)
        return self._task

    async def wait(self, plan: LoadPlan) -> None:
        """Wait for the end of the change under way; raise its failure if it loads this plan.

        Raises
        ------
        Canceled
            The load was cancelled.
        """
        task, same = self._task, self._plan == plan
        if task is None:
            return
        await asyncio.wait([task])
        if same and task.cancelled():
            raise Canceled("The load was cancelled.")
        if same and (failure := task.exception()) is not None:
            raise failure


def _retrieve_failure(task: asyncio.Task[Any]) -> None:
    """Keep asyncio from logging a failure that nobody waits for: it was reported as a state."""
    with contextlib.suppress(asyncio.CancelledError):
        task.exception()
