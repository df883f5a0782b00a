"""HTTP statuses of errors, and errors of what was refused with a status alone."""

from __future__ import annotations

from ..contract.common import ErrorPayload
from ..errors import AuthError, InvalidArgument, LocalCoderError, RunNotFound, UnknownError, by_code

_ERRORS: dict[int, type[LocalCoderError]] = {
    400: InvalidArgument,
    401: AuthError,
    403: AuthError,
    404: RunNotFound,
    405: InvalidArgument,
    413: InvalidArgument,
}
"""Errors of requests that Jupyter or tornado refuse before an operation is reached."""


def status_of(code: str) -> int:
    """HTTP status of an error code; 500 for one that is not known."""
    return by_code().get(code, UnknownError).http_status


def refusal(status: int) -> ErrorPayload:
    """What to say where a request was refused before it reached an operation."""
    cls = _ERRORS.get(status, UnknownError)
    message, recovery = cls.sentence, cls.advice
    if status == 404:
        message, recovery = "There is nothing at this address.", "See `localcoder/openapi.json`."
    elif status == 405:
        message, recovery = "This address does not support this method.", "See `localcoder/openapi.json`."
    return ErrorPayload(code=cls.code, message=message, recovery=recovery)
