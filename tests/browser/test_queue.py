"""The tab of the queue: what runs, what waits, and how it is ended."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.ghost import GhostLab
from tests.browser.patience import STEP_SECONDS, connected, open_sidebar_of_notebook_7, until
from tests.browser.themes import DARK, HIGH_CONTRAST, LIGHT, wear

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

PANEL = ".jp-LocalCoder-Queue"
HANGS = {"ends": "", "pieces": ["so far"], "hangs": True}


@pytest.fixture
def lab(ghost_lab: GhostLab) -> Iterator[GhostLab]:
    """The shared lab; nothing runs or waits before a test and after it."""
    ghost_lab.call("PATCH", "titles/config", {"enabled": False})
    ghost_lab.call("DELETE", "queue")
    ghost_lab.quiet()
    ghost_lab.rules([HANGS])
    yield ghost_lab
    ghost_lab.call("DELETE", "queue")
    ghost_lab.quiet()
    ghost_lab.rules([])
    ghost_lab.call("PATCH", "titles/config", {"enabled": True})


def opened(page: Any, lab: GhostLab) -> Any:
    """Open JupyterLab and the panel; the panel."""
    page.goto(lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:open-queue'); }")
    panel = page.locator(PANEL)
    expect(panel).to_contain_text("Cancel all")
    return panel


def ask(lab: GhostLab, name: str, **more: Any) -> str:
    """Queue a prompt; the id of the request."""
    request = {"prompt": "Hello?", "prompt_id": name, "keep": True, "private": True, **more}
    queued: str = lab.call("POST", "queue", request)["id"]
    return queued


def card(panel: Any, request: str) -> Any:
    return panel.locator(f"[data-request='{request}']")


def test_what_runs_and_waits_is_shown_live_and_ended_one_by_one(
    page: Any, lab: GhostLab, tmp_path: Path
) -> None:
    panel = opened(page, lab)
    expect(panel).to_contain_text("No requests are running or waiting.")
    expect(panel.get_by_role("button", name="Cancel all")).to_be_disabled()
    first, second, third = (ask(lab, name, path="work/a.ipynb") for name in ("first", "second", "third"))
    expect(panel).to_contain_text("1 running, 2 waiting.")
    shown = re.compile(r"Prompt “first”.*runs.*from work/a.ipynb · embedded")
    expect(card(panel, first)).to_contain_text(shown)
    expect(card(panel, first)).to_contain_text(re.compile(r"queued (\d+ min )?\d+ s ago"))
    expect(card(panel, second)).to_contain_text("waiting, position 2")
    expect(card(panel, third)).to_contain_text("waiting, position 3")
    expect(card(panel, third)).to_contain_text("private")
    page.screenshot(path=tmp_path / "queue.png")

    card(panel, second).get_by_role("button", name="Cancel: Prompt “second” (2)").click()
    expect(card(panel, third)).to_contain_text("waiting, position 2")
    expect(panel).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Prompt “second” (2): cancelled.")).to_have_count(1)
    card(panel, first).get_by_role("button", name=re.compile("^Cancel")).click()
    expect(card(panel, third)).to_contain_text("runs")
    panel.get_by_text("Recently finished", exact=True).click()
    expect(card(panel, first)).to_contain_text("cancelled")

    fourth = ask(lab, "fourth", priority="low")
    expect(card(panel, fourth)).to_contain_text("low priority")
    panel.get_by_role("button", name="Cancel all").click()
    expect(panel.locator(".jp-LocalCoder-Note").first).to_contain_text("2 requests were cancelled.")
    expect(panel).to_contain_text("No requests are running or waiting.")
    assert lab.call("GET", "queue")["waiting"] == []


def test_a_command_that_streams_is_shown_and_ended(page: Any, lab: GhostLab) -> None:
    panel = opened(page, lab)
    ended: list[Any] = []

    def explain() -> None:
        request = {"command": "explain", "code": "1 + 1", "origin": {"notebook": "b.ipynb"}, "private": True}
        with contextlib.suppress(AssertionError):
            ended.append(lab.call("POST", "generate", request))

    thread = threading.Thread(target=explain)
    thread.start()
    shown = panel.get_by_role("listitem", name="Explain")
    expect(shown).to_contain_text("from b.ipynb")
    expect(shown).to_contain_text(re.compile(r"for (\d+ min )?\d+ s"))
    shown.get_by_role("button", name="Cancel: Explain").click()
    expect(shown).to_have_count(0)
    thread.join(STEP_SECONDS)
    assert ended[0]["finish"] == "canceled"


def test_a_prompt_is_written_queued_and_its_answer_read(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    gate = lab.gate()
    lab.rules([{"ends": "", "pieces": [gate.held, "It is **Bern**."]}])
    panel = opened(page, lab)
    panel.get_by_text("Queue a prompt").click()
    expect(panel.get_by_role("button", name="Add to queue")).to_be_disabled()
    panel.get_by_role("textbox", name="Prompt").fill("Name the capital of {{country}} and {{this}}")
    panel.get_by_label("Fill in placeholders").check()
    panel.get_by_label("country").fill("Switzerland")
    panel.get_by_label("this").fill("{{country}}")
    panel.get_by_label("Answered by").select_option(label="Embedded")
    expect(panel).to_contain_text("Prompts stay within LocalCoder on this machine.")
    panel.get_by_label("Private").check()
    for theme in (DARK, HIGH_CONTRAST, LIGHT):
        wear(page, theme)
        page.screenshot(path=tmp_path / f"form-{theme}.png")
        assert violations(page, "#jp-LocalCoder-sidebar") == [], theme
    panel.get_by_role("button", name="Add to queue").click()
    expect(panel).to_contain_text("Running. The answer will be listed")
    expect(panel.get_by_role("textbox", name="Prompt")).to_have_value("")
    (running,) = lab.call("GET", "queue")["running"]
    asked = card(panel, running["id"])
    expect(asked).to_contain_text("runs")
    gate.open()
    expect(panel).to_contain_text("No requests are running or waiting.")
    panel.get_by_text("Recently finished", exact=True).click()
    asked.get_by_role("button", name="Show the answer").click()
    expect(panel.locator("strong", has_text="Bern")).to_be_visible()
    page.screenshot(path=tmp_path / "answer.png")
    sent = [text for one in lab.events(event="asked", priority="background") for text in one["texts"]]
    assert any("Name the capital of Switzerland and {{country}}" in text for text in sent)
    panel.get_by_role("button", name="Hide the answer").click()
    expect(panel.locator("strong", has_text="Bern")).to_have_count(0)


def test_a_prompt_that_fails_is_told_read_and_asked_again(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    page.goto(lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    connected(page)
    nobody = {"type": "openai_compatible", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    lab.call("PUT", "providers/nobody", nobody)
    try:
        failed = ask(lab, "lost", provider="nobody")
        expect(page.get_by_text("A queued prompt was not answered.")).to_be_visible()
        page.get_by_role("button", name="Show", exact=True).click()
        panel = page.locator(PANEL)
        panel.get_by_text("Recently finished", exact=True).click()
        expect(card(panel, failed)).to_contain_text("failed")
        expect(card(panel, failed)).to_contain_text("Could not connect to nobody")
        card(panel, failed).get_by_role("button", name="Show the prompt: Prompt “lost”").click()
        shown = panel.get_by_label("Prompt of Prompt “lost”")
        expect(shown).to_have_text("Hello?")
        for theme in (DARK, HIGH_CONTRAST, LIGHT):
            wear(page, theme)
            page.screenshot(path=tmp_path / f"failed-{theme}.png")
            assert violations(page, "#jp-LocalCoder-sidebar") == [], theme
        card(panel, failed).get_by_role("button", name="Hide the prompt: Prompt “lost”").focus()
        page.keyboard.press("Enter")
        expect(shown).to_have_count(0)
        page.keyboard.press("Tab")
        expect(card(panel, failed).get_by_role("button", name="Retry: Prompt “lost”")).to_be_focused()
        page.keyboard.press("Enter")
        expect(card(panel, failed)).to_contain_text("will be listed under “Recently finished”")
        again = panel.get_by_role("listitem", name="Prompt “lost”")
        expect(again).to_have_count(2)
        expect(again.first).to_contain_text("Could not connect to nobody")
    finally:
        lab.call("DELETE", "providers/nobody")


def test_by_the_keyboard_alone_and_for_everybody(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        ask(lab, name)
    panel = opened(page, lab)
    expect(panel).to_contain_text("1 running, 2 waiting.")
    for theme in (DARK, HIGH_CONTRAST, LIGHT):
        wear(page, theme)
        page.screenshot(path=tmp_path / f"{theme}.png")
        assert violations(page, "#jp-LocalCoder-sidebar") == [], theme
    panel.focus()
    for _ in range(6):
        page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Cancel: Prompt “two” (2)")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("1 running, 1 waiting.")
    expect(panel).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(panel.locator(".jp-LocalCoder-Note").first).to_contain_text("2 requests were cancelled.")


def test_a_command_ends_all_without_the_panel(page: Any, lab: GhostLab) -> None:
    page.goto(lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    connected(page)
    ask(lab, "one")
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:cancel-all'); }")
    expect(page.get_by_text("One request was cancelled.")).to_be_visible()
    until(lambda: lab.call("GET", "queue")["running"] == [])


def test_notebook_7_has_it_too(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    open_sidebar_of_notebook_7(page, lab.page("tree"))
    page.get_by_role("tab", name="Queue").click()
    panel = page.locator(PANEL)
    expect(panel).to_contain_text("No requests are running or waiting.")
    first, second = ask(lab, "first"), ask(lab, "second")
    expect(card(panel, first)).to_contain_text("runs")
    expect(card(panel, second)).to_contain_text("waiting, position 2")
    page.screenshot(path=tmp_path / "notebook-7.png")
    card(panel, first).get_by_role("button", name=re.compile("^Cancel")).click()
    expect(card(panel, second)).to_contain_text("runs")
    assert [one["id"] for one in lab.call("GET", "queue")["running"]] == [second]
