"""The OpenAPI 3.1 document, made from the contract.

``python -m jupyter_localcoder.server.openapi docs/openapi.json`` writes it; with ``--check`` it only
says whether the file is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from .._version import __version__
from ..contract.common import ErrorPayload
from ..contract.generation import Failed
from ..contract.registry import COMMON_ERRORS, OPERATIONS, STREAM_FRAMES, Operation
from ..contract.schemas import components
from .status import status_of

_REF = "#/components/schemas/{name}"
_ENDS = (
    "One `started` frame, any number of `delta` frames, then one final frame. A request that is "
    "cancelled or times out after the model has started to answer finishes with `done`: `finish` is "
    "`canceled` or `timeout`, `code` is `CANCELED` or `TIMEOUT`, `text` is the partial answer, and the "
    "status is 200. Before that, a cancellation returns the error `CANCELED` (499) and a timeout returns "
    "`TIMEOUT` (504); a completion while typing that times out always finishes with `done`. Closing the "
    "connection cancels the request."
)


def openapi(server_url: str = "/localcoder") -> dict[str, Any]:
    """Return the document, for a server at this URL."""
    types: list[Any] = [op.request for op in OPERATIONS]
    types += [op.response for op in OPERATIONS]
    types += [*STREAM_FRAMES, Failed, ErrorPayload]
    schemas = components(types, _REF)
    schemas["Error"] = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"$ref": _REF.format(name="ErrorPayload")}},
    }
    paths: dict[str, dict[str, Any]] = {}
    for op in OPERATIONS:
        paths.setdefault("/" + op.path, {})[op.method.lower()] = _operation(op, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter_localcoder",
            "version": __version__,
            "description": "A coding assistant for Jupyter that runs on this machine.",
        },
        "servers": [{"url": server_url}],
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token TOKEN`, with the token of the Jupyter server.",
                }
            },
        },
    }


def _operation(op: Operation[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": op.name,
        "summary": op.summary,
        "x-action": op.action,
        "responses": _responses(op),
    }
    properties = schemas[op.request.__name__].get("properties", {})
    required = schemas[op.request.__name__].get("required", [])
    in_query = op.method in ("GET", "DELETE")
    parameters = [
        {
            "name": name,
            "in": "path" if name in op.path_fields else "query",
            "required": name in op.path_fields or name in required,
            "schema": schema,
        }
        for name, schema in properties.items()
        if name in op.path_fields or in_query
    ]
    if op.streams:
        described["description"] = _ENDS
    if parameters:
        described["parameters"] = parameters
    if not in_query:
        described["requestBody"] = {"content": {"application/json": {"schema": _body(op, schemas)}}}
    return described


def _body(op: Operation[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The request without what travels in the path."""
    if not op.path_fields:
        return {"$ref": _REF.format(name=op.request.__name__)}
    whole = schemas[op.request.__name__]
    return {
        **whole,
        "properties": {n: s for n, s in whole["properties"].items() if n not in op.path_fields},
        "required": [n for n in whole.get("required", []) if n not in op.path_fields],
    }


def _responses(op: Operation[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {
        "application/json": {"schema": {"$ref": _REF.format(name=op.response.__name__)}}
    }
    if op.streams:
        frames = [{"$ref": _REF.format(name=frame.__name__)} for frame in STREAM_FRAMES]
        content["text/event-stream"] = {"schema": {"oneOf": frames}}
    by_status: dict[int, list[str]] = {}
    for code in (*COMMON_ERRORS, *op.errors):
        by_status.setdefault(status_of(code), []).append(code)
    responses: dict[str, Any] = {"200": {"description": "The answer.", "content": content}}
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}},
        }
    return responses


def main(arguments: list[str]) -> int:
    """Write the document, or check it."""
    check = "--check" in arguments
    (name,) = [argument for argument in arguments if argument != "--check"]
    text = msgspec.json.format(msgspec.json.encode(openapi()), indent=2) + b"\n"
    path = Path(name)
    if not check:
        path.write_bytes(text)
        return 0
    if path.exists() and path.read_bytes() == text:
        return 0
    print(f"{name} does not match the contract; run `make generate`.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
