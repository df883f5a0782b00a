"""What the real 0.5B model writes, for the first time and later: nothing on the way is a test's own."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder import models
from tests.browser.ghost import CELL, READY, SHOWN, STATUS, Writer, until, write_notebook
from tests.browser.lab import Lab, running_lab
from tests.browser.test_start import STEP, press, step
from tests.support.model_source import ModelSource, running_source, write_catalogue
from tests.support.real_model import MODEL

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

TABLE = "hive,varroa_per_100_bees,nectar_flow_kg\n1,4711,2.5\n2,4712,3.5\n"
# No cell names a column: only the kernel knows them.
READ = "import pandas as pd\n\nhives = pd.read_csv('hives.csv')"
QUESTION = 'hives["varroa'
ANSWER = '_per_100_bees"]'
# As on a fast machine that does nothing else: what a completion reads is not cut to what this one can.
PATIENT = {"Service": {"completion_latency_ms": 2000.0}}

CATALOGUE = Path(models.__file__).with_name("catalogue.json")
# Bounds, not expectations: the machine may be busy with other tests.
PATIENT_MS = 300_000
DOWNLOAD_MS = 300_000
FORMULA = "fahrenheit - 32"
# So common that the model is sure of what follows.
LINE = "add = lambda a, b: "
REST = "a + b"
# Continue, to the licence, accept, complete, open a notebook, its kernel, its cell.
CLICKS = 7
COUNT_CLICKS = "window.clicks = 0; addEventListener('pointerdown', () => { window.clicks += 1; }, true);"
WRITABLE = f"""() => {CELL}?.editor?.editor.hasFocus
  && {CELL}.editor.host.classList.contains('jp-mod-completer-enabled')"""


def suggested(writer: Writer, text: str) -> str:
    """What is suggested after this text, typed anew; empty where nothing is.

    A key that comes late lets something else be asked for, and then what is typed next ends it.
    """
    writer.press("Control+a", "Backspace")
    writer.type(text)
    writer.settle()
    writer.page.wait_for_function(
        f"() => {SHOWN} !== '' || document.querySelector('{STATUS}').dataset.working === 'false'",
        timeout=PATIENT_MS,
    )
    return writer.ghost


@pytest.fixture
def real_lab(real_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """JupyterLab with the real worker, and the model loaded."""
    monkeypatch.setenv("LOCALCODER_MODELS_DIR", str(real_model))
    with running_lab(tmp_path, config=PATIENT) as lab:
        lab.call("POST", f"models/{MODEL}/load", {})
        yield lab


def test_columns_of_a_frame_that_a_cell_has_read(page: Any, real_lab: Lab, tmp_path: Path) -> None:
    (real_lab.work / "hives.csv").write_text(TABLE)
    writer = Writer(page, real_lab)
    writer.enter()
    writer.open(write_notebook(real_lab, "hives.ipynb", READ, ""), wait_for_kernel=True)
    writer.run()
    writer.enter_cell(1)
    writer.knows("hives")
    until(lambda: suggested(writer, QUESTION).startswith(ANSWER), seconds=PATIENT_MS / 1000)
    page.screenshot(path=tmp_path / "columns.png")
    writer.press("Tab")
    assert writer.text.startswith(QUESTION + ANSWER)
    # A suggestion is shown, and can be accepted, while the rest of it is generated.
    page.wait_for_function(
        f"() => document.querySelector('{STATUS}').dataset.working === 'false'", timeout=PATIENT_MS
    )
    inspected = real_lab.call("POST", "context/inspect", {})
    assert '"varroa_per_100_bees"' in inspected["prompt"]
    assert "4711" not in inspected["prompt"]  # Names go along, values never.
    assert writer.complaints == []


@pytest.fixture
def empty_machine(
    real_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Lab, ModelSource]]:
    """JupyterLab on an empty machine, and who has the model; the first byte comes when it is released."""
    (file,) = real_model.glob(f"{MODEL}/*.gguf")
    built_in = json.loads(CATALOGUE.read_text())
    model = next(entry for entry in built_in["models"] if entry["id"] == MODEL)
    profile = next(profile for profile in built_in["profiles"] if profile["model"] == MODEL)
    models_dir = tmp_path / "models"
    monkeypatch.setenv("LOCALCODER_MODELS_DIR", str(models_dir))
    with running_source({file.name: file.read_bytes()}) as source:
        source.hold(0)
        catalogue = write_catalogue(
            tmp_path / "catalogue.json",
            model | {"sources": [{"type": "url", "url": f"{source.url}/{file.name}"}]},
            remove=[entry["id"] for entry in built_in["models"] if entry["id"] != MODEL],
            profiles=[profile],
        )
        (tmp_path / "lab").mkdir()
        config = {"ModelStore": {"catalogue_path": str(catalogue)}, **PATIENT}
        with running_lab(tmp_path / "lab", config=config, with_start_page=True) as lab:
            yield lab, source
    shutil.rmtree(models_dir)  # Half a gigabyte, which pytest would keep.


@pytest.mark.timeout(900, func_only=True)
def test_from_an_empty_machine_to_an_accepted_completion(
    page: Any, empty_machine: tuple[Lab, ModelSource], tmp_path: Path
) -> None:
    lab, source = empty_machine
    writer = Writer(page, lab)
    page.set_default_timeout(PATIENT_MS)
    page.add_init_script(COUNT_CLICKS)
    began = time.monotonic()
    page.goto(lab.page())
    press(step(page, "Where it runs"), "Continue")
    press(step(page, "Choose for this machine"), "Continue to the licence")
    licence = step(page, "Licence")
    assert source.requests == []
    press(licence, "Accept and download 491 MB")
    expect(step(page, "Download").get_by_role("progressbar")).to_be_visible(timeout=PATIENT_MS)
    source.release()

    expect(page.locator(STEP)).to_contain_text("Try it", timeout=DOWNLOAD_MS)
    attempt = step(page, "Try it")
    press(attempt, "Complete")
    expect(attempt.locator(".jp-LocalCoder-Start-ghost")).to_contain_text(FORMULA, timeout=PATIENT_MS)
    page.screenshot(path=tmp_path / "tried.png")

    press(attempt, "Open a notebook")
    # JupyterLab's own question, for a kernel.
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Select")).click()
    page.wait_for_function(READY, timeout=PATIENT_MS)
    page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first.click()
    page.wait_for_function(WRITABLE, timeout=PATIENT_MS)
    until(lambda: suggested(writer, LINE).startswith(REST), seconds=PATIENT_MS / 1000)
    page.screenshot(path=tmp_path / "suggested.png")
    writer.press("Tab")
    page.wait_for_function(f"text => {CELL}.model.sharedModel.getSource().startsWith(text)", arg=LINE + REST)
    seconds, clicks = round(time.monotonic() - began, 1), page.evaluate("() => window.clicks")
    print(f"From the page's load to the first accepted completion: {clicks} clicks, {seconds} s")
    assert clicks == CLICKS
    assert writer.complaints == []
