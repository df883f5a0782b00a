"""The contract as TypeScript types, for the JupyterLab extension.

``python -m jupyter_localcoder.contract.typescript PATH`` writes the file, with ``--check`` it only tells
whether the file is up to date. The output depends only on the contract, so that a
difference means that only one side was changed.

A field with a default is optional in a request, since the service fills it in, and always there in
a reply, since the service always sends it. Ranges and patterns are no part of the types: the service
checks them. Those that a form needs, and other facts that both languages need, are in `constants`.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from .. import errors
from . import backend, common, generation, history, models, notebook, queue, settings, words
from .constants import FACTS, FORMS, Constant, Pattern
from .provenance import Provenance
from .registry import EVENTS, OPERATIONS, STREAM_FRAMES
from .schemas import Schema, components

_MODULES = (common, backend, models, settings, notebook, generation, queue, history, words)
_REFERENCE = "#/types/"
_LINE_CHARS = 100
_PRIMITIVES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}

_HEADER = """\
/*
 * Generated from the Python package jupyter_localcoder.contract. Do not edit.
 * To generate it again: python -m jupyter_localcoder.contract.typescript labextension/src/contract.ts
 */
"""


def render() -> str:
    """The whole TypeScript module."""
    blocks = [_HEADER]
    blocks += _literal_types()
    blocks += [_interface(name, schema) for name, schema in _schemas().items()]
    blocks += [
        _frame_union(),
        _operation_map(),
        _event_map(),
        _error_codes(),
        *_constants(),
        _fields(),
        *_words(),
        _operation_table(),
    ]
    return "\n".join(blocks)


def main(argv: list[str] | None = None) -> int:
    """Write the file, or check it; the exit status."""
    parser = argparse.ArgumentParser(prog="typescript", description="TypeScript types of the contract.")
    parser.add_argument("path", type=Path, help="the file to write")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if the file is out of date"
    )
    options = parser.parse_args(argv)
    text = render()
    if not options.check:
        options.path.write_text(text, encoding="utf-8")
        return 0
    if options.path.is_file() and options.path.read_text(encoding="utf-8") == text:
        return 0
    print(
        f"{options.path} does not match the contract. Generate it again: python -m "
        f"jupyter_localcoder.contract.typescript {options.path}",
        file=sys.stderr,
    )
    return 1


def _schemas() -> dict[str, Schema]:
    """JSON Schema of every struct that travels, by name."""
    types: set[Any] = {*STREAM_FRAMES, Provenance}
    for op in OPERATIONS:
        types |= {op.request, op.response}
    for event in EVENTS:
        types |= set(_members(event.payload))
    return components(types, _REFERENCE + "{name}")


def _members(type_: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type."""
    return get_args(type_) or (type_,)


def _literal_names() -> dict[str, tuple[str, ...]]:
    """The contract's own names for sets of strings, such as ``WorkerState``, with the strings."""
    return {
        name: get_args(value)
        for module in _MODULES
        for name, value in sorted(vars(module).items())
        if get_origin(value) is Literal and not name.startswith("_")
    }


def _literal_types() -> Iterator[str]:
    for name, values in sorted(_literal_names().items()):
        yield _union(name, [_quoted(value) for value in values])


def _union(name: str, members: list[str]) -> str:
    """A named union, on one line where it fits."""
    line = f"export type {name} = {' | '.join(members)};\n"
    if len(line) <= _LINE_CHARS:
        return line
    return "\n  | ".join([f"export type {name} =", *members]) + ";\n"


def _interface(name: str, schema: Schema) -> str:
    head = _comment(schema.get("description", ""), "")
    properties: Schema = schema.get("properties", {})
    if not properties:
        return f"{head}export type {name} = Record<string, never>;\n"
    # Unknown fields are forbidden in requests, and only there: `common.Request`.
    is_request = schema.get("additionalProperties") is False
    required = schema.get("required", [])
    lines = [f"{head}export interface {name} {{"]
    for field, field_schema in properties.items():
        mark = "?" if is_request and field not in required else ""
        lines.append(f"{_comment(_description(field_schema), '  ')}  {field}{mark}: {_type(field_schema)};")
    return "\n".join([*lines, "}\n"])


def _description(schema: Schema) -> str:
    """The description of a field, also when it stands at the one member that is not null."""
    texts = [
        schema.get("description", ""),
        *(part.get("description", "") for part in schema.get("anyOf", [])),
    ]
    return next((text for text in texts if text), "")


