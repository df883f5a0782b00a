"""The list of all operations and events: the single source of truth.

REST routes, the websocket's dispatch, the OpenAPI document, the TypeScript types, the client and the
tables of the documentation are made from this list, or checked against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import msgspec

from . import backend, generation, history, models, notebook, providers, queue, settings
from .common import Empty

Req = TypeVar("Req", bound=msgspec.Struct)
Res = TypeVar("Res", bound=msgspec.Struct)

Action = Literal["read", "write", "execute"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Operation(Generic[Req, Res]):
    """One thing that the service can do.

    A field of the request whose name stands in braces in ``path`` travels in the path; the others
    travel in the query for GET and DELETE, and in the JSON body otherwise.
    """

    name: str
    """`noun:verb`, as on the websocket."""
    request: type[Req]
    response: type[Res]
    method: Method
    path: str
    """Below `<base_url>localcoder/`."""
    action: Action
    """What the authorizer is asked for."""
    summary: str
    errors: tuple[str, ...] = ()
    """Codes that this operation answers beside the ones that all do (`COMMON_ERRORS`)."""
    streams: bool = False
    """Whether it answers with frames; ``response`` is then the last one, `Done`."""
    stream_event: str = ""
    """The event under which its frames travel on the websocket; default the frame's own type."""
    reads: tuple[str, ...] = ()
    """Fields of the request that name a file of the service's machine, which is read; the server asks whether
    who names it may (`server.file_access`). No other field ever becomes a path as it is."""
    writes: tuple[str, ...] = ()
    """The same for files that are written."""

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Fields of the request that travel in the path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


@dataclass(frozen=True)
class Event:
    """Something that the service tells everybody who listens on the websocket."""

    name: str
    payload: Any
    summary: str


COMMON_ERRORS = ("VALIDATION_ERROR", "AUTH_ERROR", "CONFIG_INVALID", "UNKNOWN_ERROR")

_DOWNLOAD = (
    "MODEL_NOT_FOUND",
    "MODEL_NOT_READY",
    "LICENSE_NOT_ACCEPTED",
    "AIR_GAPPED",
    "DISK_FULL",
    "FILE_WRITE_ERROR",
    "DOWNLOAD_FAILED",
    "CHECKSUM_MISMATCH",
)
_LOAD = (
    "MODEL_NOT_FOUND",
    "MODEL_IN_USE",
    "MODEL_NOT_READY",
    "OUT_OF_MEMORY",
    "INVALID_MODEL",
    "UNSUPPORTED_MODEL",
    "LOAD_TIMEOUT",
    "BACKEND_UNAVAILABLE",
)
_KEPT = ("DATABASE_ERROR", "FILE_WRITE_ERROR", "DISK_FULL")
_GENERATE = (*_LOAD, "INVALID_ARGUMENT", "TOKEN_LIMIT_EXCEEDED", "QUEUE_FULL", "TIMEOUT", "CANCELED")
_ANSWER = (*_GENERATE, "NO_ACTIVE_PROVIDER", "PROVIDER_NOT_FOUND", "AIR_GAPPED", "AUTH_ERROR",
           "CONNECTION_ERROR", "RATE_LIMITED", "NO_ANSWER")  # fmt: skip

