"""The model manager in Voilà: no JupyterLab around it, no server of ours behind it.

The service runs inside the kernel, and the page is made anew whenever it is loaded.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.lab import BUILT, START_SECONDS, free_port, own_environment
from tests.browser.manager import WIDGET, apart, card, press, write_notebook
from tests.browser.workshop import CODER
from tests.support.model_source import ModelSource, running_source, write_catalogue
from tests.support.tiny_model import write_tiny_model

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


@pytest.fixture
def source(tmp_path: Path) -> Iterator[ModelSource]:
    with running_source({f"{CODER}.gguf": write_tiny_model(tmp_path / "tiny.gguf").read_bytes()}) as source:
        yield source


@pytest.fixture
def address(tmp_path: Path, source: ModelSource) -> Iterator[str]:
    """Voilà, serving a notebook with the manager on a machine that has no model yet."""
    found = importlib.util.find_spec("voila")
    if found is None or found.origin is None:
        pytest.skip("Voilà is not installed: `make browser` puts it beside the environment")
    root = Path(found.origin).parents[1]
    environment = own_environment(tmp_path, False, {})
    environment["PYTHONPATH"] += os.pathsep + str(root)
    environment["JUPYTER_PATH"] = str(root / "share" / "jupyter")
    environment["LOCALCODER_MODELS_DIR"] = str(tmp_path / "models")
    # It follows no links, and what a person has installed is none.
    extension = tmp_path / "data" / "labextensions" / "jupyter-localcoder"
    extension.unlink()
    shutil.copytree(BUILT, extension)
    profile = tmp_path / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    catalogue = write_catalogue(tmp_path / "catalogue.json", source.entry(CODER, f"{CODER}.gguf"))
    (profile / "ipython_config.json").write_text(
        json.dumps({"ModelStore": {"catalogue_path": str(catalogue)}})
    )
    write_notebook(tmp_path)
    port = free_port()
    command = ("-m", "voila", "--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}", "--theme=dark")
    log = tmp_path / "voila.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, "widget.ipynb"],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"http://127.0.0.1:{port}/voila/static/none"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return True
        return True
    return False


def test_a_model_is_fetched_and_loaded_in_a_page_of_voila(page: Any, address: str, tmp_path: Path) -> None:
    # Voilà's page asks for a font of another machine, and goes without.
    page.route(lambda url: not url.startswith(address), lambda route: route.abort())
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    widget = page.locator(WIDGET)
    badge = card(widget).locator(".localcoder-badge")
    expect(badge).to_have_text("not downloaded")
    press(widget, "Download…")
    press(widget, "Accept and download")
    expect(badge).to_have_text("on this machine")
    press(widget, "Load")
    expect(badge).to_have_text("loaded")
    card(widget).get_by_role("button", name="Details").click()
    assert apart(card(widget)) == []
    page.screenshot(path=tmp_path / "voila.png")
    assert violations(page, WIDGET) == []
    page.reload()
    expect(badge).to_have_text("on this machine")
    assert errors == []
