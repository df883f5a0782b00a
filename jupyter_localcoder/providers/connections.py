"""The configured providers that are reached over a network: opened when used, counted, shut by the air gap.

A provider keeps its connections between two requests. It is made anew when its configuration or its key has
changed, and the old one is closed when nobody uses it any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..contract.providers import ProviderFields
from ..credentials.store import Credentials, Owner
from ..errors import AirGapped, AuthError, ConnectionFailed, LocalCoderError, ProviderNotFound
from ..settings import LocalCoderSettings
from .base import AnswerDelta, Check, End, Provider, ProviderRequest
from .build import Retries, address_of, build_provider
from .installed import kind_of
from .kinds import is_vendor_host
from .prices import Prices
from .registry import ProviderRegistry, RegistryEntry

T = TypeVar("T")

_LOOK_SECONDS = 0.25
"""While something is asked, this often it is looked at whether the air gap is still off."""


@dataclass
class _Opened:
    """A provider that was made, and how many use it."""

    entry: RegistryEntry
    provider: Provider
    users: int = 0
    retired: bool = False


class RemoteProviders:
    """Makes providers of what is configured, and lends them out.

    Parameters
    ----------
    link_local
        Answers whether they may be at link-local addresses.
    retries
        Answers whether and when one is asked again.
    """

    def __init__(
        self,
        settings: LocalCoderSettings,
        registry: ProviderRegistry,
        credentials: Credentials,
        prices: Prices,
        log: logging.Logger | logging.LoggerAdapter[Any],
        link_local: Callable[[], bool] = lambda: False,
        retries: Callable[[], Retries] = Retries,
    ) -> None:
        self.prices = prices
        self._settings = settings
        self._registry = registry
        self._credentials = credentials
        self._log = log
        self.link_local = link_local
        self._retries = retries
        self._opened: dict[str, _Opened] = {}
        self._users: dict[str, int] = {}
        self._changes: dict[str, int] = {}
        """How often each was changed: what was being made meanwhile is out of date."""
        self._closing: set[asyncio.Task[None]] = set()
        self._shut: set[asyncio.Future[None]] = set()
        """One for each request that runs; set when the air gap is on."""
        self._watcher: threading.Thread | None = None
        self._over = threading.Event()

    def provider(self, id_: str) -> Provider:
        """A provider by its id, as it will be configured when it is asked."""
        return _ProviderProxy(self, id_)

    def users(self, id_: str) -> int:
        """How many requests run on it."""
        return self._users.get(id_, 0)

    def changed(self, id_: str) -> None:
        """Its configuration or its key is another one: the next request makes it anew."""
        self._changes[id_] = self._changes.get(id_, 0) + 1
        opened = self._opened.pop(id_, None)
        if opened is not None:
            self._retire(opened)

    def set_air_gap(self, on: bool) -> None:
        """With the air gap on, all connections are closed at once, those in use included.

        Told of a change it acts at once. One that nobody tells of, made by another process or by hand, is
        seen while something is asked, and before each connection.
        """
        if on:
            for shut in self._shut:
                if not shut.done():
                    shut.set_result(None)
            for opened in self._opened.values():
                opened.retired = True
                self._close_soon(opened.provider)
            self._opened.clear()

    async def close(self) -> None:
        """Close all connections."""
        self._over.set()
        for opened in self._opened.values():
            await opened.provider.close()
        self._opened.clear()
        await asyncio.gather(*self._closing)

    @contextlib.asynccontextmanager
    async def lend(self, id_: str) -> AsyncIterator[tuple[Provider, ProviderFields]]:
        """A provider for the length of a ``with`` block.

        Raises
        ------
        AirGapped, ProviderNotFound, AuthError, ValidationError
            It cannot be used; nothing was opened.
        """
        self._users[id_] = self.users(id_) + 1
        if self._watcher is None or not self._watcher.is_alive():
            self._watcher = threading.Thread(
                target=self._watch,
                args=(asyncio.get_running_loop(),),
                name="localcoder-air-gap",
                daemon=True,
            )
            self._watcher.start()
        try:
            opened = await self._open(id_)
            opened.users += 1
            try:
                yield opened.provider, opened.entry.settings
            except AuthError:
                # Somebody may have entered another key from another process.
                if self._opened.get(id_) is opened:
                    self.changed(id_)
                raise
            except ConnectionFailed:
                if self._is_gapped():
                    raise air_gapped(id_) from None
                raise
            finally:
                opened.users -= 1
                if opened.retired and not opened.users:
                    await opened.provider.close()
        finally:
            self._users[id_] -= 1
            if not self._users[id_]:
                del self._users[id_]

    async def _open(self, id_: str) -> _Opened:
        while True:
            changes = self._changes.get(id_, 0)
            entry = await asyncio.to_thread(self._entry, id_)
            opened = self._opened.get(id_)
            if opened is not None and opened.entry != entry:
                self.changed(id_)  # by another process
                continue
            if opened is None:
                made = _Opened(entry, await asyncio.to_thread(self._create_provider, id_, entry))
                if changes != self._changes.get(id_, 0):
                    continue
                opened = self._opened.setdefault(id_, made)
            await self._permit(id_)
            return opened

    async def until_shut(self, id_: str, work: Awaitable[T]) -> T:
        """Wait for a part of a request that runs; it is cancelled when the air gap is on.

        Raises
        ------
        AirGapped
            It was switched on.
        """
        shut: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._shut.add(shut)
        part: asyncio.Future[Any] = asyncio.ensure_future(work)
        try:
            futures: set[asyncio.Future[Any]] = {part, shut}
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._shut.discard(shut)
            if not part.done():
                part.cancel()
                await asyncio.wait({part})
        if shut.done():
            if not part.cancelled():
                part.exception()  # that of a connection which was closed under it
            raise air_gapped(id_)
        result: T = part.result()
        return result

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look, in a thread of its own: a settings file on a disk that hangs must not stop the loop."""
        while not self._over.wait(_LOOK_SECONDS) and self._users:
            with contextlib.suppress(LocalCoderError, RuntimeError):  # RuntimeError: the loop is closed
                if self._is_gapped():
                    loop.call_soon_threadsafe(self.set_air_gap, True)

    async def _permit(self, id_: str) -> None:
        await self._settings.refresh()
        if self._is_gapped():
            raise air_gapped(id_)

    def _is_gapped(self) -> bool:
        return self._settings.current.air_gap

    def _entry(self, id_: str) -> RegistryEntry:
        if self._settings.current.air_gap:
            raise air_gapped(id_)
        entry = self._registry.read().entries.get(id_)
        if entry is None:
            raise ProviderNotFound(f"There is no provider {id_!r}.", provider=id_)
        return entry

    def _create_provider(self, id_: str, entry: RegistryEntry) -> Provider:
        fields = entry.settings
        variables = self._registry.configured.key_variables(id_)
        found = self._credentials.find(owner_of(id_, fields, entry.trusted, variables), entry.kept)
        if found.secret is None and found.problem:
            raise AuthError(
                found.problem,
                recovery="Enter the key again, in the sidebar or with "
                f"`jupyter localcoder providers set-key {id_}`.",
                provider=id_,
            )
        key = found.secret.reveal() if found.secret else None
        return build_provider(
            id_,
            fields,
            key,
            lambda: self._permit(id_),
            link_local=self.link_local(),
            retries=self._retries(),
        )

    def _retire(self, opened: _Opened) -> None:
        opened.retired = True
        if not opened.users:
            self._close_soon(opened.provider)

    def _close_soon(self, provider: Provider) -> None:
        task = asyncio.ensure_future(self._close(provider))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, provider: Provider) -> None:
        try:
            await provider.close()
        except Exception as failure:  # a socket that is gone already, mostly
            self._log.debug("A connection was not closed well: %s", type(failure).__name__)


