"""The queue: prompts that are answered in their turn, by whichever provider is asked."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from .common import (
    ErrorPayload,
    MaxTokens,
    Reply,
    Request,
    SamplingOptions,
    StopStrings,
    TimeoutMs,
    Timings,
)
from .history import ResponseFinish, ResponseKind
from .notebook import MAX_TEXT_CHARS, Text

Priority = Literal["high", "normal", "low"]
RequestState = Literal["waiting", "running", "saving", "done", "failed", "canceled"]
"""`saving`: the answer is complete and is being kept; it can no longer be cancelled."""
CallFinish = Literal["stop", "length", "filter", "timeout"]
"""`filter`: truncated by the provider; `timeout`: time limit reached, with a partial answer."""

RequestId = Annotated[str, Meta(max_length=64)]
ProviderId = Annotated[str, Meta(max_length=64)]
PromptId = Annotated[str, Meta(max_length=128)]
_NAME = "[A-Za-z_][A-Za-z0-9_]{0,63}"
PLACE_PATTERN = rf"\{{\{{[ \t]*({_NAME})[ \t]*\}}\}}"
"""A place of a prompt, with its name as the group."""
ParameterName = Annotated[str, Meta(pattern=rf"^{_NAME}\Z")]
Parameters = Annotated[dict[ParameterName, Text], Meta(max_length=256)]


class CallRequest(Request, frozen=True, kw_only=True):
    """Queue a prompt."""

    prompt: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
    parameters: Parameters | None = None
    """Texts for the ``{{name}}`` places of the prompt, every one of which must be here. Absent: braces are
    text like any other. What is put in is not looked through again."""
    provider: ProviderId = ""
    """Id of a provider. Empty: the active one."""
    model: Annotated[str, Meta(max_length=256)] = ""
    """As the provider calls it. Empty: the one that it is configured with."""
    sampling: SamplingOptions = msgspec.field(default_factory=SamplingOptions)
    max_tokens: MaxTokens | None = None
    """Default: the setting of the same name."""
    stop: StopStrings = ()
    timeout_ms: TimeoutMs | None = None
    """From its start at the provider, not from now. Default: the provider's own."""
    priority: Priority = "normal"
    keep: bool = False
    """Answer it also when the client has left. A client without a connection (REST) has left when it has
    not asked for the request (``queue:get``) for a while: `RequestQueue.lease_seconds`."""
    prompt_id: PromptId = ""
    """Under which the answer is kept. Empty: one is made from the request's own id."""
    path: Annotated[str, Meta(max_length=4096)] = ""
    """The notebook that it was asked from."""
    cell: Annotated[str, Meta(max_length=256)] = ""
    """Id of the cell that it was asked from."""
    private: bool = False
    """Keep nothing of it: no answer in the history, no path and no prompt in the queue after a restart."""


class Queued(Reply, frozen=True, kw_only=True):
    """Answer of ``llm:call``."""

    id: str
    position: int
    """Position at its provider, starting at 1; 1 means that it is running."""


class QueueListRequest(Request, frozen=True, kw_only=True):
    """Asks for what waits and runs."""


class QueueItem(Reply, frozen=True, kw_only=True):
    """A request in the queue, or one that has ended."""

    id: str
    prompt_id: str
    provider: str
    model: str
    priority: Priority
    state: RequestState
    position: int
    """At its provider, from 1; 0 when it has ended."""
    keep: bool
    private: bool
    path: str
    cell: str
    added: str
    """Time at which it was queued, ISO 8601 in UTC."""
    error: ErrorPayload | None = None
    """Why it failed."""
    prompt_kept: bool = False
    """Whether its prompt is still there: to be read (``queue:get``), and asked again (``llm:retry``)."""


class StreamItem(Reply, frozen=True, kw_only=True):
    """A streaming command or chat turn, which is not part of the queue."""

    id: str
    """By which it is cancelled, as those of the queue are."""
    kind: Literal["generate", "chat"]
    command: str
    """The command, such as `explain`; empty for a chat."""
    provider: str
    """Id of the provider."""
    path: str
    """The notebook that it was asked from."""
    cell: str
    """Id of the cell that it was asked from."""
    started: str
    """ISO 8601 in UTC."""


class QueueView(Reply, frozen=True, kw_only=True):
    """What the queue holds."""

    running: tuple[QueueItem, ...]
    waiting: tuple[QueueItem, ...]
    """In the order in which they will run, as far as that is known: each provider has its own turn."""
    ended: tuple[QueueItem, ...]
    """The last ones that ended, newest first; with them those that an earlier process of the service left
    unanswered."""
    limit: int
    """Maximum number of waiting and running requests; further ones fail with `QUEUE_FULL`."""
    streams: tuple[StreamItem, ...]
    """Commands and chats that stream outside the queue; completions while typing are not listed."""


class QueueGetRequest(Request, frozen=True, kw_only=True):
    """Ask for one request, and wait for its end."""

    id: RequestId
    wait_ms: Annotated[int, Meta(ge=0, le=30_000)] = 0
    """Answer when it has ended, at the latest after so long."""
    with_prompt: bool = False
    """Answer its prompt, too."""


class RetryRequest(Request, frozen=True, kw_only=True):
    """Queue a prompt again whose request has ended."""

    id: RequestId
    keep: bool | None = None
    """As in ``llm:call``. Null: as it was asked."""


class TokenCounts(Reply, frozen=True, kw_only=True):
    """Tokens as a provider counted them; null where it did not say."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Those of the prompt that it had computed before."""
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    """Those of ``completion_tokens`` that were reasoning."""


class QueueAnswer(Reply, frozen=True, kw_only=True):
    """One request, with what there is of its answer."""

    item: QueueItem
    text: str = ""
    """The answer so far; the complete answer if the state is `done`."""
    reasoning: str = ""
    """What the model reasoned before it answered, as much of it as is kept; no part of the answer."""
    finish: CallFinish | None = None
    usage: TokenCounts = msgspec.field(default_factory=TokenCounts)
    cost_usd: float | None = None
    """An estimate by the user's own price table; null where it has no price."""
    milliseconds: float = 0.0
    """From its start at the provider to its end."""
    timings: Timings | None = None
    """Where that time went; of the embedded engine only."""
    response_id: str = ""
    """Under which the answer is kept; empty where it is not."""
    prompt: str = ""
    """What was asked, its places filled; empty unless it was wanted, and where it is not kept."""


class QueueCurrent(Reply, frozen=True, kw_only=True):
    """The request that has been running for the longest time."""

    id: str
    prompt_id: str
    position: int


class QueueUpdated(Reply, frozen=True, kw_only=True):
    """Event ``queue:updated``: what `queue:list` answers is another list."""

    length: int
    """Requests that wait or run."""
    current: QueueCurrent | None


class ResponseComplete(Reply, frozen=True, kw_only=True):
    """Event ``response:complete``: the one end of a request that was answered."""

    request_id: str
    kind: ResponseKind
    response_id: str
    """Under which the answer is kept; empty where it is not."""
    prompt_id: str
    provider: str
    model: str
    """The model that answered, as the provider calls it."""
    finish: ResponseFinish
    usage: TokenCounts
    cost_usd: float | None
    milliseconds: float
    path: str
    cell: str


class ResponseError(Reply, frozen=True, kw_only=True):
    """Event ``response:error``: the one end of a request that was not; `CANCELED` where that was asked."""

    request_id: str
    kind: ResponseKind
    prompt_id: str
    error: ErrorPayload
