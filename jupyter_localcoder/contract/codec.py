"""Untrusted bytes in, typed requests out; and errors into the form in which they leave.

A value that does not fit is a `ValidationError` that names the field and what was expected of it.

Half a surrogate pair, which an editor that cuts an emoji or a file name leaves in a text, has no form in
UTF-8: it becomes U+FFFD here, on the way in and on the way out, and nowhere else.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar, cast

import msgspec

from ..errors import LocalCoderError, UnknownError, ValidationError, from_parts
from .common import MODEL_ID_PATTERN, ErrorPayload
from .registry import Operation

T = TypeVar("T")

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Of a request, over whichever transport."""
MAX_BODY_BESIDE_PATH_BYTES = 256 * 1024
"""Of a request that names what it is about in its address: the long texts are in the others."""
AT_ONCE_BYTES = 256 * 1024
"""A request so long is parsed in less than a millisecond or two."""

_IN_WORDS = {
    MODEL_ID_PATTERN: "a model name consists of at most 128 letters, digits, dots, dashes and "
    "underscores, and begins with a letter or a digit; no slashes or spaces",
}
"""Messages that replace a regular expression in errors."""
_HALF_ESCAPED = re.compile(rb"\\u[dD][89a-fA-F]")
"""May be half a pair; it also matches a whole one, and what only looks like an escape."""
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
"""A pair, half a pair, or another escape."""
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)


def decode(type_: type[T], value: Any, *, from_text: bool = False) -> T:
    """Turn plain data (of a JSON body) into a struct.

    Parameters
    ----------
    from_text
        The values came out of a URL: "3" and "true" are then numbers and booleans.

    """
    try:
        return msgspec.convert(whole(value), type_, strict=not from_text)
    except msgspec.ValidationError as failure:
        raise _explained(failure) from None


def decode_json(raw: bytes) -> Any:
    """Parse a JSON body; an empty one is an empty object."""
    return _parsed(raw, Any)


def decode_body(type_: type[T], raw: bytes) -> T:
    """Parse a JSON body into a struct, which is refused where it first does not fit."""
    return cast("T", _parsed(raw, type_))


def _parsed(raw: bytes, type_: Any) -> Any:
    try:
        try:
            return msgspec.json.decode(raw if raw.strip() else b"{}", type=type_)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            if not _HALF_ESCAPED.search(raw):
                raise
            return msgspec.json.decode(_ESCAPE.sub(_no_half, raw), type=type_)
    except msgspec.ValidationError as failure:
        raise _explained(failure) from None
    except (ValueError, RecursionError) as failure:
        raise ValidationError(f"The body is not JSON: {failure}", field="$") from None


def decode_request(op: Operation[Any, Any], raw: bytes, path: dict[str, str], query: dict[str, str]) -> Any:
    """The request of an operation, put together from the parts of an HTTP request.

    A field in the path must not also be in the body.

    Raises
    ------
    ValidationError
        It is not what the operation takes.
    """
    if len(raw) > MAX_BODY_BYTES:
        raise ValidationError(
            f"The request has {len(raw)} bytes; the maximum is {MAX_BODY_BYTES}.",
            recovery="Send less: code far above the cursor and outputs rarely matter.",
            field="$",
        )
    texts = {**query, **path}
    if not texts:
        return decode_body(op.request, raw)
    if len(raw) > MAX_BODY_BESIDE_PATH_BYTES:
        raise ValidationError(
            f"The body has {len(raw)} bytes; the maximum here is {MAX_BODY_BESIDE_PATH_BYTES}.", field="$"
        )
    body = decode_json(raw)
    if not isinstance(body, dict):
        raise ValidationError("The body must be a JSON object.", field="$")
    for name in texts:
        if name in body:
            raise ValidationError(f"`{name}` is given twice.", field=name)
    if body:
        # Path fields are strings by declaration, so nothing needs to be read out of text.
        return decode(op.request, {**body, **texts})
    return decode(op.request, texts, from_text=True)


def encode(value: Any) -> bytes:
    """JSON of an answer, or of a request."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(whole(msgspec.to_builtins(value)))


def whole(value: Any) -> Any:
    """Plain data without halves of surrogate pairs; two halves that belong together become one character."""
    if isinstance(value, str):
        return _whole_text(value)
    if isinstance(value, dict):
        return {whole(key): whole(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(whole, value))
    return value


def _no_half(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["half"] else escape[0]


def _whole_text(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def error_payload(error: BaseException) -> ErrorPayload:
    """The form in which an exception leaves: nothing of one that is not ours but "unknown"."""
    if not isinstance(error, LocalCoderError):
        error = UnknownError()
    return ErrorPayload(
        code=error.code, message=error.message, recovery=error.recovery, details=dict(error.details)
    )


def error_of(payload: ErrorPayload) -> LocalCoderError:
    """The exception that a payload stands for: the inverse of `error_payload`."""
    return from_parts(payload.code, payload.message, payload.recovery, payload.details)


def in_one_line(payload: ErrorPayload) -> str:
    """An error for a person: what is wrong, its code, and what to do."""
    return f"{payload.message} [{payload.code}] {payload.recovery}"


def _explained(failure: msgspec.ValidationError) -> ValidationError:
    match = _WHERE.match(str(failure))
    what, where = (match["what"], match["where"] or "$") if match else (str(failure), "$")
    unknown = re.search(r"unknown field `([^`]*)`", what)
    missing = re.search(r"required field `([^`]*)`", what)
    field = where.removeprefix("$").lstrip(".")
    named = unknown or missing
    if named:
        field = f"{field}.{named[1]}" if field else named[1]
    field = field or "$"
    pattern = next((pattern for pattern in _IN_WORDS if what.endswith(f"matching regex {pattern!r}")), None)
    said = what if pattern is None else _IN_WORDS[pattern]
    return ValidationError(f"`{field}`: {said}.", field=field, expected=what)
