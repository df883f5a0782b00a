"""The notebooks: as `make demo` runs them, and as they run without any server."""

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

NOTEBOOKS = REPOSITORY / "notebooks"
QUICKSTART = NOTEBOOKS / "quickstart.ipynb"
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


def test_the_models_notebook_runs_on_a_real_server(tmp_path: Path, environment: dict[str, str]) -> None:
    cells = ran("models", tmp_path, environment)
    assert f"{MODEL}  " in shown(cells["manager"])
    (widget,) = [output.data for output in cells["manager"].outputs if "data" in output]
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert_recorded(cells, ["ask"])
    assert "ready" in shown(cells["status"])
    assert "tokens/s" in shown(cells["status"])
    assert "unloaded" in shown(cells["unload"])


def test_the_commands_notebook_runs_on_a_real_server(tmp_path: Path, environment: dict[str, str]) -> None:
    cells = ran("commands", tmp_path, environment)
    assert_recorded(cells, ["explain", "document", "improve", "fix", "test", "generate"])
    assert "KeyError" in str(cells["fails"].outputs)
    assert "text is identical" in shown(cells["replay"])


def ran(name: str, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """The cells of a notebook, run as `make demo` runs the quickstart."""
    output = folder / f"{name}.ipynb"
    program = [sys.executable, str(NOTEBOOKS / "run.py"), str(NOTEBOOKS / f"{name}.ipynb")]
    run = subprocess.run(
        [*program, "--output", str(output), "--model", MODEL],
        env=environment, cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return read(output)


def assert_recorded(cells: dict[str, Any], asking: list[str]) -> None:
    """Each of these cells has one answer of the model."""
    for id_ in asking:
        records = [output.metadata["localcoder"] for output in answers(cells[id_])]
        assert [record["model"] for record in records] == [MODEL], id_
        assert answers(cells[id_])[0].data["text/plain"].strip(" …"), id_


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
