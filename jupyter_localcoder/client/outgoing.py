"""What a request of the contract looks like in HTTP: method, path, query, body. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from ..contract import codec
from ..contract.registry import Operation

_IN_QUERY = frozenset({"GET", "DELETE"})


@dataclass(frozen=True)
class Outgoing:
    """One HTTP request, before anybody knows which server it goes to."""

    method: str
    path: str
    """Below the server's base URL, with the query."""
    body: bytes | None
    streams: bool


def outgoing(op: Operation[Any, Any], request: msgspec.Struct) -> Outgoing:
    """Spread the fields of a request over path, query and body, as its operation says.

    Fields that have their default value stay at home: an older server may not know them yet.
    """
    fields: dict[str, Any] = _changed(request)
    parts = {name: quote(codec.whole(str(getattr(request, name))), safe="") for name in op.path_fields}
    path = "localcoder/" + op.path.format(**parts)
    rest = {name: value for name, value in fields.items() if name not in parts}
    if op.method not in _IN_QUERY:
        return Outgoing(op.method, path, codec.encode(rest), op.streams)
    query = urlencode({name: codec.whole(_text(value)) for name, value in rest.items()})
    return Outgoing(op.method, f"{path}?{query}" if query else path, None, op.streams)


def _changed(request: msgspec.Struct) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for field in msgspec.structs.fields(request):
        value = getattr(request, field.name)
        default = field.default
        if default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if value is not msgspec.UNSET and (default is msgspec.NODEFAULT or value != default):
            changed[field.encode_name] = value
    return changed


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
