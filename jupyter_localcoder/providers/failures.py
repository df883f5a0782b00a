"""What a provider says when it fails, made into our errors, with its own words kept. Pure.

Its words are bounded, made harmless to print, and cleaned of anything that looks like a key: some providers
repeat the one that they were sent.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from ..errors import (
    AuthError,
    ConnectionFailed,
    Disabled,
    InvalidArgument,
    LocalCoderError,
    ModelNotFound,
    NoAnswer,
    QueueFull,
    QuotaExceeded,
    RateLimited,
    TokenLimitExceeded,
)
from ..text.plain_text import plain

MAX_WORDS_CHARS = 500
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|key|gsk|xai|hf)[-_][A-Za-z0-9_*.-]{6,}"  # the prefixes that vendors give their keys
    r"|\bAIza[A-Za-z0-9_*-]{8,}"
    r"|\b(?i:bearer)\s+\S+"
    r"|\b[A-Za-z0-9]{32,}"  # Azure's have no prefix
)
_TOO_LONG = re.compile(
    r"context[ _]length|context[ _]size|context[ _]window|maximum prompt length|prompt is too long"
    r"|too many tokens|input token count|exceeds? the (?:model's )?maximum|exceed context window"
    r"|reduce the length|reduce your prompt|longer than the model|`?inputs`? tokens \+ `?max_new_tokens`?",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(
    r"api[ _-]?key[^.]{0,40}(?:not valid|invalid|expired)|invalid[ _]api[ _]key", re.IGNORECASE
)


_OWN = (Disabled, QueueFull, QuotaExceeded)
"""What the hub service says with these codes, which a status alone does not tell."""
_ASK = "Try again at the time that the message names, or ask the administrator of the server."


@dataclass(frozen=True)
class Words:
    """What stands in the body of an error."""

    message: str = ""
    code: str = ""
    """Its machine-readable names, joined: `code`, `type`, `status`."""
    field: str = ""
    """The field of the request that it names."""
    status: int = 0
    """An HTTP status that stands in the body: all there is where a stream fails after its beginning."""


def words_of(body: bytes) -> Words:
    """Read an error in any of the forms that providers use; text that is none of them as it is."""
    if body.lstrip()[:5] == b"data:":  # an event, as the body of a refusal
        body = body.lstrip()[5:].partition(b"\n")[0]
    try:
        return _read(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body.decode("utf-8", "replace")
        return Words() if text.lstrip().startswith("<") else Words(message=text)


def error_in(value: dict[str, Any]) -> Words | None:
    """The error that a decoded message is, although it came as an answer; None where it is an answer."""
    error = value.get("error") or value.get("errors")
    if not error and any(isinstance(value.get(name), list | dict) for name in _ANSWERS):
        return None
    status = value.get("base_resp")
    if (
        error
        or "error" in (value.get("object"), value.get("type"))
        or value.get("success") is False
        or any(value.get(name) for name in _MESSAGES)
        or (isinstance(status, dict) and status.get("status_code"))
    ):
        return _read(value)
    return None


_ANSWERS = ("choices", "candidates", "message", "usage", "promptFeedback")
"""Where one of these stands, its words are not about a failure."""
_MESSAGES = ("message", "detail", "msg", "error_msg", "error_message", "errmsg", "error_description")
_DEEPEST = 5


def _read(value: Any, depth: int = 0) -> Words:
    if depth > _DEEPEST:
        return Words()
    if isinstance(value, list) and value:
        if all(isinstance(each, dict) and "loc" in each for each in value):
            return _of_fields(value)
        return _read(value[0], depth + 1)  # Gemini, where a stream was asked for
    if isinstance(value, str):
        return Words(message=value)
    if not isinstance(value, dict):
        return Words()
    inner = value.get("error") or value.get("errors") or value.get("base_resp") or value
    if not isinstance(inner, dict):  # Ollama, TGI
        words = _read(inner, depth + 1)
        if inner is True:
            words = _read({name: value[name] for name in value if name != "error"}, depth + 1)
        code = " ".join(str(value[name]) for name in ("error_type", "type", "code") if value.get(name))
        return Words(words.message, code, words.field, _status(value))
    said = next(
        (inner[name] for name in (*_MESSAGES, "status_msg", "title", "reason") if inner.get(name)), ""
    )
    words = _read(said, depth + 1)
    message = words.message or (msgspec.json.encode(said).decode() if said else "")
    details = inner.get("metadata")
    if isinstance(details, dict) and isinstance(details.get("raw"), str):  # what was said to a router
        message = f"{message}: {details['raw']}"
    names = [inner.get(name) for name in ("code", "type", "status", "status_code", "error_code")]
    param = inner.get("param")
    return Words(
        message=message,
        code=" ".join(str(name) for name in names if name),
        field=param if isinstance(param, str) else words.field,
        status=_status(inner) or words.status,
    )


def _of_fields(faults: list[Any]) -> Words:
    """The list of faults that a server based on pydantic answers."""
    said, field = [], ""
    for fault in faults:
        place = [str(part) for part in fault["loc"]] if isinstance(fault["loc"], list) else []
        place = place[1:] if place[:1] in (["body"], ["query"]) else place
        field = field or (place[0] if place else "")
        given = fault.get("input")
        end = f" (it was {given!r})" if isinstance(given, str) and len(given) <= 40 else ""
        said.append(f"{'.'.join(place)}: {fault.get('msg') or fault.get('type') or ''}{end}")
    return Words(message="; ".join(said), field=field)


def _status(fields: dict[str, Any]) -> int:
    for name in ("code", "status", "status_code"):
        value = fields.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
            value = int(value)
        if isinstance(value, int) and 400 <= value <= 599:
            return value
    return 0


_NAMED: tuple[tuple[str, int], ...] = (
    (r"contextlength|contextsize|contextwindow", 400),
    (r"apikey|authentication|unauthori[sz]ed|unauthenticated", 401),
    (r"permission|forbidden|billing|balance|payment", 403),
    (r"ratelimit|toomanyrequests|quota|exhausted|overloaded|throttl", 429),
    (r"notfound", 404),
    (r"badrequest|invalidrequest|invalidargument|unsupported|validation|unprocessable", 400),
)
"""What the names of errors say, without signs and in small letters: the status that would have told it."""


def _status_of(words: Words) -> int:
    name = re.sub("[^a-z]", "", words.code.lower())
    return next((status for pattern, status in _NAMED if re.search(pattern, name)), 0)


@dataclass(frozen=True)
class Failures:
    """Makes errors that name one provider.

    Parameters
    ----------
    provider
        Its id, for the details.
    name
        What a person calls it.
    host
        Where it is, without path.
    secrets
        What must not appear in any sentence.
    """

    provider: str
    name: str
    host: str
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Failures({self.provider!r})"

    def scrubbed(self, text: str) -> str:
        """Text that may be shown and logged."""
        for secret in self.secrets:
            text = text.replace(secret, "[key]")
        # First the cut, so that a long text costs little; a key that it halves is still one to `_KEY_LIKE`.
        text = _KEY_LIKE.sub("[key]", plain(text[: 2 * MAX_WORDS_CHARS]))
        text = " ".join(text.split())
        return text if len(text) <= MAX_WORDS_CHARS else text[: MAX_WORDS_CHARS - 1] + "…"

    def refused(
        self,
        status: int,
        words: Words,
        retry_after_seconds: float | None = None,
        *,
        told: bool = True,
    ) -> LocalCoderError:
        """The error for an answer with a status that is none of success; ``told``: the server named it."""
        said = self.scrubbed(words.message)
        facts: dict[str, Any] = {"provider": self.provider, "status": status, "provider_message": said}
        if words.field:
            facts["provider_field"] = self.scrubbed(words.field)
        number = f" (HTTP {status})" if told else ""
        end = f"{number}: {said}" if said else f"{number}."
        about = f"{words.code} {words.message}"
        for kind in _OWN:
            if kind.code in words.code.split():
                if retry_after_seconds is not None:
                    facts["retry_after_seconds"] = math.ceil(retry_after_seconds)
                return kind(f"{self.name}: {said}" if said else None, recovery=_ASK, **facts)
        if status in (400, 413, 422) and (status == 413 or _TOO_LONG.search(about)):
            return TokenLimitExceeded(f"The prompt is too long for the model of {self.name}{end}", **facts)
        if status == 401 or (status == 400 and (_BAD_KEY.search(about) or "API_KEY_INVALID" in about)):
            return self._auth(f"{self.name} does not accept the key{end}", facts)
        if status in (402, 403):
            return self._auth(f"{self.name} denied access{end}", facts)
        if status in (429, 529) or "RESOURCE_EXHAUSTED" in words.code:
            if retry_after_seconds is not None:
                facts["retry_after_seconds"] = math.ceil(retry_after_seconds)
            return RateLimited(f"{self.name} reports that its rate limit is reached{end}", **facts)
        if status == 404 or "model_not_found" in words.code:
            return self._absent(end, about, facts)
        if 300 <= status < 400:
            return self.sent_on(status, "")
        if 400 <= status < 500 and status not in (405, 408, 409, 425):
            return InvalidArgument(
                f"{self.name} refused the request{end}",
                recovery="Correct the request or the settings of the provider as its message says.",
                **facts,
            )
        return self.unreachable(f"{self.name} answered with an error{end}", **facts)

    def _absent(self, end: str, about: str, facts: dict[str, Any]) -> LocalCoderError:
        if re.search(r"model|deployment", about, re.IGNORECASE):
            return ModelNotFound(
                f"{self.name} does not have this model{end}",
                recovery=f"`jupyter localcoder providers test {self.provider}` lists its models.",
                **facts,
            )
        return self.unreachable(
            f"{self.name} has nothing at this address{end}",
            recovery="Check the base URL of the provider; many end in `/v1`.",
            **facts,
        )

    def _auth(self, message: str, facts: dict[str, Any]) -> AuthError:
        return AuthError(
            message,
            recovery=f"Enter the key again, in the sidebar or with "
            f"`jupyter localcoder providers set-key {self.provider}`.",
            **facts,
        )

    def no_key(self) -> AuthError:
        """There is no key, and it needs one."""
        return self._auth(f"{self.name} needs a key, but none is stored.", {"provider": self.provider})

    def sent_on(self, status: int, host: str) -> ConnectionFailed:
        """It answered with a redirect, which is not followed: the key and the prompt would go along."""
        to = f" to {self.scrubbed(host)}" if host else ""
        return self.unreachable(
            f"{self.name} at {self.host} redirected the request{to}; the redirect was not followed "
            f"(HTTP {status}).",
            recovery="If that address is right, enter it as the base URL of the provider.",
            status=status,
        )

    def unreachable(self, message: str, *, recovery: str | None = None, **facts: Any) -> ConnectionFailed:
        """It could not be reached, broke off, or answered what cannot be read."""
        return ConnectionFailed(
            message,
            recovery=recovery
            or f"Check that {self.name} is running and that its base URL is correct: `jupyter localcoder "
            f"providers test {self.provider}`.",
            **{"provider": self.provider, **facts},
        )

    def unreadable(self, what: str, said: str = "") -> ConnectionFailed:
        """It answered what cannot be read; ``said``: how that begins."""
        words = self.scrubbed(said)
        return self.unreachable(f"{self.name} sent {what}" + (f": {words}" if words else "."))

    def in_stream(self, words: Words) -> LocalCoderError:
        """The error for a failure that came as an answer: in the middle of a stream, or in its place."""
        if words.status:
            return self.refused(words.status, words)
        about = f"{words.code} {words.message}"
        if status := 400 if _TOO_LONG.search(about) else _status_of(words):
            return self.refused(status, words, told=False)
        said = self.scrubbed(words.message)
        return self.unreachable(
            f"{self.name} answered with an error" + (f": {said}" if said else "."),
            provider_message=said,
        )

    def no_answer(self, why: str, *, recovery: str | None = None, **facts: Any) -> NoAnswer:
        """It ended as it should, and said nothing that is an answer."""
        return NoAnswer(f"{self.name} {why}", recovery=recovery, provider=self.provider, **facts)
