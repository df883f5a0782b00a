"""`notebooks/run.py`: what it says and leaves behind when a notebook does not run to its end."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from notebooks.run import Page, lacks_answer
from tests.support.jupyter_server import REPOSITORY, has_ended, own_environment, wait_until
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.workers import endless_in_server

SCRIPT = REPOSITORY / "notebooks" / "run.py"


def write(path: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env=own_environment(folder, folder / "models"),
        capture_output=True,
        text=True,
    )


def test_a_cell_that_fails_ends_the_run_and_what_ran_is_written(tmp_path: Path) -> None:
    notebook = write(tmp_path / "n.ipynb", "6 * 7", "1 / 0", "print('never')")
    output = tmp_path / "out.ipynb"
    ran = run(tmp_path, str(notebook), "--output", str(output))
    assert ran.returncode == 1
    assert ran.stderr.strip() == "Cell [2] failed: division by zero"
    assert "42" in ran.stdout
    assert "never'" not in ran.stdout
    cells = nbformat.read(output, as_version=4).cells
    assert cells[0].outputs[0].data["text/plain"] == "42"
    assert cells[1].outputs[0].ename == "ZeroDivisionError"


def test_a_cell_that_may_fail_does_not_end_the_run(tmp_path: Path) -> None:
    ran = run(tmp_path, str(write(tmp_path / "n.ipynb", "1 / 0", "6 * 7", tags=("raises-exception",))))
    assert ran.returncode == 0, ran.stderr
    assert "42" in ran.stdout


def test_a_magic_that_finds_no_model_says_what_to_do(tmp_path: Path) -> None:
    notebook = write(tmp_path / "n.ipynb", "%load_ext jupyter_localcoder", "%%explain\nx = 1")
    ran = run(tmp_path, str(notebook))
    assert ran.returncode == 1
    assert "MODEL_NOT_READY" in ran.stderr
    assert "jupyter localcoder models pull" in ran.stderr


def test_a_cell_that_takes_too_long_ends_the_run(tmp_path: Path) -> None:
    notebook = write(tmp_path / "n.ipynb", "import threading; threading.Event().wait()")
    ran = run(tmp_path, str(notebook), "--timeout", "1")
    assert ran.returncode == 1
    assert "--timeout allows more" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.ipynb"], "cannot be read"),
        (["broken.ipynb"], "is not a notebook"),
        (["good.ipynb", "--output", "nowhere/out.ipynb"], "there is no folder"),
    ],
)
def test_what_cannot_work_is_said_before_anything_starts(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    (tmp_path / "broken.ipynb").write_text("{")
    write(tmp_path / "good.ipynb")
    paths = [a if a.startswith("--") else str(tmp_path / a) for a in arguments]
    ran = run(tmp_path, *paths)
    assert ran.returncode == 1
    assert sentence in ran.stderr
    assert ran.stdout == ""


def test_an_interrupt_leaves_nothing_running(tmp_path: Path, real_model: Path) -> None:
    """It comes in the middle of an answer that would never end by itself."""
    endless_in_server(tmp_path / "config")
    notebook = write(
        tmp_path / "n.ipynb",
        "%load_ext jupyter_localcoder",
        "%%coder --max-tokens 2000\nWrite the numbers from 1 to 500, one per line.",
    )
    script = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(notebook)],
        env=own_environment(tmp_path, real_model),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert script.stdout is not None
    for line in script.stdout:
        if line.strip() == "5":
            break
    started = psutil.Process(script.pid).children(recursive=True)
    assert [child for child in started if "endless_worker" in " ".join(child.cmdline())]
    script.send_signal(signal.SIGINT)
    _, errors = script.communicate(timeout=PATIENCE_SECONDS)
    assert (script.returncode, errors.strip()) == (130, "Stopped.")
    wait_until(lambda: all(map(has_ended, started)))


@pytest.mark.parametrize(
    ("source", "answers", "lacks"),
    [
        ("%%explain\nx", ["It is x."], False),
        ("%%explain\nx", [""], True),
        ("%%explain\nx", ["…"], True),
        ("%fix", [], True),
        ("%localcoder status", [], False),
        ("x = 1", [], False),
    ],
)
def test_a_magic_without_an_answer_is_noticed(source: str, answers: list[str], lacks: bool) -> None:
    outputs: list[Any] = [
        nbformat.v4.new_output("display_data", {"text/plain": text}, metadata={"localcoder": {}})
        for text in answers
    ]
    assert lacks_answer(nbformat.v4.new_code_cell(source, outputs=outputs)) is lacks


@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_text_is_wrapped_the_same_way_however_it_comes(cut: int) -> None:
    text = "A line that is longer than the page.\n    indented = 'code'\n" + "x" * 50 + " y"
    out = io.StringIO()
    page = Page(out, width=30, indent=4)
    for start in range(0, len(text), cut):
        page.write(text[start : start + cut])
    page.end_block()
    assert out.getvalue().splitlines() == [
        "    A line that is longer than",
        "    the page.",
        "        indented = 'code'",
        "    " + "x" * 26,
        "    " + "x" * 24 + " y",
    ]
