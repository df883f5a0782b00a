"""The tab of the models: what a person does with them, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.patience import leave_out_lost_server, open_sidebar_of_notebook_7
from tests.browser.test_channel import STREAM
from tests.browser.themes import THEMES, wear
from tests.browser.workshop import CODER, DAMAGED, ENORMOUS, GENERAL, Workshop

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

PANEL = ".jp-LocalCoder-Models"
IS_INSIDE = f"() => document.querySelector('{PANEL}').contains(document.activeElement)"
NAME = {CODER: "Tiny tiny-coder", GENERAL: "Tiny general"}
# The status bar lists first what was used last.
BOTH_READY = re.compile(
    f"^Local: ready · ({NAME[CODER]}, {NAME[GENERAL]}|{NAME[GENERAL]}, {NAME[CODER]})( · .* tokens/s)?$"
)


def opened(page: Any, workshop: Workshop) -> Any:
    """Open JupyterLab and the panel; the panel."""
    page.goto(workshop.lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:open-models'); }")
    panel = page.locator(PANEL)
    expect(card(panel, CODER)).to_be_visible()
    return panel


def card(panel: Any, model: str) -> Any:
    return panel.locator(f"[data-model='{model}']")


def badge(panel: Any, model: str) -> Any:
    return card(panel, model).locator(".jp-LocalCoder-badge")


def press(panel: Any, model: str, label: str) -> None:
    card(panel, model).get_by_role("button", name=re.compile(f"^{label}")).click()


def details(panel: Any, model: str) -> Any:
    press(panel, model, "Details of")
    return card(panel, model).locator(".jp-LocalCoder-Model-details")


def accept(page: Any) -> None:
    page.get_by_role("button", name="Accept and download").click()


def held(panel: Any, workshop: Workshop) -> int:
    """Wait until the download has got somewhere; the byte behind which it stops."""
    bar = card(panel, CODER).get_by_role("progressbar")
    most = workshop.go_on(bar)
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^Downloading · [1-4]\d %: .*/s · .* left"))
    return most


def test_what_is_not_accepted_is_not_fetched(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    panel = opened(page, workshop)
    press(panel, CODER, "Download")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Apache License 2.0")
    text = dialog.get_by_role("region", name=re.compile("Licence text"))
    expect(text).to_contain_text("TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION")
    page.screenshot(path=tmp_path / "licence.png")
    assert violations(page, ".jp-Dialog") == []
    page.get_by_role("button", name="Decline").click()
    expect(dialog).to_have_count(0)
    expect(badge(panel, CODER)).to_have_text("not downloaded")
    assert workshop.source.requests == []
    assert not workshop.info(CODER)["license_accepted"]


def test_a_download_is_paused_resumed_and_whole(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    workshop.hold()
    panel = opened(page, workshop)
    press(panel, CODER, "Download")
    accept(page)
    most = held(panel, workshop)
    bar = card(panel, CODER).get_by_role("progressbar")
    page.screenshot(path=tmp_path / "downloading.png")
    press(panel, CODER, "Pause")
    expect(badge(panel, CODER)).to_have_text("paused")
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^Paused · \d+ %"))
    kept = workshop.info(CODER)["received_bytes"]
    assert 0 < kept <= most
    workshop.source.release()
    press(panel, CODER, "Resume")
    expect(badge(panel, CODER)).to_have_text("on this machine")
    expect(bar).to_have_count(0)
    assert [start for _, start in workshop.source.requests] == [0, kept]
    expect(page.get_by_role("status").filter(has_text=f"{NAME[CODER]} is ready.")).to_have_count(1)


def test_a_cancelled_download_leaves_nothing(page: Any, workshop: Workshop) -> None:
    workshop.hold()
    panel = opened(page, workshop)
    press(panel, CODER, "Download")
    accept(page)
    expect(badge(panel, CODER)).to_have_text("downloading")
    press(panel, CODER, "Cancel")
    expect(badge(panel, CODER)).to_have_text("not downloaded")
    assert not (workshop.models / CODER).exists()


def test_wrong_bytes_and_a_full_disk_are_a_sentence_and_leave_nothing(page: Any, workshop: Workshop) -> None:
    panel = opened(page, workshop)
    press(panel, DAMAGED, "Download")
    accept(page)
    expect(badge(panel, DAMAGED)).to_have_text("error")
    expect(card(panel, DAMAGED)).to_contain_text("does not match its expected digest")
    expect(card(panel, DAMAGED).get_by_role("button", name=re.compile("^Try again"))).to_be_enabled()
    assert not list((workshop.models / DAMAGED).glob("**/*.part"))
    press(panel, ENORMOUS, "Download")
    expect(card(panel, ENORMOUS)).to_contain_text(re.compile(r"The disk has .* free; 9 PB is needed"))
    press(panel, ENORMOUS, "Dismiss")
    expect(badge(panel, ENORMOUS)).to_have_text("not downloaded")


def test_load_measure_unload(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    workshop.fetch()
    panel = opened(page, workshop)
    press(panel, CODER, "Load")
    expect(badge(panel, CODER)).to_have_text("loaded")
    expect(card(panel, CODER)).to_contain_text(re.compile(r"Writes \d[\d.,]* tokens/s here"))
    expect(card(panel, CODER)).to_contain_text(re.compile(r"Fits: needs \d.* available"))
    rows = details(panel, CODER)
    for row in ("SHA-256", "KV cache for", "Available now", "Freed by unloading the loaded model"):
        expect(rows).to_contain_text(row)
    # A column of single letters is no value; the sidebar is as narrow as it comes.
    assert rows.locator("dd").first.evaluate("value => value.clientWidth") > 80
    page.screenshot(path=tmp_path / "loaded.png")
    panel.get_by_role("button", name="Unload and free memory").click()
    expect(badge(panel, CODER)).to_have_text("on this machine")
    expect(panel).to_contain_text("No model is loaded.")


def test_one_model_completes_while_the_other_one_answers(
    page: Any, workshop: Workshop, tmp_path: Path
) -> None:
    """Both stay in memory: neither is loaded again for what the other one is asked."""
    for model in (CODER, GENERAL):
        workshop.fetch(model)
    workshop.call("PATCH", "settings", {"model": CODER, "general_model": GENERAL})
    panel = opened(page, workshop)
    expect(card(panel, CODER)).to_contain_text("answers code")
    expect(card(panel, GENERAL)).to_contain_text("answers general questions")
    for model in (CODER, GENERAL):
        press(panel, model, "Load")
        expect(badge(panel, model)).to_have_text("loaded")
    expect(badge(panel, CODER)).to_have_text("loaded")
    expect(panel).to_contain_text("Together they use")
    status = page.locator(".jp-LocalCoder-StatusItem button")
    expect(status).to_have_text(BOTH_READY)
    generation = workshop.call("GET", "health")["generation"]
    for op, payload, expected in (
        ("tab:complete", {"prefix": "import ", "max_tokens": 8}, CODER),
        ("chat", {"messages": [{"role": "user", "content": "Why?"}], "max_tokens": 8}, GENERAL),
        ("tab:complete", {"prefix": "return ", "max_tokens": 8}, CODER),
    ):
        answer = page.evaluate(STREAM, [op, payload, -1])["ended"]
        assert answer["type"] == "done", answer
        assert answer["model"]["id"] == expected
    expect(status).to_have_text(BOTH_READY)
    assert workshop.call("GET", "health")["generation"] == generation
    page.screenshot(path=tmp_path / "both.png")
    assert violations(page, PANEL) == []
    press(panel, GENERAL, "Unload")
    expect(badge(panel, GENERAL)).to_have_text("on this machine")
    expect(badge(panel, CODER)).to_have_text("loaded")
    expect(status).to_have_text(f"Local: ready · {NAME[CODER]}")


def test_what_does_not_fit_is_refused_with_the_numbers_and_loaded_anyway(
    page: Any, workshop: Workshop
) -> None:
    workshop.fetch()
    workshop.set_free_memory(20_000_000)
    panel = opened(page, workshop)
    expect(card(panel, CODER)).to_contain_text(re.compile(r"Does not fit: needs [\d.]+ MB, 20 MB available"))
    press(panel, CODER, "Load")
    note = card(panel, CODER).locator(".jp-LocalCoder-Note")
    expect(note).to_contain_text(re.compile(r"needs [\d.]+ MB of memory with a context of 2048 tokens"))
    expect(badge(panel, CODER)).to_have_text("on this machine")
    note.get_by_role("button", name="Load anyway").click()
    expect(badge(panel, CODER)).to_have_text("loaded")
    expect(note).to_have_count(0)


def test_imports_take_models_and_nothing_else(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    panel = opened(page, workshop)
    panel.get_by_text("Import a model from a file").click()
    path, name = panel.get_by_label("GGUF file or bundle"), panel.get_by_label("Name (optional)")
    button = panel.get_by_role("button", name="Import", exact=True)
    note = panel.locator("form .jp-LocalCoder-Note")

    text = tmp_path / "notes.gguf"
    text.write_text("no model at all")
    path.fill(str(text))
    button.click()
    expect(note).to_contain_text("it is not a GGUF model")
    expect(note).to_be_in_viewport()
    page.screenshot(path=tmp_path / "refused.png")

    name.fill("a/b")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(button).to_be_disabled()
    name.fill("mine")

    path.fill(str(tmp_path / "nowhere.gguf"))
    button.click()
    expect(note).to_contain_text("was not found")
    assert not (workshop.models / "mine").exists()

    path.fill(str(workshop.folder / f"{GENERAL}.gguf"))
    button.click()
    expect(badge(panel, "mine")).to_have_text("on this machine")
    expect(note).to_contain_text("is imported")
    expect(path).to_have_value("")


def test_verify_pin_export_delete(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    workshop.fetch()
    panel = opened(page, workshop)
    more = details(panel, CODER)
    more.get_by_role("button", name=re.compile("^Pin")).click()
    expect(card(panel, CODER)).to_contain_text("pinned to its current version")
    more.get_by_role("button", name=re.compile("^Verify")).click()
    expect(card(panel, CODER)).to_contain_text("Verified: the digest is correct")

    more.get_by_role("button", name=re.compile("^Export")).click()
    page.get_by_role("dialog").get_by_role("textbox").fill(str(tmp_path))
    page.get_by_role("button", name="Export", exact=True).click()
    expect(card(panel, CODER)).to_contain_text(f"Written to {tmp_path}/{CODER}.localcoder")
    assert (tmp_path / f"{CODER}.localcoder" / "LICENSE.txt").is_file()

    more.get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(badge(panel, CODER)).to_have_text("on this machine")
    more.get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(badge(panel, CODER)).to_have_text("not downloaded")
    assert not (workshop.models / CODER).exists()


def test_what_lies_in_place_of_the_file_is_not_used(page: Any, workshop: Workshop) -> None:
    workshop.fetch()
    (file,) = (workshop.models / CODER).glob("*.gguf")
    file.unlink()
    file.symlink_to(workshop.folder / f"{CODER}.gguf")
    panel = opened(page, workshop)
    expect(badge(panel, CODER)).to_have_text("error")
    expect(card(panel, CODER)).to_contain_text("not a regular file")
    details(panel, CODER).get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(badge(panel, CODER)).to_have_text("not downloaded")
    assert (workshop.folder / f"{CODER}.gguf").is_file()


def test_two_tabs_are_in_step(page: Any, workshop: Workshop) -> None:
    other = page.context.new_page()
    here, there = opened(page, workshop), opened(other, workshop)
    workshop.hold()
    press(here, CODER, "Download")
    accept(page)
    held(there, workshop)
    press(there, CODER, "Pause")
    expect(badge(here, CODER)).to_have_text("paused")
    workshop.source.release()
    press(there, CODER, "Resume")
    for panel in (here, there):
        expect(badge(panel, CODER)).to_have_text("on this machine")

    there.get_by_text("Model settings").click()
    there.get_by_role("switch", name="Air gap").check()
    expect(here.get_by_text("Air gap on")).to_be_visible()
    press(here, GENERAL, "Download")
    expect(card(here, GENERAL)).to_contain_text("the air gap is on")

    here.get_by_label("Profile").select_option("Balanced")
    expect(there.get_by_label("Profile")).to_have_value("Balanced")
    # The profile's other model is not here.
    expect(card(there, CODER)).to_contain_text("answers code and general questions")


def test_a_second_tab_does_not_delete_what_the_first_one_uses(page: Any, workshop: Workshop) -> None:
    workshop.fetch()
    other = page.context.new_page()
    here, there = opened(page, workshop), opened(other, workshop)
    # The question is asked before the first tab loads, and answered after it.
    details(there, CODER).get_by_role("button", name=re.compile("^Delete")).click()
    press(here, CODER, "Load")
    expect(badge(here, CODER)).to_have_text("loaded")
    other.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card(there, CODER)).to_contain_text("is loaded")
    expect(badge(here, CODER)).to_have_text("loaded")
    assert workshop.info(CODER)["loaded"]


def test_a_restart_of_the_server_in_mid_download_can_be_gone_on_from(page: Any, workshop: Workshop) -> None:
    workshop.hold()
    panel = opened(page, workshop)
    press(panel, CODER, "Download")
    accept(page)
    held(panel, workshop)
    leave_out_lost_server(page)
    workshop.lab.stop()
    expect(panel).to_contain_text("Connection to the Jupyter server lost")
    workshop.lab.start()
    expect(badge(panel, CODER)).to_have_text("paused")
    workshop.source.release()
    press(panel, CODER, "Resume")
    expect(badge(panel, CODER)).to_have_text("on this machine")
    assert workshop.source.requests[-1][1] > 0


def test_by_the_keyboard_alone(page: Any, workshop: Workshop) -> None:
    panel = opened(page, workshop)
    expect(panel).to_be_focused()
    keys = page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(60):
            keys.press("Tab")
            focused = page.evaluate(
                "() => document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"
            )
            if focused.startswith(name):
                return
        raise AssertionError(f"{name} was not reached")

    tab_to(f"Download…: {NAME[CODER]}")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to("Accept and download")
    keys.press("Enter")
    expect(badge(panel, CODER)).to_have_text("on this machine")
    page.wait_for_function(IS_INSIDE)  # the button that was pressed is gone
    expect(card(panel, CODER).get_by_role("button", name=f"Load: {NAME[CODER]}")).to_be_enabled()
    tab_to(f"Load: {NAME[CODER]}")
    keys.press("Enter")
    expect(badge(panel, CODER)).to_have_text("loaded")
    page.wait_for_function(IS_INSIDE)  # the button could not be used while the model was loaded
    tab_to("Model settings")
    keys.press("Enter")
    keys.press("Tab")  # The switch of the air gap follows its summary.
    keys.press("Space")
    expect(panel.get_by_text("Air gap on")).to_be_visible()


def test_a_setting_that_cannot_be_is_refused_where_it_is_entered(page: Any, workshop: Workshop) -> None:
    panel = opened(page, workshop)
    panel.get_by_text("Model settings").click()
    minutes = panel.get_by_label("Unload after (minutes idle)")
    before = minutes.input_value()
    minutes.fill("-1")
    minutes.press("Enter")
    note = panel.locator(".jp-LocalCoder-RunSettings .jp-LocalCoder-Note")
    expect(note).to_contain_text("`idle_minutes`")
    expect(note).to_be_in_viewport()
    expect(minutes).to_have_value(before)


def test_it_keeps_nobody_out_in_any_theme(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    workshop.fetch()
    workshop.call("PATCH", "settings", {"air_gap": True})
    workshop.call("POST", f"models/{CODER}/load", {})
    panel = opened(page, workshop)
    details(panel, CODER)
    panel.get_by_text("Model settings").click()
    panel.get_by_text("Import a model from a file").click()
    for theme in THEMES:
        wear(page, theme)
        page.screenshot(path=tmp_path / f"{theme}.png")
        assert violations(page, "#jp-LocalCoder-sidebar") == [], theme


def test_notebook_7_has_it_too(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    open_sidebar_of_notebook_7(page, workshop.lab.page("tree"))
    panel = page.locator(PANEL)
    expect(badge(panel, CODER)).to_have_text("not downloaded")
    page.screenshot(path=tmp_path / "notebook-7.png")
    press(panel, CODER, "Download")
    accept(page)
    expect(badge(panel, CODER)).to_have_text("on this machine")
