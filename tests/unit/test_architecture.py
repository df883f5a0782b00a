"""docs/architecture.md names every room, and no room that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Beside the rooms: what packaging and TypeScript want, what is made, and what every room stands in.
NO_ROOMS = {"__init__.py", "_version.py", "labextension", "index.ts", "svg.d.ts", "py.typed"}


def named(heading: str) -> set[str]:
    """The rooms in the first column of the table below a heading."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    columns = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name.rstrip("/") for column in columns for name in re.findall("`([^`]+)`", column)}


@pytest.mark.parametrize(
    ("heading", "folder"), [("Rooms", "jupyter_localcoder"), ("In the browser", "labextension/src")]
)
def test_the_rooms_are_those_of_the_tree(heading: str, folder: str) -> None:
    there = {
        path.name
        for path in (ROOT / folder).iterdir()
        if path.suffix in (".py", ".ts") or any(path.rglob("*.py")) or any(path.rglob("*.ts"))
    }
    assert named(heading) == there - NO_ROOMS
