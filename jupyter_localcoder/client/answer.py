"""What an HTTP response means: an error of the contract, or "this is not our server". Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ..contract.codec import error_of
from ..contract.common import ErrorPayload
from ..errors import AuthError, ConnectionFailed, LocalCoderError

_NOTHING_SENT = "Neither the token nor any code was sent to it."


class NotReached(ConnectionFailed):
    """No connection came about, so the request has not begun."""


class NotOurs(ConnectionFailed):
    """Something answered that is not the service, so the request has not begun."""


class NotProven(NotOurs):
    """What answered gave no proof that it made the token, so it got neither the token nor the request."""

    def __init__(self, where: str, *, silent_seconds: float = 0.0) -> None:
        self.silent = silent_seconds > 0
        """Whether it has only kept silent, as a server does that is held up."""
        after = f" for {silent_seconds:g} seconds" if self.silent else ""
        wait = "If it is only busy, run this again. " if self.silent else ""
        super().__init__(
            f"The program that answers as {where} did not prove{after} that it is the server of this "
            f"process. {_NOTHING_SENT}",
            recovery=f"{wait}Another program may be listening there since that server stopped, or "
            "jupyter_localcoder was updated while the server ran. Restart the Jupyter server, then this "
            "kernel or terminal.",
        )


def wrong_proof(where: str) -> AuthError:
    """The error for a proof of another token."""
    return AuthError(
        f"The {where} does not recognize the token of this process: it was restarted, or it is a "
        f"different server. {_NOTHING_SENT}",
        recovery="Restart this kernel or terminal from the running server, to get the new token.",
    )


@dataclass(frozen=True)
class ResponseHead:
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


def error_from(head: ResponseHead, body: bytes, where: str) -> LocalCoderError:
    """The error that a response with a status other than 2xx stands for."""
    try:
        payload = msgspec.json.decode(body, type=_ErrorBody).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _foreign(head, where)
    error = error_of(payload)
    if head.retry_after.isdecimal():
        error.details.setdefault("retry_after_seconds", int(head.retry_after))
    return error


def not_ours(head: ResponseHead, where: str) -> NotOurs:
    """The error for an answer that no version of the service gives."""
    return NotOurs(
        f"The {where} did not answer like a server with jupyter_localcoder (HTTP {head.status}).",
        recovery="Check with `jupyter server extension list` that jupyter_localcoder is enabled there, "
        "then restart the server and this kernel.",
    )


def _foreign(head: ResponseHead, where: str) -> LocalCoderError:
    # Jupyter refuses a stranger before our handler is asked: with its own 401 or 403, or with a
    # redirection to its login page.
    if head.status in (301, 302, 303, 307, 401, 403):
        return AuthError(
            f"The {where} does not accept the token of this process: it was probably restarted.",
            recovery="Restart this kernel, to get the new token.",
        )
    return not_ours(head, where)
