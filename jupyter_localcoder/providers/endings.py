"""How an answer ended, in the many words that servers have for it. Pure."""

from __future__ import annotations

import re

from .base import EndReason
from .failures import Failures

_LENGTH = frozenset({"length", "max_tokens", "model_length", "max_output_tokens", "token_limit", "limit"})
_FILTER = re.compile(
    r"filter|safety|recitation|blocklist|prohibited|spii|^language$|^other$|refus|sensitive|guardrail|risk|moderat"
)
_FAILED = re.compile(
    r"error|abort|cancel|fail|insufficient|exception|overload|unavailable|malformed|disconnect|exhausted"
    r"|timeout|timed_out|interrupt|killed|preempt"
)


def end_reason(said: object, failures: Failures) -> EndReason | None:
    """What a finish reason means; None where there is none.

    Raises
    ------
    ConnectionFailed
        It says that the answer is broken off: what came is not a whole one.
    """
    if not isinstance(said, str) or not said.strip():
        return None
    name = said.strip().lower()
    if name in ("null", "none", "finish_reason_unspecified"):
        return None
    if name in _LENGTH:
        return "length"
    if _FILTER.search(name):
        return "filter"
    if _FAILED.search(name):
        raise failures.unreachable(
            f"{failures.name} aborted its answer: {failures.scrubbed(said)}.",
            recovery="Send the request again, or use another provider.",
            provider_message=failures.scrubbed(said),
        )
    return "stop"
