"""Each operation of the contract is served by the marked method of one noun; what is not so fails at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from jupyter_localcoder.contract import backend, generation, models, registry
from jupyter_localcoder.contract.registry import OPERATIONS
from jupyter_localcoder.service.dispatch import handlers_of, serves
from tests.unit.service.conftest import Desk


class Pinging:
    @serves(registry.PING)
    async def ping(self, _request: backend.PingRequest) -> backend.BackendStatus:
        raise AssertionError


class Streaming:
    @serves(registry.GENERATE)
    async def run(self, _request: generation.GenerateRequest) -> AsyncGenerator[generation.Frame, None]:
        yield generation.Delta(text="x")


class OtherRequest:
    @serves(registry.PING)  # type: ignore[arg-type]
    async def ping(self, _request: models.ModelRequest) -> backend.BackendStatus:
        raise AssertionError


class OtherResponse:
    @serves(registry.PING)
    async def ping(self, _request: backend.PingRequest) -> models.ModelList:
        raise AssertionError


class NoCoroutine:
    @serves(registry.PING)
    def ping(self, _request: backend.PingRequest) -> backend.BackendStatus:
        raise AssertionError


class StreamsWhatDoesNot:
    @serves(registry.PING)
    async def ping(self, _request: backend.PingRequest) -> AsyncGenerator[generation.Frame, None]:
        yield generation.Delta(text="x")


class DoesNotStream:
    @serves(registry.GENERATE)
    async def run(self, _request: generation.GenerateRequest) -> generation.Done:
        raise AssertionError


class Unmarked:
    async def ping(self, _request: backend.PingRequest) -> backend.BackendStatus:
        raise AssertionError


PING_AND_GENERATE = (registry.PING, registry.GENERATE)


async def test_the_table_of_the_service_has_every_operation(desk: Desk) -> None:
    assert set(desk.service._handlers) == set(OPERATIONS)


def test_the_marked_methods_are_found() -> None:
    ping, run = Pinging(), Streaming()
    assert handlers_of((ping, run), PING_AND_GENERATE) == {
        registry.PING: ping.ping,
        registry.GENERATE: run.run,
    }


@pytest.mark.parametrize(
    ("nouns", "says"),
    [
        ((Streaming(),), "Nothing serves backend:ping"),
        ((Streaming(), Unmarked()), "Nothing serves backend:ping"),
        ((), "Nothing serves backend:ping, generate"),
        ((Streaming(), Pinging(), Pinging()), "backend:ping is served twice"),
        ((Streaming(), OtherRequest()), "must take one PingRequest"),
        ((Streaming(), OtherResponse()), "returns BackendStatus"),
        ((Streaming(), NoCoroutine()), "must be a coroutine"),
        ((Streaming(), StreamsWhatDoesNot()), "must be a coroutine"),
        ((DoesNotStream(), Pinging()), "must return an AsyncGenerator"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(type(n).__name__ for n in value) or "none",
)
def test_a_table_with_a_fault_is_not_made(nouns: tuple[object, ...], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        handlers_of(nouns, PING_AND_GENERATE)


def test_what_the_registry_does_not_have_is_not_served() -> None:
    with pytest.raises(TypeError, match="Not in the registry: generate"):
        handlers_of((Pinging(), Streaming()), (registry.PING,))


async def test_a_request_is_handled_by_the_method_of_its_operation(desk: Desk) -> None:
    status = await desk.service.handle(registry.PING, backend.PingRequest())
    assert isinstance(status, backend.BackendStatus)
    request = generation.GenerateRequest(command="explain", code="x = 1")
    done = await desk.last(await desk.service.handle(registry.GENERATE, request))
    assert done.text == "An answer."