PING = Operation(
    "backend:ping", backend.PingRequest, backend.BackendStatus, "GET", "health", "read",
    "State of the worker, model, speeds, memory, version.",
)  # fmt: skip
MODEL_LIST = Operation(
    "model:list", models.ModelListRequest, models.ModelList, "GET", "models", "read",
    "The catalogue and what is on this machine, with licences, profiles and the fit on this machine.",
)  # fmt: skip
MODEL_ENSURE = Operation(
    "model:ensure", models.ModelEnsureRequest, models.ModelInfo, "POST", "models/{id}/ensure", "write",
    "Make a model ready: verify it, or download it. Returns at once; progress comes as `model:state`.",
    errors=(*_DOWNLOAD, "MODEL_PINNED"),
)  # fmt: skip
MODEL_CANCEL_DOWNLOAD = Operation(
    "model:cancelDownload", models.ModelCancelDownloadRequest, Empty, "DELETE", "models/{id}/download",
    "write",
    "Stop a download, a verification, an import or an export. What a download has got so far is kept for "
    "resuming, unless `discard` removes it.",
    errors=("MODEL_NOT_FOUND", "MODEL_IN_USE", "DOWNLOAD_NOT_FOUND", "FILE_WRITE_ERROR"),
)  # fmt: skip
MODEL_VERIFY = Operation(
    "model:verify", models.ModelRequest, models.ModelInfo, "POST", "models/{id}/verify", "write",
    "Compute the digest of a file again. Returns at once; progress and verdict come as `model:state`.",
    errors=("MODEL_NOT_FOUND", "MODEL_NOT_READY"),
)  # fmt: skip
MODEL_PIN = Operation(
    "model:pin", models.ModelPinRequest, models.ModelInfo, "POST", "models/{id}/pin", "write",
    "Keep a model at its version, or let it be updated again.",
    errors=("MODEL_NOT_FOUND", "MODEL_NOT_READY", "FILE_WRITE_ERROR"),
)  # fmt: skip
MODEL_IMPORT = Operation(
    "model:import", models.ModelImportRequest, models.ModelInfo, "POST", "models/import", "write",
    "Copy or link a local GGUF file, or a portable bundle, into the store.",
    errors=("FILE_NOT_FOUND", "INVALID_ARGUMENT", "INVALID_MODEL", "CHECKSUM_MISMATCH", "DISK_FULL",
            "FILE_WRITE_ERROR", "MODEL_IN_USE", "CANCELED"),
    reads=("path",),
)  # fmt: skip
MODEL_EXPORT = Operation(
    "model:export", models.ModelExportRequest, models.ModelExported, "POST", "models/{id}/export", "write",
    "Write a portable bundle for a machine without a network.",
    errors=("MODEL_NOT_FOUND", "MODEL_NOT_READY", "INVALID_ARGUMENT", "MODEL_IN_USE", "DISK_FULL",
            "FILE_WRITE_ERROR", "CANCELED"),
    writes=("path",),
)  # fmt: skip
MODEL_DELETE = Operation(
    "model:delete", models.ModelDeleteRequest, models.DeletedModel, "DELETE", "models/{id}", "write",
    "Remove a model from this machine.",
    errors=("MODEL_NOT_FOUND", "MODEL_IN_USE", "FILE_WRITE_ERROR"),
)  # fmt: skip
MODEL_LOAD = Operation(
    "model:load", models.ModelLoadRequest, models.LoadedModel, "POST", "models/{id}/load", "write",
    "Load a model. One load at a time; callers of the same one share it.",
    errors=_LOAD,
)  # fmt: skip
MODEL_UNLOAD = Operation(
    "model:unload", models.ModelUnloadRequest, Empty, "POST", "models/unload", "write",
    "End the worker, which frees all of its memory.",
)  # fmt: skip
SETTINGS_GET = Operation(
    "settings:get", settings.SettingsGetRequest, settings.SettingsView, "GET", "settings", "read",
    "The settings in force, and which layer decided each.",
)  # fmt: skip
SETTINGS_UPDATE = Operation(
    "settings:update", settings.SettingsUpdateRequest, settings.SettingsView, "PATCH", "settings", "write",
    "Change settings and keep them; null gives one back to the layers below.",
    errors=("FILE_WRITE_ERROR", "DISK_FULL", "MODEL_NOT_FOUND", "PROVIDER_NOT_FOUND"),
)  # fmt: skip
GENERATE = Operation(
    "generate", generation.GenerateRequest, generation.Done, "POST", "generate", "execute",
    "Run a command (explain, improve, fix, document, test, generate, or a free prompt) over code.",
    errors=(*_ANSWER, "DATABASE_ERROR"), streams=True,
)  # fmt: skip
CHAT = Operation(
    "chat", generation.ChatRequest, generation.Done, "POST", "chat", "execute",
    "The next turn of a conversation.",
    errors=(*_ANSWER, *_KEPT, "CONVERSATION_NOT_FOUND", "RESPONSE_NOT_FOUND", "FILE_NOT_FOUND",
            "FILE_READ_ERROR"),
    streams=True,
)  # fmt: skip
TAB_COMPLETE = Operation(
    "tab:complete", generation.CompleteRequest, generation.Done, "POST", "complete", "execute",
    "Fill in the middle, at the cursor.",
    errors=(*_ANSWER, "DISABLED"), streams=True, stream_event="tab:stream",
)  # fmt: skip
TAB_WARM = Operation(
    "tab:warm", generation.WarmRequest, generation.Warmed, "POST", "complete/warm", "execute",
    "Read a prompt ahead, below every other request; given up at once for real work.",
    errors=(*_GENERATE, "DISABLED"),
)  # fmt: skip
TAB_CANCEL = Operation(
    "tab:cancel", generation.CompleteCancelRequest, Empty, "DELETE", "complete/{run}", "execute",
    "End a completion.",
    errors=("NOT_FOUND",),
)  # fmt: skip
LLM_CALL = Operation(
    "llm:call", queue.CallRequest, queue.Queued, "POST", "queue", "execute",
    "Queue a prompt for a provider. It ends with `response:complete` or `response:error`; `queue:get` waits.",
    errors=("QUEUE_FULL", "NO_ACTIVE_PROVIDER", "PROVIDER_NOT_FOUND", "AIR_GAPPED", "AUTH_ERROR",
            "BACKEND_UNAVAILABLE"),
)  # fmt: skip
LLM_CANCEL = Operation(
    "llm:cancel", generation.LlmCancelRequest, Empty, "DELETE", "queue/{id}", "execute",
    "End one request, waiting or running.",
    errors=("REQUEST_NOT_FOUND", "REQUEST_ALREADY_COMPLETED"),
)  # fmt: skip
LLM_RETRY = Operation(
    "llm:retry", queue.RetryRequest, queue.Queued, "POST", "queue/{id}/retry", "execute",
    "Queue the prompt of a request that has ended once more, as it was asked. Where that named no provider, "
    "the active one answers.",
    errors=("REQUEST_NOT_FOUND", "PROMPT_NOT_FOUND", *LLM_CALL.errors),
)  # fmt: skip
QUEUE_LIST = Operation(
    "queue:list", queue.QueueListRequest, queue.QueueView, "GET", "queue", "read",
    "What runs and waits in the queue, and what has just ended.",
)  # fmt: skip
QUEUE_GET = Operation(
    "queue:get", queue.QueueGetRequest, queue.QueueAnswer, "GET", "queue/{id}", "read",
    "One queued request with what there is of its answer; waits for its end, if asked to.",
    errors=("REQUEST_NOT_FOUND",),
)  # fmt: skip
LLM_CANCEL_ALL = Operation(
    "llm:cancelAll", generation.LlmCancelAllRequest, generation.CanceledCount, "DELETE", "queue", "execute",
    "End all requests, waiting or running.",
)  # fmt: skip
CONTEXT_INSPECT = Operation(
    "context:inspect", generation.InspectRequest, generation.Inspection, "POST", "context/inspect", "execute",
    "The exact prompt of a completion or command, its tokens by source, and a redacted copy.",
    errors=("NOT_FOUND",),
)  # fmt: skip
CONTEXT_PROBE = Operation(
    "context:probe", notebook.ProbeRequest, notebook.Probe, "GET", "context/probe", "read",
    "What a kernel of a language is silently asked for the names, types and columns that it knows.",
)  # fmt: skip
CODE_PLACE = Operation(
    "code:place", generation.PlaceRequest, generation.Change, "POST", "code/place", "execute",
    "What a cell becomes where code of an answer takes its place, or is a new cell: its magics stay.",
)  # fmt: skip

