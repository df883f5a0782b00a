"""The start page: from an empty machine to a first completion, and out of the way when it is not wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.patience import choose_from_palette, heard, settle
from tests.browser.themes import DARK, HIGH_CONTRAST, wear
from tests.browser.workshop import CODER, Workshop

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

PAGE = ".jp-LocalCoder-Start"
STEP = f"{PAGE} li[aria-current=step]"


@pytest.fixture
def greeted(workshop: Workshop) -> Iterator[Workshop]:
    """The lab of somebody who has not closed the page yet."""
    workshop.lab.set_start_page(shown=True)
    yield workshop
    workshop.lab.set_start_page(shown=False)


def opened(page: Any, workshop: Workshop) -> Any:
    page.goto(workshop.lab.page())
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
    start = page.locator(PAGE)
    expect(start).to_be_visible()
    return start


def step(page: Any, title: str) -> Any:
    """The step that is open, which must be this one."""
    current = page.locator(STEP)
    expect(current.get_by_role("heading")).to_contain_text(title)
    return current


def press(part: Any, label: str) -> None:
    part.get_by_role("button", name=re.compile(f"^{label}")).click()


def test_from_an_empty_machine_to_a_first_completion(page: Any, greeted: Workshop, tmp_path: Path) -> None:
    greeted.hold()
    start = opened(page, greeted)
    about = step(page, "Where it runs")
    expect(about).to_contain_text("stay on that machine")
    page.screenshot(path=tmp_path / "1-about.png")
    press(about, "Continue")

    choose = step(page, "Choose for this machine")
    expect(choose.get_by_role("radio", name=re.compile("Compact"))).to_be_checked()
    expect(choose).to_contain_text(re.compile(r"Compact: recommended for a machine .* free memory"))
    page.screenshot(path=tmp_path / "2-choose.png")
    assert violations(page, PAGE) == []
    press(choose, "Continue to the licence")

    licence = step(page, "Licence")
    expect(licence.get_by_role("region")).to_contain_text("TERMS AND CONDITIONS")
    page.screenshot(path=tmp_path / "3-licence.png")
    assert violations(page, PAGE) == []
    assert greeted.source.requests == []
    press(licence, "Accept and download 1.07 MB")

    download = step(page, "Download")
    bar = download.get_by_role("progressbar")
    greeted.go_on(bar)
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"/s"))
    page.screenshot(path=tmp_path / "4-download.png")
    assert violations(page, PAGE) == []
    greeted.source.release()

    attempt = step(page, "Try it")
    expect(start).to_contain_text(re.compile(r"1\.07 MB, digest verified"))
    expect(attempt).to_contain_text(re.compile(r"Loaded in\s*\d"))
    expect(attempt).to_contain_text(re.compile(r"Writes\s*\d[\d.,]* tokens/s"))
    press(attempt, "Complete")
    expect(attempt.get_by_role("status")).to_contain_text(re.compile(r"\d+ tokens in"))
    # Random weights write what cannot be seen, which is not shown: the test of the real model reads it.
    page.screenshot(path=tmp_path / "5-try.png")
    assert violations(page, PAGE) == []

    press(attempt, "Open a notebook")
    expect(page.locator(".jp-NotebookPanel")).to_be_visible()
    assert greeted.call("GET", "settings")["settings"]["profile"] == "auto"


def test_the_download_is_paused_and_gone_on_with(page: Any, greeted: Workshop) -> None:
    greeted.hold()
    start = opened(page, greeted)
    for label in ("Continue", "Continue to the licence", "Accept and download"):
        press(start, label)
    download = step(page, "Download")
    progress = download.get_by_role("progressbar")
    expect(progress).to_have_attribute("aria-valuetext", re.compile(r": [1-9]"))  # bytes that are kept
    press(download, "Pause")
    expect(progress).to_have_attribute("aria-valuetext", re.compile("^Paused"))
    press(download, "Cancel")
    choose = step(page, "Choose")
    assert not (greeted.models / CODER).exists()
    greeted.source.release()
    press(choose, "Download 1.07 MB")  # Its licence is accepted by now.
    step(page, "Try it")


def test_by_the_keyboard_alone(page: Any, greeted: Workshop) -> None:
    opened(page, greeted)

    def go_on(label: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.textContent").startswith(label):
                page.keyboard.press("Enter")
                return
        raise AssertionError(f"{label} was not reached")

    page.locator(PAGE).focus()
    go_on("Continue")
    heading = step(page, "Choose").get_by_role("heading")
    expect(heading).to_be_focused()
    go_on("Continue to the licence")
    expect(step(page, "Licence").get_by_role("heading", level=2)).to_be_focused()
    go_on("Accept and download")
    attempt = step(page, "Try it")
    expect(attempt.get_by_role("heading", level=2)).to_be_focused()
    expect(attempt.get_by_role("button", name="Complete")).to_be_enabled()
    go_on("Complete")
    expect(page.locator(STEP).get_by_role("status")).to_contain_text("tokens in")


def test_what_was_closed_stays_closed_and_comes_back_when_called(page: Any, greeted: Workshop) -> None:
    start = opened(page, greeted)
    with page.expect_response(is_kept):
        press(start, "Not now")
    expect(start).to_have_count(0)
    page.reload()
    expect(page.locator(".jp-LocalCoder-StatusItem")).to_contain_text("no model loaded")
    decided(page)
    assert page.locator(PAGE).count() == 0
    choose_from_palette(page, "Set Up Step by Step")
    expect(start).to_be_visible()
    step(page, "Where it runs")


def is_kept(response: Any) -> bool:
    """Whether it is the answer of the server that keeps our settings."""
    is_ours = "/api/settings/jupyter-localcoder" in response.url
    return is_ours and response.request.method == "PUT"


def decided(page: Any) -> None:
    """Wait until the page has decided whether to show the start page, and would have shown it."""
    expect(page.locator(".jp-Launcher")).to_be_visible()
    page.evaluate("() => jupyterapp.restored")
    heard(page)
    settle(page)
    # The start page is loaded by itself: by scripts, which are taken away when they have come.
    page.wait_for_function("() => document.querySelector('script[data-webpack]') === null")
    settle(page)


def test_it_does_not_come_where_a_model_is(page: Any, greeted: Workshop) -> None:
    greeted.fetch()
    page.goto(greeted.lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:open-models'); }")
    expect(page.locator(".jp-LocalCoder-Model").first).to_be_visible()
    decided(page)
    assert page.locator(PAGE).count() == 0


def test_a_file_is_as_good_and_too_little_memory_is_said(
    page: Any, greeted: Workshop, tmp_path: Path
) -> None:
    greeted.set_free_memory(20_000_000)
    start = opened(page, greeted)
    press(start, "Continue")
    choose = step(page, "Choose")
    choose.get_by_text("I have a model file").click()
    choose.get_by_label("GGUF file or bundle").fill(str(greeted.folder / f"{CODER}.gguf"))
    choose.get_by_role("button", name="Import", exact=True).click()
    warm = step(page, "Warm up")
    expect(warm).to_contain_text("20 MB is available")
    press(warm, "Load anyway")
    step(page, "Try it")
    # It answers, since nothing else is here, and nothing is pinned: what is downloaded later takes its place.
    assert greeted.call("GET", "models")["code_model"] == CODER
    assert greeted.call("GET", "settings")["settings"]["model"] == ""
    page.screenshot(path=tmp_path / "imported.png")


def test_a_server_of_ones_own_is_a_way_to_begin(page: Any, greeted: Workshop, tmp_path: Path) -> None:
    start = opened(page, greeted)
    press(start, "Continue")
    press(step(page, "Choose"), "I have a server")
    providers = page.locator(".jp-LocalCoder-Providers")
    expect(providers.get_by_role("button", name="Add a provider")).to_be_visible()
    page.screenshot(path=tmp_path / "server.png")
    assert greeted.source.requests == []


def test_a_command_without_a_model_leads_there(page: Any, workshop: Workshop, tmp_path: Path) -> None:
    page.goto(workshop.lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:open-chat'); }")
    chat = page.locator(".jp-LocalCoder-Chat")
    chat.get_by_role("textbox", name="Question").fill("Why?")
    page.keyboard.press("Enter")
    expect(chat.locator(".jp-LocalCoder-Turn-state")).to_contain_text("is not on this machine yet.")
    page.screenshot(path=tmp_path / "no-model.png")
    press(chat, "Set up a model")
    step(page, "Where it runs")


def test_in_the_dark(page: Any, greeted: Workshop, tmp_path: Path) -> None:
    start = opened(page, greeted)
    press(start, "Continue")
    for theme in (DARK, HIGH_CONTRAST):
        wear(page, theme)
        page.screenshot(path=tmp_path / f"{theme}.png")
        assert violations(page, PAGE) == [], theme


def test_notebook_7_has_it_in_its_sidebar(page: Any, greeted: Workshop, tmp_path: Path) -> None:
    page.goto(greeted.lab.page("tree"))
    expect(page.locator(".jp-DirListing").first).to_be_visible()
    choose_from_palette(page, "Set Up Step by Step")
    start = page.locator(PAGE)
    press(start, "Continue")
    page.screenshot(path=tmp_path / "notebook-7.png")
    press(start, "Not now")
    expect(start).to_have_count(0)
