"""Packages that add a type of provider, installed into a folder as pip does it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Any

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

from jupyter_localcoder.providers.installed import GROUP

_PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def install(folder: Path, package: str, module: str, source: str, entries: Mapping[str, str]) -> None:
    """Write a module, and the metadata of the package that has it.

    Parameters
    ----------
    entries
        Name of an entry point -> what it names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")


def documented() -> tuple[dict[str, Any], str]:
    """The example of the documentation: its pyproject.toml, and its module."""
    section = _PAGE.read_text(encoding="utf-8").split("## A new type of provider")[1]
    found = re.search(r"```toml\n(.*?)```.*?```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return tomllib.loads(found[1]), found[2]


def install_documented(folder: Path) -> None:
    """Install the example of the documentation."""
    project, source = documented()
    entries: dict[str, str] = project["project"]["entry-points"][GROUP]
    (module,) = {value.partition(":")[0] for value in entries.values()}
    install(folder, project["project"]["name"], module, source, entries)


def entry_points_in(folder: Path) -> Iterable[EntryPoint]:
    """What the packages of a folder declare, read by the standard library."""
    return [
        entry
        for found in distributions(path=[str(folder)])
        for entry in found.entry_points
        if entry.group == GROUP
    ]
