"""A kept answer as a Markdown file with front matter, and back. Pure.

::

    ---
    format: 1
    id: "5f0c…"
    sampling: {"seed":7,"temperature":0.2}
    prompt: |2-
      Explain this code:
      …
    ---
    The answer, byte by byte as it came, to the end of the file.

The front matter is YAML that any reader of such files understands, and of a kind that needs no YAML library:
each value is JSON on one line, but for a prompt of ordinary lines, which is indented so that people can
read it. Nothing in an answer or a prompt can end the front matter before its time: JSON has no raw line
breaks, and an indented line is not ``---``. Half a surrogate pair, which no file can hold, becomes U+FFFD.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ..contract.history import Response
from ..text.digest import text_digest

FORMAT = 1
FENCE = "---"
_BLOCK = "|2-"
_INDENT = "  "
_OTHERWISE = ("prompt", "content", "text_sha256")
"""Fields that are no line of JSON: the two texts, and the digest of one of them."""
_FIELDS = msgspec.structs.fields(Response)
_REQUIRED = frozenset(field.name for field in _FIELDS if field.required)
_DEFAULTS = {field.name: field.default for field in _FIELDS}
_NOTHING: tuple[Any, ...] = ("", None, {}, [])

_NOT_PRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML does not let stand as it is, line breaks other than LF among it."""
_SURROGATES = re.compile("[\ud800-\udfff]")


class NotAResponse(ValueError):
    """The bytes are not a file of the history, or one of a newer format."""


def clean(text: str) -> str:
    """The text with U+FFFD for what no file can hold."""
    return _SURROGATES.sub("\ufffd", text)


def cleaned(value: Any) -> Any:
    """The same with all texts in it as `clean` makes them."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return type(value)(cleaned(each) for each in value)
    if isinstance(value, dict):
        return {name: cleaned(each) for name, each in value.items()}
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: cleaned(getattr(value, name)) for name in value.__struct_fields__})
    return value


def render(response: Response) -> bytes:
    """The file of a response."""
    fields: dict[str, Any] = msgspec.to_builtins(response)
    lines = [FENCE, f"format: {FORMAT}"]
    lines += [
        f"{name}: {_json(value)}"
        for name, value in fields.items()
        # What has no value (no command, no notebook, no price) has no line.
        if name not in _OTHERWISE and (name in _REQUIRED or value not in (*_NOTHING, _DEFAULTS.get(name)))
    ]
    lines += _prompt(clean(response.prompt))
    head = "\n".join([*lines, FENCE, ""])
    return (head + clean(response.content)).encode()


def parse(data: bytes) -> Response:
    """The response of a file.

    Raises
    ------
    NotAResponse
        It is not one.
    """
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    head, content = _split(text)
    fields = _fields(head)
    if fields.pop("format", None) != FORMAT:
        raise NotAResponse("no format of this version")
    try:
        # A file may have been edited: the digest is that of the text that is in it now.
        computed = {"content": content, "text_sha256": text_digest(content)}
        return msgspec.convert({**fields, **computed}, Response)
    except msgspec.ValidationError as failure:
        raise NotAResponse(str(failure)) from None


def _split(text: str) -> tuple[list[str], str]:
    """Lines of the front matter, and all that stands behind it."""
    lines: list[str] = []
    position = 0
    while True:
        end = text.find("\n", position)
        if end < 0:
            raise NotAResponse("no front matter")
        # An editor may have changed the line ends; those of the answer are its own business.
        line = text[position:end].removesuffix("\r")
        position = end + 1
        if line == FENCE and lines:
            return lines[1:], text[position:]
        lines.append(line)
        if lines[0] != FENCE:
            raise NotAResponse("no front matter")


def _fields(lines: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    position = 0
    while position < len(lines):
        name, colon, value = lines[position].partition(": ")
        position += 1
        if not colon:
            raise NotAResponse("a line without a name")
        if value == _BLOCK:
            end = position
            while end < len(lines) and (lines[end].startswith(_INDENT) or not lines[end]):
                end += 1
            fields[name] = "\n".join(line[len(_INDENT) :] for line in lines[position:end])
            position = end
            continue
        try:
            fields[name] = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            raise NotAResponse(f"`{name}` is not JSON") from None
    return fields


def _prompt(text: str) -> list[str]:
    # YAML readers differ in what they make of white space at the end of an indented text.
    ordinary = text and not text[-1].isspace() and not _NOT_PRINTABLE.search(text)
    if not ordinary:
        return [f"prompt: {_json(text)}"]
    return [f"prompt: {_BLOCK}", *((_INDENT + line) if line else "" for line in text.split("\n"))]


def _json(value: Any) -> str:
    text = msgspec.json.encode(cleaned(value)).decode()
    return _NOT_PRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
