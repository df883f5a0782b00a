"""``clean``: notebooks keep their code, and lose what answers kept of other cells."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.cli.exits import ExitCode

Cli = Callable[..., Any]
REQUEST = {"command": "fix", "code": "own", "context": [{"source": "secret = 1"}], "error": "In[1]: secret"}
PRIVATE = {"command": "fix", "code": "hidden own", "private": True}


def written(notebook: Any) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False).replace("\ud800", "\\ud800") + "\n"


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    record = {"id": "r1", "prompt_sha256": "ab", "text_sha256": "cd"}
    own = {"localcoder": {**record, "request": REQUEST}, "mine": 1}
    private = {"localcoder": {**record, "request": PRIVATE}}
    output = {"output_type": "display_data", "data": {}, "metadata": {"localcoder": {"request": REQUEST}}}
    cells = [
        {"cell_type": "code", "source": "é = 1", "metadata": own, "outputs": [output]},
        {"cell_type": "code", "source": "'\ud800'", "metadata": private, "outputs": []},
        {"cell_type": "markdown", "source": "", "metadata": {}},
    ]
    path = tmp_path / "old.ipynb"
    path.write_text(written({"cells": cells, "nbformat": 4}), "utf-8")
    path.chmod(0o640)
    return path


def test_other_cells_and_what_was_private_go_and_all_else_stays(cli: Cli, notebook: Path) -> None:
    before = json.loads(notebook.read_text())
    ran = cli("clean", str(notebook))
    assert (ran.code, "in 3 records were removed" in ran.out) == (ExitCode.OK, True)
    text = notebook.read_text("utf-8")
    assert "secret" not in text
    assert "hidden" not in text
    after = json.loads(text)
    first, second, third = after["cells"]
    assert first["metadata"]["localcoder"] == {"id": "r1", "prompt_sha256": "ab", "text_sha256": "cd",
                                               "request": {"command": "fix", "code": "own"}}  # fmt: skip
    assert first["metadata"]["mine"] == 1
    assert second["metadata"]["localcoder"] == {"id": "r1", "prompt_sha256": "", "text_sha256": ""}
    assert third == before["cells"][2]
    assert [cell["source"] for cell in after["cells"]] == [cell["source"] for cell in before["cells"]]
    assert text == written(after), "it is written as Jupyter writes it"
    assert notebook.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in notebook.parent.iterdir()] == ["old.ipynb"]
    assert "is clean" in cli("clean", str(notebook)).out


def test_a_dry_run_writes_nothing(cli: Cli, notebook: Path) -> None:
    before = notebook.read_bytes()
    ran = cli("clean", "--dry-run", "--json", str(notebook))
    assert ran.json["dry_run"] is True
    assert ran.json["notebooks"][0]["answers"] == 3
    assert notebook.read_bytes() == before


@pytest.mark.parametrize("text", ["", "[]", "print(1)", '{"cells": 1}'])
def test_what_is_no_notebook_is_left_alone(cli: Cli, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    assert cli("clean", str(path)).code == ExitCode.USAGE
    assert path.read_text() == text
    assert cli("clean", str(tmp_path / "none.ipynb")).code == ExitCode.NOT_FOUND


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_is_not_waited_for(cli: Cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.ipynb")
    ran = cli("clean", str(tmp_path / "x.ipynb"))
    assert ran.code == ExitCode.FAILED
    assert "not a regular file" in ran.err