_KEEP = ("PROVIDER_NOT_FOUND", "ENCRYPTION_UNAVAILABLE", "DATABASE_ERROR", "DISK_FULL")

PROVIDER_LIST = Operation(
    "provider:list", providers.ProviderListRequest, providers.ProviderList, "GET", "providers", "read",
    "All providers, which one is active, and where their keys are; never a key.",
    errors=("DATABASE_ERROR",),
)  # fmt: skip
PROVIDER_SAVE = Operation(
    "provider:save", providers.ProviderSaveRequest, providers.Provider, "PUT", "providers/{id}", "write",
    "Add a provider, or replace what is configured of one. Its key stays, unless it moves to another host.",
    errors=("ENCRYPTION_UNAVAILABLE", "DATABASE_ERROR", "DISK_FULL", "PROVIDER_LOCKED"),
)  # fmt: skip
PROVIDER_SET_ACTIVE = Operation(
    "provider:setActive", providers.ProviderIdRequest, providers.ProviderList, "POST",
    "providers/{id}/activate", "write",
    "Make one provider the active one: it answers requests that name none.",
    errors=("PROVIDER_NOT_FOUND", "DATABASE_ERROR", "DISK_FULL", "PROVIDER_LOCKED"),
)  # fmt: skip
PROVIDER_DELETE = Operation(
    "provider:delete", providers.ProviderIdRequest, providers.ProviderDeleted, "DELETE", "providers/{id}",
    "write",
    "Remove a provider and its key. Where it completed or made titles, the embedded one does; the active one "
    "is not removed.",
    errors=(*_KEEP, "PROVIDER_IN_USE", "PROVIDER_LOCKED", "FILE_WRITE_ERROR"),
)  # fmt: skip
PROVIDER_TEST = Operation(
    "provider:test", providers.ProviderIdRequest, providers.ProviderTested, "POST", "providers/{id}/test",
    "execute",
    "See whether a provider can be reached and takes its key: asks for its models, which costs nothing.",
    errors=("PROVIDER_NOT_FOUND", "AIR_GAPPED", "CONNECTION_ERROR", "RATE_LIMITED", "TIMEOUT",
            "INVALID_ARGUMENT", "MODEL_NOT_FOUND", "MODEL_NOT_READY"),
)  # fmt: skip
PROVIDER_SET_KEY = Operation(
    "provider:setKey", providers.ProviderSetKeyRequest, providers.Provider, "PUT", "providers/{id}/key",
    "write",
    "Keep the key of a provider, for its present host.",
    errors=_KEEP,
)  # fmt: skip
PROVIDER_FORGET_KEY = Operation(
    "provider:forgetKey", providers.ProviderIdRequest, providers.Provider, "DELETE", "providers/{id}/key",
    "write",
    "Forget the key of a provider. One in the environment stays.",
    errors=_KEEP,
)  # fmt: skip

