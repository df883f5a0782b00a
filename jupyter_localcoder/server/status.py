"""HTTP statuses of errors, and errors of what was refused with a status alone."""

from __future__ import annotations

from ..contract.common import ErrorPayload
from ..errors import UnknownError, by_code

CODE_OF_STATUS = {400: "INVALID_ARGUMENT", 401: "AUTH_ERROR", 403: "AUTH_ERROR", 404: "NOT_FOUND",
                  405: "INVALID_ARGUMENT", 413: "INVALID_ARGUMENT"}  # fmt: skip
"""Codes for what Jupyter or tornado refuse before an operation is reached."""


def status_of(code: str) -> int:
    """HTTP status of an error code; 500 for one that is not known."""
    return by_code().get(code, UnknownError).http_status


def refusal(status: int) -> ErrorPayload:
    """What to say where a request was refused before it reached an operation."""
    cls = by_code()[CODE_OF_STATUS.get(status, UnknownError.code)]
    message, recovery = cls.sentence, cls.advice
    if status == 404:
        message, recovery = "There is nothing at this address.", "See `localcoder/openapi.json`."
    elif status == 405:
        message, recovery = "This address does not support this method.", "See `localcoder/openapi.json`."
    return ErrorPayload(code=cls.code, message=message, recovery=recovery)
