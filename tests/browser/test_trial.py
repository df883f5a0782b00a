"""A change is tried in a copy of the notebook, and an error has its buttons: what a person sees of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.answering import Answers, running_answers
from tests.browser.ghost import KERNEL_MS, READY
from tests.browser.test_commands import PANEL, SOURCE, button, fenced, opened, run, says
from tests.browser.themes import DARK, LIGHT, wear

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

BAR = ".jp-LocalCoder-ErrorBar"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with running_answers(tmp_path_factory.mktemp("answers")) as answers:
        yield answers


def run_cell(page: Any, index: int) -> None:
    """Run a cell, and wait for its end."""
    page.evaluate(
        "async index => { const panel = jupyterapp.shell.currentWidget;"
        " await panel.sessionContext.ready; panel.content.activeCellIndex = index;"
        " await jupyterapp.commands.execute('notebook:run-cell'); }",
        index,
    )


def idle(page: Any) -> None:
    page.wait_for_function(READY, timeout=KERNEL_MS)


def test_a_change_is_tried_and_the_verdict_is_in_the_head(
    page: Any, answers: Answers, tmp_path: Path
) -> None:
    answers.say(fenced("ys = [x + 1 for x in xs]"))
    opened(page, answers, "try.ipynb", "xs = [1, 2, 3]", "ys = []\nfor x in xs: ys.append(x)")
    run_cell(page, 0)
    page.evaluate("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("suggested.")
    idle(page)
    button(panel, "Try in a copy").click()
    expect(says(panel)).to_contain_text("Differs in `ys`: 3 elements.", timeout=KERNEL_MS)
    page.screenshot(path=tmp_path / "verdict-light.png")
    assert violations(page, PANEL) == []
    wear(page, DARK)
    page.screenshot(path=tmp_path / "verdict-dark.png")
    assert violations(page, PANEL) == []
    wear(page, LIGHT)
    # Nothing has run in the kernel, and the cell is as it was.
    assert page.evaluate(SOURCE).startswith("ys = []")
    names = page.evaluate(
        "async () => { const future = jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({ code: 'pass', silent: true, user_expressions: { names: \"'ys' in dir()\" } });"
        " return (await future.done).content.user_expressions.names.data['text/plain']; }"
    )
    assert names == "False"


def test_a_trial_is_stopped_by_the_keyboard(page: Any, answers: Answers) -> None:
    answers.say(fenced("while True: pass  # still"))
    opened(page, answers, "stop-trial.ipynb", "while True: pass")
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.ready; }")
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("suggested.")
    idle(page)
    button(panel, "Try in a copy").press("Enter")
    expect(says(panel)).to_contain_text("in a copy of the notebook…")
    expect(button(panel, "Stop trial")).to_be_visible()
    page.keyboard.press("Escape")
    expect(says(panel)).to_contain_text("The trial was stopped.")
    # The suggestion is still there, and the kernel is free.
    expect(button(panel, "Accept all")).to_be_visible()
    idle(page)


def test_an_error_has_two_buttons(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say(fenced("print(1)"))
    opened(page, answers, "error-bar.ipynb", "x = 1", "print(y)")
    run_cell(page, 1)
    bar = page.locator(BAR)
    expect(bar).to_be_visible(timeout=KERNEL_MS)
    code, output, place = (
        page.locator(".jp-CodeCell").nth(1).locator(name).first.bounding_box()
        for name in (".jp-InputArea-editor", ".jp-OutputArea", BAR)
    )
    assert place["y"] >= output["y"] + output["height"] - 1 > code["y"] + code["height"]
    page.screenshot(path=tmp_path / "error-bar.png")
    assert violations(page, BAR) == []
    # From the editor of another cell: the buttons name their cell themselves.
    page.locator(".jp-CodeCell").nth(0).locator(".cm-content").click()
    button(bar, "Fix error").press("Enter")
    panel = page.locator(PANEL)
    expect(says(panel)).to_contain_text("1 change suggested.")
    button(panel, "Accept all").click()
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == "print(1)"
    run_cell(page, 1)
    expect(bar).to_have_count(0, timeout=KERNEL_MS)


def test_an_error_that_is_stored_in_the_notebook_is_explained(page: Any, answers: Answers) -> None:
    answers.say("The name does not exist.")
    error = {
        "output_type": "error", "ename": "NameError", "evalue": "name 'y' is not defined",
        "traceback": ["NameError: name 'y' is not defined"],
    }  # fmt: skip
    opened(page, answers, "explain-error.ipynb", "print(y)", outputs=(error,))
    button(page.locator(BAR), "Explain error").click()
    panel = page.locator(PANEL)
    expect(says(panel)).to_contain_text("Done.")
    expect(panel).to_contain_text("The name does not exist.")