_OPENED = (*_KEPT, "RESPONSE_NOT_FOUND", "FILE_NOT_FOUND", "FILE_READ_ERROR")

RESPONSE_GET_HISTORY = Operation(
    "response:getHistory", history.ResponseListRequest, history.ResponseList, "GET", "responses", "read",
    "A page of the answers that were kept, of one prompt or of all, newest first; without their texts.",
    errors=(*_KEPT, "PROMPT_NOT_FOUND"),
)  # fmt: skip
RESPONSE_GET = Operation(
    "response:get", history.ResponseRequest, history.Response, "GET", "responses/{id}", "read",
    "One answer that was kept, whole.",
    errors=_OPENED,
)  # fmt: skip
RESPONSE_DELETE = Operation(
    "response:delete", history.ResponseRequest, Empty, "DELETE", "responses/{id}", "write",
    "Delete one answer, its file and its row.",
    errors=(*_KEPT, "RESPONSE_NOT_FOUND", "FILE_DELETE_ERROR"),
)  # fmt: skip
RESPONSE_DELETE_ALL = Operation(
    "response:deleteAll", history.ResponseDeleteAllRequest, history.DeletedCount, "DELETE", "responses",
    "write", "Delete the answers to one prompt, or all there are.",
    errors=(*_KEPT, "PROMPT_NOT_FOUND", "FILE_DELETE_ERROR", "INVALID_ARGUMENT"),
)  # fmt: skip
RESPONSE_SEARCH = Operation(
    "response:search", history.ResponseSearchRequest, history.ResponsesFound, "GET", "responses/search",
    "read", "The answers in whose prompt, text or title all the words occur, newest first.",
    errors=_KEPT,
)  # fmt: skip
RESPONSE_EXPORT = Operation(
    "response:export", history.ResponseExportRequest, history.ResponsesExported, "POST", "responses/export",
    "write", "Write one answer, those to one prompt, or all, into a zip file.",
    errors=(*_KEPT, "PROMPT_NOT_FOUND", "RESPONSE_NOT_FOUND", "INVALID_ARGUMENT"), writes=("path",),
)  # fmt: skip
TITLE_CONFIG_GET = Operation(
    "title:config:get", history.TitleConfigGetRequest, history.TitleConfig, "GET", "titles/config", "read",
    "How titles are made.",
)  # fmt: skip
TITLE_CONFIG_SET = Operation(
    "title:config:set", history.TitleConfigSetRequest, history.TitleConfig, "PATCH", "titles/config", "write",
    "Change how titles are made, and keep it.",
    errors=("TITLE_CONFIG_INVALID", "FILE_WRITE_ERROR", "DISK_FULL"),
)  # fmt: skip
TITLE_GENERATE = Operation(
    "title:generate", history.ResponseRequest, history.ResponseInfo, "POST", "responses/{id}/title",
    "execute", "Make a title, or another one, as soon as nothing else is asked for.",
    errors=("TITLE_RESPONSE_NOT_FOUND", "TITLE_TIMEOUT", "TITLE_PROVIDER_ERROR", "DATABASE_ERROR",
            "FILE_WRITE_ERROR", "DISK_FULL"),
)  # fmt: skip
TITLE_SET = Operation(
    "title:set", history.TitleSetRequest, history.ResponseInfo, "PUT", "responses/{id}/title", "write",
    "Give an answer a title by hand.",
    errors=(*_OPENED, "INVALID_ARGUMENT"),
)  # fmt: skip
CONVERSATION_LIST = Operation(
    "conversation:list", history.ConversationListRequest, history.ConversationList, "GET", "conversations",
    "read", "A page of the conversations, the one that was last spoken in first.",
    errors=_KEPT,
)  # fmt: skip
CONVERSATION_GET = Operation(
    "conversation:get", history.ConversationGetRequest, history.Conversation, "GET", "conversations/{id}",
    "read", "One conversation with its turns.",
    errors=(*_KEPT, "CONVERSATION_NOT_FOUND", "RESPONSE_NOT_FOUND", "FILE_READ_ERROR"),
)  # fmt: skip
CONVERSATION_RENAME = Operation(
    "conversation:rename", history.ConversationRenameRequest, history.ConversationInfo, "PUT",
    "conversations/{id}/title", "write", "Give a conversation a title by hand.",
    errors=(*_KEPT, "CONVERSATION_NOT_FOUND", "INVALID_ARGUMENT"),
)  # fmt: skip
CONVERSATION_DELETE = Operation(
    "conversation:delete", history.ConversationRequest, history.DeletedCount, "DELETE", "conversations/{id}",
    "write", "Delete a conversation, with the turns that no other one shares.",
    errors=(*_KEPT, "CONVERSATION_NOT_FOUND", "FILE_DELETE_ERROR"),
)  # fmt: skip
CONVERSATION_BRANCH = Operation(
    "conversation:branch", history.ConversationBranchRequest, history.ConversationInfo, "POST",
    "conversations/{id}/branch", "write",
    "Begin another conversation that shares the turns up to one of them.",
    errors=(*_KEPT, "CONVERSATION_NOT_FOUND", "RESPONSE_NOT_FOUND"),
)  # fmt: skip

