"""What generates the text: an OpenAI-compatible server, or one worker that this process supervises."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from ..contract.providers import ProviderFields
from ..errors import Disabled, ModelNotFound
from ..providers.base import AnswerDelta, End, Provider, ProviderRequest
from ..providers.build import Retries, build_provider
from ..service import Service
from .slots import Slots

_LISTED_SECONDS = 30.0


class Upstream(Protocol):
    """Generates text for this service."""

    async def models(self) -> Sequence[str]:
        """Names of the models that it offers.

        Raises
        ------
        LocalCoderError
            It cannot be reached.
        """

    def stream(self, request: ProviderRequest, scope: str) -> AsyncGenerator[AnswerDelta | End, None]:
        """Generate an answer; see `Provider.stream`.

        Parameters
        ----------
        scope
            Requests of one scope have a beginning in common: a user, and a notebook if it is known.
        """

    async def close(self) -> None:
        """End everything."""


class RemoteUpstream:
    """An OpenAI-compatible server: vLLM, llama-server, llama-cpp-python and others.

    Parameters
    ----------
    fields
        Its address, time limits and fill-in-the-middle format.
    key
        Its key, if it needs one.
    models
        Names of the models that users may ask for. Empty: those that the server lists.
    slots
        Number of slots of a llama-server, each of which keeps the prompt of one scope. 0: it has none.
    """

    def __init__(self, fields: ProviderFields, key: str | None, models: Sequence[str], slots: int) -> None:
        # The queue of this service is the place where a request waits, and its client the one that retries.
        self._provider = build_provider("upstream", fields, key, link_local=True, retries=Retries(times=0))
        self._configured = tuple(models)
        self._listed: tuple[float, tuple[str, ...]] | None = None
        self._listing = asyncio.Lock()
        self._slots = Slots(slots) if slots else None

    async def models(self) -> Sequence[str]:
        """See `Upstream.models`; a list of the server is kept for half a minute."""
        if self._configured:
            return self._configured
        async with self._listing:
            now = time.monotonic()
            if self._listed is None or now - self._listed[0] > _LISTED_SECONDS:
                self._listed = now, (await self._provider.check()).models
            return self._listed[1]

    async def stream(self, request: ProviderRequest, scope: str) -> AsyncGenerator[AnswerDelta | End, None]:
        """See `Upstream.stream`."""
        with contextlib.ExitStack() as stack:
            if self._slots is not None:
                slot = stack.enter_context(self._slots.held(scope))
                request = dataclasses.replace(request, extra={"id_slot": slot, "cache_prompt": True})
            async with contextlib.aclosing(self._provider.stream(request)) as frames:
                async for frame in frames:
                    yield frame

    async def close(self) -> None:
        """See `Upstream.close`."""
        await self._provider.close()


class EmbeddedUpstream:
    """One worker with one model in memory, which this process supervises.

    Parameters
    ----------
    service
        Its engine; `close` ends it.
    name
        The name by which users ask for the model.
    """

    def __init__(self, service: Service, name: str) -> None:
        self._service = service
        self._provider: Provider = service.providers.embedded
        self._name = name

    async def models(self) -> Sequence[str]:
        """See `Upstream.models`."""
        return (self._name,)

    def stream(self, request: ProviderRequest, scope: str) -> AsyncGenerator[AnswerDelta | End, None]:
        """See `Upstream.stream`."""
        # The settings name the model: a request that could name another one would load it for everybody.
        return self._provider.stream(dataclasses.replace(request, model="", scope=scope))

    async def close(self) -> None:
        """See `Upstream.close`."""
        await self._service.close()


async def model_named(upstream: Upstream, name: str, allowed: Sequence[str] | None) -> str:
    """The model of a request: the one that it names, or the first one.

    Parameters
    ----------
    allowed
        Those that the policy of the user allows; None: all.

    Raises
    ------
    ModelNotFound
        There is no such model.
    Disabled
        The policy does not allow it.
    LocalCoderError
        The list cannot be read.
    """
    offered = await upstream.models()
    known = offered if allowed is None else [each for each in offered if each in allowed]
    if name in offered and name not in known:
        raise Disabled(
            f"The administrator of this hub does not allow the model {name} at the moment.",
            recovery=f"Allowed: {', '.join(known) or 'none'}.",
        )
    if not known and offered:
        raise Disabled("The administrator of this hub allows no model of this service at the moment.")
    if not name and known:
        return known[0]
    if name in known:
        return name
    listed = ", ".join(f"`{each}`" for each in known[:10]) or "none"
    raise ModelNotFound(
        "This service does not offer the model that the request names.",
        recovery=f"It offers: {listed}.",
        field="model",
    )
