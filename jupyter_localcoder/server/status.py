"""Which HTTP status answers which error code."""

from __future__ import annotations

from ..contract.common import ErrorPayload
from ..errors import by_code

_EXACT = {
    "AUTH_ERROR": 403,
    "INVALID_ARGUMENT": 400,
    "INVALID_MODEL": 400,
    "UNSUPPORTED_MODEL": 400,
    "CONFIG_INVALID": 500,
    "CHECKSUM_MISMATCH": 400,
    "TOKEN_LIMIT_EXCEEDED": 413,
    "LICENSE_NOT_ACCEPTED": 403,
    "AIR_GAPPED": 403,
    "MODEL_PINNED": 409,
    "DISABLED": 403,
    "PROVIDER_LOCKED": 403,
    "RATE_LIMITED": 429,
    "NO_ANSWER": 502,
    "QUEUE_FULL": 503,
    "MODEL_NOT_READY": 503,
    "BACKEND_UNAVAILABLE": 503,
    "DOWNLOAD_FAILED": 502,
    "TIMEOUT": 504,
    "LOAD_TIMEOUT": 504,
    "OUT_OF_MEMORY": 507,
    "DISK_FULL": 507,
    "CANCELED": 499,
    "NO_ACTIVE_PROVIDER": 409,
    "REQUEST_ALREADY_COMPLETED": 409,
    "TITLE_CONFIG_INVALID": 400,
    "TITLE_PROVIDER_ERROR": 502,
    "TITLE_TIMEOUT": 504,
}

_BY_START = (("VALIDATION_", 400), ("CONNECTION_", 502), ("AUTH_", 403))
_BY_END = (("NOT_FOUND", 404), ("_IN_USE", 409))

CODE_OF_STATUS = {400: "INVALID_ARGUMENT", 401: "AUTH_ERROR", 403: "AUTH_ERROR", 404: "NOT_FOUND",
                  405: "INVALID_ARGUMENT", 413: "INVALID_ARGUMENT"}  # fmt: skip
"""Codes for what Jupyter or tornado refuse before an operation is reached."""


def status_of(code: str) -> int:
    """HTTP status of an error code; 500 for what is nobody's fault but ours."""
    if code in _EXACT:
        return _EXACT[code]
    for start, status in _BY_START:
        if code.startswith(start):
            return status
    for end, status in _BY_END:
        if code.endswith(end):
            return status
    return 500


def refusal(status: int) -> ErrorPayload:
    """What to say where a request was refused before it reached an operation."""
    cls = by_code()[CODE_OF_STATUS.get(status, "UNKNOWN_ERROR")]
    message, recovery = cls.sentence, cls.advice
    if status == 404:
        message, recovery = "There is nothing at this address.", "See `localcoder/openapi.json`."
    elif status == 405:
        message, recovery = "This address does not take this method.", "See `localcoder/openapi.json`."
    return ErrorPayload(code=cls.code, message=message, recovery=recovery)
