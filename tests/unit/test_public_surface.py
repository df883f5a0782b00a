"""What is public: the modules and names that the documentation lists, no others, each with a docstring."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import jupyter_localcoder

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ROW = re.compile(r"^\| `(jupyter_localcoder[a-z_.]*)` \| (.*) \|$", re.MULTILINE)
WHOLE = "jupyter_localcoder.errors"
"""All of it is public; the page does not repeat its names."""
STARTED_BY_IMPORT = re.compile(r"\.__main__$|^jupyter_localcoder\.labextension")
BESIDE_JUPYTERHUB = "jupyter_localcoder.hub.routes"
"""Imports JupyterHub, which the tests install beside the environment."""


def documented() -> dict[str, set[str]]:
    """The table of the documentation: module -> names."""
    section = PAGE.read_text(encoding="utf-8").split("\n## From Python\n")[1].split("\n## ")[0]
    return {module: set(re.findall(r"`(\w+)`", names)) for module, names in ROW.findall(section)}


def modules() -> Iterator[ModuleType]:
    """Every module of the product."""
    yield jupyter_localcoder
    for found in pkgutil.walk_packages(jupyter_localcoder.__path__, "jupyter_localcoder."):
        if not STARTED_BY_IMPORT.search(found.name) and found.name != BESIDE_JUPYTERHUB:
            yield importlib.import_module(found.name)


def public_names(module: str) -> list[str]:
    names: list[str] = importlib.import_module(module).__all__
    return names


def public_objects() -> Iterator[tuple[str, Any]]:
    """Each public class, function and module, with the public members of the classes."""
    for module in documented():
        for name in public_names(module):
            thing = _found(module, name)
            if inspect.ismodule(thing):
                yield from _of_contract(thing)
            elif callable(thing) and hasattr(thing, "__module__") and _is_ours(thing):
                yield f"{module}.{name}", thing
                yield from _members(f"{module}.{name}", thing)


def test_what_is_public_is_what_the_page_says():
    declared = {module.__name__ for module in modules() if hasattr(module, "__all__")}
    assert declared == set(documented())
    for module, names in documented().items():
        if module != WHOLE:
            assert set(public_names(module)) == names, module


@pytest.mark.parametrize("module", documented())
def test_every_public_name_is_there(module):
    names = public_names(module)
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("_") and name != "__version__"]
    for name in names:
        _found(module, name)


def test_all_errors_are_public():
    errors = importlib.import_module(WHOLE)
    own = {
        name
        for name, thing in vars(errors).items()
        if inspect.isclass(thing) and issubclass(thing, errors.LocalCoderError)
    }
    assert own <= set(errors.__all__)


def test_every_public_object_has_a_docstring_of_its_own():
    found = list(public_objects())
    assert len(found) > 200
    # msgspec and dataclasses write one for a class that has none: it begins with the name.
    bare = [
        name
        for name, thing in found
        if not (inspect.getdoc(thing) or "").strip()
        or (inspect.isclass(thing) and (thing.__doc__ or "").startswith(f"{thing.__name__}("))
    ]
    assert bare == []


def test_public_functions_describe_their_parameters_and_what_they_return():
    """The sections of numpydoc; `ruff` checks how they are written."""
    missing = []
    for name, function in public_objects():
        if not inspect.isfunction(function):
            continue
        text, signature = inspect.getdoc(function) or "", inspect.signature(function)
        sections = set(re.findall(r"^(\w+)\n-{3,}$", text, re.MULTILINE))
        parameters = [each for each in signature.parameters if each not in ("self", "cls")]
        missing += [
            f"{name}: {each}" for each in parameters if not re.search(rf"^{each}$", text, re.MULTILINE)
        ]
        if parameters and "Parameters" not in sections:
            missing.append(f"{name}: Parameters")
        if signature.return_annotation != "None" and not sections & {"Returns", "Yields"}:
            missing.append(f"{name}: Returns")
    assert missing == []


def _found(module: str, name: str) -> Any:
    """What `from module import name` gives."""
    namespace: dict[str, Any] = {}
    exec(f"from {module} import {name}", namespace)
    return namespace[name]


def _is_ours(thing: Any) -> bool:
    return str(thing.__module__).startswith("jupyter_localcoder")


def _of_contract(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, thing in vars(module).items():
        defined = getattr(thing, "__module__", "") == module.__name__
        if not name.startswith("_") and defined and (inspect.isclass(thing) or inspect.isfunction(thing)):
            yield f"{module.__name__}.{name}", thing


def _members(name: str, owner: Any) -> Iterator[tuple[str, Any]]:
    if not inspect.isclass(owner):
        return
    for base in filter(_is_ours, owner.__mro__):
        for member, thing in vars(base).items():
            if not member.startswith("_") and isinstance(thing, (FunctionType, property)):
                yield f"{name}.{member}", thing
