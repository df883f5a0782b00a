"""What an HTTP response means: an error of the contract, or "this is not our server". Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ..contract.codec import error_of
from ..contract.common import ErrorPayload
from ..errors import AuthError, ConnectionFailed, LocalCoderError


class NotReached(ConnectionFailed):
    """No connection came about, so the request has not begun."""


class NotOurs(ConnectionFailed):
    """Something answered that is not the service, so the request has not begun."""


@dataclass(frozen=True)
class Head:
    """Status and the headers that matter, names in small letters."""

    status: int
    content_type: str
    retry_after: str = ""

    @property
    def ok(self) -> bool:
        """Whether the request was accepted."""
        return 200 <= self.status < 300


class _ErrorBody(msgspec.Struct, frozen=True):
    error: ErrorPayload


def error_from(head: Head, body: bytes, where: str) -> LocalCoderError:
    """The error that a response with a status other than 2xx stands for."""
    try:
        payload = msgspec.json.decode(body, type=_ErrorBody).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _foreign(head, where)
    error = error_of(payload)
    if head.retry_after.isdecimal():
        error.details.setdefault("retry_after_seconds", int(head.retry_after))
    return error


def not_ours(head: Head, where: str) -> NotOurs:
    """The error for an answer that no version of the service gives."""
    return NotOurs(
        f"The {where} answered, but not as jupyter_localcoder does (HTTP {head.status}).",
        recovery="Check with `jupyter server extension list` that jupyter_localcoder is enabled there, "
        "then restart the server and this kernel.",
    )


def _foreign(head: Head, where: str) -> LocalCoderError:
    # Jupyter refuses a stranger before our handler is asked: with its own 401 or 403, or with a
    # redirection to its login page.
    if head.status in (301, 302, 303, 307, 401, 403):
        return AuthError(
            f"The {where} does not accept the token of this process: it was probably restarted.",
            recovery="Restart this kernel, so that it gets the new token.",
        )
    return not_ours(head, where)
