"""The list of all operations and events: the single source of truth.

REST routes, the websocket's dispatch, the OpenAPI document, the TypeScript types, the client and the
tables of the documentation are made from this list, or checked against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import msgspec

from ..errors import (
    AirGapped,
    AuthError,
    BackendUnavailable,
    Canceled,
    ChecksumMismatch,
    ConfigInvalid,
    ConnectionFailed,
    ConversationNotFound,
    DatabaseError,
    Disabled,
    DiskFull,
    DownloadFailed,
    DownloadNotFound,
    EncryptionUnavailable,
    FileDeleteError,
    FileReadError,
    FileWriteError,
    InvalidArgument,
    InvalidModel,
    LicenseNotAccepted,
    LoadTimeout,
    LocalCoderError,
    ModelInUse,
    ModelNotFound,
    ModelNotReady,
    ModelPinned,
    NoActiveProvider,
    NoAnswer,
    OutOfMemory,
    PackageMissing,
    PromptNotFound,
    ProviderInUse,
    ProviderLocked,
    ProviderNotFound,
    QueueFull,
    RateLimited,
    RequestAlreadyCompleted,
    RequestNotFound,
    ResponseNotFound,
    RunNotFound,
    SourceFileNotFound,
    Timeout,
    TitleConfigInvalid,
    TitleProviderError,
    TitleResponseNotFound,
    TitleTimeout,
    TokenLimitExceeded,
    UnknownError,
    UnsupportedModel,
    ValidationError,
)
from . import backend, generation, history, models, notebook, providers, queue, settings, stats
from .common import Empty

Req = TypeVar("Req", bound=msgspec.Struct)
Res = TypeVar("Res", bound=msgspec.Struct)

Action = Literal["read", "write", "execute"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Operation(Generic[Req, Res]):
    """One thing that the service can do.

    A request field whose name is in braces in ``path`` is sent in the path; the others
    are sent in the query for GET and DELETE, and in the JSON body otherwise.
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
    raises: tuple[type[LocalCoderError], ...] = ()
    """Errors of this operation in addition to those of `COMMON_ERRORS`."""
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
    def errors(self) -> tuple[str, ...]:
        """The codes of `raises`."""
        return tuple(error.code for error in self.raises)

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


COMMON_ERRORS = tuple(error.code for error in (ValidationError, AuthError, ConfigInvalid, UnknownError))
"""Error codes of all operations."""

_DOWNLOAD = (
    ModelNotFound,
    ModelNotReady,
    LicenseNotAccepted,
    AirGapped,
    DiskFull,
    FileWriteError,
    DownloadFailed,
    ChecksumMismatch,
)
_LOAD = (
    ModelNotFound,
    ModelInUse,
    ModelNotReady,
    OutOfMemory,
    InvalidModel,
    UnsupportedModel,
    LoadTimeout,
    BackendUnavailable,
    PackageMissing,
)
_KEPT = (DatabaseError, FileWriteError, DiskFull)
_GENERATE = (*_LOAD, InvalidArgument, TokenLimitExceeded, QueueFull, Timeout, Canceled)
_ANSWER = (*_GENERATE, NoActiveProvider, ProviderNotFound, AirGapped, AuthError,
           ConnectionFailed, RateLimited, NoAnswer)  # fmt: skip

