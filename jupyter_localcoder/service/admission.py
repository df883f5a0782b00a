"""The one place where the policy of a hub is enforced: before an operation is dispatched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from ..contract import registry
from ..contract.generation import GenerationOptions
from ..contract.policy import Policy
from ..contract.registry import Operation
from ..contract.settings import Settings
from ..errors import Disabled
from ..policy.guard import PolicyGuard

GENERATES: frozenset[Operation[Any, Any]] = frozenset(
    {
        registry.GENERATE,
        registry.CHAT,
        registry.TAB_COMPLETE,
        registry.TAB_WARM,
        registry.LLM_CALL,
        registry.LLM_RETRY,
        registry.TITLE_GENERATE,
    }
)
"""Operations for which a model writes, or reads a prompt ahead."""


class Admission:
    """Refuses what the policy does not allow.

    Parameters
    ----------
    hub
        Id of the provider whose models a policy can allow.
    settings
        Returns the settings, which name the providers of completions and titles.
    active
        Returns the id of the active provider.
    """

    def __init__(
        self,
        guard: PolicyGuard,
        hub: str,
        settings: Callable[[], Settings],
        active: Callable[[], Awaitable[str]],
    ) -> None:
        self._guard = guard
        self._hub = hub
        self._settings = settings
        self._active = active

    async def admit(self, operation: Operation[Any, Any], request: Any) -> Any:
        """The request, as the policy allows it.

        Raises
        ------
        Disabled
            The policy does not allow it.
        """
        if operation not in GENERATES:
            return request
        policy = await self._guard.require()
        if policy is None:
            return request
        if policy.models is not None:
            await self._require_model(operation, request, policy, policy.models)
        if not policy.history and hasattr(request, "private"):
            return msgspec.structs.replace(request, private=True)
        return request

    async def _provider_of(self, operation: Operation[Any, Any], request: Any) -> str:
        """The id of the provider that would answer a request."""
        if isinstance(request, GenerationOptions):
            named = request.named_provider
        else:
            named = getattr(request, "provider", "")
        if not named and operation in (registry.TAB_COMPLETE, registry.TAB_WARM):
            named = self._settings().completion_provider
        if not named and operation is registry.TITLE_GENERATE:
            named = self._settings().title_provider
        return named or await self._active()

    async def _require_model(
        self, operation: Operation[Any, Any], request: Any, policy: Policy, models: Sequence[str]
    ) -> None:
        provider = await self._provider_of(operation, request)
        named = getattr(request, "model", None) or ""
        if provider == self._hub and (not named or named in models):
            return
        listed = ", ".join(models) or "none"
        raise Disabled(
            policy.message or "The administrator of this hub allows only some models at the moment.",
            recovery=f"Use the provider `{self._hub}`. Its allowed models: {listed}.",
        )
