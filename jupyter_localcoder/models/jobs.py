"""What is under way with the files of models: one task each, told as events, stopped when asked.

Downloads and verifications go on by themselves; imports and exports belong to the request that asked for
them and end with it. At most one thing is under way with a model.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..contract import codec, registry
from ..contract.common import ErrorPayload
from ..contract.models import (
    Activity,
    ModelEnsureRequest,
    ModelExportRequest,
    ModelImportRequest,
    ModelInfo,
    ModelState,
    ModelStateEvent,
)
from ..errors import AirGapped, Canceled, DownloadNotFound, LocalCoderError, ModelInUse, ModelNotReady
from ..events import EventHub
from .progress import Report, TransferProgress
from .store import InstalledModel, ModelStore

T = TypeVar("T")

CLOSE_SECONDS = 5.0
_NAMES: dict[Activity, str] = {
    "download": "downloaded",
    "verify": "verified",
    "import": "imported",
    "export": "exported",
}


@dataclass
class _Work:
    """One thing under way."""

    last: ModelStateEvent
    stop: threading.Event = field(default_factory=threading.Event)
    task: asyncio.Task[Any] | None = None


class Downloads:
    """Makes models ready, checks them, and takes them in and out, in the background.

    Parameters
    ----------
    air_gap
        Answers whether the air gap is on now, whoever has switched it on.
    """

    def __init__(
        self,
        store: ModelStore,
        events: EventHub,
        *,
        accepted_by: str,
        air_gap: Callable[[], bool],
    ) -> None:
        self._store = store
        self._events = events
        self._accepted_by = accepted_by
        self._running: dict[str, _Work] = {}
        self._failures: dict[str, ErrorPayload] = {}
        # Of its own: what takes minutes must not keep short things from the threads that all share.
        self._threads = ThreadPoolExecutor(thread_name_prefix="localcoder-files")
        self._air_gap = air_gap

    def live(self, info: ModelInfo) -> ModelInfo:
        """Return what is known of a model, with what is under way or its last failure."""
        work = self._running.get(info.id)
        if work is not None:
            return msgspec.structs.replace(
                info,
                state=work.last.state,
                activity=work.last.activity,
                received_bytes=work.last.received_bytes,
                rate_bytes_per_second=work.last.rate_bytes_per_second,
            )
        failure = self._failures.get(info.id)
        if failure is not None and info.state != "ready":
            return msgspec.structs.replace(info, state="error", error=failure)
        return info

    def imports(self) -> tuple[ModelStateEvent, ...]:
        """The imports under way, by the ids that they have so far."""
        # A copy first: it is asked for in another thread than the one that begins and ends them.
        return tuple(work.last for work in list(self._running.values()) if work.last.activity == "import")

    async def ensure(self, request: ModelEnsureRequest) -> None:
        """Begin a download unless the model is here, or on its way.

        Raises
        ------
        LocalCoderError
            It is refused; nothing was opened. What goes wrong later is told as an event.
        """
        stopping = self._running.get(request.id)
        if stopping is not None and stopping.stop.is_set() and stopping.task is not None:
            # Paused a moment ago, and wanted again: it goes on once it has stopped.
            await asyncio.wait([stopping.task])
        if request.id in self._running:
            return
        installed = await asyncio.to_thread(
            self._store.prepare,
            request.id,
            allow_download=request.allow_download,
            accept_license=request.accept_license,
            accepted_by=self._accepted_by,
            air_gap=await asyncio.to_thread(self._air_gap),
            update=request.update,
        )
        self._failures.pop(request.id, None)
        if installed is not None:
            self._publish(ModelStateEvent(id=request.id, state="ready", model_path=str(installed.path)))
        elif request.id not in self._running:

            def fetch(report: Report, stop: threading.Event) -> InstalledModel:
                return self._store.fetch(
                    request.id,
                    progress=report,
                    cancel=stop,
                    update=request.update,
                    air_gap=self._air_gap,
                )

            self._start(request.id, "download", "downloading", fetch)

    async def verify(self, model_id: str) -> None:
        """Begin to compute the digest of a model again; the verdict is told as an event.

        Raises
        ------
        ModelNotFound, ModelNotReady
            There is nothing to verify.
        """
        if model_id in self._running:
            return
        info = await asyncio.to_thread(self._store.info, model_id, 0)
        if info.state == "idle":
            raise ModelNotReady(f"`{model_id}` is not on this machine yet.", model=model_id)
        if model_id not in self._running:

            def check(report: Report, stop: threading.Event) -> InstalledModel:
                return self._store.verify(model_id, progress=report, cancel=stop)

            self._start(model_id, "verify", "verifying", check)

    async def check(self, model_id: str) -> None:
        """Compute the digest of a model again where its file was touched; a request waits for it.

        A request that goes away does not stop it: the next one finds it done, or on its way.

        Raises
        ------
        ModelNotFound, ModelNotReady, ChecksumMismatch
            It cannot be used.
        """
        if await asyncio.to_thread(self._store.is_verified, model_id):
            return
        work = self._running.get(model_id)

        def check(report: Report, stop: threading.Event) -> InstalledModel:
            return self._store.locate(model_id, progress=report, cancel=stop)

        if work is None:
            await asyncio.shield(self._start(model_id, "verify", "verifying", check))
        elif work.task is not None and work.last.activity == "verify":
            await asyncio.shield(work.task)
        else:
            await asyncio.to_thread(self._store.locate, model_id)

    async def cancel(self, model_id: str, *, discard: bool = False) -> None:
        """Stop what is under way with a model, and wait until it has stopped.

        Parameters
        ----------
        discard
            Remove what a download has got so far, also where none is running.

        Raises
        ------
        DownloadNotFound
            Nothing is under way, and there is nothing to discard.
        """
        work = self._running.get(model_id)
        if work is not None and work.task is not None:
            work.stop.set()
            await asyncio.wait([work.task])
            if not discard or work.last.activity != "download":
                return
        else:
            await asyncio.to_thread(self._store.info, model_id, 0)
            if not discard:
                raise DownloadNotFound(f"No download of {model_id} is running.")
        try:
            await asyncio.to_thread(self._store.discard_part, model_id)
        except DownloadNotFound:
            if work is None:
                raise
        self._failures.pop(model_id, None)
        await self._settle(model_id)

    def forget(self, model_id: str) -> None:
        """Let go of the last failure of a model that has been removed."""
        self._failures.pop(model_id, None)

    async def import_file(self, request: ModelImportRequest) -> str:
        """Take a file into the store; answer the id it got."""
        path, link, id_ = request.path, request.link, request.id
        guess = id_ if id_ is not None else await asyncio.to_thread(self._store.provisional_id, path)

        def take(report: Report, stop: threading.Event) -> InstalledModel:
            return self._store.import_file(path, model_id=id_, link=link, progress=report, cancel=stop)

        installed = await self._ours(guess, "import", "verifying", take)
        if installed.id != guess:
            self._failures.pop(installed.id, None)
            await self._settle(installed.id)
        return installed.id

    async def export(self, request: ModelExportRequest) -> tuple[Path, int]:
        """Write a bundle; answer its folder and its size in bytes."""

        def write(report: Report, stop: threading.Event) -> tuple[Path, int]:
            return self._store.export(request.id, request.path, progress=report, cancel=stop)

        return await self._ours(request.id, "export", "ready", write)

    async def close(self) -> None:
        """Stop all; what downloads have got so far is kept."""
        for work in self._running.values():
            work.stop.set()
        tasks = [work.task for work in self._running.values() if work.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        self._threads.shutdown(wait=False)

    # One thing under way, from its start to its one end

    def _start(
        self,
        model_id: str,
        activity: Activity,
        state: ModelState,
        do: Callable[[Report, threading.Event], T],
    ) -> asyncio.Task[T]:
        work = _Work(ModelStateEvent(id=model_id, state=state, activity=activity))
        self._running[model_id] = work
        work.task = asyncio.ensure_future(self._run(model_id, work, do))
        work.task.add_done_callback(_retrieve_failure)
        self._publish(work.last)
        return work.task

    async def _ours(
        self,
        model_id: str,
        activity: Activity,
        state: ModelState,
        do: Callable[[Report, threading.Event], T],
    ) -> T:
        """Do it for the request that waits for it: one that goes away stops it."""
        if (other := self._running.get(model_id)) is not None:
            raise ModelInUse(
                f"`{model_id}` is currently being {_NAMES[other.last.activity]}.",
                recovery="Wait until that finishes, or cancel it.",
                model=model_id,
            )
        task = self._start(model_id, activity, state, do)
        work = self._running[model_id]
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            work.stop.set()
            raise

    async def _run(self, model_id: str, work: _Work, do: Callable[[Report, threading.Event], T]) -> T:
        loop = asyncio.get_running_loop()

        def report(progress: TransferProgress) -> None:
            event = msgspec.structs.replace(
                work.last,
                state=work.last.state if work.last.activity == "export" else progress.state,
                received_bytes=progress.received_bytes,
                total_bytes=progress.total_bytes,
                rate_bytes_per_second=progress.rate_bytes_per_second,
            )
            loop.call_soon_threadsafe(self._moved, work, event)

        failure: ErrorPayload | None = None
        try:
            result = await loop.run_in_executor(self._threads, do, report, work.stop)
        except Canceled:
            raise
        except Exception as caught:
            failure = codec.error_payload(caught)
            # What was deleted while it waited to be verified is not here, and not broken.
            gone = work.last.activity == "verify" and isinstance(caught, ModelNotReady)
            # What the air gap stopped goes on from there once it is off: it has not failed.
            stopped = isinstance(caught, AirGapped)
            if work.last.activity in ("download", "verify") and not gone and not stopped:
                self._failures[model_id] = failure
            raise
        else:
            self._failures.pop(model_id, None)
            return result
        finally:
            self._running.pop(model_id, None)
            await self._settle(model_id, failure)

    def _moved(self, work: _Work, event: ModelStateEvent) -> None:
        if self._running.get(event.id) is work:
            work.last = event
            self._publish(event)

    async def _settle(self, model_id: str, failure: ErrorPayload | None = None) -> None:
        """Tell where a model stands now that nothing is under way with it."""
        try:
            info = await asyncio.to_thread(self._store.info, model_id, 0)
        except LocalCoderError:
            # The provisional id of an import that came to nothing, or got another one.
            self._failures.pop(model_id, None)
            self._publish(ModelStateEvent(id=model_id, state="idle", error=failure))
            return
        live = self.live(info)
        self._publish(
            ModelStateEvent(
                id=model_id,
                state=live.state,
                received_bytes=live.received_bytes,
                total_bytes=live.size_bytes,
                error=failure or live.error,
                model_path=live.model_path if live.state == "ready" else "",
            )
        )

    def _publish(self, event: ModelStateEvent) -> None:
        self._events.notify(registry.MODEL_STATE, event)


def _retrieve_failure(task: asyncio.Task[Any]) -> None:
    """Look at a failure that nobody waits for: it has been told as an event."""
    if not task.cancelled():
        task.exception()
