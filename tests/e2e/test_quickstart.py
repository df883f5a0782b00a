"""The quickstart notebook, as `make demo` runs it and as it runs without any server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.jupyter_server import REPOSITORY, own_environment
from tests.support.real_model import MODEL

QUICKSTART = REPOSITORY / "notebooks" / "quickstart.ipynb"
ASKING = ("explain", "improve", "fix", "generate", "coder", "first", "second")
"""Ids of the cells that ask the model."""


@pytest.fixture
def environment(tmp_path: Path, real_model: Path) -> dict[str, str]:
    return own_environment(tmp_path, real_model)


def test_it_runs_on_a_real_server(tmp_path: Path, environment: dict[str, str]) -> None:
    output = tmp_path / "ran.ipynb"
    script = REPOSITORY / "notebooks" / "run.py"
    run = subprocess.run(
        [sys.executable, str(script), str(QUICKSTART), "--output", str(output), "--model", MODEL],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    assert max(map(len, run.stdout.splitlines())) <= 80
    cells = read(output)
    assert_answered(cells)
    assert "Jupyter server at http://127.0.0.1:" in shown(cells["status"])
    assert shown(cells["explain"]).split()[:3] == words_below(run.stdout, "%%explain")[:3]


def test_it_runs_without_a_server(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same cells, with shorter answers."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(QUICKSTART, as_version=4)
    for cell in notebook.cells:
        cell.source = re.sub(r"--max-tokens \d+", "--max-tokens 30", cell.source)
    NotebookClient(notebook, timeout=120).execute()
    cells = {cell.id: cell for cell in notebook.cells}
    assert_answered(cells)
    assert "this process" in shown(cells["status"])


def read(path: Path) -> dict[str, Any]:
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


def assert_answered(cells: dict[str, Any]) -> None:
    """Each answer is there, and with it what it takes to ask for the same again."""
    for id_ in ASKING:
        records = [output.metadata["localcoder"] for output in answers(cells[id_])]
        assert [record["model"] for record in records] == [MODEL], id_
        assert len(records[0]["digest"]) == len(records[0]["prompt_sha256"]) == 64
        assert isinstance(records[0]["seed"], int)
        assert records[0]["finish"] in ("stop", "length")
        assert answers(cells[id_])[0].data["text/plain"].strip(" …"), id_
    assert answers(cells["first"])[0].metadata["localcoder"]["seed"] == 7
    assert shown(cells["same"]) == "True"
    assert "median" in shown(cells["explain"])
    assert "+     return sum(values) / len(values)" in shown(cells["fix"])


def answers(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if "localcoder" in output.get("metadata", {})]


def shown(cell: Any) -> str:
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(texts)


def words_below(transcript: str, magic: str) -> list[str]:
    """Words of the answer below a cell, which a blank line sets apart."""
    cell = transcript[transcript.index(magic) :]
    return cell.split("\n\n")[1].split()
