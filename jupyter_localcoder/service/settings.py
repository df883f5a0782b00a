"""``settings:*``: what a person changes while it runs, in force at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import UNSET

from ..contract import registry
from ..contract.backend import Notice
from ..contract.settings import SettingsGetRequest, SettingsUpdateRequest, SettingsView
from ..engine.model_fallback import ModelFallback
from ..engine.planner import Planner
from ..events import EventHub
from ..generation.engine_requests import EngineRequests
from ..models.lookup import check_model
from ..models.store import ModelStore
from ..settings import LocalCoderSettings
from .dispatch import serves
from .providers import ProviderOperations

_CHOOSE = ("profile", "model", "general_model")
"""The settings that say which model answers."""


class SettingsOperations:
    """Shows and changes the settings."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        store: ModelStore,
        planner: Planner,
        fallback: ModelFallback,
        engine: EngineRequests,
        events: EventHub,
        providers: ProviderOperations,
    ) -> None:
        self._events = events
        self._settings = settings
        self._store = store
        self._planner = planner
        self._fallback = fallback
        self._engine = engine
        self._providers = providers
        self._one = asyncio.Lock()
        self.checks: list[Callable[[SettingsUpdateRequest], Awaitable[SettingsUpdateRequest]]] = []
        """Each refuses a change, or returns it with all that changes with it."""

    async def refresh(self) -> None:
        """Let what another process has changed be in force; once for each request."""
        await self._settings.refresh()
        self._publish_reports()

    @serves(registry.SETTINGS_GET)
    async def settings_get(self, _request: SettingsGetRequest) -> SettingsView:
        """Return the settings in force."""
        return await asyncio.to_thread(self._settings.view)

    @serves(registry.SETTINGS_UPDATE)
    async def settings_update(self, request: SettingsUpdateRequest) -> SettingsView:
        """Change settings, and apply them at once."""
        await asyncio.to_thread(self._check_names, request)
        for check in self.checks:
            request = await check(request)
        # Who leaves now leaves a change that is kept: it is applied all the same.
        return await asyncio.shield(asyncio.ensure_future(self._change(request)))

    async def _change(self, request: SettingsUpdateRequest) -> SettingsView:
        # One after the other: what is told last is what is in force.
        async with self._one:
            view = await asyncio.to_thread(self._settings.update, request)
            self._apply(request, view)
        return view

    def _apply(self, request: SettingsUpdateRequest, view: SettingsView) -> None:
        self._planner.forget_choice()
        self._fallback.forget()
        if any(getattr(request, name) is not UNSET for name in _CHOOSE):
            # What was loaded by hand before gives way to what is chosen now.
            self._fallback.release_choice()
        self._engine.apply_residency()
        self._events.notify(registry.SETTINGS_CHANGED, view)
        self._publish_reports()

    def _publish_reports(self) -> None:
        for sentence in self._settings.reported():
            self._events.notify(registry.NOTICE, Notice(severity="warning", message=sentence))

    def _check_names(self, request: SettingsUpdateRequest) -> None:
        """What does not exist, or cannot do what it is for, is refused now, and not at the next request."""
        if request.profile:
            self._planner.profile(request.profile)
        for field in ("model", "general_model"):
            if id_ := getattr(request, field):
                check_model(self._store, field, id_)
        if request.completion_provider:
            self._providers.check_fills(request.completion_provider)
