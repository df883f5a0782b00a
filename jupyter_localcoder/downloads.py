"""Downloads and imports under way: one task each, told as events, stopped when asked."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import msgspec

from .contract import codec, registry
from .contract.common import ErrorPayload
from .contract.models import ModelEnsureRequest, ModelImportRequest, ModelInfo, ModelStateEvent
from .errors import Canceled, DownloadNotFound
from .events import EventHub
from .models.progress import Progress
from .models.store import ModelStore


@dataclass
class _Download:
    """One under way."""

    last: ModelStateEvent
    stop: threading.Event = field(default_factory=threading.Event)
    task: asyncio.Task[None] | None = None


class Downloads:
    """Makes models ready, in the background."""

    def __init__(self, store: ModelStore, events: EventHub, *, accepted_by: str) -> None:
        self._store = store
        self._events = events
        self._accepted_by = accepted_by
        self._running: dict[str, _Download] = {}
        self._failures: dict[str, ErrorPayload] = {}

    def live(self, info: ModelInfo) -> ModelInfo:
        """Return what is known of a model, with its download under way or its last failure."""
        download = self._running.get(info.id)
        if download is not None:
            return msgspec.structs.replace(
                info, state=download.last.state, received_bytes=download.last.received_bytes
            )
        failure = self._failures.get(info.id)
        if failure is not None and info.state != "ready":
            return msgspec.structs.replace(info, state="error", error=failure)
        return info

    async def ensure(self, request: ModelEnsureRequest, *, air_gap: bool) -> None:
        """Begin a download unless the model is here, or on its way.

        Raises
        ------
        LocalCoderError
            It is refused; nothing was opened. What goes wrong later is told as an event.
        """
        if request.id in self._running:
            return
        installed = await asyncio.to_thread(
            self._store.prepare,
            request.id,
            allow_download=request.allow_download,
            accept_license=request.accept_license,
            accepted_by=self._accepted_by,
            air_gap=air_gap,
        )
        self._failures.pop(request.id, None)
        if installed is not None:
            self._tell(ModelStateEvent(id=request.id, state="ready"))
        elif request.id not in self._running:
            download = _Download(ModelStateEvent(id=request.id, state="downloading"))
            self._running[request.id] = download
            download.task = asyncio.ensure_future(self._fetch(request.id, download))

    async def cancel(self, model_id: str) -> None:
        """Stop a download and wait until it has stopped.

        Raises
        ------
        DownloadNotFound
        """
        download = self._running.get(model_id)
        if download is None or download.task is None:
            self._store.info(model_id, 0)
            raise DownloadNotFound(f"No download of {model_id} is running.")
        download.stop.set()
        await asyncio.wait([download.task])

    async def import_file(self, request: ModelImportRequest) -> str:
        """Take a file into the store; answer the id it got."""
        installed = await asyncio.to_thread(
            self._store.import_file, request.path, model_id=request.id, link=request.link
        )
        self._failures.pop(installed.id, None)
        self._tell(
            ModelStateEvent(
                id=installed.id,
                state="ready",
                received_bytes=installed.size_bytes,
                total_bytes=installed.size_bytes,
            )
        )
        return installed.id

    async def close(self) -> None:
        """Stop all; what came so far is kept."""
        for download in self._running.values():
            download.stop.set()
        tasks = [d.task for d in self._running.values() if d.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=5)

    async def _fetch(self, model_id: str, download: _Download) -> None:
        loop = asyncio.get_running_loop()

        def report(progress: Progress) -> None:
            event = ModelStateEvent(
                id=model_id,
                state=progress.state,
                received_bytes=progress.received_bytes,
                total_bytes=progress.total_bytes,
                rate_bytes_per_second=progress.rate_bytes_per_second,
            )
            loop.call_soon_threadsafe(self._moved, download, event)

        try:
            installed = await asyncio.to_thread(
                self._store.fetch, model_id, progress=report, cancel=download.stop
            )
            end = ModelStateEvent(
                id=model_id,
                state="ready",
                received_bytes=installed.size_bytes,
                total_bytes=installed.size_bytes,
            )
        except Canceled:
            received = self._store.received_bytes(model_id)
            end = ModelStateEvent(id=model_id, state="idle", received_bytes=received)
        except Exception as failure:
            payload = codec.error_payload(failure)
            self._failures[model_id] = payload
            end = ModelStateEvent(
                id=model_id,
                state="error",
                received_bytes=self._store.received_bytes(model_id),
                error=payload,
            )
        self._running.pop(model_id, None)
        self._tell(end)

    def _moved(self, download: _Download, event: ModelStateEvent) -> None:
        if self._running.get(event.id) is download:
            download.last = event
            self._tell(event)

    def _tell(self, event: ModelStateEvent) -> None:
        self._events.tell(registry.MODEL_STATE, event)
