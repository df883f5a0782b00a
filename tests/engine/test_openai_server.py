"""Providers against servers that are not ours: llama-cpp-python's, and a llama-server where there is one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.providers import ProviderFields
from jupyter_localcoder.errors import AuthError, ConnectionFailed, TokenLimitExceeded
from jupyter_localcoder.providers.base import AnswerDelta, Provider
from jupyter_localcoder.providers.build import build_provider
from tests.support.providers import asking, collect
from tests.support.waiting import PATIENCE_SECONDS, until

HELD_SERVER = Path(__file__).parents[1] / "support" / "held_openai_server.py"
KEY = "local-0123456789"
GREEDY = SamplingOptions(temperature=0.0, seed=1)


@pytest.fixture(scope="module")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def hold(server_log: Path) -> Path:
    """While this file is there, the server ends no answer; see `held_openai_server`."""
    return server_log.with_name("hold")


@pytest.fixture(scope="module")
def server_url(tiny_gguf: Path, server_log: Path, hold: Path) -> Iterator[str]:
    """llama-cpp-python's OpenAI-compatible server, with a tiny model and a key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, str(HELD_SERVER), str(hold), "--model", str(tiny_gguf), "--model_alias", "tiny",
        "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "512", "--n_threads", "1", "--api_key", KEY,
    ]  # fmt: skip
    with server_log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as child:
        try:
            _wait_until_it_answers(child, port, server_log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            child.terminate()
            try:
                child.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _wait_until_it_answers(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/v1/models", timeout=5)
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace")[-4000:])


@pytest.fixture
def make(server_url: str, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[object]:
    made: list[Provider] = []

    def make_(key: str = KEY, **fields: object) -> Provider:
        values = {"type": "openai_compatible", "base_url": server_url, "model": "tiny", **fields}
        made.append(build_provider("local", ProviderFields(**values), key))
        return made[-1]

    yield make_
    for provider in made:
        jp_asyncio_loop.run_until_complete(provider.close())


async def test_its_models_are_listed(make):
    assert (await make().check()).models == ("tiny",)


async def test_a_wrong_key_is_told(make):
    with pytest.raises(AuthError, match=r"does not accept the key \(HTTP 401\)"):
        await make("another-key").check()


async def test_a_chat_streams(make):
    request = asking(max_tokens=8, sampling=GREEDY)
    pieces, end = await collect(make(), request)
    assert 1 < len(pieces) <= 8
    assert end.reason == "length"
    assert end.model == "tiny"
    assert (await collect(make(), request))[0] == pieces


async def test_a_text_goes_on_and_a_middle_is_filled(make):
    pieces, end = await collect(make(), asking(text="def f", max_tokens=4, sampling=GREEDY))
    assert pieces
    assert end.reason in ("length", "stop")
    fill = asking(fill=("def f(", "):"), max_tokens=4, sampling=GREEDY)
    by_field = await collect(make(fill="suffix"), fill)
    by_marks = await collect(make(fill="tokens"), fill)
    assert "".join(by_field[0])
    assert "".join(by_marks[0])


async def test_an_answer_that_it_breaks_off_is_none(make):
    """It begins to answer before it looks at the prompt's length, and then has no way to say it."""
    with pytest.raises(ConnectionFailed, match="before the answer was complete"):
        await collect(make(), asking(text="word " * 2000, max_tokens=4))


async def test_it_hears_when_it_is_left(make, server_log, hold):
    def heard() -> int:
        return server_log.read_text().count("Disconnected from client")

    before = heard()
    hold.touch()
    try:
        async with contextlib.aclosing(make().stream(asking(max_tokens=64, sampling=GREEDY))) as frames:
            assert isinstance(await frames.__anext__(), AnswerDelta)
    finally:
        hold.unlink()
    await until(lambda: heard() > before)


@pytest.mark.skipif(
    "LOCALCODER_TEST_LLAMA_SERVER_URL" not in os.environ,
    reason="LOCALCODER_TEST_LLAMA_SERVER_URL names no llama-server, such as http://127.0.0.1:8080/v1",
)
async def test_a_llama_server(jp_asyncio_loop):
    url = os.environ["LOCALCODER_TEST_LLAMA_SERVER_URL"]
    fields = ProviderFields(type="openai_compatible", base_url=url, fill="infill")
    provider = build_provider("llama", fields, os.environ.get("LOCALCODER_TEST_LLAMA_SERVER_KEY"))
    assert (await provider.check()).models
    pieces, end = await collect(provider, asking(max_tokens=8, sampling=GREEDY))
    assert pieces
    assert (end.usage.prompt_tokens or 0) > 0
    assert (end.usage.completion_tokens or 0) > 0
    filled, end = await collect(provider, asking(fill=("def add(a, b):\n    return ", "\n"), max_tokens=8))
    assert filled
    assert (end.usage.prompt_tokens or 0) > 0
    with pytest.raises(TokenLimitExceeded):
        await collect(provider, asking(text="word " * 300_000, max_tokens=4))
    await provider.close()
