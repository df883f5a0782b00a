"""Refuses a load that does not fit into memory, before it begins. It serves no operation itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from ..contract.models import MemoryFit
from ..errors import LocalCoderError, OutOfMemory
from ..machine import processors
from ..text.units import size
from .load_plan import LoadPlan
from .memory_usage import MemoryUsage
from .planner import Planner
from .pool import Coexistence, WorkerPool

SLACK_BYTES = 256 * 1024 * 1024
"""For what is counted as taken and never touched."""
STACK_BYTES = 16 * 1024 * 1024
"""Stacks of a thread in each of two pools; only a few pages of them are used."""


class MemoryAdmission:
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
        pool: WorkerPool,
        machine: MemoryUsage,
        check: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._check = check
        self._planner = planner
        self._pool = pool
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
        if plan == self._forced or self._pool.holds(plan):
            return plan
        if self._check is not None:
            await self._check(plan.model)
        fit = await asyncio.to_thread(self._fit, plan)
        if fit.fit != "does-not-fit":
            return replace(plan, memory_bytes=memory_limit(fit))
        if not force:
            raise refusal(plan, fit)
        self._forced = plan
        return plan

    async def beside(self, plan: LoadPlan, other: LoadPlan, other_pid: int | None) -> Coexistence:
        """Whether a plan fits into memory beside another one, which is loaded or being loaded.

        Both must have all of their weights in memory: two that push each other out would be slower than one
        after the other.
        """
        return await asyncio.to_thread(self._beside, plan, other, other_pid)

    def keep_within(self, pid: int, plan: LoadPlan) -> None:
        """Hold a worker that runs to the limit of its plan."""
        # A GPU's driver maps memory that is not this machine's.
        if plan.load.n_gpu_layers == 0 or not self._planner.gpu:
            self._machine.keep_within(pid, plan.memory_bytes)

    def _beside(self, plan: LoadPlan, other: LoadPlan, other_pid: int | None) -> Coexistence:
        names = f"`{other.model}` and `{plan.model}` take turns"
        try:
            there = self._planner.fit(other)
            taken = self._machine.taken_bytes(other_pid, other)
            # What it will still take, and its mapped weights, count as free and are not.
            claimed = max(0, there.needed_bytes + _draft_bytes(other) - taken) + _draft_bytes(plan)
            mine = self._planner.fit(plan, given_back_bytes=-claimed)
        except LocalCoderError as failure:
            return Coexistence(False, f"{names}: {failure.message}")
        if "unknown" in (there.fit, mine.fit) and mine.available_bytes > 0:
            return Coexistence(False, f"{names}: their memory requirement is not known.")
        if mine.fit != "fits":
            free = size(max(0, mine.available_bytes + claimed + taken))
            need = size(there.needed_bytes + mine.needed_bytes)
            return Coexistence(False, f"{names}: together they need {need} of memory; {free} is available.")
        spare = (mine.available_bytes - mine.needed_bytes) // 2
        return Coexistence(
            True,
            memory_bytes=memory_share(mine, 0, spare),
            other_memory_bytes=memory_share(there, taken, spare),
        )

    def _fit(self, plan: LoadPlan) -> MemoryFit:
        return self._planner.fit(plan, given_back_bytes=self._machine.given_back_bytes())


def memory_share(fit: MemoryFit, taken_bytes: int, spare_bytes: int) -> int:
    """Most private memory of one of two workers: what it needs, and its part of what neither needs."""
    need = max(fit.needed_bytes, fit.private_bytes, taken_bytes)
    return need + spare_bytes + SLACK_BYTES + STACK_BYTES * processors.available().cores


def _draft_bytes(plan: LoadPlan) -> int:
    """The weights of the model that drafts for this one."""
    try:
        return Path(plan.load.draft_path).stat().st_size if plan.load.draft_path else 0
    except OSError:
        return 0


def memory_limit(fit: MemoryFit) -> int:
    """Most private memory of the worker: no more than there is, so that the machine goes on."""
    if fit.available_bytes <= 0:
        return 0
    return fit.available_bytes + SLACK_BYTES + STACK_BYTES * processors.available().cores


def refusal(plan: LoadPlan, fit: MemoryFit) -> OutOfMemory:
    """The error for a model that does not fit, with the numbers."""
    return OutOfMemory(
        f"`{plan.model}` needs {size(fit.needed_bytes)} of memory with a context of "
        f"{plan.load.n_ctx} tokens; {size(fit.available_bytes)} is available, and part of that is "
        "kept in reserve.",
        recovery="Close notebooks or other programs, choose a smaller model or context window, or load "
        "it anyway.",
        refused=True,
        model=plan.model,
        needed_bytes=fit.needed_bytes,
        private_bytes=fit.private_bytes,
        available_bytes=fit.available_bytes,
        context_window=fit.context_window,
    )
