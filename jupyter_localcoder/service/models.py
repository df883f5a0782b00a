"""``model:*``: what can be here, what is, and what is loaded."""

from __future__ import annotations

import asyncio

import msgspec

from ..contract import models, registry
from ..contract.common import Empty
from ..downloads import Downloads
from ..errors import ModelInUse
from ..events import EventHub
from ..models.store import ModelStore
from ..planning import Planner
from ..settings import LocalCoderSettings
from ..supervisor import Supervisor
from .engine import acceleration


class Models:
    """Lists, fetches, removes and loads models."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        store: ModelStore,
        supervisor: Supervisor,
        planner: Planner,
        events: EventHub,
        downloads: Downloads,
    ) -> None:
        self._settings = settings
        self._store = store
        self._supervisor = supervisor
        self._planner = planner
        self._events = events
        self._downloads = downloads

    async def model_list(self, _request: models.ModelListRequest) -> models.ModelList:
        """All models that are known or here."""
        return await asyncio.to_thread(self._model_list)

    def _model_list(self) -> models.ModelList:
        profile, reason = self._planner.profile()
        window = self._planner.cells()
        catalogue = self._store.catalogue
        return models.ModelList(
            models=tuple(self._live(info) for info in self._store.infos(window)),
            licenses=tuple(catalogue.licenses.values()),
            profiles=tuple(catalogue.profiles.values()),
            active_profile=profile.name,
            profile_reason=reason,
            models_dir=str(self._store.models_dir),
        )

    def _info(self, model_id: str) -> models.ModelInfo:
        return self._live(self._store.info(model_id, self._planner.cells()))

    def _live(self, info: models.ModelInfo) -> models.ModelInfo:
        """Add what the store does not know: a download under way, the loaded model."""
        plan = self._supervisor.plan
        loaded = self._supervisor.loaded is not None and plan is not None and plan.model == info.id
        return self._downloads.live(msgspec.structs.replace(info, loaded=loaded))

    async def model_ensure(self, request: models.ModelEnsureRequest) -> models.ModelInfo:
        """Begin to make a model ready."""
        await self._downloads.ensure(request, air_gap=self._settings.current.air_gap)
        return await asyncio.to_thread(self._info, request.id)

    async def model_cancel_download(self, request: models.ModelRequest) -> models.ModelInfo:
        """Stop a download."""
        await self._downloads.cancel(request.id)
        return await asyncio.to_thread(self._info, request.id)

    async def model_import(self, request: models.ModelImportRequest) -> models.ModelInfo:
        """Take a file into the store."""
        id_ = await self._downloads.import_file(request)
        return await asyncio.to_thread(self._info, id_)

    async def model_export(self, request: models.ModelExportRequest) -> models.ModelExported:
        """Write a bundle."""
        path, size = await asyncio.to_thread(self._store.export, request.id, request.path)
        return models.ModelExported(path=str(path), size_bytes=size)

    async def model_delete(self, request: models.ModelDeleteRequest) -> models.DeletedModel:
        """Remove a model."""
        plan = self._supervisor.plan
        if plan is not None and plan.model == request.id:
            if not request.force:
                raise ModelInUse(f"The model {request.id} is loaded.")
            await self._supervisor.unload(f"{request.id} is being removed.")
        freed = await asyncio.to_thread(self._store.delete, request.id)
        self._events.tell(registry.MODEL_STATE, models.ModelStateEvent(id=request.id, state="idle"))
        return models.DeletedModel(id=request.id, freed_bytes=freed)

    async def model_load(self, request: models.ModelLoadRequest) -> models.LoadedModel:
        """Load a model now."""
        plan = await asyncio.to_thread(self._planner.plan, "code", model=request.id, profile=request.profile)
        loaded = await self._supervisor.load(plan)
        return models.LoadedModel(
            id=plan.model,
            digest=plan.digest,
            context_window=loaded.n_ctx,
            acceleration=acceleration(loaded),
            load_ms=loaded.load_ms,
            fill_in_the_middle=loaded.fill_in_the_middle,
        )

    async def model_unload(self, _request: models.ModelUnloadRequest) -> Empty:
        """Free everything."""
        await self._supervisor.unload()
        self._planner.forget_choice()
        return Empty()
