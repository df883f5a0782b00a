"""Numbers for people: one way of writing them, in Python and in the browser."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_localcoder
from jupyter_localcoder.text.units import context, duration, size, tokens_per_second

ROOT = Path(__file__).parents[3]
EXAMPLES = json.loads((ROOT / "labextension/tests/models/units.json").read_text())
"""The same ones that the browser's side is held to."""
PACKAGE = Path(jupyter_localcoder.__file__).parent
BY_HAND = re.compile(r"^ ?([kMGT]i?B|tokens/s)\b")


@pytest.mark.parametrize(("count", "text"), EXAMPLES["sizes"])
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), *EXAMPLES["durations"]])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("speed", "text"), EXAMPLES["speeds"])
def test_speeds(speed: float, text: str) -> None:
    assert tokens_per_second(speed) == text


@pytest.mark.parametrize(("tokens", "text"), EXAMPLES["contexts"])
def test_contexts(tokens: int, text: str) -> None:
    assert context(tokens) == text


def test_no_other_module_writes_sizes_or_speeds_by_hand() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "units.py"
        for line in units_by_hand(path.read_text())
    ]
    assert not found


def test_the_search_finds_what_it_looks_for() -> None:
    assert list(units_by_hand('f"{count / 1e9:.1f} GB free"\nf"{speed} tokens/s"')) == [1, 2]


def units_by_hand(code: str) -> Iterator[int]:
    """Lines of texts in which a unit follows a number that was filled in."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.JoinedStr):
            for before, after in zip(node.values, node.values[1:], strict=False):
                text = after.value if isinstance(after, ast.Constant) else ""
                if isinstance(before, ast.FormattedValue) and BY_HAND.match(str(text)):
                    yield node.lineno
