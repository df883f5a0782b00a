"""``model:*``: what can be here, what is, and what is loaded."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec

from ..contract import models, registry
from ..contract.common import Empty
from ..engine.acceleration import acceleration, warning
from ..engine.memory_admission import MemoryAdmission
from ..engine.memory_usage import MemoryUsage
from ..engine.model_fallback import ModelFallback
from ..engine.planner import Planner
from ..engine.pool import WorkerPool
from ..errors import InvalidModel, ModelInUse, OutOfMemory
from ..events import EventHub
from ..models.jobs import Downloads
from ..models.store import ModelStore
from ..settings import LocalCoderSettings
from .backend import engine_error
from .dispatch import serves


class ModelOperations:
    """Lists, fetches, removes and loads models."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        store: ModelStore,
        pool: WorkerPool,
        planner: Planner,
        events: EventHub,
        downloads: Downloads,
        machine: MemoryUsage,
        room: MemoryAdmission,
        fallback: ModelFallback,
    ) -> None:
        self._fallback = fallback
        self._machine = machine
        self._room = room
        self._settings = settings
        self._store = store
        self._pool = pool
        self._planner = planner
        self._events = events
        self._downloads = downloads
        self._loading: Counter[str] = Counter()
        self._deleting: set[str] = set()

    @serves(registry.MODEL_LIST)
    async def model_list(self, _request: models.ModelListRequest) -> models.ModelList:
        """All models that are known or here."""
        return await asyncio.to_thread(self._model_list)

    def _model_list(self) -> models.ModelList:
        profile, reason = self._planner.profile()
        recommended, recommended_reason = self._planner.profile("auto")
        code, general = self._planner.answering()
        catalogue = self._store.catalogue
        memory = self._machine.memory()
        terms = msgspec.structs.replace(self._planner.terms(), given_back_bytes=memory.given_back_bytes)
        known = tuple(self._live(info) for info in self._store.infos(terms))
        ids = {info.id for info in known}
        return models.ModelList(
            models=known,
            licenses=tuple(catalogue.licenses.values()),
            profiles=tuple(catalogue.profiles.values()),
            active_profile=profile.name,
            profile_reason=f"{reason} {self._planner.division()}".rstrip(),
            recommended_profile=recommended.name,
            recommended_reason=recommended_reason,
            models_dir=str(self._store.models_dir),
            memory=memory,
            code_model=code,
            general_model=general,
            imports=tuple(event for event in self._downloads.imports() if event.id not in ids),
            engine_error=engine_error(),
        )

    def _info(self, model_id: str) -> models.ModelInfo:
        given_back = self._machine.given_back_bytes()
        terms = msgspec.structs.replace(self._planner.terms(), given_back_bytes=given_back)
        return self._live(self._store.info(model_id, terms))

    def _live(self, info: models.ModelInfo) -> models.ModelInfo:
        """Add what the store does not know: what is under way, the loaded model, how fast it was."""
        loaded = any(
            one.loaded is not None and one.plan is not None and one.plan.model == info.id
            for one in self._pool.holding
        )
        speed = self._planner.speed(info.id) if info.state == "ready" else None
        return self._downloads.live(msgspec.structs.replace(info, loaded=loaded, speed=speed))

    @serves(registry.MODEL_ENSURE)
    async def model_ensure(self, request: models.ModelEnsureRequest) -> models.ModelInfo:
        """Begin to make a model ready."""
        await self._downloads.ensure(request)
        return await asyncio.to_thread(self._info, request.id)

    @serves(registry.MODEL_CANCEL_DOWNLOAD)
    async def model_cancel_download(self, request: models.ModelCancelDownloadRequest) -> Empty:
        """Stop what is under way with a model."""
        await self._downloads.cancel(request.id, discard=request.discard)
        return Empty()

    @serves(registry.MODEL_VERIFY)
    async def model_verify(self, request: models.ModelRequest) -> models.ModelInfo:
        """Begin to compute a digest again."""
        await self._downloads.verify(request.id)
        return await asyncio.to_thread(self._info, request.id)

    @serves(registry.MODEL_PIN)
    async def model_pin(self, request: models.ModelPinRequest) -> models.ModelInfo:
        """Keep a model at its version."""
        await asyncio.to_thread(self._store.pin, request.id, pinned=request.pinned)
        info = await asyncio.to_thread(self._info, request.id)
        self._events.notify(registry.MODEL_STATE, models.ModelStateEvent(id=request.id, state=info.state))
        return info

    @serves(registry.MODEL_IMPORT)
    async def model_import(self, request: models.ModelImportRequest) -> models.ModelInfo:
        """Take a file into the store."""
        id_ = await self._downloads.import_file(request)
        return await asyncio.to_thread(self._info, id_)

    @serves(registry.MODEL_EXPORT)
    async def model_export(self, request: models.ModelExportRequest) -> models.ModelExported:
        """Write a bundle."""
        path, size = await self._downloads.export(request)
        return models.ModelExported(path=str(path), size_bytes=size)

    @serves(registry.MODEL_DELETE)
    async def model_delete(self, request: models.ModelDeleteRequest) -> models.DeletedModel:
        """Remove a model."""
        if self._loading[request.id] or self._pool.uses(request.id):
            if not request.force:
                raise ModelInUse(f"The model {request.id} is loaded.", model=request.id)
            await self._pool.unload(f"{request.id} is being removed.", model=request.id)
        self._deleting.add(request.id)
        try:
            freed = await asyncio.to_thread(self._store.delete, request.id)
        finally:
            self._deleting.discard(request.id)
        self._downloads.forget(request.id)
        self._events.notify(registry.MODEL_STATE, models.ModelStateEvent(id=request.id, state="idle"))
        return models.DeletedModel(id=request.id, freed_bytes=freed)

    @serves(registry.MODEL_LOAD)
    async def model_load(self, request: models.ModelLoadRequest) -> models.LoadedModel:
        """Load a model now."""
        if request.id in self._deleting:
            raise ModelInUse(f"The model {request.id} is being removed.", model=request.id)
        # Noted from the first moment on: until the supervisor has it, nothing else says that it is wanted.
        self._loading[request.id] += 1
        try:
            async with self._fallback.by_hand(request.id, request.profile) as (plan, roles):
                plan = await self._room.require(plan, force=request.force)
                # Whoever loads it by hand wants it tried, whatever came of it before.
                self._fallback.forget(request.id)
                loaded = await self._pool.load(plan, roles)
        except OutOfMemory as failure:
            if not failure.details.get("refused"):
                self._fallback.failed(plan)
            raise
        except InvalidModel:
            # Somebody may have removed it while it was read: then that is what is told.
            await asyncio.to_thread(self._planner.plan, "code", model=request.id, profile=request.profile)
            raise
        finally:
            self._loading[request.id] -= 1
        return models.LoadedModel(
            id=plan.model,
            digest=plan.digest,
            context_window=loaded.n_ctx,
            acceleration=acceleration(loaded),
            load_ms=loaded.load_ms,
            fill_in_the_middle=loaded.fill_in_the_middle,
            warning=warning(plan, loaded),
        )

    @serves(registry.MODEL_UNLOAD)
    async def model_unload(self, request: models.ModelUnloadRequest) -> Empty:
        """Free everything, or what one model holds."""
        await self._pool.unload(model=request.id)
        self._planner.forget_choice()
        self._fallback.forget(request.id)
        self._fallback.release_choice(request.id)
        return Empty()
