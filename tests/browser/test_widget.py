"""The model manager as a widget in a cell of a notebook, in a real JupyterLab."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.manager import WIDGET, apart, card, press, write_notebook
from tests.browser.patience import until
from tests.browser.themes import DARK, wear
from tests.browser.workshop import CODER, Workshop

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


def opened(page: Any, workshop: Workshop) -> Any:
    """Run the cell; the widget below it."""
    write_notebook(workshop.lab.work)
    page.goto(workshop.lab.page("lab/tree/widget.ipynb"))
    page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    )
    page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-all-cells'); }")
    widget = page.locator(WIDGET)
    expect(card(widget)).to_be_visible()
    return widget


def test_from_the_licence_to_a_loaded_model_in_a_cell(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    workshop.hold()
    widget = opened(page, workshop)
    badge = card(widget).locator(".localcoder-badge")
    expect(badge).to_have_text("not downloaded")

    press(widget, "Download…")
    text = card(widget).get_by_role("region", name=re.compile("Licence text"))
    expect(text).to_contain_text("TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION")
    page.screenshot(path=tmp_path / "licence.png")
    assert violations(page, WIDGET) == []
    assert workshop.source.requests == []
    press(widget, "Accept and download")

    bar = card(widget).get_by_role("progressbar")
    workshop.go_on(bar)
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^Downloading · [1-5]\d %: .*/s · .* left"))
    assert violations(page, WIDGET) == []
    page.screenshot(path=tmp_path / "downloading.png")
    press(widget, "Pause")
    expect(badge).to_have_text("paused")
    workshop.source.release()
    press(widget, "Resume")
    expect(badge).to_have_text("on this machine")
    expect(bar).to_have_count(0)

    press(widget, "Load")
    expect(badge).to_have_text("loaded")
    assert workshop.info(CODER)["loaded"]
    page.screenshot(path=tmp_path / "loaded.png")
    widget.get_by_role("button", name="Unload and free memory").click()
    expect(badge).to_have_text("on this machine")


def test_what_others_change_is_seen_and_everything_can_be_reached(
    page: Any, workshop: Workshop, tmp_path: Path
) -> None:
    workshop.fetch()
    widget = opened(page, workshop)
    for fold in ("Import a model from a file", "Model settings"):
        widget.get_by_role("button", name=re.compile(fold)).click()
    card(widget).get_by_role("button", name=re.compile("Details")).click()
    expect(widget.get_by_label("Air gap")).not_to_be_checked()
    assert apart(card(widget)) == []
    assert violations(page, WIDGET) == []
    workshop.call("PATCH", "settings", {"air_gap": True, "run_mode": "stability"})
    expect(widget.locator(".localcoder-gap")).to_contain_text("Air gap on.")
    expect(widget.get_by_label("Air gap")).to_be_checked()
    expect(widget.get_by_label("Run mode").locator("option:checked")).to_have_text(re.compile("^Stability"))
    widget.get_by_label("Run mode").select_option("Performance")
    expect(widget.get_by_label("Run mode")).to_be_enabled()
    expect(widget.get_by_label("Run mode").locator("option:checked")).to_have_text("Performance")
    until(lambda: workshop.call("GET", "settings")["settings"]["run_mode"] == "performance")

    field = widget.get_by_label("GGUF file or bundle")
    field.fill(str(workshop.folder / "nothing.gguf"))
    widget.get_by_role("button", name="Import", exact=True).click()
    alert = widget.get_by_role("alert")
    expect(alert).to_contain_text("nothing.gguf")
    # Beside its field, and before the next one.
    tops = [one.bounding_box()["y"] for one in (field, alert, widget.get_by_label("Name (optional)"))]
    assert tops == sorted(tops)
    expect(widget.get_by_role("button", name="Import", exact=True)).to_be_focused()
    page.screenshot(path=tmp_path / "everything.png", full_page=True)
    wear(page, DARK)
    page.screenshot(path=tmp_path / "dark.png")
    assert violations(page, WIDGET) == []


def test_with_the_keyboard_alone_the_place_is_never_lost(page: Any, workshop: Workshop) -> None:
    workshop.hold()
    widget = opened(page, workshop)

    def focused(label: str) -> None:
        button = card(widget).get_by_role("button", name=label, exact=True)
        expect(button).to_be_focused()

    def walk_to(label: str) -> None:
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.textContent") == label:
                return
        raise AssertionError(f"{label} is not reached")

    card(widget).get_by_role("button", name="Download…").focus()
    page.keyboard.press("Enter")
    licence = card(widget).get_by_role("region", name=re.compile("Licence text"))
    expect(licence).to_be_visible()
    focused("Download…")
    walk_to("Decline")
    page.keyboard.press("Enter")
    expect(licence).to_have_count(0)
    focused("Download…")
    page.keyboard.press("Enter")
    expect(licence).to_be_visible()
    walk_to("Accept and download")
    page.keyboard.press("Enter")
    focused("Pause")
    page.keyboard.press("Enter")
    focused("Resume")
    workshop.source.release()
    page.keyboard.press("Enter")
    focused("Load")
    page.keyboard.press("Enter")
    focused("Unload")
    expect(card(widget).locator(".localcoder-badge")).to_have_text("loaded")
    page.keyboard.press("Enter")
    focused("Load")


def test_notebook_7_has_it_too(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    workshop.fetch()
    write_notebook(workshop.lab.work)
    errors: list[str] = []
    # Notebook itself complains of settings that come before its shortcuts do, also without this extension.
    page.on("pageerror", lambda error: errors.append(error.stack) if "localcoder" in error.stack else None)
    page.goto(workshop.lab.page("notebooks/widget.ipynb"))
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first).to_be_attached()
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+Enter")
    widget = page.locator(WIDGET)
    badge = card(widget).locator(".localcoder-badge")
    expect(badge).to_have_text("on this machine")
    press(widget, "Load")
    expect(badge).to_have_text("loaded")
    expect(card(widget).get_by_role("button", name="Unload", exact=True)).to_be_focused()
    assert workshop.info(CODER)["loaded"]
    page.screenshot(path=tmp_path / "notebook-7.png")
    assert violations(page, WIDGET) == []
    assert errors == []
