"""Waiting for a state, however long a busy machine takes to come to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from jupyter_localcoder.contract.queue import QueueAnswer, QueueGetRequest
from jupyter_localcoder.service import Service

T = TypeVar("T")

PATIENCE_SECONDS = 120.0
"""Stops a test that hangs. No outcome depends on it, and nothing is measured by it."""

PATIENT_SUPERVISOR = {
    "start_timeout_seconds": PATIENCE_SECONDS,
    "ping_timeout_seconds": PATIENCE_SECONDS,
    "cancel_timeout_seconds": PATIENCE_SECONDS,
}
"""Traits of a `Supervisor` that gives up on no worker because the machine is busy."""


async def until(condition: Callable[[], Any]) -> None:
    """Wait until it holds."""

    async def look() -> None:
        while not condition():
            await asyncio.sleep(0.005)

    await within(look())


async def within(work: Awaitable[T]) -> T:
    """Wait for what must come without any more being done for it."""
    return await asyncio.wait_for(work, PATIENCE_SECONDS)


async def answered(service: Service, id_: str) -> QueueAnswer:
    """The answer to a queued request, when it has ended."""
    while True:
        answer = await service.queue.queue_get(QueueGetRequest(id=id_, wait_ms=30_000))
        if answer.item.state in ("done", "failed", "canceled"):
            return answer


async def happened(event: threading.Event) -> None:
    """Wait in an event loop for what another thread sets."""
    assert await asyncio.to_thread(event.wait, PATIENCE_SECONDS)


async def quiet() -> None:
    """Let everything happen in the running loop that waits for nothing: no clock, thread or socket."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(10_000):
        await asyncio.sleep(0)
        if not ready:
            return
    raise AssertionError("it never comes to rest")
