"""Each stream that servers are seen to send, through all that may ask: an answer, or the server's words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from jupyter_localcoder.contract import codec
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import CompleteRequest
from jupyter_localcoder.contract.providers import ProviderIdRequest, ProviderSaveRequest
from jupyter_localcoder.contract.queue import CallRequest, QueueGetRequest
from jupyter_localcoder.errors import LocalCoderError
from jupyter_localcoder.providers import answer
from jupyter_localcoder.providers.kinds import BUILT_IN
from tests.support.shapes import Shape, shapes
from tests.support.wire_server import WireServer, document, wire_server
from tests.unit.service.conftest import Desk

PATHS = {"openai": "/v1", "openai_compatible": "/v1", "gemini": "/v1beta"}
MODELS = {
    "ollama": {"models": [{"name": "m-1"}]},
    "gemini": {"models": [{"name": "models/m-1", "supportedGenerationMethods": ["generateContent"]}]},
}
SHAPES = shapes()


@pytest.fixture
def server(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[WireServer]:
    context = wire_server()
    yield jp_asyncio_loop.run_until_complete(context.__aenter__())
    jp_asyncio_loop.run_until_complete(context.__aexit__(None, None, None))


@pytest.fixture
def far(
    desk: Desk,
    server: WireServer,
    type_: str,
    monkeypatch: pytest.MonkeyPatch,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Desk:
    """A service whose active provider is that server, and completes where it can."""
    # How long a server may take to say how many tokens it counted is another matter.
    monkeypatch.setattr(answer, "AFTER_THE_END_SECONDS", 0.05)
    fields: dict[str, Any] = {
        "id": "acme",
        "name": "Acme",
        "type": type_,
        "base_url": server.url + PATHS.get(type_, ""),
        "model": "m-1",
        "key": "sk-canary-0123456789abcdef",
        "keep_key": "session",
    }
    if type_ == "openai_compatible":
        fields["fill"] = "suffix"

    async def save() -> None:
        await desk.service.providers.provider_save(codec.decode(ProviderSaveRequest, fields))
        await desk.service.providers.provider_set_active(ProviderIdRequest(id="acme"))
        if fills(type_):
            await desk.settings(completion_provider="acme")

    jp_asyncio_loop.run_until_complete(save())
    return desk


async def command(desk: Desk, shape: Shape) -> Any:
    return await desk.explain(sampling=SamplingOptions(**shape.sampling))


async def chat(desk: Desk, shape: Shape) -> Any:
    return await desk.chat("Hello?", sampling=SamplingOptions(**shape.sampling))


async def queue(desk: Desk, shape: Shape) -> Any:
    request = CallRequest(prompt="Hello?", sampling=SamplingOptions(**shape.sampling))
    queued = await desk.service.queue.llm_call(request)
    await desk.until(
        lambda: [e for e in desk.of("response:complete") + desk.of("response:error")
                 if e.request_id == queued.id]
    )  # fmt: skip
    answered = await desk.service.queue.queue_get(QueueGetRequest(id=queued.id))
    if answered.item.error is not None:
        raise Told(answered.item.error)
    return answered


async def complete(desk: Desk, shape: Shape) -> Any:
    return await desk.last(
        desk.service.completion.tab_complete(CompleteRequest(prefix="x = 1\n", suffix="\n"))
    )


class Told(LocalCoderError):
    """An error that a request in the queue ended with."""

    def __init__(self, payload: Any) -> None:
        super().__init__(payload.message)
        self.code = payload.code  # type: ignore[misc]


Way = Callable[[Desk, Shape], Coroutine[Any, Any, Any]]


def fills(type_: str) -> bool:
    """Whether a provider of that type completes."""
    kind = BUILT_IN[type_]  # type: ignore[index]
    return kind.always_fills or len(kind.fills) > 1


async def differences(check: Callable[[Shape], Coroutine[Any, Any, None]], chosen: list[Shape]) -> list[str]:
    """What went otherwise than the shapes say: one service plays many of them."""
    found = []
    for shape in chosen:
        try:
            await check(shape)
        except Exception as failure:
            found.append(f"{shape}: {type(failure).__name__}: {failure}")
    assert chosen
    return found


def of(type_: str) -> list[Shape]:
    return [shape for shape in SHAPES if shape.type == type_]


TYPES = sorted({shape.type for shape in SHAPES})


@pytest.mark.parametrize("pieces", [0, 7])
@pytest.mark.parametrize("way", [command, chat, queue])
@pytest.mark.parametrize("type_", TYPES)
async def test_each_shape_of_a_stream(far: Desk, server: WireServer, type_: str, way: Way, pieces: int):
    async def check(shape: Shape) -> None:
        server.say(*shape.scripts(pieces))
        heard = len(server.heard)
        if shape.error:
            with pytest.raises(LocalCoderError) as caught:
                await way(far, shape)
            assert caught.value.code == shape.error
            assert shape.words in caught.value.message
            assert "Acme" in caught.value.message
        else:
            done = await way(far, shape)
            assert (done.text.strip(), done.reasoning, done.finish) == (
                shape.text,
                shape.reasoning,
                shape.finish,
            )
        assert len(server.heard) - heard == shape.asked
        sent = server.heard[-1].json
        for name, value in shape.sent_last.items():
            given = [turn["role"] for turn in sent["messages"]] if name == "roles" else sent.get(name)
            assert given == value

    # Nothing is asked in the system's name in the queue.
    chosen = [each for each in of(type_) if way is not queue or not each.without_system]
    assert await differences(check, chosen) == []
    await far.service.recorder.settled()
    kept = [far.store.get(info.id) for info in await far.listed(limit=1000)]
    assert {(each.content.strip(), each.reasoning) for each in kept} == {
        (shape.text, shape.reasoning) for shape in chosen if not shape.error
    }


@pytest.mark.parametrize("type_", [type_ for type_ in TYPES if fills(type_)])
async def test_each_shape_where_a_person_types(far: Desk, server: WireServer, type_: str):
    async def check(shape: Shape) -> None:
        server.say(*shape.scripts())
        if shape.error not in ("", "NO_ANSWER"):
            with pytest.raises(LocalCoderError) as caught:
                await complete(far, shape)
            assert caught.value.code == shape.error
            assert shape.words in caught.value.message
            return
        done = await complete(far, shape)
        # A code model that has nothing to add answers nothing.
        if shape.finish == "length" and not done.withheld:
            # What was cut off ends at a whole word.
            assert done.text
            assert shape.text.startswith(done.text)
        else:
            assert done.text.strip() == ("" if done.withheld else shape.text)
        assert shape.error or done.finish == shape.finish

    chosen = [each for each in of(type_) if not each.without_system and not each.sampling]
    assert await differences(check, chosen) == []


@pytest.mark.parametrize("type_", TYPES)
async def test_each_shape_where_a_connection_is_tested(far: Desk, server: WireServer, type_: str):
    async def check(shape: Shape) -> None:
        said = shape.answers[0]
        if shape.error and said.content_type == "application/json" and b'"choices": [' not in said.raw:
            server.say(*shape.scripts())
            with pytest.raises(LocalCoderError) as caught:
                await far.service.providers.provider_test(ProviderIdRequest(id="acme"))
            if shape.error != "NO_ANSWER":
                assert caught.value.code == shape.error
                assert shape.words in caught.value.message
        else:
            server.say(document(MODELS.get(shape.type, {"data": [{"id": "m-1"}]})))
            tested = await far.service.providers.provider_test(ProviderIdRequest(id="acme"))
            assert tested.models == ("m-1",)

    assert await differences(check, of(type_)) == []
