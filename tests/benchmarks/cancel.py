"""Time from a cancel to an idle worker, at random moments of reading a prompt and of writing an answer.

Through the supervisor to a real worker. Idle is when the request has ended and the worker answers a ping
with nothing running.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Iterator

from jupyter_localcoder.contract import wire
from jupyter_localcoder.engine.job import WorkerJob
from jupyter_localcoder.engine.supervisor import Supervisor

from . import texts
from .figure import Figure, Target
from .setting import Setting

_TIMES = 50
_PROMPT_TOKENS = 2000
_LONGEST_SECONDS = 0.8
"""A cancel comes at most so long after the prefill, or the answer, has begun."""
_SEED = 20
_TARGET_MS = 250.0


def run(setting: Setting) -> Iterator[Figure]:
    """Measure both kinds."""
    times = setting.times(_TIMES)
    for name, samples in asyncio.run(_measure(setting, times)).items():
        common = {"bench": "cancel", "name": f"cancel to idle in {name}", "unit": "ms", "ours": samples}
        yield Figure(**common, of="worst", target=Target(_TARGET_MS), note=f"of {times}")
        yield Figure(**common)


async def _measure(setting: Setting, times: int) -> dict[str, list[float]]:
    supervisor = Supervisor()
    try:
        await supervisor.load(setting.workspace.plan)
        moments = random.Random(_SEED)
        prefill = await _prefill_seconds(setting, supervisor)
        longest = min(_LONGEST_SECONDS, 0.9 * prefill)
        in_prefill = [
            await _in_prefill(setting, supervisor, moments.uniform(0.0, longest)) for _ in range(times)
        ]
        in_decode = [
            await _in_decode(setting, supervisor, moments.uniform(0.0, _LONGEST_SECONDS))
            for _ in range(times)
        ]
    finally:
        await supervisor.close()
    return {"prefill": in_prefill, "decode": in_decode}


def _request(text: str, max_tokens: int) -> wire.GenerateFrame:
    return wire.GenerateFrame(
        id=0,
        prompt=wire.ChatPrompt((wire.PromptTurn("user", text),)),
        draw=wire.Draw(temperature=0.7, top_k=40, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=_SEED),
        max_tokens=max_tokens,
        stop=(),
        priority="command",
        fresh=True,
    )


def _reading(setting: Setting, supervisor: Supervisor) -> WorkerJob:
    return supervisor.job(setting.workspace.plan, _request(texts.code(_PROMPT_TOKENS), 4))


async def _prefill_seconds(setting: Setting, supervisor: Supervisor) -> float:
    async with _frames(_reading(setting, supervisor)) as frames:
        async for frame in frames:
            if isinstance(frame, wire.Finished):
                return frame.prefill_ms / 1000
    raise RuntimeError("a request without an end")


async def _in_prefill(setting: Setting, supervisor: Supervisor, wait: float) -> float:
    job = _reading(setting, supervisor)
    async with _frames(job) as frames:
        next_frame = asyncio.ensure_future(frames.__anext__())
        while not job.sent:
            await asyncio.sleep(0.001)
        await asyncio.sleep(wait)
        begin = time.perf_counter()
        job.cancel()
        end = await next_frame
        if not isinstance(end, wire.Finished) or end.completion_tokens:
            raise RuntimeError("the prompt was read before it was cancelled")
        return await _idle(supervisor, begin)


async def _in_decode(setting: Setting, supervisor: Supervisor, wait: float) -> float:
    while True:
        request = _request("Write a long story about a lighthouse, with many details.", 2000)
        job = supervisor.job(setting.workspace.plan, request)
        async with _frames(job) as frames:
            begin = 0.0
            timer: asyncio.TimerHandle | None = None

            def cancel(job: WorkerJob = job) -> None:
                nonlocal begin
                begin = time.perf_counter()
                job.cancel()

            async for frame in frames:
                if timer is None:
                    timer = asyncio.get_running_loop().call_later(wait, cancel)
                if isinstance(frame, wire.Finished):
                    timer.cancel()
                    if frame.finish == "canceled":
                        return await _idle(supervisor, begin)


async def _idle(supervisor: Supervisor, begin: float) -> float:
    """Milliseconds until the worker says that nothing runs."""
    while True:
        pong = await supervisor.ping()
        if pong is None:
            raise RuntimeError("the worker does not answer")
        if not pong.running:
            return (time.perf_counter() - begin) * 1000


def _frames(job: WorkerJob) -> contextlib.aclosing[AsyncGenerator[wire.Text | wire.Finished, None]]:
    return contextlib.aclosing(job.__aiter__())
