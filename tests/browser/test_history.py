"""The tab of the history: what was kept is listed, searched, opened, named, exported and deleted."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.ghost import GhostLab
from tests.browser.patience import connected, heard, open_sidebar_of_notebook_7
from tests.browser.themes import DARK, HIGH_CONTRAST, LIGHT, wear

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

PANEL = ".jp-LocalCoder-History"
HARMFUL = """# A heading

It is **bold**, and <img src="http://127.0.0.1:9/x.png" alt="an image" onerror="window.harmed = true">
![another](http://127.0.0.1:9/y.png)

<script>window.harmed = true</script>

[away](javascript:window.harmed=true)

```python
print("code")
```
"""


@pytest.fixture
def lab(ghost_lab: GhostLab) -> Iterator[GhostLab]:
    """The shared lab with an empty history, and titles only where they are asked for."""

    def empty() -> None:
        ghost_lab.quiet()
        ghost_lab.call("DELETE", "responses?all=true")

    empty()
    ghost_lab.call("PATCH", "titles/config", {"enabled": False})
    yield ghost_lab
    ghost_lab.rules([])
    ghost_lab.call("PATCH", "settings", {"history": None})
    ghost_lab.call("PATCH", "titles/config", {"enabled": True})
    empty()


def answered(lab: GhostLab, prompt: str, answer: str = "An answer.") -> str:
    """Have a prompt answered and kept; the id of the answer."""
    lab.rules([{"ends": "", "pieces": [answer]}])
    queued = lab.call("POST", "queue", {"prompt": prompt, "path": "work/a.ipynb"})["id"]
    kept: str = lab.answer_of(queued)["response_id"]
    assert kept
    return kept


def opened(page: Any, lab: GhostLab) -> Any:
    """Open JupyterLab and the panel; the panel."""
    page.goto(lab.page())
    expect(page.locator(".jp-Launcher")).to_be_visible()
    page.evaluate("() => { jupyterapp.commands.execute('localcoder:open-history'); }")
    panel = page.locator(PANEL)
    expect(panel.get_by_label("Search prompts, answers and titles")).to_be_visible()
    return panel


def row(panel: Any, response: str) -> Any:
    return panel.locator(f"li[data-response='{response}']")


def open_row(panel: Any, response: str) -> Any:
    row(panel, response).get_by_role("button").first.click()
    shown = panel.locator(f"article[data-response='{response}']")
    expect(shown).to_be_visible()
    return shown


def test_answers_arrive_live_and_are_shown_inert(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    asked: list[str] = []
    panel = opened(page, lab)
    expect(panel).to_contain_text("The history is empty.")
    page.on("request", lambda request: asked.append(request.url))
    kept = answered(lab, "What is <b>this</b>?", HARMFUL)
    expect(row(panel, kept)).to_contain_text("What is <b>this</b>?")
    expect(row(panel, kept)).to_contain_text("Prompt · from work/a.ipynb")
    shown = open_row(panel, kept)
    expect(shown.get_by_role("heading", level=2)).to_be_focused()
    expect(shown.locator("pre").first).to_have_text("What is <b>this</b>?")
    expect(shown.get_by_role("heading", name="A heading")).to_be_visible()
    expect(shown.locator("strong")).to_have_text("bold")
    expect(shown).to_contain_text("an image")
    expect(shown.locator("img, script, a[href^=javascript]")).to_have_count(0)
    shown.get_by_text("Details").click()
    expect(shown).to_contain_text(re.compile(r"Provider\s*embedded"))
    page.screenshot(path=tmp_path / "opened.png")
    assert violations(page, "#jp-LocalCoder-sidebar") == []
    assert not page.evaluate("() => window.harmed === true")
    assert not [url for url in asked if ":9/" in url]
    page.keyboard.press("Escape")
    expect(row(panel, kept).get_by_role("button")).to_be_focused()


def test_an_answer_that_nobody_looks_for_is_told_and_goes_into_the_notebook(
    page: Any, lab: GhostLab, tmp_path: Path
) -> None:
    path = lab.write("insert.ipynb", "x = 1")
    page.goto(lab.page(f"lab/tree/{path}"))
    expect(page.locator(".jp-CodeCell .cm-content").first).to_contain_text("x = 1")
    page.locator(".jp-CodeCell .cm-content").first.click()
    connected(page)
    kept = answered(lab, "first", "Like this:\n\n```python\ny = x + 1\n```\n")
    expect(page.get_by_text("New answer received.")).to_be_visible()
    answered(lab, "second")
    toast = (
        page.locator(".jp-toast-message, .jp-toastContainer").filter(has_text="2 new answers received.").first
    )
    expect(toast).to_be_visible()
    icon = page.locator("[data-id='jp-LocalCoder-sidebar']")
    expect(icon).to_have_attribute("title", "LocalCoder: new answers (2)")
    page.screenshot(path=tmp_path / "toast.png")

    page.get_by_role("button", name="Show", exact=True).click()
    panel = page.locator(PANEL)
    expect(row(panel, kept)).to_be_visible()
    expect(page.get_by_text("2 new answers received.")).to_have_count(0)
    expect(page.get_by_role("tab", name="History", exact=True)).to_be_visible()
    expect(icon).to_have_attribute("title", "LocalCoder")
    third = answered(lab, "third")
    expect(row(panel, third)).to_be_visible()
    heard(page)
    expect(page.get_by_text("New answer received.")).to_have_count(0)

    shown = open_row(panel, kept)
    shown.get_by_role("button", name="Insert into the notebook").click()
    expect(shown).to_contain_text("The code was inserted into a new cell")
    sources = """() => jupyterapp.shell.widgets('main').next().value
      .content.widgets.map(cell => cell.model.sharedModel.getSource())"""
    assert page.evaluate(sources) == ["x = 1", "y = x + 1"]
    record = page.evaluate(
        """() => jupyterapp.shell.widgets('main').next().value
          .content.widgets[1].model.getMetadata('localcoder')"""
    )
    assert (record["id"], record["provider"], record["model"]) == (kept, "embedded", "tiny")


def test_the_search_finds_words_in_prompts_and_answers(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    first = answered(lab, "How do whales sleep?", "With half of the brain.")
    second = answered(lab, "And dolphins?", "As whales do.")
    third = answered(lab, "What is a prime?", "Seven is one.")
    panel = opened(page, lab)
    expect(row(panel, third)).to_be_visible()
    search = panel.get_by_label("Search prompts, answers and titles")
    search.fill("whales")
    expect(row(panel, third)).to_have_count(0)
    expect(row(panel, first).locator("mark")).to_have_text("whales")
    expect(row(panel, second).locator("mark")).to_have_text("whales")
    expect(page.get_by_role("status").filter(has_text="Results: 2")).to_have_count(1)
    page.screenshot(path=tmp_path / "found.png")
    search.fill("whales brain")
    expect(row(panel, second)).to_have_count(0)
    search.fill("nothing of the kind")
    expect(panel).to_contain_text("No results in prompts, answers and titles.")
    search.fill("")
    expect(row(panel, third)).to_be_visible()


def test_pages_are_turned(page: Any, lab: GhostLab) -> None:
    for number in range(23):
        answered(lab, f"Question {number}")
    panel = opened(page, lab)
    expect(panel).to_contain_text(re.compile("1.20 of 23"))
    expect(panel).to_contain_text("Question 22")
    panel.get_by_role("button", name="Older").click()
    expect(panel).to_contain_text(re.compile("21.23 of 23"))
    expect(panel).to_contain_text("Question 0")
    expect(panel.get_by_role("button", name="Older")).to_be_disabled()
    panel.get_by_role("button", name="Newer").click()
    expect(panel).to_contain_text(re.compile("1.20 of 23"))


def test_titles_are_written_by_hand_and_made_anew(page: Any, lab: GhostLab) -> None:
    kept = answered(lab, "How do whales sleep?")
    panel = opened(page, lab)
    shown = open_row(panel, kept)
    shown.get_by_role("button", name="Edit the title…").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Whales at night")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(shown.get_by_role("heading", level=2)).to_have_text("Whales at night")
    lab.rules([{"ends": "", "pieces": ["Sleeping whales"]}])
    shown.get_by_role("button", name="Generate another title").click()
    expect(shown.get_by_role("heading", level=2)).to_have_text("Sleeping whales")
    shown.get_by_role("button", name="Back to the list").click()
    expect(row(panel, kept).get_by_role("button")).to_have_text("Sleeping whales")
    expect(row(panel, kept).get_by_role("button")).to_be_focused()


def test_export_and_delete(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    first, second = answered(lab, "First?"), answered(lab, "Second?")
    panel = opened(page, lab)
    shown = open_row(panel, first)
    shown.get_by_role("button", name="Export…").click()
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == f"localcoder-answer-{first}.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        (name,) = archive.namelist()
        assert "First?" in archive.read(name).decode()

    shown.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(shown).to_be_visible()
    shown.get_by_role("button", name="Delete…").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(row(panel, second)).to_be_visible()
    expect(row(panel, first)).to_have_count(0)
    expect(panel).to_be_focused()

    panel.get_by_role("button", name="Export all…").click()
    dialog.get_by_role("textbox").fill(str(tmp_path))
    dialog.get_by_role("button", name="Export").click()
    expect(panel).to_contain_text(f"One answer was written to {tmp_path}/localcoder-history-")
    assert len(list(tmp_path.glob("*.zip"))) == 1

    panel.get_by_role("button", name="Delete all…").click()
    expect(dialog).to_contain_text("All 1 answers, their files and their conversations will be deleted")
    dialog.get_by_role("button", name="Delete all").click()
    expect(panel).to_contain_text("The history is empty.")
    assert lab.call("GET", "responses")["total"] == 0


def test_the_switch_keeps_nothing(page: Any, lab: GhostLab) -> None:
    panel = opened(page, lab)
    switch = panel.get_by_role("switch", name="Save answers")
    expect(switch).to_be_checked()
    switch.uncheck()
    expect(panel).to_contain_text("Private: new answers are not saved.")
    assert lab.call("GET", "settings")["settings"]["history"] is False
    lab.rules([{"ends": "", "pieces": ["An answer."]}])
    queued = lab.call("POST", "queue", {"prompt": "A secret?"})["id"]
    assert lab.answer_of(queued)["response_id"] == ""
    assert lab.call("GET", "responses")["total"] == 0
    lab.call("PATCH", "settings", {"history": True})
    expect(switch).to_be_checked()


def test_by_the_keyboard_alone_and_for_everybody(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    kept = answered(lab, "How do whales sleep?", "With half of the brain.")
    panel = opened(page, lab)
    expect(row(panel, kept)).to_be_visible()
    panel.get_by_label("Search prompts, answers and titles").fill("whales")
    expect(row(panel, kept).locator("mark")).to_be_visible()
    for theme in (DARK, HIGH_CONTRAST, LIGHT):
        wear(page, theme)
        page.screenshot(path=tmp_path / f"{theme}.png")
        assert violations(page, "#jp-LocalCoder-sidebar") == [], theme
    panel.focus()
    page.keyboard.press("Tab")
    expect(panel.get_by_role("switch", name="Save answers")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    shown = panel.locator(f"article[data-response='{kept}']")
    expect(shown.get_by_role("heading", level=2)).to_be_focused()
    page.keyboard.press("Tab")
    expect(shown.get_by_role("button", name="Edit the title…")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row(panel, kept).get_by_role("button")).to_be_focused()


def test_notebook_7_has_it_too(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    first = answered(lab, "How do whales sleep?", "With **half** of the brain.")
    open_sidebar_of_notebook_7(page, lab.page("tree"))
    page.get_by_role("tab", name="History").click()
    panel = page.locator(PANEL)
    expect(row(panel, first)).to_be_visible()
    second = answered(lab, "And dolphins?")
    expect(row(panel, second)).to_be_visible()
    panel.get_by_label("Search prompts, answers and titles").fill("brain")
    expect(row(panel, second)).to_have_count(0)
    shown = open_row(panel, first)
    expect(shown.locator("strong")).to_have_text("half")
    page.screenshot(path=tmp_path / "notebook-7.png")
    shown.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row(panel, first)).to_have_count(0)
    assert [one["id"] for one in lab.call("GET", "responses")["responses"]] == [second]


def test_how_titles_are_made_is_chosen(page: Any, lab: GhostLab, tmp_path: Path) -> None:
    panel = opened(page, lab)
    panel.get_by_text("Title settings").click()
    expect(panel.get_by_label("Generate titles")).not_to_be_checked()
    save = panel.get_by_role("button", name="Save title settings")
    panel.get_by_label("Time limit (seconds)").fill("5")
    expect(panel).to_contain_text("A number from 10 to 120.")
    expect(save).to_be_disabled()
    panel.get_by_label("Time limit (seconds)").fill("20")
    panel.get_by_label("Generate titles").check()
    for theme in (DARK, HIGH_CONTRAST, LIGHT):
        wear(page, theme)
        page.screenshot(path=tmp_path / f"titles-{theme}.png")
        assert violations(page, "#jp-LocalCoder-sidebar") == [], theme
    save.click()
    expect(panel).to_contain_text("Title settings saved.")
    config = lab.call("GET", "titles/config")
    assert (config["enabled"], config["provider"], config["timeout_seconds"]) == (True, "", 20)
    lab.call("PATCH", "titles/config", {"timeout_seconds": 60})
