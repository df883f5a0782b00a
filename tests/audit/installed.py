"""The packages that an installation of the product brings, as they are installed here."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXTRAS = ("local", "widgets", "keys")
"""Those that users are told of; what tests and checks need runs at no user's."""


def project_table(project: Path) -> Any:
    """The table ``[project]`` of a ``pyproject.toml``."""
    return tomllib.loads(project.read_text(encoding="utf-8"))["project"]


def declared(project: Path) -> list[Requirement]:
    """The run-time requirements of a ``pyproject.toml``, with those of `EXTRAS`."""
    table = project_table(project)
    lines = [*table["dependencies"]]
    for extra in EXTRAS:
        lines += table["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def closure(wanted: Iterable[Requirement]) -> tuple[dict[str, str], list[str]]:
    """Versions of all packages that these need, by name, and names of those that are not installed here.

    Requirements whose marker does not hold on this machine are left out.
    """
    versions: dict[str, str] = {}
    missing: set[str] = set()
    seen: set[tuple[str, str]] = set()
    todo = [(requirement, "") for requirement in wanted]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            missing.add(name)
            continue
        versions[name] = found.version
        for each in {"", *requirement.extras}:
            if (name, each) not in seen:
                seen.add((name, each))
                todo += [(Requirement(line), each) for line in found.requires or ()]
    return dict(sorted(versions.items())), sorted(missing)
