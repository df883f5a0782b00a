"""Every way in which an operation can fail, by what the caller can do about it.

::

    LocalCoderError
    ├── BadRequest            correct the request and send it again
    │   ├── ValidationError           VALIDATION_ERROR
    │   ├── ConfigInvalid             CONFIG_INVALID
    │   ├── InvalidArgument           INVALID_ARGUMENT
    │   ├── InvalidModel              INVALID_MODEL
    │   │   └── UnsupportedModel      UNSUPPORTED_MODEL
    │   ├── ChecksumMismatch          CHECKSUM_MISMATCH
    │   ├── TokenLimitExceeded        TOKEN_LIMIT_EXCEEDED
    │   └── TitleConfigInvalid        TITLE_CONFIG_INVALID
    ├── NotFound              name something that exists
    │   ├── ModelNotFound             MODEL_NOT_FOUND
    │   ├── DownloadNotFound          DOWNLOAD_NOT_FOUND
    │   ├── RunNotFound               NOT_FOUND
    │   ├── RequestNotFound           REQUEST_NOT_FOUND
    │   ├── ProviderNotFound          PROVIDER_NOT_FOUND
    │   ├── SourceFileNotFound        FILE_NOT_FOUND
    │   ├── PromptNotFound            PROMPT_NOT_FOUND
    │   ├── ResponseNotFound          RESPONSE_NOT_FOUND
    │   ├── ConversationNotFound      CONVERSATION_NOT_FOUND
    │   └── TitleResponseNotFound     TITLE_RESPONSE_NOT_FOUND
    ├── Conflict              wait for, or end, what is in the way
    │   ├── ModelInUse                MODEL_IN_USE
    │   ├── ProviderInUse             PROVIDER_IN_USE
    │   ├── NoActiveProvider          NO_ACTIVE_PROVIDER
    │   └── RequestAlreadyCompleted   REQUEST_ALREADY_COMPLETED
    ├── Refused               give the permission that is missing
    │   ├── AuthError                 AUTH_ERROR
    │   ├── LicenseNotAccepted        LICENSE_NOT_ACCEPTED
    │   ├── AirGapped                 AIR_GAPPED
    │   ├── ModelPinned               MODEL_PINNED
    │   ├── ProviderLocked            PROVIDER_LOCKED
    │   ├── PolicyInvalid             POLICY_INVALID
    │   └── Disabled                  DISABLED
    ├── Unavailable           try again, now or later
    │   ├── ModelNotReady             MODEL_NOT_READY
    │   ├── BackendUnavailable        BACKEND_UNAVAILABLE
    │   ├── PackageMissing            PACKAGE_MISSING
    │   ├── QueueFull                 QUEUE_FULL
    │   ├── QuotaExceeded             QUOTA_EXCEEDED
    │   ├── RateLimited               RATE_LIMITED
    │   ├── ConnectionFailed          CONNECTION_ERROR
    │   ├── NoAnswer                  NO_ANSWER
    │   ├── DownloadFailed            DOWNLOAD_FAILED
    │   ├── Timeout                   TIMEOUT
    │   ├── LoadTimeout               LOAD_TIMEOUT
    │   ├── TitleTimeout              TITLE_TIMEOUT
    │   └── TitleProviderError        TITLE_PROVIDER_ERROR
    ├── Exhausted             free something on this machine
    │   ├── OutOfMemory               OUT_OF_MEMORY
    │   ├── DiskFull                  DISK_FULL
    │   ├── FileWriteError            FILE_WRITE_ERROR
    │   ├── EncryptionUnavailable     ENCRYPTION_UNAVAILABLE
    │   ├── FileReadError             FILE_READ_ERROR
    │   ├── FileDeleteError           FILE_DELETE_ERROR
    │   └── DatabaseError             DATABASE_ERROR
    ├── Canceled              nothing: it was asked for   CANCELED
    └── UnknownError          report it                   UNKNOWN_ERROR

Each class carries its ``code``, one ``sentence`` for a person and one ``recovery``; a place that
raises it may give a more exact sentence. The HTTP status is that of the class it inherits from, unless it
says another.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

__all__ = [
    "AirGapped",
    "AuthError",
    "BackendUnavailable",
    "BadRequest",
    "Canceled",
    "ChecksumMismatch",
    "ConfigInvalid",
    "Conflict",
    "ConnectionFailed",
    "ConversationNotFound",
    "DatabaseError",
    "Disabled",
    "DiskFull",
    "DownloadFailed",
    "DownloadNotFound",
    "EncryptionUnavailable",
    "Exhausted",
    "FileDeleteError",
    "FileReadError",
    "FileWriteError",
    "InvalidArgument",
    "InvalidModel",
    "LicenseNotAccepted",
    "LoadTimeout",
    "LocalCoderError",
    "ModelInUse",
    "ModelNotFound",
    "ModelNotReady",
    "ModelPinned",
    "NoActiveProvider",
    "NoAnswer",
    "NotFound",
    "OutOfMemory",
    "PackageMissing",
    "PolicyInvalid",
    "PromptNotFound",
    "ProviderInUse",
    "ProviderLocked",
    "ProviderNotFound",
    "QueueFull",
    "QuotaExceeded",
    "RateLimited",
    "Refused",
    "RequestAlreadyCompleted",
    "RequestNotFound",
    "ResponseNotFound",
    "RunNotFound",
    "SourceFileNotFound",
    "Timeout",
    "TitleConfigInvalid",
    "TitleProviderError",
    "TitleResponseNotFound",
    "TitleTimeout",
    "TokenLimitExceeded",
    "Unavailable",
    "UnknownError",
    "UnsupportedModel",
    "ValidationError",
    "by_code",
    "from_parts",
]

Extra = Literal["local", "widgets", "hub"]
"""An optional part of the product, by the name of its extra in ``pyproject.toml``."""
Detail = str | int | float | bool | None | list[str]


class LocalCoderError(Exception):
    """A failure that a person can read and act on.

    Parameters
    ----------
    message
        What happened, as a sentence. Default: the ``sentence`` of the class.
    recovery
        What the person can do. Default: the ``recovery`` of the class.
    details
        Structured facts (numbers, names, the field that was wrong). They leave the process, so they
        hold no secret and no path outside of the user's own folders.

    """

    http_status: ClassVar[int] = 500
    """Of the answer over REST; a class that says none has that of its base."""
    code: ClassVar[str] = "UNKNOWN_ERROR"
    sentence: ClassVar[str] = "An unexpected error occurred."
    advice: ClassVar[str] = "See the Jupyter server log for the full traceback, and report the error."

    def __init__(self, message: str | None = None, *, recovery: str | None = None, **details: Detail) -> None:
        self.message = message or self.sentence
        self.recovery = recovery or self.advice
        self.details = details
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class BadRequest(LocalCoderError):
    """The request cannot be served as it is."""

    http_status = 400


class NotFound(LocalCoderError):
    """What the request names does not exist."""

    http_status = 404


class Conflict(LocalCoderError):
    """Something else is in the way."""

    http_status = 409


class Refused(LocalCoderError):
    """A permission is missing."""

    http_status = 403


class Unavailable(LocalCoderError):
    """It may work when tried again."""

    http_status = 503


class Exhausted(LocalCoderError):
    """The machine has run out of something."""


class ValidationError(BadRequest):
    """A field of the request has the wrong type or lies outside of its range."""

    code = "VALIDATION_ERROR"
    sentence = "A field of the request is not valid."
    advice = "Correct that field and send the request again."


class ConfigInvalid(BadRequest):
    """A value of the configuration is wrong, or two contradict each other."""

    http_status = 500
    code = "CONFIG_INVALID"
    sentence = "The configuration of LocalCoder is not valid."
    advice = "Correct it in Jupyter's configuration, on the command line or in the environment, and restart."


class InvalidArgument(BadRequest):
    """The request is well-formed, and makes no sense."""

    code = "INVALID_ARGUMENT"
    sentence = "Invalid request."
    advice = "Correct the argument that the message names."


class InvalidModel(BadRequest):
    """The file is not a GGUF model that can be used."""

    code = "INVALID_MODEL"
    sentence = "The file is not a usable GGUF model."
    advice = "Download the file again, or choose another model."


class UnsupportedModel(InvalidModel):
    """The file may be sound: the installed llama.cpp is too old for it."""

    code = "UNSUPPORTED_MODEL"
    sentence = "The installed llama-cpp-python does not support this model."
    advice = (
        "Update llama-cpp-python: `pip install --upgrade jupyter_localcoder llama-cpp-python`, and restart "
        "Jupyter. Or choose another model."
    )


class ChecksumMismatch(BadRequest):
    """The bytes are not the ones that the catalogue or the manifest promises."""

    code = "CHECKSUM_MISMATCH"
    sentence = "The file does not match its expected digest, so it was not used."
    advice = "Download it again. If this happens twice, do not trust the source."


class TokenLimitExceeded(BadRequest):
    """The prompt does not fit into the context window."""

    http_status = 413
    code = "TOKEN_LIMIT_EXCEEDED"
    sentence = "The prompt is longer than the context window."
    advice = "Send less code or context, or increase the context window in the settings."


class TitleConfigInvalid(BadRequest):
    """A setting of the titles is out of range."""

    code = "TITLE_CONFIG_INVALID"
    sentence = "A title setting is not valid."
    advice = "Correct the field that the message names."


class ModelNotFound(NotFound):
    """No model has this id."""

    code = "MODEL_NOT_FOUND"
    sentence = "Model not found."
    advice = "List the models with `jupyter localcoder models list` or `%localcoder models`."


class DownloadNotFound(NotFound):
    """No download of this model is running."""

    code = "DOWNLOAD_NOT_FOUND"
    sentence = "No download of this model is running."
    advice = "No action is needed."


class RunNotFound(NotFound):
    """No completion has this run id."""

    code = "NOT_FOUND"
    sentence = "Not found, or already finished."
    advice = "No action is needed."


class RequestNotFound(NotFound):
    """No request of this id is pending or running."""

    code = "REQUEST_NOT_FOUND"
    sentence = "No pending or running request has this id."
    advice = "No action is needed: the request may have finished already."


class ProviderNotFound(NotFound):
    """No provider has this id."""

    code = "PROVIDER_NOT_FOUND"
    sentence = "Provider not found."
    advice = "List the providers with `jupyter localcoder providers list`."


class SourceFileNotFound(NotFound):
    """The file that the request names is not there."""

    code = "FILE_NOT_FOUND"
    sentence = "The file was not found."
    advice = "Check the path."


class PromptNotFound(NotFound):
    """Nothing was kept for a prompt of this id."""

    code = "PROMPT_NOT_FOUND"
    sentence = "The history contains no answer to this prompt."
    advice = "List the history to see the available entries."


class ResponseNotFound(NotFound):
    """The history has no answer of this id."""

    code = "RESPONSE_NOT_FOUND"
    sentence = "The history contains no answer with this id."
    advice = "List the history to see the available entries; this one may have been deleted."


class ConversationNotFound(NotFound):
    """There is no conversation of this id."""

    code = "CONVERSATION_NOT_FOUND"
    sentence = "Conversation not found."
    advice = "List the conversations; this one may have been deleted."


class TitleResponseNotFound(NotFound):
    """The answer that is to get a title is not there."""

    code = "TITLE_RESPONSE_NOT_FOUND"
    sentence = "The answer to be titled is not in the history."
    advice = "No action is needed: it was probably deleted."


class ModelInUse(Conflict):
    """The model is loaded or in use."""

    code = "MODEL_IN_USE"
    sentence = "The model is loaded."
    advice = "Unload it first, or repeat the request with `force`."


class ProviderInUse(Conflict):
    """A request runs on the provider or waits for it, or it is the active one."""

    code = "PROVIDER_IN_USE"
    sentence = "A request is still running on this provider."
    advice = "Wait until it finishes, or cancel it."


class NoActiveProvider(Conflict):
    """None was named, and none is active."""

    code = "NO_ACTIVE_PROVIDER"
    sentence = "No provider is active."
    advice = "Activate a provider, or name one in the request."


class RequestAlreadyCompleted(Conflict):
    """The request has had its end."""

    code = "REQUEST_ALREADY_COMPLETED"
    sentence = "The request has already finished."
    advice = "No action is needed."


class AuthError(Refused):
    """The caller did not prove who it is, or may not do this."""

    code = "AUTH_ERROR"
    sentence = "This request is not authenticated, or you are not allowed to make it."
    advice = "Sign in to the Jupyter server, or ask its administrator."


class LicenseNotAccepted(Refused):
    """Nobody has accepted the licence of the model."""

    code = "LICENSE_NOT_ACCEPTED"
    sentence = "The licence of the model has not been accepted, so nothing was downloaded."
    advice = "Read the licence and accept it: `jupyter localcoder models pull ID` shows it."


class AirGapped(Refused):
    """The air gap is closed: no connection is opened."""

    code = "AIR_GAPPED"
    sentence = "The air gap is on: no connection was opened."
    advice = "Import the model from a file, or turn off the air gap in the settings."


class ModelPinned(Refused):
    """The model was pinned to its version."""

    http_status = 409
    code = "MODEL_PINNED"
    sentence = "The model is pinned to its current version, so it was not updated."
    advice = "Unpin it first."


class ProviderLocked(Refused):
    """The configuration of the server decides, and not a person."""

    code = "PROVIDER_LOCKED"
    sentence = "This provider is configured by the server administrator and cannot be changed here."
    advice = "Add a provider with a different id, or ask the server administrator."


class PolicyInvalid(Refused):
    """A policy of a hub that is forged, out of date, or for somebody else."""

    code = "POLICY_INVALID"
    sentence = "The policy of the hub is not valid."
    advice = "Tell the administrator of the hub."


class Disabled(Refused):
    """The feature is switched off in the settings."""

    code = "DISABLED"
    sentence = "This feature is turned off in the settings."
    advice = "Turn it on in the settings."


class ModelNotReady(Unavailable):
    """The model is known, and not (yet) on this machine."""

    code = "MODEL_NOT_READY"
    sentence = "The model is not on this machine yet."
    advice = "Download it with `jupyter localcoder models pull ID`, or import a GGUF file."


class BackendUnavailable(Unavailable):
    """The inference worker ended or cannot be started."""

    code = "BACKEND_UNAVAILABLE"
    sentence = "The inference worker exited before the answer was complete."
    advice = (
        "Try again: the worker restarts automatically. If it happens again, run `jupyter localcoder doctor`."
    )


class PackageMissing(Unavailable, ImportError):
    """A part of the product needs a package that is not installed here; the rest works without it."""

    code = "PACKAGE_MISSING"
    sentence = "An optional package is not installed."
    advice = "Install everything: `pip install 'jupyter_localcoder[all]'`."

    @classmethod
    def of(cls, extra: Extra) -> PackageMissing:
        """The error for an extra of this package, with the command that installs it."""
        sentence, after = _EXTRAS[extra]
        command = f"`pip install 'jupyter_localcoder[{extra}]'`"
        return cls(sentence, recovery=f"Run {command} in this environment{after}.", extra=extra)

    def _render_traceback_(self) -> list[str]:
        """IPython shows this in place of a traceback."""
        return [f"{self} {self.recovery}"]


_EXTRAS: dict[Extra, tuple[str, str]] = {
    "local": (
        "The embedded engine (llama-cpp-python) is not installed, so no model runs on this machine.",
        ", or add a remote provider",
    ),
    "hub": ("The hub service needs jupyterhub and prometheus_client, which are not all installed.", ""),
    "widgets": ("The model manager needs ipywidgets, which is not installed.", " and restart the kernel"),
}


class QueueFull(Unavailable):
    """Too many requests are waiting."""

    code = "QUEUE_FULL"
    sentence = "Too many requests are waiting."
    advice = "Try again later, or cancel some requests."


class QuotaExceeded(Unavailable):
    """A user or a group has used up what the administrator of a shared service allows."""

    http_status = 429
    code = "QUOTA_EXCEEDED"
    sentence = "The limit that the administrator has set for this service is reached."
    advice = "Wait until the time that the message names, or ask the administrator for a higher limit."


class RateLimited(Unavailable):
    """The provider wants fewer requests."""

    http_status = 429
    code = "RATE_LIMITED"
    sentence = "The provider's rate limit is reached."
    advice = "Wait and try again, or check the limits of your account with the provider."


class ConnectionFailed(Unavailable):
    """The other side could not be reached."""

    http_status = 502
    code = "CONNECTION_ERROR"
    sentence = "Cannot connect to the Jupyter server."
    advice = "Check that it is still running, and try again."


class NoAnswer(Unavailable):
    """The model ended as it should, and gave no answer: it only reasoned, declined, or said nothing."""

    http_status = 502
    code = "NO_ANSWER"
    sentence = "The model finished without giving an answer."
    advice = "Rephrase the request, or use another model."


class DownloadFailed(Unavailable):
    """No source delivered the file."""

    http_status = 502
    code = "DOWNLOAD_FAILED"
    sentence = "The download failed. The partial download is kept."
    advice = (
        "Check the network and try again to resume the download, or import the file with `models import`."
    )


class Timeout(Unavailable):
    """The time that the request allowed is over."""

    http_status = 504
    code = "TIMEOUT"
    sentence = "The request timed out."
    advice = "Increase the time limit, request a shorter answer, or use a lighter profile."


class LoadTimeout(Unavailable):
    """The model did not load in time."""

    http_status = 504
    code = "LOAD_TIMEOUT"
    sentence = "The model did not load within the time limit."
    advice = "Increase `Supervisor.load_timeout_seconds`, or use a smaller model."


class TitleTimeout(Unavailable):
    """No title came in time."""

    http_status = 504
    code = "TITLE_TIMEOUT"
    sentence = "Title generation timed out; the model name is shown instead."
    advice = "Try again when no other request is running, or increase the time limit."


class TitleProviderError(Unavailable):
    """The provider of the titles failed, or is not ready."""

    http_status = 502
    code = "TITLE_PROVIDER_ERROR"
    sentence = "Title generation failed; the model name is shown instead."
    advice = "Try again later, or enter a title manually."


_OUT_OF_MEMORY = re.compile(
    r"out[ _]?of[ _]?(device[ _]?|host[ _]?)?memory|out_of_resources"
    r"|bad_alloc|memoryerror|alloc_failed|insufficient memory"
    r"|(unable|failed|cannot|could not) (to )?(allocate|reserve (memory|space))"
    r"|memory allocation .{0,80}failed",
    re.IGNORECASE,
)


def mentions_memory(text: str) -> bool:
    """Whether what native code has printed says that memory ran out, on the machine or on its GPU."""
    return _OUT_OF_MEMORY.search(text) is not None


class OutOfMemory(Exhausted):
    """The model does not fit into memory."""

    http_status = 507
    code = "OUT_OF_MEMORY"
    sentence = "There is not enough memory for this model and context window."
    advice = "Close other programs, choose a smaller model, or reduce the context window."


class DiskFull(Exhausted):
    """The disk is full."""

    http_status = 507
    code = "DISK_FULL"
    sentence = "There is not enough free space on the disk."
    advice = (
        "Free some space, or move large folders: models (`ModelStore.models_dir`), history "
        "(`HistoryStore.history_dir`), settings (`LocalCoderSettings.settings_dir`)."
    )


class FileWriteError(Exhausted):
    """The file or folder cannot be written."""

    code = "FILE_WRITE_ERROR"
    sentence = "The folder cannot be written."
    advice = "Check its permissions, or choose another folder (`ModelStore.models_dir`)."


class EncryptionUnavailable(Exhausted):
    """A key cannot be kept in a form that others cannot read."""

    code = "ENCRYPTION_UNAVAILABLE"
    sentence = "The key cannot be stored securely on this machine, so it was not saved."
    advice = "Keep it for this session only, or set it in an environment variable."


class FileReadError(Exhausted):
    """A file of the history cannot be read."""

    code = "FILE_READ_ERROR"
    sentence = "The file of this answer cannot be read."
    advice = "Check the permissions of the history folder (`HistoryStore.history_dir`)."


class FileDeleteError(Exhausted):
    """A file of the history cannot be deleted; nothing was."""

    code = "FILE_DELETE_ERROR"
    sentence = "The file of this answer cannot be deleted, so nothing was deleted."
    advice = "Check the permissions of the history folder (`HistoryStore.history_dir`)."


class DatabaseError(Exhausted):
    """The database of the history cannot be used."""

    code = "DATABASE_ERROR"
    sentence = "The history database cannot be used."
    advice = "Check the permissions and the disk of the history folder (`HistoryStore.history_dir`)."


class Canceled(LocalCoderError):
    """It was cancelled, by whoever asked for it or by the end of the service."""

    http_status = 499
    code = "CANCELED"
    sentence = "Cancelled."
    advice = "No action is needed."


class UnknownError(LocalCoderError):
    """A defect: no other class fits."""

    code = "UNKNOWN_ERROR"


def _leaves(cls: type[LocalCoderError]) -> list[type[LocalCoderError]]:
    own = [cls] if "code" in cls.__dict__ and cls is not LocalCoderError else []
    return own + [leaf for sub in cls.__subclasses__() for leaf in _leaves(sub)]


def by_code() -> dict[str, type[LocalCoderError]]:
    """Every error code and the class that carries it.

    Returns
    -------
    dict
        Code -> class.
    """
    return {cls.code: cls for cls in _leaves(LocalCoderError)}


def from_parts(
    code: str, message: str, recovery: str = "", details: dict[str, Detail] | None = None
) -> LocalCoderError:
    """Rebuild an error from the payload of a response.

    Parameters
    ----------
    code
        Error code, such as `MODEL_NOT_FOUND`.
    message
        Sentence for the user. Empty: that of the class.
    recovery
        What the user can do. Empty: that of the class.
    details
        Facts for programs, by name.

    Returns
    -------
    LocalCoderError
        An instance of the class with this code; of `UnknownError` if there is none.
    """
    cls = by_code().get(code, UnknownError)
    return cls(message or None, recovery=recovery or None, **(details or {}))
