"""What the server has to tell, among JupyterLab's notifications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.patience import connected, heard, open_sidebar_of_notebook_7, settle
from tests.browser.themes import DARK, LIGHT, wear
from tests.browser.workshop import CODER, Workshop
from tests.support.tiny_model import write_tiny_model

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

BIG = "tiny-big"
TOAST = ".jp-toast-message"


def opened(page: Any, workshop: Workshop) -> None:
    """Open JupyterLab, and wait until it hears the server."""
    page.goto(workshop.lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    # What is told before the page listens is not for it.
    connected(page)


def ask(workshop: Workshop) -> str:
    """Ask for a few tokens; the model that answers."""
    done = workshop.call("POST", "generate", {"command": "prompt", "instruction": "Say it.", "max_tokens": 2})
    return str(done["model"]["id"])


@pytest.fixture
def between(workshop: Workshop, tmp_path: Path) -> int:
    """Two models, the big one chosen; bytes that suffice for the small one alone."""
    workshop.fetch(CODER)
    big = write_tiny_model(tmp_path / "big.gguf", layers=60)
    workshop.call("POST", "models/import", {"path": str(big), "id": BIG})
    workshop.call("PATCH", "settings", {"model": BIG, "general_model": BIG})
    needs = [int(workshop.info(model)["fit"]["needed_bytes"]) for model in (CODER, BIG)]
    assert needs[0] < needs[1]
    return sum(needs) // 2


def test_a_step_down_is_told_once_and_the_big_model_is_tried_again(
    page: Any, workshop: Workshop, between: int, tmp_path: Path
) -> None:
    opened(page, workshop)
    workshop.set_free_memory(between)
    assert ask(workshop) == CODER
    toast = page.get_by_role("alert").filter(has_text=f"There was not enough memory for {BIG}")
    expect(toast.locator(TOAST)).to_have_text(
        f"There was not enough memory for {BIG}: {CODER} is used instead."
    )
    page.screenshot(path=tmp_path / "notice.png")
    assert ask(workshop) == CODER
    heard(page)
    expect(toast).to_have_count(1)

    toast.get_by_role("button", name="Details").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("To try the larger model again, close notebooks or other programs")
    page.screenshot(path=tmp_path / "details.png")
    assert violations(page, ".jp-Dialog") == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(toast).to_be_visible()
    wear(page, DARK)
    page.screenshot(path=tmp_path / "notice-dark.png")
    wear(page, LIGHT)

    # Another page that comes later is told nothing, nor is this one when it is loaded anew.
    opened(page, workshop)
    heard(page)
    settle(page)
    assert page.evaluate("() => document.querySelectorAll('.jp-toast-message').length") == 0


def test_the_way_out_loads_the_big_model(page: Any, workshop: Workshop, between: int) -> None:
    opened(page, workshop)
    workshop.set_free_memory(between)
    assert ask(workshop) == CODER
    page.get_by_role("alert").get_by_role("button", name="Retry").click()
    refused = page.get_by_role("alert").filter(has_text=f"{BIG} needs")
    expect(refused.get_by_role("button", name="Open the models")).to_be_visible()
    refused.get_by_role("button", name="Open the models").click()
    expect(page.locator(".jp-LocalCoder-Models")).to_be_visible()
    expect(page.locator(TOAST)).to_have_count(0)


def test_notebook_7_is_told_too(page: Any, workshop: Workshop, between: int, tmp_path: Path) -> None:
    open_sidebar_of_notebook_7(page, workshop.lab.page("tree"))
    # Only a page that hears the server knows its models.
    expect(page.locator(f".jp-LocalCoder-Models [data-model='{BIG}']")).to_be_visible()
    workshop.set_free_memory(between)
    assert ask(workshop) == CODER
    toast = page.get_by_role("alert").filter(has_text=f"There was not enough memory for {BIG}")
    expect(toast.get_by_role("button", name="Retry")).to_be_visible()
    page.screenshot(path=tmp_path / "notebook-7.png")
