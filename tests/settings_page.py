"""The tables of docs/settings.md: everything that can be set, as the code declares it.

python -m tests.settings_page docs/settings.md [--check]
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from traitlets import Enum, TraitType
from traitlets.config import Configurable

from jupyter_localcoder.composition import CONFIGURABLES
from jupyter_localcoder.contract.providers import ProviderFields
from jupyter_localcoder.contract.settings import SettingsUpdateRequest
from jupyter_localcoder.server.app import LocalCoderApp
from jupyter_localcoder.settings import ENVIRONMENT_PREFIX, LocalCoderSettings

ROOT = Path(__file__).parents[1]
_SCHEMA = ROOT / "labextension" / "schema" / "plugin.json"
_BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_COLUMNS = ("name", "default", "unit", "meaning")
# By the end of the name: what a number counts.
_UNITS = {
    "_seconds": "seconds",
    "_minutes": "minutes",
    "_days": "days",
    "_ms": "milliseconds",
    "Pause": "milliseconds",
    "_bytes": "bytes",
    "_megabytes": "megabytes",
    "_tokens": "tokens",
    "completion_cells": "tokens",
    "context_window": "tokens",
    "_chars": "characters",
    "_share": "share, 0 to 1",
    "_log_probability": "natural logarithm",
}


def updated(page: str) -> str:
    """The page with what the code declares today in its blocks."""
    tables = {
        "settings": lambda: _table(("name", "environment", "default", "unit", "meaning"), _settings()),
        "traits": lambda: [line for cls in (*CONFIGURABLES, LocalCoderApp) for line in _class(cls)],
        "providers": lambda: _table(_COLUMNS, _fields(ProviderFields)),
        "jupyterlab": lambda: _table(_COLUMNS, _browser()),
    }
    return _BLOCK.sub(lambda match: match[1] + "\n".join(tables[match[2]]()) + match[3], page)


def _settings() -> Iterator[tuple[str, ...]]:
    traits = LocalCoderSettings.class_traits()
    for name in SettingsUpdateRequest.__struct_fields__:
        trait = traits[name]
        yield (
            f"`{name}`",
            f"`{ENVIRONMENT_PREFIX}{name.upper()}`",
            _value(trait.default()),
            _unit(name),
            _meaning(trait),
        )


def _class(cls: type[Configurable]) -> Iterator[str]:
    known = set(SettingsUpdateRequest.__struct_fields__) if cls is LocalCoderSettings else set()
    traits = {name: trait for name, trait in cls.class_own_traits(config=True).items() if name not in known}
    if traits:
        yield f"### `{cls.__name__}`\n"
        yield f"{(inspect.getdoc(cls) or '').splitlines()[0]}\n"
        rows = (
            (f"`{name}`", _default(cls, trait), _unit(name), _meaning(trait))
            for name, trait in sorted(traits.items())
        )
        yield from _table(_COLUMNS, rows)


def _fields(struct: type[msgspec.Struct]) -> Iterator[tuple[str, ...]]:
    meanings = dict(_documented(struct))
    for field in msgspec.structs.fields(struct):
        default = "required" if field.required else _value(field.default)
        yield f"`{field.name}`", default, _unit(field.name), meanings.get(field.name, "")


def _documented(struct: type) -> Iterator[tuple[str, str]]:
    """The strings below the fields of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, said in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(said, ast.Expr)
            and isinstance(said.value, ast.Constant)
        ):
            yield field.target.id, " ".join(str(said.value.value).replace("``", "`").split())


def _browser() -> Iterator[tuple[str, ...]]:
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    for name, declared in schema["properties"].items():
        yield f"`{name}`", _value(declared["default"]), _unit(name), declared["description"]


def _default(cls: type[Configurable], trait: TraitType[Any, Any]) -> str:
    # One that is made when it is asked for depends on the machine; the meaning says on what.
    return "" if trait.name in cls._trait_default_generators else _value(trait.default())


def _value(value: Any) -> str:
    if value is msgspec.UNSET or value is msgspec.NODEFAULT or value in (None, "", [], {}):
        return ""
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _unit(name: str) -> str:
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


def _meaning(trait: TraitType[Any, Any]) -> str:
    choices = (
        f" One of {', '.join(f'`{value}`' for value in trait.values or ())}."
        if isinstance(trait, Enum)
        else ""
    )
    return " ".join(str(trait.help).split()) + choices


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return [
        *("| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line) + " |" for line in lines),
        "",
    ]


def main() -> int:
    """Write the tables, or say that they are stale."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    before = given.path.read_text(encoding="utf-8")
    after = updated(before)
    if not given.check:
        given.path.write_text(after, encoding="utf-8")
    elif before != after:
        print(f"{given.path} is not what the code declares: run `make generate`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