PING = Operation(
    "backend:ping", backend.PingRequest, backend.BackendStatus, "GET", "health", "read",
    "Get the state of the worker, the model, speeds, memory and version.",
)  # fmt: skip
MODEL_LIST = Operation(
    "model:list", models.ModelListRequest, models.ModelList, "GET", "models", "read",
    "List the models of the catalogue and on this machine, with licences, profiles and memory fit.",
)  # fmt: skip
MODEL_ENSURE = Operation(
    "model:ensure", models.ModelEnsureRequest, models.ModelInfo, "POST", "models/{id}/ensure", "write",
    "Make a model ready: verify or download it. Returns immediately; progress is reported by "
        "`model:state` events.",
    raises=(*_DOWNLOAD, ModelPinned),
)  # fmt: skip
MODEL_CANCEL_DOWNLOAD = Operation(
    "model:cancelDownload", models.ModelCancelDownloadRequest, Empty, "DELETE", "models/{id}/download",
    "write",
    "Stop a download, a verification, an import or an export. A partial download is kept for resuming "
    "unless `discard` is set.",
    raises=(ModelNotFound, ModelInUse, DownloadNotFound, FileWriteError),
)  # fmt: skip
MODEL_VERIFY = Operation(
    "model:verify", models.ModelRequest, models.ModelInfo, "POST", "models/{id}/verify", "write",
    "Verify the digest of a model file. Returns immediately; progress and result are reported by "
        "`model:state` events.",
    raises=(ModelNotFound, ModelNotReady),
)  # fmt: skip
MODEL_PIN = Operation(
    "model:pin", models.ModelPinRequest, models.ModelInfo, "POST", "models/{id}/pin", "write",
    "Pin a model to its current version, or unpin it.",
    raises=(ModelNotFound, ModelNotReady, FileWriteError),
)  # fmt: skip
MODEL_IMPORT = Operation(
    "model:import", models.ModelImportRequest, models.ModelInfo, "POST", "models/import", "write",
    "Import a local GGUF file (copied or linked) or a portable bundle.",
    raises=(SourceFileNotFound, InvalidArgument, InvalidModel, ChecksumMismatch, DiskFull,
            FileWriteError, ModelInUse, Canceled),
    reads=("path",),
)  # fmt: skip
MODEL_EXPORT = Operation(
    "model:export", models.ModelExportRequest, models.ModelExported, "POST", "models/{id}/export", "write",
    "Export a model as a portable bundle for a machine without a network.",
    raises=(ModelNotFound, ModelNotReady, InvalidArgument, ModelInUse, DiskFull,
            FileWriteError, Canceled),
    writes=("path",),
)  # fmt: skip
MODEL_DELETE = Operation(
    "model:delete", models.ModelDeleteRequest, models.DeletedModel, "DELETE", "models/{id}", "write",
    "Delete a model from this machine.",
    raises=(ModelNotFound, ModelInUse, FileWriteError),
)  # fmt: skip
MODEL_LOAD = Operation(
    "model:load", models.ModelLoadRequest, models.LoadedModel, "POST", "models/{id}/load", "write",
    "Load a model. One load runs at a time; concurrent requests for the same model share it.",
    raises=_LOAD,
)  # fmt: skip
MODEL_UNLOAD = Operation(
    "model:unload", models.ModelUnloadRequest, Empty, "POST", "models/unload", "write",
    "Stop the worker and free all of its memory.",
)  # fmt: skip
SETTINGS_GET = Operation(
    "settings:get", settings.SettingsGetRequest, settings.SettingsView, "GET", "settings", "read",
    "Get the current settings and the source of each value.",
)  # fmt: skip
SETTINGS_UPDATE = Operation(
    "settings:update", settings.SettingsUpdateRequest, settings.SettingsView, "PATCH", "settings", "write",
    "Change and save settings; null resets a setting to its inherited value.",
    raises=(FileWriteError, DiskFull, ModelNotFound, ProviderNotFound),
)  # fmt: skip
GENERATE = Operation(
    "generate", generation.GenerateRequest, generation.Done, "POST", "generate", "execute",
    "Run a command (explain, improve, fix, document, test, generate, or a free prompt) on code.",
    raises=(*_ANSWER, DatabaseError), streams=True,
)  # fmt: skip
CHAT = Operation(
    "chat", generation.ChatRequest, generation.Done, "POST", "chat", "execute",
    "Generate the next turn of a conversation.",
    raises=(*_ANSWER, *_KEPT, ConversationNotFound, ResponseNotFound, SourceFileNotFound,
            FileReadError),
    streams=True,
)  # fmt: skip
TAB_COMPLETE = Operation(
    "tab:complete", generation.CompleteRequest, generation.Done, "POST", "complete", "execute",
    "Complete code at the cursor (fill-in-the-middle).",
    raises=(*_ANSWER, Disabled), streams=True, stream_event="tab:stream",
)  # fmt: skip
TAB_WARM = Operation(
    "tab:warm", generation.WarmRequest, generation.Warmed, "POST", "complete/warm", "execute",
    "Prefill a prompt at the lowest priority; stopped as soon as another request arrives.",
    raises=(*_GENERATE, Disabled),
)  # fmt: skip
TAB_CANCEL = Operation(
    "tab:cancel", generation.CompleteCancelRequest, Empty, "DELETE", "complete/{run}", "execute",
    "Cancel a completion.",
    raises=(RunNotFound,),
)  # fmt: skip
STATS_RECORD = Operation(
    "stats:record", stats.StatsRecordRequest, Empty, "POST", "stats", "execute",
    "Count what became of suggestions: shown, accepted, dismissed, kept. Never their text.",
)  # fmt: skip
STATS_GET = Operation(
    "stats:get", stats.StatsGetRequest, stats.SuggestionStats, "GET", "stats", "read",
    "Get the counts of suggestions on this machine, by model and language.",
)  # fmt: skip
STATS_ERASE = Operation(
    "stats:erase", stats.StatsEraseRequest, Empty, "DELETE", "stats", "write",
    "Remove all counts of suggestions.",
    raises=(FileWriteError, DiskFull),
)  # fmt: skip
LLM_CALL = Operation(
    "llm:call", queue.CallRequest, queue.Queued, "POST", "queue", "execute",
    "Queue a prompt for a provider. It finishes with the event `response:complete` or "
        "`response:error`; `queue:get` can wait for it.",
    raises=(QueueFull, NoActiveProvider, ProviderNotFound, AirGapped, AuthError,
            BackendUnavailable, PackageMissing),
)  # fmt: skip
LLM_CANCEL = Operation(
    "llm:cancel", generation.LlmCancelRequest, Empty, "DELETE", "queue/{id}", "execute",
    "Cancel a waiting or running request.",
    raises=(RequestNotFound, RequestAlreadyCompleted),
)  # fmt: skip
LLM_RETRY = Operation(
    "llm:retry", queue.RetryRequest, queue.Queued, "POST", "queue/{id}/retry", "execute",
    "Queue the prompt of a finished request again, unchanged. If the request named no provider, the "
    "active one is used.",
    raises=(RequestNotFound, PromptNotFound, *LLM_CALL.raises),
)  # fmt: skip
QUEUE_LIST = Operation(
    "queue:list", queue.QueueListRequest, queue.QueueView, "GET", "queue", "read",
    "List the running, waiting and recently finished requests of the queue.",
)  # fmt: skip
QUEUE_GET = Operation(
    "queue:get", queue.QueueGetRequest, queue.QueueAnswer, "GET", "queue/{id}", "read",
    "Get a queued request with its answer so far; optionally wait until it finishes.",
    raises=(RequestNotFound,),
)  # fmt: skip
LLM_CANCEL_ALL = Operation(
    "llm:cancelAll", generation.LlmCancelAllRequest, generation.CanceledCount, "DELETE", "queue", "execute",
    "Cancel all waiting and running requests.",
)  # fmt: skip
CONTEXT_INSPECT = Operation(
    "context:inspect", generation.InspectRequest, generation.Inspection, "POST", "context/inspect", "execute",
    "Get the exact prompt of a completion or command, its tokens by source, and a redacted copy.",
    raises=(RunNotFound,),
)  # fmt: skip
CONTEXT_PROBE = Operation(
    "context:probe", notebook.ProbeRequest, notebook.Probe, "GET", "context/probe", "read",
    "Get the code that a kernel runs silently to report its names, types and columns.",
)  # fmt: skip
CODE_PLACE = Operation(
    "code:place", generation.PlaceRequest, generation.Change, "POST", "code/place", "execute",
    "Compute the text of a cell after code of an answer is inserted or replaces it; magics are preserved.",
)  # fmt: skip

