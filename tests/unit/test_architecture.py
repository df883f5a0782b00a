"""docs/architecture.md names every room, and no room that is not there."""

from __future__ import annotations

import ast
import collections
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Beside the rooms: what packaging and TypeScript want, what is made, and what every room stands in.
NO_ROOMS = {"__init__.py", "_version.py", "labextension", "index.ts", "py.typed"}


def named(heading: str, column: str) -> set[str]:
    """The rooms in the first column of a table below a heading; that column has this title."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = section.split(f"\n| {column} |")[1].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name.rstrip("/") for cell in cells for name in re.findall("`([^`]+)`", cell)}


def there(folder: str) -> set[str]:
    """The modules of a folder, and its folders that hold any."""
    return {
        path.name
        for path in (ROOT / folder).iterdir()
        if path.suffix in (".py", ".ts") or any(path.rglob("*.py")) or any(path.rglob("*.ts"))
    }


@pytest.mark.parametrize(
    ("heading", "column", "folder", "apart"),
    [
        ("Rooms", "room", "jupyter_localcoder", set()),
        ("In the browser", "folder", "labextension/src", set()),
        # Told in the sentence above the table.
        ("In the browser", "folder of `shared/`", "labextension/src/shared", {"ids.ts"}),
    ],
)
def test_the_rooms_are_those_of_the_tree(heading: str, column: str, folder: str, apart: set[str]) -> None:
    assert named(heading, column) == there(folder) - NO_ROOMS - apart


def test_the_rooms_of_completion_are_told() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("| `completion/` |")]
    rooms = {name for name in there("labextension/src/completion") if not name.endswith(".ts")}
    assert {name.rstrip("/") for name in re.findall("`([^`]+/)`", row.split("|")[2])} == rooms


def test_each_class_has_a_name_of_its_own() -> None:
    """A name that two classes share has to be looked up before it is understood."""
    names = collections.Counter(
        node.name
        for path in (ROOT / "jupyter_localcoder").rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []
