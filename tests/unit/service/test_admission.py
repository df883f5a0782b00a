"""The policy of a hub holds for every operation that lets a model write, on whatever way it comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from jupyter_localcoder.contract import registry
from jupyter_localcoder.contract.generation import (
    ChatRequest,
    CompleteRequest,
    GenerateRequest,
    WarmRequest,
)
from jupyter_localcoder.contract.policy import Policy
from jupyter_localcoder.contract.registry import OPERATIONS
from jupyter_localcoder.errors import Disabled
from jupyter_localcoder.service.admission import GENERATES, Admission

HARMLESS_STREAMS: set[str] = set()


class Guard:
    def __init__(self, policy: Policy | None, *, off: bool = False) -> None:
        self.policy = policy
        self.off = off

    async def require(self) -> Policy | None:
        if self.off:
            raise Disabled
        return self.policy

    async def state(self) -> None:
        return None


def admission(policy: Policy | None, provider: str = "hub", *, off: bool = False) -> Admission:
    async def active() -> str:
        return provider

    settings: Any = SimpleNamespace(completion_provider="embedded", title_provider="embedded")
    return Admission(Guard(policy, off=off), "hub", lambda: settings, active)


ASKED = GenerateRequest(command="explain", code="x = 1")


def test_every_operation_that_streams_is_known_to_generate() -> None:
    streams = {operation for operation in OPERATIONS if operation.streams}
    assert {each.name for each in streams - GENERATES} == HARMLESS_STREAMS


async def test_off_refuses_what_generates_and_nothing_else() -> None:
    for operation in OPERATIONS:
        if operation in GENERATES:
            with pytest.raises(Disabled):
                await admission(None, off=True).admit(operation, ASKED)
        else:
            assert await admission(None, off=True).admit(operation, ASKED) is ASKED


async def test_without_a_policy_nothing_changes() -> None:
    assert await admission(None).admit(registry.GENERATE, ASKED) is ASKED
    allowed = admission(Policy(user="ada"))
    assert await allowed.admit(registry.GENERATE, ASKED) is ASKED


async def test_only_allowed_models_of_the_hub_answer() -> None:
    policy = Policy(user="ada", models=("small",))
    assert await admission(policy).admit(registry.GENERATE, ASKED)
    named = msgspec.structs.replace(ASKED, model="small")
    assert await admission(policy).admit(registry.GENERATE, named)
    large = msgspec.structs.replace(ASKED, model="large")
    for provider, request in (("hub", large), ("embedded", ASKED), ("own", named)):
        with pytest.raises(Disabled):
            await admission(policy, provider).admit(registry.GENERATE, request)


async def test_without_a_history_every_request_is_private() -> None:
    policy = Policy(user="ada", history=False)
    assert (await admission(policy).admit(registry.GENERATE, ASKED)).private


async def test_the_provider_that_answers_is_judged_and_not_the_active_one() -> None:
    policy = Policy(user="ada", models=("small",))
    embedded: list[tuple[Any, Any]] = [
        (registry.GENERATE, msgspec.structs.replace(ASKED, profile="Compact")),
        (registry.GENERATE, msgspec.structs.replace(ASKED, provider="embedded")),
        (registry.CHAT, ChatRequest(profile="Compact")),
        (registry.TAB_COMPLETE, CompleteRequest(prefix="x")),
        (registry.TAB_WARM, WarmRequest(prefix="x")),
    ]
    for operation, request in embedded:
        with pytest.raises(Disabled):
            await admission(policy).admit(operation, request)
    assert await admission(policy).admit(registry.TAB_COMPLETE, CompleteRequest(prefix="x", provider="hub"))