OPERATIONS: tuple[Operation[Any, Any], ...] = (
    PING,
    MODEL_LIST,
    MODEL_ENSURE,
    MODEL_CANCEL_DOWNLOAD,
    MODEL_VERIFY,
    MODEL_PIN,
    MODEL_IMPORT,
    MODEL_EXPORT,
    MODEL_DELETE,
    MODEL_LOAD,
    MODEL_UNLOAD,
    SETTINGS_GET,
    SETTINGS_UPDATE,
    GENERATE,
    CHAT,
    TAB_COMPLETE,
    TAB_WARM,
    TAB_CANCEL,
    LLM_CALL,
    LLM_RETRY,
    LLM_CANCEL,
    LLM_CANCEL_ALL,
    CONTEXT_INSPECT,
    CONTEXT_PROBE,
    CODE_PLACE,
    QUEUE_LIST,
    QUEUE_GET,
    PROVIDER_LIST,
    PROVIDER_SAVE,
    PROVIDER_SET_ACTIVE,
    PROVIDER_DELETE,
    PROVIDER_TEST,
    PROVIDER_SET_KEY,
    PROVIDER_FORGET_KEY,
    RESPONSE_GET_HISTORY,
    RESPONSE_GET,
    RESPONSE_DELETE,
    RESPONSE_DELETE_ALL,
    RESPONSE_SEARCH,
    RESPONSE_EXPORT,
    TITLE_CONFIG_GET,
    TITLE_CONFIG_SET,
    TITLE_GENERATE,
    TITLE_SET,
    CONVERSATION_LIST,
    CONVERSATION_GET,
    CONVERSATION_RENAME,
    CONVERSATION_DELETE,
    CONVERSATION_BRANCH,
)

BACKEND_STATE = Event("backend:state", backend.BackendState, "A move of the worker's state machine.")
MODEL_STATE = Event(
    "model:state", models.ModelStateEvent,
    "A download, an import, a verification, an export or a removal moved.",
)  # fmt: skip
SETTINGS_CHANGED = Event("settings:changed", settings.SettingsView, "Somebody changed the settings.")
TAB_STREAM = Event("tab:stream", generation.Frame, "A frame of a completion, to who asked for it.")
NOTICE = Event("notice", backend.Notice, "A sentence for the person.")

PROVIDERS_CHANGED = Event(
    "providers:changed",
    providers.ProviderList,
    "A provider was configured, activated, given a key or removed.",
)
QUEUE_UPDATED = Event("queue:updated", queue.QueueUpdated, "A request was queued, began or ended.")
RESPONSE_COMPLETE = Event(
    "response:complete", queue.ResponseComplete, "A request was answered, and the answer is kept."
)
RESPONSE_ERROR = Event("response:error", queue.ResponseError, "A request failed, or was cancelled.")
HISTORY_CHANGED = Event("history:changed", history.HistoryChanged, "Answers were kept, deleted or titled.")
TITLE_STATUS = Event("title:status", history.TitleStatus, "A title is awaited, made, or will not come.")

EVENTS: tuple[Event, ...] = (
    BACKEND_STATE,
    MODEL_STATE,
    SETTINGS_CHANGED,
    TAB_STREAM,
    NOTICE,
    PROVIDERS_CHANGED,
    QUEUE_UPDATED,
    RESPONSE_COMPLETE,
    RESPONSE_ERROR,
    HISTORY_CHANGED,
    TITLE_STATUS,
)

STREAM_FRAMES: tuple[type[msgspec.Struct], ...] = (
    generation.Started,
    generation.Delta,
    generation.Done,
    generation.Failed,
)


def operation(name: str) -> Operation[Any, Any] | None:
    """The operation of this name, or None."""
    return _BY_NAME.get(name)


_BY_NAME = {op.name: op for op in OPERATIONS}
