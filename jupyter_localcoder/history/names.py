"""Which names the files of the history may have. Pure.

An id that comes from outside never becomes a path as it is: a response's id is 16 hexadecimal digits, and a
prompt's id, which may be any short text, is turned into the name of a folder here.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from ..contract.common import RESPONSE_ID_PATTERN

SUFFIX = ".md"
DELETED_SUFFIX = ".deleted"
PART_SUFFIX = ".part"

_RESPONSE_ID = re.compile(RESPONSE_ID_PATTERN)
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_WINDOWS_NAMES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])\Z")
_DIGEST_CHARS = 16


def new_id() -> str:
    """An id for a response or a conversation."""
    return secrets.token_hex(8)


def is_response_id(text: str) -> bool:
    """Whether it can be the id of a response, and so the name of its file."""
    return _RESPONSE_ID.match(text) is not None


def folder_name(prompt_id: str) -> str:
    """The folder of a prompt: never the same for two ids, also where file names ignore case.

    A plain id is its own folder. Any other is cut down to letters that are safe everywhere, with a dot, which
    no plain id has, and a digest of the whole behind it.
    """
    if _PLAIN.match(prompt_id) and not _WINDOWS_NAMES.match(prompt_id):
        return prompt_id
    digest = hashlib.sha256(prompt_id.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
    readable = re.sub(r"[^a-z0-9]+", "-", prompt_id.lower()).strip("-")[:32].strip("-")
    if not readable or _WINDOWS_NAMES.match(readable):
        readable = "prompt"
    return f"{readable}.{digest}"


def prompt_id_of(text: str) -> str:
    """The id of a prompt that nobody has named: the same words have the same one."""
    return "p-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def file_name(response_id: str) -> str:
    """The file of a response in its prompt's folder."""
    return response_id + SUFFIX


def part_name(response_id: str) -> str:
    """A file that is still being written; a new one each time."""
    return f".{response_id}.{secrets.token_hex(4)}{PART_SUFFIX}"


def deleted_name(response_id: str) -> str:
    """A response's file while it is being deleted."""
    return f".{response_id}{DELETED_SUFFIX}"


def response_of(name: str, suffix: str = SUFFIX) -> str | None:
    """The id in the name of a file; None where it is not one of ours."""
    if not name.endswith(suffix):
        return None
    id_ = name[: -len(suffix)].removeprefix("" if suffix == SUFFIX else ".")
    return id_ if is_response_id(id_) else None
