"""Puts answers into the history, behind the backs of those who wait for them.

An answer is kept after its last frame has gone out, by a thread of its own, one after the other. Nothing that
goes wrong there reaches the answer: it is told once, as a notice, until it goes well again.

Shared by the nouns that generate; it serves no operation itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..contract import codec, queue, registry
from ..contract.backend import Notice
from ..contract.common import Severity
from ..contract.generation import Done, Started
from ..contract.history import HistoryChanged, Response, ResponseKind
from ..contract.notebook import Reference
from ..errors import LocalCoderError
from ..events import EventHub, Listeners
from ..generation.run import RunFrame
from ..generation.runs import Observer
from ..settings import LocalCoderSettings
from ..text.digest import text_digest
from . import HistoryStore
from .names import new_id, prompt_id_of
from .unsaved_turns import UnsavedTurns

MAX_TOGETHER = 32
"""So many answers are kept at once."""
MAX_WAITING = 1000
"""So many answers may wait to be kept: a disk that hangs must not fill the memory."""
RETAIN_SECONDS = 60.0
"""Limits are looked at again so long after the last time."""


@dataclass(frozen=True)
class RequestMetadata:
    """What is kept of a request beside its answer."""

    kind: ResponseKind
    prompt: str
    """What a person asked, without what the product adds to it."""
    prompt_id: str = ""
    """Empty: made from the prompt, so that the same question has the same one."""
    command: str = ""
    references: tuple[Reference, ...] = ()
    conversation_id: str = ""
    parent_id: str = ""
    notebook: str = ""
    mark: int = 0
    """The moment at which the notebook was there, as `Notebooks` counts them."""
    cell: str = ""
    private: bool = False
    sampling: dict[str, int | float] = field(default_factory=dict)
    """What the request said of it: all that is known where another provider than the embedded one answers."""

    @property
    def kept_under(self) -> str:
        """The id of the prompt."""
        return self.prompt_id or prompt_id_of(f"{self.command}\n{self.prompt}")


def _refusal(done: Done) -> str:
    """Why a whole answer is no change, as the user is told. That it was cut off is known by its end."""
    change = done.change
    if change is None or not change.problem or done.finish != "stop":
        return ""
    return f"{change.problem} {change.recovery}".strip()


class Recorder:
    """Keeps answers.

    Parameters
    ----------
    clock
        Seconds, for how often the limits are looked at.
    place
        Returns where a notebook is now that was at a path at some moment; see `NotebookMoves.since`.
    """

    def __init__(
        self,
        store: HistoryStore,
        settings: LocalCoderSettings,
        events: EventHub,
        log: logging.Logger | logging.LoggerAdapter[Any],
        *,
        clock: Callable[[], float],
        place: Callable[[int, str], str] = lambda _mark, path: path,
    ) -> None:
        self.store = store
        self.on_kept: Listeners[[Response]] = Listeners()
        """Told of each answer that was kept, in the event loop."""
        self._place = place
        self.unsaved = UnsavedTurns()
        """Turns that the history does not have, or not yet."""
        self._settings = settings
        self._events = events
        self._log = log
        self._clock = clock
        self._thread: ThreadPoolExecutor | None = None
        self._batch: list[tuple[Response, asyncio.Future[bool]]] = []
        self._keeping = asyncio.Lock()
        self._pending: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()
        self._swept: asyncio.Task[None] | None = None
        self._sweeps = 0
        self._stop = threading.Event()
        self._retained = float("-inf")
        self._loop: asyncio.AbstractEventLoop | None = None
        store.on_damage.listen(self._damaged)

    def response(self, asked: RequestMetadata, id_: str = "", **answer: Any) -> Response:
        """An answer in the form in which it is kept, with its fields from the request."""
        return Response(
            id=id_ or new_id(),
            prompt_id=asked.kept_under,
            kind=asked.kind,
            command=asked.command,
            conversation_id=asked.conversation_id,
            parent_id=asked.parent_id,
            created_at=self.store.now(),
            title=answer["model"],
            notebook=self._place(asked.mark, asked.notebook),
            cell=asked.cell,
            prompt=asked.prompt,
            references=asked.references,
            text_sha256=text_digest(answer["content"]),
            **answer,
        )

    def observer(self, asked: RequestMetadata) -> Observer:
        """Saves the answer to a request after its last frame, under the id of its run; reports its end."""
        return _AnswerObserver(self, asked)

    def note_answer(self, asked: RequestMetadata, done: Done) -> Response:
        """Make what will be saved. A turn can be continued from now on: the next one may come before that."""
        response = self._answer(asked, done)
        if response.conversation_id and response.content.strip():
            self.unsaved.add(response)
        return response

    def save(self, asked: RequestMetadata, response: Response) -> None:
        """Begin to save an answer; its end is reported when it is saved."""
        self._soon(self._keep_and_publish(asked, response))

    def report_failure(self, asked: RequestMetadata, run: str, failure: LocalCoderError) -> None:
        """Report a request that has no answer."""
        error = queue.ResponseError(
            request_id=run,
            kind=asked.kind,
            prompt_id=asked.kept_under,
            error=codec.error_payload(failure),
        )
        self._events.notify(registry.RESPONSE_ERROR, error)

    async def keep(self, asked: RequestMetadata, response: Response) -> str:
        """Keep an answer, and return when it is kept. Never raises.

        Returns its id, or nothing where it is not to be kept or cannot be.
        """
        if asked.private or not self._settings.current.history or not response.content.strip():
            return ""
        self.begin()
        if len(self._batch) >= MAX_WAITING:
            self._notify_once(
                "BUSY", "error", "The disk of the history is too slow: some answers are not saved."
            )
            return ""
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._batch.append((response, kept))
        if len(self._batch) == 1:
            self._soon(self._keep_batch())
        if not await kept:
            return ""
        self._told.clear()
        self.unsaved.forget(response.id)
        changed = HistoryChanged(
            reason="kept", response_id=response.id, conversation_id=response.conversation_id
        )
        self._events.notify(registry.HISTORY_CHANGED, changed)
        self.on_kept.notify(response)
        self._retain()
        return response.id

    async def settled(self, patience_seconds: float = 2.0) -> None:
        """Return when everything that was to be kept until now is kept, or the patience is at its end."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=patience_seconds)

    def begin(self) -> None:
        """Make files and rows agree, once, without making anybody wait for it."""
        self._loop = asyncio.get_running_loop()
        if self._swept is None:
            self._swept = asyncio.ensure_future(self._sweep())

    async def close(self, patience_seconds: float = 5.0) -> None:
        """Wait for what is being kept, as long as can be asked of who closes."""
        self._stop.set()
        if self._pending:
            await asyncio.wait(self._pending, timeout=patience_seconds)
        if self._swept is not None:
            await asyncio.wait([self._swept], timeout=patience_seconds)
        closing = asyncio.ensure_future(self._in_thread(self.store.close))
        await asyncio.wait([closing], timeout=patience_seconds)
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None

    # Keeping

    def _soon(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def _answer(self, asked: RequestMetadata, done: Done) -> Response:
        return self.response(
            asked,
            done.run,
            provider=done.provider,
            model=done.model.id,
            digest=done.model.digest,
            quantization=done.model.quantization,
            sampling=asked.sampling if done.sampling is None else msgspec.structs.asdict(done.sampling),
            finish=done.finish,
            cost_usd=done.cost_usd,
            milliseconds=done.timings.total_ms,
            prompt_sha256=done.prompt_sha256,
            content=done.text,
            reasoning=done.reasoning,
            prompt_tokens=done.usage.prompt_tokens,
            cached_tokens=done.usage.cached_tokens,
            completion_tokens=done.usage.completion_tokens,
            left_out_turns=done.left_out_turns,
        )

    async def _keep_and_publish(self, asked: RequestMetadata, response: Response) -> None:
        kept = await self.keep(asked, response)
        self._events.notify(
            registry.RESPONSE_COMPLETE,
            queue.ResponseComplete(
                request_id=response.id,
                kind=response.kind,
                response_id=kept,
                prompt_id=response.prompt_id,
                provider=response.provider,
                model=response.model,
                finish=response.finish,
                usage=queue.TokenCounts(
                    prompt_tokens=response.prompt_tokens,
                    cached_tokens=response.cached_tokens,
                    completion_tokens=response.completion_tokens,
                ),
                cost_usd=response.cost_usd,
                milliseconds=response.milliseconds,
                path=asked.notebook,
                cell=asked.cell,
            ),
        )

    async def _keep_batch(self) -> None:
        """Keep what waits: what comes while the disk is busy is kept together afterwards."""
        async with self._keeping:
            batch, self._batch = self._batch[:MAX_TOGETHER], self._batch[MAX_TOGETHER:]
            if self._batch:
                self._soon(self._keep_batch())
            try:
                await self._in_thread(self.store.keep_all, [response for response, _ in batch])
                failures: list[Exception | None] = [None] * len(batch)
            except Exception as failure:
                failures = [failure] if len(batch) == 1 else [await self._keep_alone(r) for r, _ in batch]
        for (_, kept), failed in zip(batch, failures, strict=True):
            if failed is not None:
                self._failed(failed, "The answer is complete, but was not saved in the history.")
            if not kept.done():
                kept.set_result(failed is None)

    async def _keep_alone(self, response: Response) -> Exception | None:
        try:
            await self._in_thread(self.store.keep, response)
        except Exception as failure:
            return failure
        return None

    async def _in_thread(self, do: Callable[..., Any], *arguments: Any) -> Any:
        """Do it in the one thread that changes the history, in order."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="localcoder-history")
        try:
            begun = self._thread.submit(do, *arguments)
        except RuntimeError:
            # At the end of the process no thread takes work any more, and nobody waits for this loop either.
            return do(*arguments)
        return await asyncio.wrap_future(begun)

    # Looking after it

    async def _sweep(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            sweeping = loop.run_in_executor(None, self.store.sweep, self._stop.is_set)
        except RuntimeError:
            return  # The process ends, and with it its threads: the next one looks it through.
        try:
            swept = await sweeping
        except Exception as failure:
            self._failed(failure, "The history could not be scanned.")
            return
        if swept.adopted or swept.removed_rows or swept.removed_files:
            self._log.info("The history was synchronized with its files: %s", swept)
            self._events.notify(registry.HISTORY_CHANGED, HistoryChanged(reason="swept"))
        self._retain()

    def _retain(self) -> None:
        if self._clock() - self._retained >= RETAIN_SECONDS and not self._stop.is_set():
            self._retained = self._clock()
            self._soon(self._delete_what_is_too_much())

    async def _delete_what_is_too_much(self) -> None:
        try:
            if await self._in_thread(self.store.retain):
                self._events.notify(registry.HISTORY_CHANGED, HistoryChanged(reason="deleted"))
        except Exception as failure:
            self._failed(failure, "Old answers could not be deleted from the history.")

    def _damaged(self, aside: str) -> None:
        """Called in some thread: the database was set aside, and all its rows are in the files alone."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._mend, aside)

    def _mend(self, aside: str) -> None:
        self._notice(
            "warning",
            "The history database was damaged. It is rebuilt from the answer files.",
            f"No action is needed. The damaged database is kept as `{aside}`.",
        )
        self._swept = asyncio.ensure_future(self._sweep())

    # Telling

    def _failed(self, failure: Exception, consequence: str) -> None:
        if isinstance(failure, LocalCoderError):
            told = self._notify_once(
                f"{failure.code} {consequence}",
                "warning",
                f"{consequence} {failure.message}",
                failure.recovery,
            )
            if told:
                self._log.warning("%s %s", consequence, failure)
        else:
            self._log.error("The history failed", exc_info=failure)
            self._notify_once(consequence, "warning", consequence)

    def _notify_once(self, kind: str, severity: Severity, message: str, action: str = "") -> bool:
        """Say it once, until an answer is kept again; whether it was said now."""
        if kind in self._told:
            return False
        self._told.add(kind)
        self._notice(severity, message, action)
        return True

    def _notice(self, severity: Severity, message: str, action: str) -> None:
        self._events.notify(registry.NOTICE, Notice(severity=severity, message=message, action=action))


class _AnswerObserver(Observer):
    """Saves the answer to one request; see `Recorder.observer`."""

    def __init__(self, recorder: Recorder, asked: RequestMetadata) -> None:
        self._recorder = recorder
        self._asked = asked
        self._run = ""
        self._response: Response | None = None

    def on_frame(self, frame: RunFrame) -> None:
        if isinstance(frame, Started):
            self._run = frame.run
        elif isinstance(frame, Done):
            self._response = self._recorder.note_answer(self._asked, frame)

    def end(self, done: Done | None, failure: Exception | None) -> None:
        if done is not None and self._response is not None:
            response = msgspec.structs.replace(self._response, not_offered=_refusal(done))
            self._recorder.save(self._asked, response)
        # One that was refused before its first frame is known to nobody else.
        if self._run and isinstance(failure, LocalCoderError):
            self._recorder.report_failure(self._asked, self._run, failure)