class _ProviderProxy:
    """A provider that is looked up anew for each request; implements `Provider`."""

    def __init__(self, remote: RemoteProviders, id_: str) -> None:
        self._remote = remote
        self._id = id_

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[AnswerDelta | End, None]:
        """See `Provider.stream`; the end says what it cost."""
        async with (
            self._remote.lend(self._id) as (provider, fields),
            contextlib.aclosing(provider.stream(request)) as frames,
        ):
            while True:
                try:
                    frame = await self._remote.until_shut(self._id, frames.__anext__())
                except StopAsyncIteration:
                    return
                if isinstance(frame, End):
                    yield await asyncio.to_thread(self._priced, frame, request.model or fields.model)
                else:
                    yield frame

    async def check(self) -> Check:
        """See `Provider.check`."""
        async with self._remote.lend(self._id) as (provider, _):
            return await self._remote.until_shut(self._id, provider.check())

    async def close(self) -> None:
        """Nothing of its own is open."""

    def _priced(self, end: End, asked: str) -> End:
        cost = self._remote.prices.cost_usd(self._id, (end.model, asked), end.usage)
        return dataclasses.replace(end, cost_usd=cost)


def air_gapped(id_: str) -> AirGapped:
    """The refusal of a provider while the air gap is on."""
    return AirGapped(
        "The air gap is on: only the embedded model is available, and no connection was opened.",
        recovery="Choose the embedded provider, or turn off the air gap in the settings.",
        provider=id_,
    )


def owner_of(
    id_: str, fields: ProviderFields, trusted: str = "", more_variables: tuple[str, ...] = ()
) -> Owner:
    """Whose key it is; the vendors' own variables hold for their own hosts only.

    Parameters
    ----------
    trusted
        See `Owner`.
    more_variables
        Environment variables that are configured for it, which go before the vendor's.
    """
    address = address_of(fields)
    kind = kind_of(fields.type)
    if address is None:
        return Owner(id_, "")
    variables = kind.key_variables if is_vendor_host(kind, address.host) else ()
    return Owner(id_, address.origin, (*more_variables, *variables), trusted)
