"""The TypeScript types are those of the contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_localcoder.contract import typescript
from jupyter_localcoder.contract.registry import EVENTS, OPERATIONS

COMMITTED = Path(__file__).parents[2] / "labextension" / "src" / "contract.ts"


@pytest.fixture(scope="module")
def text() -> str:
    return typescript.render()


def block(text: str, head: str) -> str:
    """A declaration, from its first line to the brace that closes it."""
    match = re.search(rf"^export {re.escape(head)} \{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE)
    assert match, head
    return match[1]


def test_the_committed_file_is_up_to_date() -> None:
    assert typescript.main([str(COMMITTED), "--check"]) == 0


def test_drift_is_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "contract.ts"
    assert typescript.main([str(path), "--check"]) == 1
    assert not path.exists()
    assert typescript.main([str(path)]) == 0
    assert typescript.main([str(path), "--check"]) == 0
    path.write_text(path.read_text() + "// changed\n")
    capsys.readouterr()
    assert typescript.main([str(path), "--check"]) == 1
    assert "does not match the contract. Generate it again: python -m" in capsys.readouterr().err


def test_a_default_makes_a_field_optional_in_a_request(text: str) -> None:
    request = block(text, "interface CompleteRequest")
    assert "  prefix: string;" in request
    assert "  suffix?: string;" in request
    assert "  max_tokens?: number | null;" in request
    assert "  notebook?: NotebookContext | null;" in request


def test_every_field_is_there_in_a_reply(text: str) -> None:
    assert "?:" not in block(text, "interface Speeds")
    assert "  error: ErrorPayload | null;" in block(text, "interface ModelInfo")


def test_strings_of_a_set_are_a_named_union(text: str) -> None:
    assert "export type RunMode = 'performance' | 'stability';" in text
    assert "  run_mode: RunMode;" in block(text, "interface Settings")
    assert "  sources: Record<string, Layer>;" in block(text, "interface SettingsView")


def test_a_setting_can_be_absent_or_null(text: str) -> None:
    assert "  acceleration?: Acceleration | null;" in block(text, "interface SettingsUpdateRequest")


def test_frames_are_told_apart_by_their_type(text: str) -> None:
    assert "  type: 'delta';" in block(text, "interface Delta")
    assert "export type Frame = Started | Delta | Done | Failed;" in text


def test_descriptions_become_comments(text: str) -> None:
    assert "/** Tokens of one request. */\nexport interface Usage {" in text
    assert "``" not in text


def test_every_operation_and_event_is_there(text: str) -> None:
    types, table = block(text, "interface IOperations"), block(text, "const OPERATIONS =")
    for op in OPERATIONS:
        assert f"  '{op.name}': {{\n    request: {op.request.__name__};" in types
        assert f"  '{op.name}': {{ method: '{op.method}', path: '{op.path}'," in table
    events = block(text, "interface IEvents")
    for event in EVENTS:
        assert f"  '{event.name}': " in events


def test_every_type_that_is_named_is_declared(text: str) -> None:
    declared = set(re.findall(r"^export (?:interface|type) (\w+)", text, re.MULTILINE))
    code = re.sub(r"/\*.*?\*/|'[^']*'|^export const.*?;$", "", text, flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"\b([A-Z][A-Za-z]+)\b", code)) - {"Record"}
    assert named <= declared
