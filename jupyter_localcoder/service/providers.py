"""``provider:*``: which providers there are, which one is active, and their keys."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import msgspec

from ..contract import registry
from ..contract.providers import (
    EMBEDDED,
    KeyPlace,
    KeyStorage,
    ProviderDeleted,
    ProviderFields,
    ProviderIdRequest,
    ProviderInfo,
    ProviderList,
    ProviderListRequest,
    ProviderPrice,
    ProviderSaveRequest,
    ProviderSetKeyRequest,
    ProviderTested,
)
from ..contract.settings import SettingsView
from ..credentials.secret import Secret
from ..credentials.store import NOBODY, Credentials, Owner
from ..errors import (
    LocalCoderError,
    NoActiveProvider,
    ProviderInUse,
    ProviderLocked,
    ProviderNotFound,
    ValidationError,
)
from ..events import EventHub
from ..generation import clients
from ..generation.run import now
from ..providers import base, succession
from ..providers.build import address_of, check_fields, check_key_travels_safely
from ..providers.choice import ChosenProvider
from ..providers.connections import RemoteProviders, air_gapped, owner_of
from ..providers.installed import INSTALLED, kind_of
from ..providers.registry import ProviderRegistry, RegistryEntry, RegistrySnapshot, RegistryTransaction
from ..settings import LocalCoderSettings
from .dispatch import serves

MAX_PROVIDERS = 100
_LISTED_SECONDS = 5.0
"""As long a provider is waited for when it is only asked which models it has."""
_EMBEDDED_ENTRY = RegistryEntry(ProviderFields(type="embedded"))


class ProviderOperations:
    """Configures providers, and finds the one that answers (`Choice`).

    Parameters
    ----------
    waiting
        Answers how many requests wait for a provider or run on it.
    """

    def __init__(
        self,
        settings: LocalCoderSettings,
        registry: ProviderRegistry,
        credentials: Credentials,
        remote: RemoteProviders,
        embedded: base.Provider,
        events: EventHub,
        *,
        waiting: Callable[[str], int],
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._credentials = credentials
        self.remote = remote
        self._embedded = embedded
        self._events = events
        self._waiting = waiting
        events.listen(self._on_event)

    @property
    def embedded(self) -> base.Provider:
        """The engine of this process as a provider."""
        return self._embedded

    async def active(self) -> str:
        """The id of the active provider."""
        return (await asyncio.to_thread(self._registry.read)).active

    # Operations

    @serves(registry.PROVIDER_LIST)
    async def provider_list(self, _request: ProviderListRequest) -> ProviderList:
        """All of them."""
        return await asyncio.to_thread(self._list)

    @serves(registry.PROVIDER_SAVE)
    async def provider_save(self, request: ProviderSaveRequest) -> ProviderInfo:
        """Add one, or replace what is configured of one."""
        fields = ProviderFields(**{name: getattr(request, name) for name in ProviderFields.__struct_fields__})
        self._require_own(request.id)
        # In a thread: a type of an installed package may have to be imported first.
        await asyncio.to_thread(_check, request, fields, link_local=self.remote.link_local())
        await asyncio.to_thread(self._save, request, fields, vouched=clients.is_person())
        return await self._changed(request.id)

    @serves(registry.PROVIDER_SET_ACTIVE)
    async def provider_set_active(self, request: ProviderIdRequest) -> ProviderList:
        """Let one answer all requests that name none."""
        if self._registry.configured.locked and request.id != self._registry.configured.active:
            raise ProviderLocked(
                f"The server administrator has set {self._registry.configured.active} as the active "
                "provider; it cannot be changed.",
                recovery="Name another configured provider in the request itself.",
                provider=request.id,
            )

        def activate() -> None:
            with self._registry.change() as transaction:
                _require(transaction, request.id)
                transaction.active = request.id

        await asyncio.to_thread(activate)
        await self._changed(request.id)
        return await asyncio.to_thread(self._list)

    @serves(registry.PROVIDER_DELETE)
    async def provider_delete(self, request: ProviderIdRequest) -> ProviderDeleted:
        """Remove one, and its key; what named it for completion or titles names the embedded one.

        The active one stays: who answers next is for a person to say.
        """
        if request.id == EMBEDDED:
            raise ValidationError("The embedded provider cannot be removed.", field="id")
        self._require_own(request.id)
        if self._in_use(request.id):
            raise ProviderInUse(
                f"A request is running on {request.id} or waiting for it.", provider=request.id
            )

        def delete() -> set[str]:
            with self._registry.change() as transaction:
                _require(transaction, request.id, unread=True)
                if transaction.active == request.id:
                    raise ProviderInUse(
                        f"{request.id} is the active provider: it answers requests that name no provider.",
                        recovery=f"Activate another provider first, such as `{EMBEDDED}`, then remove "
                        "this one.",
                        provider=request.id,
                        active=True,
                    )
                # First: where one of these fails, the provider that it names is still there.
                named = self._settings.forget_provider(request.id)
                self._credentials.forget(request.id)
                self._remember(request.id, transaction)
                transaction.remove(request.id)
            return named

        named = await asyncio.to_thread(delete)
        view = await asyncio.to_thread(self._settings.view)
        if named:
            self._events.notify(registry.SETTINGS_CHANGED, view)
        await self._changed(request.id)
        note = succession.note(request.id, view, named)
        return ProviderDeleted(note=note)

    @serves(registry.PROVIDER_TEST)
    async def provider_test(self, request: ProviderIdRequest) -> ProviderTested:
        """See whether it answers."""
        chosen = await self.choose(request.id)
        check = await chosen.provider.check()
        snapshot = await asyncio.to_thread(self._registry.read)
        entry = snapshot.entries.get(request.id)
        # What Azure lists are models; what is configured is one of their deployments.
        model = entry.settings.model if entry and entry.settings.type != "azure_openai" else ""
        listed = None if not model or not check.models else model in check.models
        return ProviderTested(
            id=request.id, models=check.models, latency_ms=check.latency_ms, model_listed=listed
        )

    @serves(registry.PROVIDER_SET_KEY)
    async def provider_set_key(self, request: ProviderSetKeyRequest) -> ProviderInfo:
        """Keep a key."""

        def keep() -> None:
            with self._registry.change() as transaction:
                entry = _require(transaction, request.id)
                _require_key_type(entry.settings)
                check_key_travels_safely(request.id, entry.settings)
                owner = self._owner(request.id, entry.settings)
                kept = self._credentials.keep(owner, Secret(request.key), lasting=request.keep == "auto")
                trusted = self._trusted_with(request.key, owner, entry.trusted)
                transaction.put(request.id, RegistryEntry(entry.settings, kept, trusted, now()))

        await asyncio.to_thread(keep)
        return await self._changed(request.id)

    @serves(registry.PROVIDER_FORGET_KEY)
    async def provider_forget_key(self, request: ProviderIdRequest) -> ProviderInfo:
        """Forget the key of one."""

        def forget() -> None:
            with self._registry.change() as transaction:
                entry = _require(transaction, request.id)
                self._credentials.forget(request.id)
                if request.id in transaction.entries:
                    transaction.put(
                        request.id, RegistryEntry(entry.settings, trusted=entry.trusted, updated_at=now())
                    )

        await asyncio.to_thread(forget)
        return await self._changed(request.id)

    # For other nouns

    async def choose(self, id_: str) -> ChosenProvider:
        """The provider of this id, or the active one; see `Choice.choose`."""
        snapshot = await asyncio.to_thread(self._registry.read)
        chosen = id_ or snapshot.active
        entry = snapshot.entries.get(chosen)
        timeout = entry.settings.timeout_seconds if entry else None
        if chosen == EMBEDDED:
            return ChosenProvider(EMBEDDED, self._embedded, timeout)
        if entry is None and not id_:
            raise NoActiveProvider(
                f"The active provider {chosen} cannot be read from {self._registry.path}, so the request "
                "was not sent.",
                recovery="Correct it there, or activate another provider.",
                provider=chosen,
            )
        if entry is None:
            raise ProviderNotFound(f"There is no provider {chosen[:64]!r}.")
        if self._settings.current.air_gap:
            raise air_gapped(chosen)
        return ChosenProvider(chosen, self.remote.provider(chosen), timeout, entry.settings.model)

    def check_there(self, id_: str) -> None:
        """Whether there is one of this id. Reads a file.

        Raises
        ------
        ProviderNotFound
        """
        if id_ != EMBEDDED and id_ not in self._registry.read().entries:
            raise ProviderNotFound(f"There is no provider {id_[:64]!r}.", provider=id_)

    async def models_of(self, id_: str) -> tuple[str, ...]:
        """The models that a provider lists, as it calls them; empty where it does not say, now or ever.

        Raises
        ------
        ProviderNotFound
        """
        snapshot = await asyncio.to_thread(self._registry.read)
        entry = snapshot.entries.get(id_)
        # What Azure lists are models; what is asked for is one of their deployments.
        if entry is not None and entry.settings.type == "azure_openai":
            return ()
        chosen = await self.choose(id_)
        try:
            return (await asyncio.wait_for(chosen.provider.check(), _LISTED_SECONDS)).models
        except (LocalCoderError, asyncio.TimeoutError):
            return ()

    def check_fills(self, id_: str) -> None:
        """Whether one is there, and configured to fill in the middle. Reads a file.

        Raises
        ------
        ProviderNotFound
        ValidationError
            It cannot, or has not been told how.
        """
        if id_ == EMBEDDED:
            return
        entry = self._registry.read().entries.get(id_)
        if entry is None:
            raise ProviderNotFound(f"There is no provider {id_[:64]!r}.", provider=id_)
        if _fills(entry.settings):
            return
        kind = kind_of(entry.settings.type)
        ways = ", ".join(f"`{way}`" for way in kind.fills if way != "off")
        raise ValidationError(
            f"The provider {id_} does not support fill-in-the-middle, so it cannot complete code.",
            recovery=f"If its server supports it, set the format in its settings: {ways}."
            if ways
            else "Use the embedded model, or a server with a model trained for fill-in-the-middle.",
            field="completion_provider",
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.remote.close()

    def _require_own(self, id_: str) -> None:
        """Refuse to change what is not the person's own.

        Raises
        ------
        ProviderLocked
        """
        configured = self._registry.configured
        if id_ in configured.definitions:
            raise ProviderLocked(provider=id_)
        if configured.locked:
            raise ProviderLocked(
                "The server administrator has fixed the list of providers.",
                recovery="Use one of the listed providers, or ask the server administrator.",
                provider=id_,
            )

    # Details; what follows may block

    def _owner(self, id_: str, fields: ProviderFields, trusted: str = "") -> Owner:
        return owner_of(id_, fields, trusted, self._registry.configured.key_variables(id_))

    def _save(self, request: ProviderSaveRequest, fields: ProviderFields, *, vouched: bool) -> None:
        with self._registry.change() as transaction:
            before = transaction.entries.get(request.id)
            own = len(transaction.entries) - len(self._registry.configured.definitions)
            if before is None and own >= MAX_PROVIDERS:
                raise ValidationError(f"The maximum of {MAX_PROVIDERS} providers is reached.", field="id")
            kept = before.kept if before else None
            owner = owner_of(request.id, fields)
            trusted = self._trusted(request.id, transaction, owner, vouched=vouched)
            if request.key is not None:
                check_key_travels_safely(request.id, fields)
                kept = self._credentials.keep(owner, Secret(request.key), lasting=request.keep_key == "auto")
                trusted = self._trusted_with(request.key, owner, trusted)
            elif before is not None and _origin(before.settings) != _origin(fields):
                self._credentials.forget(request.id)
                kept = None
            transaction.put(request.id, RegistryEntry(fields, kept, trusted, now()))

    def _remember(self, id_: str, transaction: RegistryTransaction) -> None:
        """Keep, of a provider that is removed, what the key of the environment is for."""
        entry = transaction.entries.get(id_)
        with contextlib.suppress(ValidationError):  # one that was edited by hand
            if (
                entry is not None
                and self._credentials.environment_key(owner_of(id_, entry.settings)) is not None
            ):
                transaction.trusted[id_] = entry.trusted or _origin(entry.settings)

    def _trusted(self, id_: str, transaction: RegistryTransaction, owner: Owner, *, vouched: bool) -> str:
        """The origin that a key of the environment stays for when a provider is saved.

        It does not follow an address that is moved, nor one under an id that was removed. A person who
        adds a provider, or saves one that a kernel has added, says that it is for the address that they see;
        a kernel says nothing of the kind, also before there is a key.
        """
        before = transaction.entries.get(id_)
        removed = transaction.trusted.pop(id_, "")
        if not owner.origin:
            return ""
        known = (before.trusted or _origin(before.settings)) if before is not None else removed
        if not vouched:
            return known or NOBODY
        if known in ("", NOBODY) or self._credentials.environment_key(owner) is None:
            return owner.origin
        return known

    def _trusted_with(self, key: str, owner: Owner, trusted: str) -> str:
        """The same, where somebody has entered a key for this origin: that of the environment confirms it."""
        given = self._credentials.environment_key(owner)
        return owner.origin if given is not None and given.reveal() == key.strip() else trusted

    def _list(self) -> ProviderList:
        snapshot = self._registry.read()
        self.remote.prices.refresh()
        air_gap = self._settings.current.air_gap
        place, note = self._credentials.storage()
        ids = [EMBEDDED, *(id_ for id_ in snapshot.entries if id_ != EMBEDDED)]
        return ProviderList(
            providers=tuple(self._info(id_, snapshot, air_gap=air_gap) for id_ in ids),
            kinds=tuple(kind.listed(type_) for type_, kind in INSTALLED.all().items()),
            active=snapshot.active,
            locked=self._registry.configured.locked,
            key_storage=KeyStorage(place=place, note=note),
            path=str(self._registry.path),
            prices_path=str(self.remote.prices.path),
            problem=" ".join(filter(None, (snapshot.problem, self.remote.prices.problem))),
        )

    def _info(self, id_: str, snapshot: RegistrySnapshot, *, air_gap: bool) -> ProviderInfo:
        entry = snapshot.entries.get(id_, _EMBEDDED_ENTRY)
        fields = entry.settings
        kind = kind_of(fields.type)
        shown = msgspec.structs.asdict(fields)
        shown["name"] = fields.name or (kind.title if id_ == EMBEDDED else id_)
        shown["base_url"] = fields.base_url or kind.base_url
        key: KeyPlace = "none"
        problem = ""
        try:
            owner = self._owner(id_, fields, entry.trusted)
            key = self._credentials.place(owner, entry.kept)
            if key == "none":
                problem = self._credentials.held_back(owner)
        except LocalCoderError as failure:  # of a file that was edited by hand
            problem = failure.message
        if not problem and key == "none" and kind.key_needed:
            problem = "It needs a key, but none is stored."
        if air_gap and id_ != EMBEDDED:
            problem = air_gapped(id_).message
        return ProviderInfo(
            id=id_,
            **shown,
            active=id_ == snapshot.active,
            key=key,
            key_needed=kind.key_needed,
            problem=problem,
            completes=_fills(fields),
            remote=id_ != EMBEDDED,
            in_use=self._in_use(id_),
            configured=id_ in self._registry.configured.definitions,
            price=self._price(id_, fields.model),
            updated_at=entry.updated_at,
        )

    def _price(self, id_: str, model: str) -> ProviderPrice | None:
        price = self.remote.prices.price(id_, (model,))
        if price is None:
            return None
        return ProviderPrice(input=price.input, cached_input=price.cached_input, output=price.output)

    def _in_use(self, id_: str) -> int:
        return max(self._waiting(id_), self.remote.users(id_))

    async def _changed(self, id_: str) -> ProviderInfo:
        """Let everybody know, and answer what there is now of one."""
        self.remote.changed(id_)
        listed = await asyncio.to_thread(self._list)
        self._events.notify(registry.PROVIDERS_CHANGED, listed)
        return next((info for info in listed.providers if info.id == id_), listed.providers[0])

    def _on_event(self, event: registry.Event, payload: msgspec.Struct) -> None:
        if event is registry.SETTINGS_CHANGED and isinstance(payload, SettingsView):
            self.remote.set_air_gap(payload.settings.air_gap)


def _check(request: ProviderSaveRequest, fields: ProviderFields, *, link_local: bool) -> None:
    if (request.id == EMBEDDED) != (fields.type == "embedded"):
        raise ValidationError(
            f"`type`: only the provider `{EMBEDDED}` can have the type `{EMBEDDED}`.", field="type"
        )
    if fields.type == "embedded" and (fields.base_url or fields.model or request.key is not None):
        raise ValidationError(
            "The embedded provider does not accept `base_url`, `model` or `key`.",
            recovery="Choose its model in the settings.",
            field="base_url" if fields.base_url else "model" if fields.model else "key",
        )
    check_fields(fields, link_local=link_local)


def _fills(fields: ProviderFields) -> bool:
    return kind_of(fields.type).always_fills or fields.fill != "off"


def _require(transaction: RegistryTransaction, id_: str, *, unread: bool = False) -> RegistryEntry:
    """The entry of a provider that is there."""
    if unread and id_ in transaction.unread:
        return _EMBEDDED_ENTRY
    entry = transaction.entries.get(id_) or (_EMBEDDED_ENTRY if id_ == EMBEDDED else None)
    if entry is None:
        raise ProviderNotFound(f"There is no provider {id_!r}.", provider=id_)
    return entry


def _require_key_type(fields: ProviderFields) -> None:
    if fields.type == "embedded":
        raise ValidationError("The embedded provider needs no key.", field="id")


def _origin(fields: ProviderFields) -> str:
    address = address_of(fields)
    return address.origin if address else ""
