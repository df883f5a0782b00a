"""What the kernels of a server may hold is divided among them, and no name gains more than all have."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from jupyter_localcoder.client.this_kernel import KERNEL_HEADER
from jupyter_localcoder.server.app import LocalCoderApp
from tests.server.conftest import Answer, Ask, Endless
from tests.support.waiting import PATIENCE_SECONDS, until

LONG = {"command": "explain", "code": "print(1)", "max_tokens": 3900}
SHORT = {"prefix": "def f(", "max_tokens": 4}
PLACES = 16
OF_ALL_KERNELS = PLACES // 2
OF_ONE_KERNEL = OF_ALL_KERNELS // 2


@pytest.fixture
def kernels(
    jp_serverapp: Any, extension: LocalCoderApp, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[list[str]]:
    """Ids of three real kernels of the server."""
    manager = jp_serverapp.kernel_manager

    async def start() -> list[str]:
        return [await manager.start_kernel(kernel_name="python3") for _ in range(3)]

    yield jp_asyncio_loop.run_until_complete(start())
    jp_asyncio_loop.run_until_complete(manager.shutdown_all(now=True))


class Crowd:
    """Requests that do not end, of several kernels."""

    def __init__(self, ask: Ask, extension: LocalCoderApp) -> None:
        self._ask = ask
        self._extension = extension
        self.asked: list[asyncio.Task[Answer]] = []

    def headers(self, kernel: str | None) -> dict[str, str]:
        named = {} if kernel is None else {KERNEL_HEADER: kernel}
        return {"Authorization": f"localcoder {self._extension.kernel_token}", **named}

    async def fill(self, names: Sequence[str | None]) -> int:
        """Ask once in each name, and answer how many were let in."""
        before = len(self._extension.service.runs)
        asked = [
            asyncio.create_task(self._ask("POST", "generate", LONG, headers=self.headers(name)))
            for name in names
        ]
        self.asked += asked

        def settled() -> bool:
            refused = sum(one.done() for one in asked)
            return len(self._extension.service.runs) - before + refused == len(asked)

        await until(settled)
        assert {one.result().code for one in asked if one.done()} <= {"QUEUE_FULL"}
        return len(self._extension.service.runs) - before

    async def complete(self, kernel: str | None) -> Answer:
        return await self._ask("POST", "complete", SHORT, headers=self.headers(kernel))

    async def end(self) -> None:
        await self._ask("DELETE", "queue")
        await asyncio.gather(*self.asked)


@pytest.fixture
def crowd(
    ask: Ask,
    extension: LocalCoderApp,
    tiny_model: str,
    endless_worker: Endless,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[Crowd]:
    jp_asyncio_loop.run_until_complete(ask("POST", f"models/{tiny_model}/load"))
    extension.service.max_requests = PLACES
    crowd = Crowd(ask, extension)
    yield crowd
    jp_asyncio_loop.run_until_complete(crowd.end())


async def test_the_open_streams_of_one_kernel_do_not_shut_another_out(
    crowd: Crowd, kernels: list[str]
) -> None:
    loud, quiet, third = kernels
    assert await crowd.fill([loud] * PLACES) == OF_ONE_KERNEL
    refused = await crowd.complete(loud)
    assert (refused.status, refused.code) == (503, "QUEUE_FULL")
    message = refused.data["error"]["message"]
    assert (
        message
        == f"{OF_ONE_KERNEL} of the {OF_ONE_KERNEL} waiting or running requests come from this kernel."
    )
    for other in (quiet, third, None):
        assert (await crowd.complete(other)).status == 200
    assert await crowd.fill([quiet] * PLACES) == OF_ONE_KERNEL // 2
    assert (await crowd.complete(third)).status == 200
    assert (await crowd.complete(loud)).code == "QUEUE_FULL"


async def test_names_that_are_made_up_are_one_and_share_one_place(crowd: Crowd, kernels: list[str]) -> None:
    made_up = [str(uuid.uuid4()) for _ in range(PLACES)]
    assert await crowd.fill([*made_up, "", None, "../x", "é"]) == OF_ONE_KERNEL
    assert (await crowd.complete(str(uuid.uuid4()))).code == "QUEUE_FULL"
    assert (await crowd.complete(kernels[0])).status == 200


async def test_a_kernel_gains_no_more_than_all_have_by_the_names_of_others(
    crowd: Crowd, kernels: list[str], ask: Ask
) -> None:
    assert await crowd.fill([*kernels, None] * PLACES) <= OF_ALL_KERNELS
    assert (await crowd.complete(kernels[0])).code == "QUEUE_FULL"
    assert (await ask("POST", "complete", SHORT)).status == 200, "a person is not shut out"


async def test_all_kernels_and_terminals_have_a_limit(
    crowd: Crowd, kernels: list[str], ask: Ask, extension: LocalCoderApp
) -> None:
    extension.service.max_requests = 8
    assert [await crowd.fill([kernel] * 8) for kernel in kernels] == [2, 1, 1]
    refused = await crowd.complete(None)
    assert (refused.status, refused.code) == (503, "QUEUE_FULL")
    message = refused.data["error"]["message"]
    assert message == "4 of the 4 waiting or running requests come from kernels and terminals."
    assert (await ask("POST", "complete", SHORT)).status == 200, "a person is not shut out"


async def test_a_person_cannot_use_the_share_of_a_kernel(
    crowd: Crowd, kernels: list[str], ask: Ask, extension: LocalCoderApp
) -> None:
    asked = [
        asyncio.create_task(ask("POST", "generate", LONG, headers={KERNEL_HEADER: kernels[number % 3]}))
        for number in range(PLACES)
    ]
    crowd.asked += asked
    await until(lambda: len(extension.service.runs) + sum(one.done() for one in asked) == PLACES)
    assert len(extension.service.runs) == PLACES // 2
    assert (await crowd.complete(kernels[0])).status == 200


@pytest.mark.usefixtures("ask")
async def test_a_real_kernel_says_who_it_is(
    kernels: list[str], jp_serverapp: Any, extension: LocalCoderApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    has_kernel = extension.has_kernel
    monkeypatch.setattr(extension, "has_kernel", lambda id_: heard.append(id_) or has_kernel(id_))
    client = jp_serverapp.kernel_manager.get_kernel(kernels[1]).client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE_SECONDS)
        code = (
            "from jupyter_localcoder.client import connect\n"
            "from jupyter_localcoder.contract.backend import PingRequest\n"
            "from jupyter_localcoder.contract.registry import PING\n"
            "with connect(allow_local=False) as client: client.call(PING, PingRequest())\n"
        )
        reply = await client.execute_interactive(code, timeout=PATIENCE_SECONDS, output_hook=print)
        assert reply["content"]["status"] == "ok", reply["content"]
    finally:
        client.stop_channels()
    assert set(heard) == {kernels[1]}
