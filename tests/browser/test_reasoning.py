"""What a model reasons before it answers, as a person sees it: folded away, and in nothing that is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.answering import Answers, running_answers
from tests.browser.test_chat import CHAT, ask, chat_of
from tests.browser.test_commands import PANEL, SOURCE, fenced, opened, run, says

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

THOUGHTS = "<b>First</b>\n```python\nimport wrong\nimport wrong_too\n```\n"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with running_answers(tmp_path_factory.mktemp("reasoning")) as answers:
        yield answers


def fold(place: Any) -> Any:
    return place.locator(".jp-LocalCoder-Reasoning summary")


def test_a_change_is_that_of_the_answer(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say(f"<think>\n{THOUGHTS}</think>\n\n" + fenced("y = 2"))
    opened(page, answers, "change.ipynb", "y = 1")
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("1 change suggested.")
    thoughts = panel.locator(".jp-LocalCoder-Reasoning pre")
    expect(thoughts).to_be_hidden()
    page.screenshot(path=tmp_path / "command.png")
    fold(panel).focus()
    page.keyboard.press("Enter")
    expect(thoughts).to_be_visible()
    expect(thoughts).to_have_text(THOUGHTS.strip())
    page.screenshot(path=tmp_path / "command-open.png")
    assert violations(page, PANEL) == []
    panel.get_by_role("button", name="Accept all").click()
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == "y = 2"


def test_a_chat_says_that_the_model_reasons_and_folds_it_away(
    page: Any, answers: Answers, tmp_path: Path
) -> None:
    answers.say(f"<think>\n{THOUGHTS}", ends=False)
    opened(page, answers, "chat.ipynb", "y = 1")
    chat = chat_of(page)
    ask(page, chat, "How does it grow?")
    expect(says(chat)).to_have_text("Reasoning…")
    expect(fold(chat)).to_contain_text("Reasoning (")
    page.screenshot(path=tmp_path / "chat-reasoning.png")
    chat.get_by_role("button", name="Stop", exact=True).click()
    expect(says(chat)).to_have_text("Stopped.")

    answers.say(f"<think>\n{THOUGHTS}</think>\n\nIt does.")
    ask(page, chat, "And then?")
    expect(says(chat)).to_have_text("Done.")
    turn = chat.locator(".jp-LocalCoder-Turn").last
    expect(turn.locator(".jp-LocalCoder-Markdown")).to_have_text("It does.")
    expect(turn.locator("pre")).to_be_hidden()
    fold(turn).click()
    expect(turn.locator("pre")).to_have_text(THOUGHTS.strip())
    page.screenshot(path=tmp_path / "chat.png")
    assert violations(page, CHAT) == []


def test_reasoning_alone_is_an_error_with_a_way_out(page: Any, answers: Answers) -> None:
    answers.say(f"<think>\n{THOUGHTS}")
    opened(page, answers, "alone.ipynb", "y = 1")
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("The model reasoned, and finished without an answer.")
    expect(fold(panel)).to_be_visible()
    assert page.evaluate(SOURCE) == "y = 1"
