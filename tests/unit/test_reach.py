"""What can be done with text, providers, queue, history and titles can be done from every front end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_localcoder.contract import registry

ROOT = Path(__file__).parents[2]
NOUNS = {"tab", "generate", "chat", "llm", "context", "queue", "provider", "response", "title"}
CONSTANTS = {
    op.name: constant
    for constant, op in vars(registry).items()
    if isinstance(op, registry.Operation) and op.name.partition(":")[0] in NOUNS
}
ELSEWHERE = {
    # Only an editor has a cursor to complete at; only a browser asks a kernel what it knows.
    "magics": {"tab:complete", "tab:cancel", "tab:warm", "context:probe"},
    # Ctrl-C closes the stream of a completion, which cancels it.
    "cli": {"tab:cancel", "tab:warm", "context:probe"},
    "sidebar": set(),
}


def source(folder: str, *endings: str) -> str:
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in endings]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.name != "contract.ts")


@pytest.mark.parametrize("front", ["magics", "cli"])
def test_every_operation_is_used_by(front: str):
    text = source(f"jupyter_localcoder/{front}", ".py")
    used = {name for name, constant in CONSTANTS.items() if re.search(rf"\b{constant}\b", text)}
    assert set(CONSTANTS) - used == ELSEWHERE[front]


def test_every_operation_is_used_by_the_browser():
    text = source("labextension/src", ".ts", ".tsx")
    used = {name for name in CONSTANTS if f"'{name}'" in text}
    assert set(CONSTANTS) - used == ELSEWHERE["sidebar"]


def test_the_browser_listens_to_every_event():
    text = source("labextension/src", ".ts", ".tsx")
    assert [event.name for event in registry.EVENTS if f"'{event.name}'" not in text] == []
