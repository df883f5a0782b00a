"""A server that says what a test tells it to, and providers that ask it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_localcoder.contract.providers import ProviderFields
from jupyter_localcoder.providers.base import Provider
from jupyter_localcoder.providers.build import USUAL_RETRIES, Retries, build_provider
from tests.support.loop_clock import LoopClock
from tests.support.providers import KEY
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.wire_server import WireServer, wire_server

Make = Callable[..., Provider]


@pytest.fixture
def server(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[WireServer]:
    context = wire_server()
    running = jp_asyncio_loop.run_until_complete(context.__aenter__())
    yield running
    jp_asyncio_loop.run_until_complete(context.__aexit__(None, None, None))


@pytest.fixture
def make(server: WireServer, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Make]:
    """Make a provider of a type that asks the server."""
    made: list[Provider] = []

    def make_(
        type_: Any = "openai_compatible",
        *,
        key: str | None = KEY,
        retries: Retries = USUAL_RETRIES,
        **fields: Any,
    ) -> Provider:
        path = {"openai": "/v1", "openai_compatible": "/v1", "gemini": "/v1beta"}.get(type_, "")
        patience = {"connect_timeout_seconds": PATIENCE_SECONDS, "silence_timeout_seconds": PATIENCE_SECONDS}
        values = {"base_url": server.url + path, "model": "m-1", "name": "Acme", **patience, **fields}
        made.append(build_provider("acme", ProviderFields(type=type_, **values), key, retries=retries))
        return made[-1]

    yield make_
    for provider in made:
        jp_asyncio_loop.run_until_complete(provider.close())


@pytest.fixture
def clock(jp_asyncio_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> LoopClock:
    return LoopClock(jp_asyncio_loop, monkeypatch)


@pytest.fixture
def unused_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
