"""Refuses a load that does not fit into memory, before it begins. It serves no operation itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from .. import processors
from ..contract.models import MemoryFit
from ..errors import OutOfMemory
from ..planning import Planner
from ..supervisor import LoadPlan, Supervisor
from .machine import Machine

_SLACK_BYTES = 256 * 1024 * 1024
"""For what is counted as taken and never touched."""
_STACK_BYTES = 16 * 1024 * 1024
"""Stacks of a thread in each of two pools; only a few pages of them are used."""


class Room:
    """Whether there is room for a model; a person may overrule it, and what was overruled stays so.

    Parameters
    ----------
    check
        Sees to it, with progress told, that the file of a model is what it was. `Planner.fit` verifies it in
        any case.
    """

    def __init__(
        self,
        planner: Planner,
        supervisor: Supervisor,
        machine: Machine,
        check: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._check = check
        self._planner = planner
        self._supervisor = supervisor
        self._machine = machine
        self._forced: LoadPlan | None = None

    async def require(self, plan: LoadPlan, *, force: bool = False) -> LoadPlan:
        """Let a plan pass that is loaded already, fits, or is to be loaded anyway.

        Returns
        -------
        LoadPlan
            The same, with a limit to what its worker may take where that is known.

        Raises
        ------
        OutOfMemory
            It does not fit; ``refused`` in the details says that nothing was tried, the other details how
            many bytes it needs, and how many are free for it.
        ModelNotFound, ModelNotReady, ChecksumMismatch
            Its file is gone, or another one.
        """
        if plan in (self._supervisor.plan, self._forced):
            return plan
        if self._check is not None:
            await self._check(plan.model)
        fit = await asyncio.to_thread(self._fit, plan)
        if fit.fit != "does-not-fit":
            return replace(plan, memory_bytes=_limit(fit))
        if not force:
            raise refusal(plan, fit)
        self._forced = plan
        return plan

    def _fit(self, plan: LoadPlan) -> MemoryFit:
        return self._planner.fit(plan, given_back_bytes=self._machine.given_back_bytes())


def _limit(fit: MemoryFit) -> int:
    """Most private memory of the worker: no more than there is, so that the machine goes on."""
    if fit.available_bytes <= 0:
        return 0
    return fit.available_bytes + _SLACK_BYTES + _STACK_BYTES * processors.available().cores


def refusal(plan: LoadPlan, fit: MemoryFit) -> OutOfMemory:
    """The error for a model that does not fit, with the numbers."""
    return OutOfMemory(
        f"`{plan.model}` needs {_gigabytes(fit.needed_bytes)} of memory with a context of {plan.load.n_ctx} "
        f"tokens; {_gigabytes(fit.available_bytes)} are free for it, and not all of that can be taken.",
        recovery="Close notebooks or other programs, choose a smaller model or a smaller context window, or "
        "load it anyway.",
        refused=True,
        model=plan.model,
        needed_bytes=fit.needed_bytes,
        private_bytes=fit.private_bytes,
        available_bytes=fit.available_bytes,
        context_window=fit.context_window,
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