_KEEP = (ProviderNotFound, EncryptionUnavailable, DatabaseError, DiskFull)

PROVIDER_LIST = Operation(
    "provider:list", providers.ProviderListRequest, providers.ProviderList, "GET", "providers", "read",
    "List all providers, the active provider, and where keys are stored; keys are never returned.",
    raises=(DatabaseError,),
)  # fmt: skip
PROVIDER_SAVE = Operation(
    "provider:save", providers.ProviderSaveRequest, providers.ProviderInfo, "PUT", "providers/{id}", "write",
    "Add a provider, or replace its configuration. Its key is kept unless the host changes.",
    raises=(EncryptionUnavailable, DatabaseError, DiskFull, ProviderLocked),
)  # fmt: skip
PROVIDER_SET_ACTIVE = Operation(
    "provider:setActive", providers.ProviderIdRequest, providers.ProviderList, "POST",
    "providers/{id}/activate", "write",
    "Activate a provider: it answers requests that name no provider.",
    raises=(ProviderNotFound, DatabaseError, DiskFull, ProviderLocked),
)  # fmt: skip
PROVIDER_DELETE = Operation(
    "provider:delete", providers.ProviderIdRequest, providers.ProviderDeleted, "DELETE", "providers/{id}",
    "write",
    "Remove a provider and its key. The embedded provider takes over its completions and titles. The "
    "active provider cannot be removed.",
    raises=(*_KEEP, ProviderInUse, ProviderLocked, FileWriteError),
)  # fmt: skip
PROVIDER_TEST = Operation(
    "provider:test", providers.ProviderIdRequest, providers.ProviderTested, "POST", "providers/{id}/test",
    "execute",
    "Test whether a provider is reachable and accepts its key, by listing its models; this costs nothing.",
    raises=(ProviderNotFound, AirGapped, ConnectionFailed, RateLimited, Timeout,
            InvalidArgument, ModelNotFound, ModelNotReady),
)  # fmt: skip
PROVIDER_SET_KEY = Operation(
    "provider:setKey", providers.ProviderSetKeyRequest, providers.ProviderInfo, "PUT", "providers/{id}/key",
    "write",
    "Save the key of a provider for its current host.",
    raises=_KEEP,
)  # fmt: skip
PROVIDER_FORGET_KEY = Operation(
    "provider:forgetKey", providers.ProviderIdRequest, providers.ProviderInfo, "DELETE", "providers/{id}/key",
    "write",
    "Delete the stored key of a provider. A key in the environment stays.",
    raises=_KEEP,
)  # fmt: skip

