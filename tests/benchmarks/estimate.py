"""The estimate of a load, held against the memory of a real worker, at three context sizes.

Estimated: what must stay in memory for full speed (`Estimate.needed_bytes`), each weight once. Measured:
the worker's resident memory, with all that it has reserved for the load and not touched yet, and with the
weights that are used from the file instead of the pages of it that happen to be resident.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import msgspec

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.load_plan import LoadPlan
from jupyter_localcoder.engine.process import WorkerProcess
from jupyter_localcoder.engine.supervisor import Supervisor
from jupyter_localcoder.models.memory import Estimate, estimate

from . import texts
from .figure import Figure, Target
from .footprint import MB, Mappings, footprint, mappings
from .setting import Setting

_WINDOWS = (2048, 4096, 8192)
_TIMES = 3
_TARGET_PERCENT = 10.0
_PROMPT_TOKENS = 560
"""More than one batch: the buffers are used as they are later."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure each context size that the model was trained for."""
    model = setting.workspace.model
    for window in _WINDOWS:
        if model.context_length and window > model.context_length:
            continue
        load = setting.workspace.load
        need = estimate(
            model.header.shape,
            window,
            cache_type=load.cache_type,
            n_ubatch=load.n_ubatch,
            flash_attention=load.flash_attention != "off",
            repack=load.repack,
        )
        taken = [asyncio.run(_taken(setting, window, need)) for _ in range(setting.times(_TIMES))]
        estimated = need.needed_bytes / MB
        errors = [100 * abs(estimated - one) / one for one in taken]
        sizes = ", ".join(f"{one:.0f}" for one in taken)
        yield Figure(
            bench="estimate",
            name=f"error of the estimate, context {window}",
            unit="%",
            ours=errors,
            of="worst",
            target=Target(_TARGET_PERCENT),
            note=f"estimated {estimated:.0f} MB, measured {sizes} MB",
        )


async def _taken(setting: Setting, window: int, need: Estimate) -> float:
    """MB that a worker takes which has read a prompt."""
    plan = _plan(setting.workspace.plan, window)
    file = setting.workspace.model.path
    before: list[Mappings | None] = []

    async def spawn(**arguments: Any) -> tuple[WorkerProcess, wire.Hello]:
        worker, hello = await WorkerProcess.spawn(**arguments)
        before.append(mappings(worker.pid, file))
        return worker, hello

    supervisor = Supervisor(spawn=spawn)
    try:
        await supervisor.load(plan)
        async with contextlib.aclosing(supervisor.job(plan, _request()).__aiter__()) as frames:
            async for _ in frames:
                pass
        assert supervisor.pid is not None
        found, empty = mappings(supervisor.pid, file), before[-1]
        if found is None or empty is None:
            raise RuntimeError("this system does not tell the mappings of a process")
        untouched = found.reserved - found.buffers - (empty.reserved - empty.buffers)
        own = footprint(supervisor.pid).rss - found.file + untouched
        return own + (need.weights_bytes - need.repacked_bytes) / MB
    finally:
        await supervisor.close()


def _plan(plan: LoadPlan, window: int) -> LoadPlan:
    load = msgspec.structs.replace(plan.load, n_ctx=window, n_cells=0, draft_path="", state_path="")
    return dataclasses.replace(plan, load=load)


def _request() -> wire.GenerateFrame:
    return wire.GenerateFrame(
        id=0,
        prompt=wire.ChatPrompt((wire.PromptTurn("user", texts.code(_PROMPT_TOKENS)),)),
        draw=wire.Draw(temperature=0.0, top_k=1, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=0),
        max_tokens=8,
        stop=(),
        priority="command",
        fresh=True,
    )
