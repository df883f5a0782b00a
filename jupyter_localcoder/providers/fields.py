"""Fields of a server's message, read with care: servers leave out, add and null much. Pure.

What an answer is made of must have its type; what only describes it is left out where it has another.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

Fields = dict[str, Any]
_WORDS = ("text", "content", "value", "summary")


class ContentParts(NamedTuple):
    """What a part of an answer says."""

    text: str = ""
    reasoning: str = ""


def fields_of(value: Any, what: str) -> Fields:
    """An object, or none at all for null.

    Raises
    ------
    msgspec.ValidationError
        It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise msgspec.ValidationError(f"`{what}` is no object")
    return value


def first_of(value: Any, what: str) -> Fields:
    """The first object of a list; none at all where it is null or empty.

    Raises
    ------
    msgspec.ValidationError
        It is no list of objects.
    """
    if value is None:
        return {}
    if not isinstance(value, list):
        raise msgspec.ValidationError(f"`{what}` is no list")
    return fields_of(value[0], what) if value else {}


def count_of(value: Any) -> int | None:
    """A number of tokens."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return None
    return int(value)


def text_of(value: Any) -> str:
    """A text, or nothing."""
    return value if isinstance(value, str) else ""


def content_parts(content: Any) -> ContentParts:
    """What a `content` says: a text, a part, or a list of parts, some of which may be reasoning."""
    if isinstance(content, str):
        return ContentParts(content)
    if isinstance(content, list):
        parts = [content_parts(part) for part in content]
        return ContentParts("".join(part.text for part in parts), "".join(part.reasoning for part in parts))
    if not isinstance(content, dict):
        return ContentParts()
    kind = text_of(content.get("type"))
    if kind in ("thinking", "reasoning", "redacted_thinking", "think") or content.get("thought") is True:
        return ContentParts(reasoning=_joined(content.get("thinking")) or _words(content))
    return ContentParts(_words(content))


def reasoning_of(message: Fields) -> str:
    """The reasoning in a field beside the content; of one field only, as some servers send it in two."""
    for name in ("reasoning_content", "reasoning", "thinking", "reasoning_text", "reasoning_details"):
        if words := _joined(message.get(name)):
            return words
    return ""


def _words(part: Fields) -> str:
    return next((words for name in _WORDS if (words := _joined(part.get(name)))), "")


def _joined(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_joined(each) for each in value)
    return _words(value) if isinstance(value, dict) else ""