def _type(schema: Schema) -> str:
    """The TypeScript type of a JSON Schema, as far as msgspec makes them."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(part) for part in schema["anyOf"]))
    if "enum" in schema:
        return _enum(schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        item = _type(schema["items"])
        return f"({item})[]" if " " in item else f"{item}[]"
    if kind == "object":
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    if kind in _PRIMITIVES:
        return _PRIMITIVES[kind]
    raise TypeError(f"no TypeScript for the schema {schema}")


def _enum(values: list[str]) -> str:
    for name, named in _literal_names().items():
        if set(named) == set(values):
            return name
    return " | ".join(_quoted(value) for value in values)


def _frame_union() -> str:
    text = "Frames of a stream: one `Started`, any number of `Delta`, and one `Done` or `Failed`."
    return _comment(text, "") + _union("Frame", [cls.__name__ for cls in STREAM_FRAMES])


def _operation_map() -> str:
    lines = [_comment("Every operation, by name.", "") + "export interface IOperations {"]
    for op in OPERATIONS:
        errors = f"\nErrors: {', '.join(op.errors)}." if op.errors else ""
        lines += [
            f"{_comment(op.summary + errors, '  ')}  {_quoted(op.name)}: {{",
            f"    request: {op.request.__name__};",
            f"    response: {op.response.__name__};",
            f"    streams: {json.dumps(op.streams)};",
            "  };",
        ]
    return "\n".join([*lines, "}\n"])


def _event_map() -> str:
    lines = [_comment("Every event, by name, with its payload.", "") + "export interface IEvents {"]
    for event in EVENTS:
        payload = "Frame" if event.payload == generation.Frame else event.payload.__name__
        lines.append(f"{_comment(event.summary, '  ')}  {_quoted(event.name)}: {payload};")
    return "\n".join([*lines, "}\n"])


def _error_codes() -> str:
    text = "Every error code; a newer server may know more."
    rows = [f"  {code}: {_quoted(code)}" for code in sorted(errors.by_code())]
    return "\n".join([f"{_comment(text, '')}export const CODES = {{", ",\n".join(rows), "} as const;\n"])


def _constants() -> Iterator[str]:
    for fact in FACTS:
        yield f"{_comment(fact.comment, '')}export const {_constant(fact)};\n"


def _constant(fact: Constant | Pattern) -> str:
    """The declaration of a fact, without its comment."""
    if isinstance(fact, Pattern):
        return f"{fact.name} = {_regex(fact.source)}"
    if isinstance(fact.value, str):
        return f"{fact.name} = {_quoted(fact.value)}"
    items = _list([_quoted(item) for item in fact.value])
    return (
        f"{fact.name}: readonly {fact.type}[] = {items}" if fact.type else f"{fact.name} = {items} as const"
    )


def _regex(source: str) -> str:
    """A pattern as JavaScript writes it, where the end of a text is `$`."""
    return "/" + source.replace("\\Z", "$").replace("/", "\\/") + "/"


def _list(items: list[str]) -> str:
    """A list, on one line where it fits."""
    line = f"[{', '.join(items)}]"
    if len(line) <= _LINE_CHARS // 2:
        return line
    text = textwrap.fill(", ".join(items), _LINE_CHARS, break_long_words=False, break_on_hyphens=False)
    return f"[\n{textwrap.indent(text, '  ')}\n]"


def _words() -> Iterator[str]:
    """A function for each group of words; the texts stand in it as literals, for the collection of texts."""
    text = "The part of a translation bundle that words need."
    yield (
        f"{_comment(text, '')}export interface Translator {{\n"
        "  __(text: string, ...values: (string | number)[]): string;\n}\n"
    )
    for name, texts in words.GROUPS.items():
        keys = "\n  | ".join(_quoted(key) for key in texts)
        yield f"export type {_capital(name)} =\n  | {keys};\n"
        lines = [
            f"export function {name}(",
            f"  key: {_capital(name)},",
            "  trans: Translator" + ("," if any("%1" in text for text in texts.values()) else ""),
            *(["  ...values: (string | number)[]"] if any("%1" in text for text in texts.values()) else []),
            "): string {",
            "  switch (key) {",
        ]
        for key, text in texts.items():
            values = ", ...values" if "%1" in text else ""
            lines += [f"    case {_quoted(key)}:", f"      return trans.__({_quoted(text)}{values});"]
        yield "\n".join([*lines, "  }", "}\n"])


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


_LIMITS = {
    "minimum": "min",
    "exclusiveMinimum": "min",
    "maximum": "max",
    "maxLength": "maxLength",
    "maxItems": "maxItems",
}


def _fields() -> str:
    """Limits, patterns and defaults of the requests that forms make."""
    text = "Limits, patterns and defaults of fields of requests. The service may exclude a minimum itself."
    schemas = components(set(FORMS), _REFERENCE + "{name}")
    blocks = []
    for form in FORMS:
        properties: Schema = schemas[form.__name__]["properties"]
        rows = {name: _facts(schema) for name, schema in properties.items()}
        lines = ",\n".join(f"    {name}: {{ {facts} }}" for name, facts in rows.items() if facts)
        blocks.append(f"  {form.__name__}: {{\n{lines}\n  }}")
    return "\n".join([f"{_comment(text, '')}export const FIELDS = {{", ",\n".join(blocks), "} as const;\n"])


def _facts(schema: Schema) -> str:
    parts: Schema = {name: value for part in schema.get("anyOf", []) for name, value in part.items()} | schema
    facts = [f"{ours}: {_number(parts[theirs])}" for theirs, ours in _LIMITS.items() if theirs in parts]
    if "pattern" in parts:
        facts.append(f"pattern: {_regex(parts['pattern'])}")
    default = schema.get("default")
    if isinstance(default, str | int | float) and default != "":
        facts.append(f"default: {_quoted(default) if isinstance(default, str) else _number(default)}")
    return ", ".join(facts)


def _number(value: float) -> str:
    """A number or a truth value, without a point where it needs none."""
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _operation_table() -> str:
    text = "REST method and path of each operation, relative to `<base_url>localcoder/`."
    lines = [_comment(text, "") + "export const OPERATIONS = {"]
    rows = [
        f"  {_quoted(op.name)}: {{ method: {_quoted(op.method)}, path: {_quoted(op.path)}, "
        f"streams: {json.dumps(op.streams)} }}"
        for op in OPERATIONS
    ]
    return "\n".join([*lines, ",\n".join(rows), "} as const;\n"])


def _comment(text: str, indent: str) -> str:
    paragraphs = [line.strip() for line in text.strip().replace("``", "`").splitlines()]
    width = _LINE_CHARS - len(indent) - len(" * ")
    lines = [line for paragraph in paragraphs for line in textwrap.wrap(paragraph, width) or [""]]
    if not lines:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


if __name__ == "__main__":
    sys.exit(main())
