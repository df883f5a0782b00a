"""``llm:*`` and ``queue:*``: prompts that are answered in their turn, and the end of everything that runs."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec

from ..contract import codec, queue, registry
from ..contract.common import Empty
from ..contract.generation import CanceledCount, LlmCancelAllRequest, LlmCancelRequest
from ..errors import (
    BackendUnavailable,
    InvalidArgument,
    LocalCoderError,
    PromptNotFound,
    RequestAlreadyCompleted,
    RequestNotFound,
)
from ..events import EventHub
from ..generation import clients
from ..generation.runs import Runs
from ..history.recorder import Recorder, RequestMetadata
from ..providers.choice import ProviderChoice
from ..queueing.call import Call, token_counts
from ..queueing.journal import JournalEntry
from ..queueing.places import fill_places
from ..queueing.queue import RequestQueue
from ..queueing.record import Record
from ..queueing.ticket import Ticket
from ..settings import LocalCoderSettings
from .dispatch import serves

MAX_ENDED = 256
"""So many requests that have ended are remembered, with their prompts and answers."""
MAX_ENDED_CHARS = 4_000_000
"""Of all their prompts and answers together."""


class _Ended(NamedTuple):
    """A request that has ended."""

    answer: queue.QueueAnswer
    asked: queue.CallRequest

    @property
    def chars(self) -> int:
        return len(self.answer.text) + len(self.asked.prompt)


class QueueOperations:
    """Queues prompts, and says what became of them."""

    def __init__(
        self,
        settings: LocalCoderSettings,
        requests: RequestQueue,
        choice: ProviderChoice,
        events: EventHub,
        runs: Runs,
        record: Record,
        recorder: Recorder,
    ) -> None:
        self._settings = settings
        self.requests = requests
        self._choice = choice
        self._events = events
        self._runs = runs
        self._record = record
        self._recorder = recorder
        self._calls: dict[str, Call] = {}
        self._ended: collections.OrderedDict[str, _Ended] = collections.OrderedDict()
        self._forget: dict[str, Callable[[], None]] = {}
        """What to call so that a caller's end is of no more interest, by request."""
        self._told = True
        self._closing = False
        requests.on_change.listen(self._changed)
        runs.on_change.listen(self._publish_soon)

    # Operations

    @serves(registry.LLM_CALL)
    async def llm_call(self, request: queue.CallRequest) -> queue.Queued:
        """Queue a prompt."""
        call = await self._call(request)
        ticket = self._ticket(call)
        position = self._add(ticket, call)
        self._watch(ticket)
        try:
            await self._record.opened(self._journaled(ticket, call))
        except asyncio.CancelledError:
            # Nobody has been told its id.
            self.requests.client_left(ticket.id)
            raise
        return queue.Queued(id=ticket.id, position=position)

    @serves(registry.LLM_RETRY)
    async def llm_retry(self, request: queue.RetryRequest) -> queue.Queued:
        """Queue the prompt of a request that has ended once more."""
        if self.requests.find(request.id) is not None:
            raise InvalidArgument(
                "This request is still waiting or running, and cannot be retried.",
                recovery="Cancel it first.",
                field="id",
            )
        if (ended := self._ended.get(request.id)) is not None:
            asked: queue.CallRequest | None = ended.asked
        elif (entry := (await self._record.lost()).get(request.id)) is not None:
            asked = entry.asked
        else:
            raise RequestNotFound(f"There is no request {request.id!r} in the queue.")
        if asked is None:
            raise PromptNotFound(
                "The prompt of this request was not saved: it was private, too long, or the history is off.",
                recovery="Queue the prompt again.",
            )
        keep = asked.keep if request.keep is None else request.keep
        return await self.llm_call(msgspec.structs.replace(asked, keep=keep))

    @serves(registry.LLM_CANCEL)
    async def llm_cancel(self, request: LlmCancelRequest) -> Empty:
        """End one request."""
        if self.requests.find(request.id) is not None:
            self.requests.cancel(request.id)
        elif (run := self._runs.find(request.id)) is not None:
            run.cancel()
        elif request.id in self._ended or request.id in await self._record.lost():
            raise RequestAlreadyCompleted
        else:
            raise RequestNotFound(f"Request {request.id!r} is neither waiting nor running.")
        return Empty()

    @serves(registry.LLM_CANCEL_ALL)
    async def llm_cancel_all(self, _request: LlmCancelAllRequest) -> CanceledCount:
        """End all requests, those that stream included."""
        return CanceledCount(count=self.requests.cancel_all() + self._runs.cancel_all())

    @serves(registry.QUEUE_LIST)
    async def queue_list(self, _request: queue.QueueListRequest) -> queue.QueueView:
        """What waits and runs, and what has ended."""
        lost = await self._record.lost()
        return queue.QueueView(
            running=tuple(self._item(ticket) for ticket in self.requests.running()),
            waiting=tuple(self._item(ticket) for ticket in self.requests.waiting()),
            ended=(
                *(ended.answer.item for ended in reversed(self._ended.values())),
                *(_lost_item(entry) for entry in lost.values()),
            ),
            limit=self.requests.max_queued,
            streams=tuple(
                queue.StreamItem(
                    id=id_,
                    kind=about.kind,
                    command=about.command,
                    provider=about.provider,
                    path=about.notebook,
                    cell=about.cell,
                    started=about.started.isoformat(timespec="milliseconds"),
                )
                for id_, about in self._runs.listed()
            ),
        )

    @serves(registry.QUEUE_GET)
    async def queue_get(self, request: queue.QueueGetRequest) -> queue.QueueAnswer:
        """One request, once it has ended or the caller's patience has."""
        ticket = self.requests.find(request.id)
        if ticket is not None:
            with self.requests.keep_alive(ticket.id):
                await _ended(ticket, request.wait_ms / 1000)
        if (ended := self._ended.get(request.id)) is not None:
            answer, asked = ended.answer, ended.asked.prompt
        elif (call := self._calls.get(request.id)) is not None and ticket is not None:
            answer, asked = call.answer(self._item(ticket)), call.prompt
        elif (entry := (await self._record.lost()).get(request.id)) is not None:
            answer = queue.QueueAnswer(item=_lost_item(entry))
            asked = entry.asked.prompt if entry.asked is not None else ""
        else:
            raise RequestNotFound(f"There is no request {request.id!r} in the queue.")
        return msgspec.structs.replace(answer, prompt=asked) if request.with_prompt else answer

    # For other nouns

    async def ask(self, request: queue.CallRequest) -> queue.QueueAnswer:
        """Queue a prompt of the service's own, such as for a title, and wait for the answer.

        It waits and can be cancelled like all others, but nobody is told of its end, and nothing of it is
        kept. Stopping to wait cancels it.

        Raises
        ------
        LocalCoderError
            How it failed, or what `llm_call` raises.
        """
        call = await self._call(request, quiet=True)
        ticket = self._ticket(call)
        self._add(ticket, call)
        try:
            await ticket.ended.wait()
        finally:
            self.requests.client_left(ticket.id)
        if ticket.error is not None:
            raise ticket.error
        return call.answer(self._item(ticket, call))

    async def close(self) -> None:
        """End what is open; it stays in the journal, which says after the next start that it failed."""
        self._closing = True
        await self.requests.close()
        await self._record.close()

    # Into the queue

    async def _call(self, request: queue.CallRequest, *, quiet: bool = False) -> Call:
        prompt = request.prompt
        if request.parameters is not None:
            prompt = await asyncio.to_thread(fill_places, prompt, request.parameters)
        if not prompt.strip():
            raise InvalidArgument("The prompt is empty.", field="prompt")
        chosen = await self._choice.choose(request.provider)
        settings = self._settings.current
        return Call(
            # What it is made of is not needed any more, and is held for as long as it waits.
            msgspec.structs.replace(request, prompt="", parameters=None),
            prompt,
            chosen,
            settings.max_tokens,
            reasoning_chars=settings.max_reasoning_chars,
            quiet=quiet,
        )

    def _ticket(self, call: Call) -> Ticket:
        request = call.request
        own = call.timeout_seconds
        limit = self.requests.timeout_seconds if own is None else own
        visits = isinstance(clients.current.get(), clients.PollingClient)
        return Ticket(
            lane=call.chosen.id,
            size=call.size,
            work=partial(self._work, call),
            priority=request.priority,
            keep=request.keep,
            timeout_seconds=limit + self.requests.grace_seconds,
            lease_seconds=self.requests.lease_seconds if visits else None,
        )

    def _add(self, ticket: Ticket, call: Call) -> int:
        self._calls[ticket.id] = call
        try:
            return self.requests.add(ticket)
        except LocalCoderError:
            del self._calls[ticket.id]
            raise

    async def _work(self, call: Call, ticket: Ticket) -> None:
        await call.ask()
        self.requests.mark_saving(ticket)
        if not call.quiet:
            call.response_id = await self._save_answer(call, ticket)

    async def _save_answer(self, call: Call, ticket: Ticket) -> str:
        """Keep the answer; its id in the history, the request's own, or nothing where it is not kept."""
        end, request = call.end, call.request
        assert end is not None  # noqa: S101 - it has been asked
        asked = RequestMetadata(
            kind="queue",
            prompt=call.prompt,
            prompt_id=_prompt_id(ticket, call),
            notebook=request.path,
            cell=request.cell,
            private=request.private,
        )
        origin = end.origin
        response = self._recorder.response(
            asked,
            ticket.id,
            provider=call.chosen.id,
            model=end.model or request.model or call.chosen.id,
            digest=origin.model.digest if origin else "",
            quantization=origin.model.quantization if origin else "",
            sampling=msgspec.structs.asdict(origin.sampling) if origin else call.sampling_given,
            finish=end.reason,
            cost_usd=end.cost_usd,
            milliseconds=call.milliseconds,
            prompt_sha256=origin.prompt_sha256 if origin else "",
            content=call.text,
            reasoning=call.reasoning,
            prompt_tokens=end.usage.prompt_tokens,
            cached_tokens=end.usage.cached_tokens,
            completion_tokens=end.usage.completion_tokens,
        )
        return await self._recorder.keep(asked, response)

    def _watch(self, ticket: Ticket) -> None:
        """Drop it when the connection that asked for it ends."""
        caller = clients.current.get()
        if isinstance(caller, clients.ConnectedClient) and not ticket.keep and not ticket.over:
            self._forget[ticket.id] = caller.on_end(partial(self.requests.client_left, ticket.id))

    # Out of the queue

    def _changed(self, ticket: Ticket) -> None:
        if ticket.over:
            self._finish(ticket)
        self._publish_soon()

    def _publish_soon(self) -> None:
        if self._told:
            # Changes of one moment (an end, and the start of the next) are told together.
            self._told = False
            asyncio.get_running_loop().call_soon(self._publish_state)

    def _publish_state(self) -> None:
        self._told = True
        current = next(iter(self.requests.running()), None)
        shown = None
        if current is not None:
            shown = queue.QueueCurrent(
                id=current.id,
                prompt_id=_prompt_id(current, self._calls[current.id]),
                position=self.requests.position(current),
            )
        self._events.notify(
            registry.QUEUE_UPDATED, queue.QueueUpdated(length=len(self.requests), current=shown)
        )

    def _finish(self, ticket: Ticket) -> None:
        """The one end of a request: remembered, told, written down."""
        call = self._calls.pop(ticket.id)
        if (forget := self._forget.pop(ticket.id, None)) is not None:
            forget()
        if call.quiet:
            return
        item = self._item(ticket, call)
        self._remember(_Ended(call.answer(item), call.asked))
        if not self._closing:
            self._record.ended(ticket.id)
        if item.error is None:
            assert call.end is not None  # noqa: S101 - without an end the work has failed
            self._events.notify(
                registry.RESPONSE_COMPLETE,
                queue.ResponseComplete(
                    request_id=ticket.id,
                    kind="queue",
                    response_id=call.response_id,
                    prompt_id=item.prompt_id,
                    provider=item.provider,
                    model=call.end.model or item.model,
                    finish=call.end.reason,
                    usage=token_counts(call.end),
                    cost_usd=call.end.cost_usd,
                    milliseconds=call.milliseconds,
                    path=item.path,
                    cell=item.cell,
                ),
            )
        else:
            self._events.notify(
                registry.RESPONSE_ERROR,
                queue.ResponseError(
                    request_id=ticket.id, kind="queue", prompt_id=item.prompt_id, error=item.error
                ),
            )

    def _remember(self, ended: _Ended) -> None:
        self._ended[ended.answer.item.id] = ended
        chars = sum(each.chars for each in self._ended.values())
        while len(self._ended) > 1 and (len(self._ended) > MAX_ENDED or chars > MAX_ENDED_CHARS):
            chars -= self._ended.popitem(last=False)[1].chars

    def _journaled(self, ticket: Ticket, call: Call) -> JournalEntry:
        """What the journal says of a request: with its prompt, unless nothing is to be kept."""
        entry = _entry(ticket, call)
        kept = self._settings.current.history and not call.request.private
        return msgspec.structs.replace(entry, asked=call.asked) if kept else entry

    def _item(self, ticket: Ticket, call: Call | None = None) -> queue.QueueItem:
        call = call or self._calls[ticket.id]
        entry = _entry(ticket, call, whole=True)
        return msgspec.convert(
            {
                **_known(entry),
                "state": ticket.state,
                "prompt_kept": True,
                "position": self.requests.position(ticket),
                "error": None if ticket.error is None else codec.error_payload(ticket.error),
            },
            queue.QueueItem,
        )