_OPENED = (*_KEPT, ResponseNotFound, SourceFileNotFound, FileReadError)

RESPONSE_GET_HISTORY = Operation(
    "response:getHistory", history.ResponseListRequest, history.ResponseList, "GET", "responses", "read",
    "List saved answers without their texts, newest first; optionally of a single prompt. Paginated.",
    raises=(*_KEPT, PromptNotFound),
)  # fmt: skip
RESPONSE_GET = Operation(
    "response:get", history.ResponseRequest, history.Response, "GET", "responses/{id}", "read",
    "Get a saved answer with its full text.",
    raises=_OPENED,
)  # fmt: skip
RESPONSE_DELETE = Operation(
    "response:delete", history.ResponseRequest, Empty, "DELETE", "responses/{id}", "write",
    "Delete a saved answer.",
    raises=(*_KEPT, ResponseNotFound, FileDeleteError),
)  # fmt: skip
RESPONSE_DELETE_ALL = Operation(
    "response:deleteAll", history.ResponseDeleteAllRequest, history.DeletedCount, "DELETE", "responses",
    "write", "Delete the answers to a prompt, or all answers.",
    raises=(*_KEPT, PromptNotFound, FileDeleteError, InvalidArgument),
)  # fmt: skip
RESPONSE_SEARCH = Operation(
    "response:search", history.ResponseSearchRequest, history.ResponsesFound, "GET", "responses/search",
    "read", "Search answers whose prompt, text or title contains all words, newest first.",
    raises=_KEPT,
)  # fmt: skip
RESPONSE_EXPORT = Operation(
    "response:export", history.ResponseExportRequest, history.ResponsesExported, "POST", "responses/export",
    "write", "Export an answer, the answers to a prompt, or all answers as a zip file.",
    raises=(*_KEPT, PromptNotFound, ResponseNotFound, InvalidArgument), writes=("path",),
)  # fmt: skip
TITLE_CONFIG_GET = Operation(
    "title:config:get", history.TitleConfigGetRequest, history.TitleConfig, "GET", "titles/config", "read",
    "Get the title settings.",
)  # fmt: skip
TITLE_CONFIG_SET = Operation(
    "title:config:set", history.TitleConfigSetRequest, history.TitleConfig, "PATCH", "titles/config", "write",
    "Change and save the title settings.",
    raises=(TitleConfigInvalid, FileWriteError, DiskFull),
)  # fmt: skip
TITLE_GENERATE = Operation(
    "title:generate", history.ResponseRequest, history.ResponseInfo, "POST", "responses/{id}/title",
    "execute", "Generate a title, or a new one, when the model is idle.",
    raises=(TitleResponseNotFound, TitleTimeout, TitleProviderError, DatabaseError,
            FileWriteError, DiskFull),
)  # fmt: skip
TITLE_SET = Operation(
    "title:set", history.TitleSetRequest, history.ResponseInfo, "PUT", "responses/{id}/title", "write",
    "Set the title of an answer.",
    raises=(*_OPENED, InvalidArgument),
)  # fmt: skip
CONVERSATION_LIST = Operation(
    "conversation:list", history.ConversationListRequest, history.ConversationList, "GET", "conversations",
    "read", "List conversations, most recently used first. Paginated.",
    raises=_KEPT,
)  # fmt: skip
CONVERSATION_GET = Operation(
    "conversation:get", history.ConversationGetRequest, history.Conversation, "GET", "conversations/{id}",
    "read", "Get a conversation with its turns.",
    raises=(*_KEPT, ConversationNotFound, ResponseNotFound, FileReadError),
)  # fmt: skip
CONVERSATION_RENAME = Operation(
    "conversation:rename", history.ConversationRenameRequest, history.ConversationInfo, "PUT",
    "conversations/{id}/title", "write", "Set the title of a conversation.",
    raises=(*_KEPT, ConversationNotFound, InvalidArgument),
)  # fmt: skip
CONVERSATION_DELETE = Operation(
    "conversation:delete", history.ConversationRequest, history.DeletedCount, "DELETE", "conversations/{id}",
    "write", "Delete a conversation and the turns that no other conversation shares.",
    raises=(*_KEPT, ConversationNotFound, FileDeleteError),
)  # fmt: skip
CONVERSATION_BRANCH = Operation(
    "conversation:branch", history.ConversationBranchRequest, history.ConversationInfo, "POST",
    "conversations/{id}/branch", "write",
    "Fork a conversation: create one that shares its turns up to a given turn.",
    raises=(*_KEPT, ConversationNotFound, ResponseNotFound),
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
    STATS_RECORD,
    STATS_GET,
    STATS_ERASE,
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

BACKEND_STATE = Event("backend:state", backend.BackendState, "The worker changed its state.")
MODEL_STATE = Event(
    "model:state", models.ModelStateEvent,
    "A download, import, verification, export or removal made progress.",
)  # fmt: skip
SETTINGS_CHANGED = Event("settings:changed", settings.SettingsView, "The settings were changed.")
TAB_STREAM = Event(
    "tab:stream", generation.Frame, "A frame of a completion, sent to the client that requested it."
)
NOTICE = Event("notice", backend.Notice, "A notification for the user.")

PROVIDERS_CHANGED = Event(
    "providers:changed",
    providers.ProviderList,
    "A provider was configured, activated or removed, or its key changed.",
)
QUEUE_UPDATED = Event("queue:updated", queue.QueueUpdated, "A request was queued, started or finished.")
RESPONSE_COMPLETE = Event(
    "response:complete", queue.ResponseComplete, "A request was answered, and its answer is available."
)
RESPONSE_ERROR = Event("response:error", queue.ResponseError, "A request failed or was cancelled.")
HISTORY_CHANGED = Event("history:changed", history.HistoryChanged, "Answers were saved, deleted or titled.")
TITLE_STATUS = Event("title:status", history.TitleStatus, "A title is pending, generated, or failed.")

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
    """The operation of this name.

    Parameters
    ----------
    name
        Its name on the websocket, such as `model:list`.

    Returns
    -------
    Operation or None
        None if there is no such operation.
    """
    return _BY_NAME.get(name)


_BY_NAME = {op.name: op for op in OPERATIONS}
