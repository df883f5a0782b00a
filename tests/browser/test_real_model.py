"""Ghost text that the real 0.5B model writes: nothing on the way is a test's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.ghost import SHOWN, Writer, until, write_notebook
from tests.browser.lab import Lab, running_lab
from tests.support.real_model import MODEL

playwright = pytest.importorskip("playwright.sync_api")

TABLE = "hive,varroa_per_100_bees,nectar_flow_kg\n1,4711,2.5\n2,4712,3.5\n"
# No cell names a column: only the kernel knows them.
READ = "import pandas as pd\n\nhives = pd.read_csv('hives.csv')"
QUESTION = 'hives["varroa'
ANSWER = '_per_100_bees"]'
ANSWER_SECONDS = 8


@pytest.fixture
def real_lab(real_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """JupyterLab with the real worker, and the model loaded."""
    monkeypatch.setenv("LOCALCODER_MODELS_DIR", str(real_model))
    with running_lab(tmp_path) as lab:
        lab.call("POST", f"models/{MODEL}/load", {})
        yield lab


def test_columns_of_a_frame_that_a_cell_has_read(page: Any, real_lab: Lab, tmp_path: Path) -> None:
    (real_lab.work / "hives.csv").write_text(TABLE)
    writer = Writer(page, real_lab)
    writer.enter()
    writer.open(write_notebook(real_lab, "hives.ipynb", READ, ""), wait_for_kernel=True)
    writer.run()
    writer.enter_cell(1)

    def is_suggested() -> bool:
        """Whether the question, typed anew, is answered so: the kernel may not have told its columns yet."""
        writer.press("Control+a", "Backspace")
        writer.type(QUESTION)
        with contextlib.suppress(playwright.TimeoutError):
            page.wait_for_function(f"() => {SHOWN} !== ''", timeout=ANSWER_SECONDS * 1000)
        return writer.ghost.startswith(ANSWER)

    until(is_suggested, seconds=60)
    page.screenshot(path=tmp_path / "columns.png")
    writer.press("Tab")
    assert writer.text.startswith(QUESTION + ANSWER)
    inspected = real_lab.call("POST", "context/inspect", {})
    assert '"varroa_per_100_bees"' in inspected["prompt"]
    assert "4711" not in inspected["prompt"]  # Names go along, values never.
    assert writer.complaints == []