def _entry(ticket: Ticket, call: Call, *, whole: bool = False) -> JournalEntry:
    """What the journal says of a request; ``whole`` leaves in what is private."""
    request = call.request
    shown = whole or not request.private
    return JournalEntry(
        id=ticket.id,
        provider=call.chosen.id,
        added=ticket.added.isoformat(timespec="milliseconds"),
        priority=request.priority,
        model=request.model,
        prompt_id=_prompt_id(ticket, call) if shown else ticket.id,
        path=request.path if shown else "",
        cell=request.cell if shown else "",
        private=request.private,
        keep=request.keep,
    )


def _prompt_id(ticket: Ticket, call: Call) -> str:
    return call.request.prompt_id or ticket.id


def _lost_item(entry: JournalEntry) -> queue.QueueItem:
    """A request that an earlier process left unanswered."""
    lost = BackendUnavailable(
        "The service stopped before the request was answered.",
        recovery="Send the request again if you still need it.",
    )
    return queue.QueueItem(
        **_known(entry),
        state="failed",
        position=0,
        error=codec.error_payload(lost),
        prompt_kept=entry.asked is not None,
    )


def _known(entry: JournalEntry) -> dict[str, Any]:
    """What the journal and the list of the queue say alike."""
    fields = msgspec.structs.asdict(entry)
    del fields["asked"]
    return fields


async def _ended(ticket: Ticket, seconds: float) -> None:
    if seconds > 0:
        try:
            await asyncio.wait_for(ticket.ended.wait(), seconds)
        except asyncio.TimeoutError:
            return
