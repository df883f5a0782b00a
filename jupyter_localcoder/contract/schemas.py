"""JSON Schema of the contract's types, written alike with every version of msgspec.

The OpenAPI document and the TypeScript types are committed, and checked against what is generated. So nothing
in them may depend on a library's own habits: msgspec has changed whether a docstring keeps the indentation of
its source file, and the position of ``null`` in a union.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

Schema = dict[str, Any]

_NULL = {"type": "null"}


def components(types: Iterable[Any], ref_template: str) -> dict[str, Schema]:
    """Return the schemas of these types, and of those that they use, by name in alphabetical order.

    Parameters
    ----------
    ref_template
        How one schema refers to another one; ``{name}`` stands for its name.
    """
    # Sorted, because the order of a set of classes differs from process to process.
    ordered = sorted(types, key=lambda cls: str(cls.__name__))
    _, schemas = msgspec.json.schema_components(ordered, ref_template=ref_template)
    return {name: normalized(schema) for name, schema in sorted(schemas.items())}


def normalized(schema: Any) -> Any:
    """Return a copy without indentation in its descriptions, and with ``null`` last in each union."""
    if isinstance(schema, list):
        return [normalized(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: normalized(value) for name, value in schema.items()}
    # A property may be called "description" or "anyOf" too; its value is a schema then.
    if isinstance(copy.get("description"), str):
        copy["description"] = inspect.cleandoc(copy["description"])
    if isinstance(copy.get("anyOf"), list):
        copy["anyOf"] = sorted(copy["anyOf"], key=lambda part: part == _NULL)
    return copy
