"""Commands on cells: what a person sees of them, and what becomes of the cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_localcoder.magics.record import request_again
from jupyter_localcoder.text.digest import text_digest
from tests.browser.accessibility import violations
from tests.browser.answering import MODEL, Answers, running_answers
from tests.browser.patience import harmless, until
from tests.browser.themes import DARK, LIGHT, wear
from tests.support.hostile_answers import AWAY, HOSTILE

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

PANEL = ".jp-LocalCoder-Command"
_CODE = "import math\n\ndef area(r):\n    return {}\n\ndef half(r):\n    return area(r) / 2\n\nprint({})"
BEFORE = _CODE.format("3.14 * r * r", "area(2)")
AFTER = _CODE.format("math.pi * r**2", "area(2.0)")
HALF = _CODE.format("math.pi * r**2", "area(2)")
SOURCE = "() => jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.getSource()"
METADATA = "() => jupyterapp.shell.currentWidget.content.activeCell.model.getMetadata('localcoder')"
SET_SOURCE = "text => jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(text)"

# What of an answer's elements could act, or pass for a part of JupyterLab.
ACTING = """selector => {
  const root = document.querySelector(selector);
  const plain = 'a abbr b blockquote br cite code dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li '
    + 'mark ol p pre q s samp small span strong sub sup table tbody td tfoot th thead tr u ul var';
  const found = [];
  for (const element of root.querySelectorAll('*')) {
    if (element.closest('mjx-container')) {
      // Made by MathJax; what it may not be told is checked by the addresses below.
      if (element.getAttributeNames().some(name => name.startsWith('on') || name === 'href')) {
        found.push(element.outerHTML);
      }
      continue;
    }
    if (element.closest('pre + .jp-LocalCoder-CodeBlock-bar')) {
      continue;  // of the chat's own
    }
    const link = element.getAttribute('href') ?? '';
    const isOwn = element.classList.contains('jp-InternalAnchorLink');
    if (!plain.split(' ').includes(element.localName)
        || element.getAttributeNames().some(name => /^(on|style|src|data-comm|formaction|ping)/.test(name))
        || [...element.classList].some(name => /^(jp|lm)-/.test(name) && !isOwn)
        || (link !== '' && !isOwn && !/^(https?|mailto):/.test(link))
        || ['fixed', 'absolute'].includes(getComputedStyle(element).position) && !isOwn) {
      found.push(element.outerHTML);
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with running_answers(tmp_path_factory.mktemp("answers")) as answers:
        yield answers


def fenced(code: str) -> str:
    return f"Here it is:\n\n```python\n{code}\n```\n"


def opened(page: Any, answers: Answers, name: str, *cells: str, outputs: tuple[Any, ...] = ()) -> None:
    """Open a notebook, with the cursor in its last cell."""
    page.goto(answers.lab.page(answers.notebook(name, *cells, outputs=outputs)))
    last = page.locator(".jp-CodeCell").nth(len(cells) - 1)
    expect(last.locator(".cm-content")).to_be_visible()
    page.wait_for_function("() => jupyterapp.shell.currentWidget?.context?.isReady")
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
    last.locator(".cm-content").click()


def run(page: Any, command: str) -> Any:
    page.evaluate("command => { jupyterapp.commands.execute(command); }", f"localcoder:{command}")
    return page.locator(PANEL)


def says(panel: Any) -> Any:
    return panel.get_by_role("status")


def button(panel: Any, name: str) -> Any:
    return panel.get_by_role("button", name=name, exact=True)


def test_an_improvement_is_accepted_and_undone_in_one_step(
    page: Any, answers: Answers, tmp_path: Path
) -> None:
    answers.say(fenced(AFTER))
    opened(page, answers, "accept.ipynb", BEFORE)
    page.keyboard.press("Control+End")
    page.keyboard.type("  # typed")
    typed = page.evaluate(SOURCE)
    page.keyboard.press("Alt+Shift+c")
    page.keyboard.press("i")
    panel = page.locator(PANEL)
    expect(says(panel)).to_contain_text("2 changes suggested.")
    assert page.evaluate(SOURCE) == typed
    expect(panel.locator(".cm-deletedChunk").first).to_contain_text("return 3.14 * r * r")
    expect(page.locator(".jp-CodeCell .jp-InputArea-editor")).to_be_hidden()
    page.screenshot(path=tmp_path / "diff-light.png")
    assert violations(page, PANEL) == []
    wear(page, DARK)
    page.screenshot(path=tmp_path / "diff-dark.png")
    assert violations(page, PANEL) == []
    wear(page, LIGHT)

    page.keyboard.press("Control+Enter")
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == AFTER
    record = page.evaluate(METADATA)
    assert record["command"] == "improve"
    assert record["text_sha256"] == text_digest(fenced(AFTER))
    again = request_again(record)
    assert (again.code, again.model) == (typed, MODEL)
    assert again.sampling.seed == record["seed"]
    assert page.locator(".jp-CodeCell .jp-OutputArea-output").count() == 0, "nothing runs by itself"

    expect(page.locator(".jp-CodeCell .cm-content")).to_be_focused()
    page.keyboard.press("Control+z")
    assert page.evaluate(SOURCE) == typed
    assert page.evaluate(METADATA) is None, "whence it came goes with it"
    page.keyboard.press("Control+Shift+z")
    assert page.evaluate(SOURCE) == AFTER


def test_hunks_are_taken_one_by_one(page: Any, answers: Answers) -> None:
    answers.say(fenced(AFTER))
    opened(page, answers, "hunks.ipynb", BEFORE)
    panel = run(page, "improve")
    accept = panel.get_by_role("button", name="Accept this change")
    expect(accept).to_have_count(2)
    accept.first.click()
    expect(says(panel)).to_contain_text("1 change suggested.")
    assert page.evaluate(SOURCE) == HALF
    panel.get_by_role("button", name="Reject this change").click()
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == HALF
    assert page.evaluate(METADATA)["command"] == "improve"


IS_INSIDE = f"() => document.querySelector('{PANEL}').contains(document.activeElement)"


def test_by_the_keyboard_alone_no_place_is_lost(page: Any, answers: Answers) -> None:
    def press(name: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            focused = "() => document.activeElement.ariaLabel ?? document.activeElement.textContent"
            if page.evaluate(focused) == name:
                page.keyboard.press("Enter")
                return
        raise AssertionError(f"{name} was not reached")

    answers.say(fenced(AFTER), ends=False)
    opened(page, answers, "keys-panel.ipynb", BEFORE)
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("Writing.")
    press("Stop")
    expect(says(panel)).to_contain_text("Stopped.")
    page.wait_for_function(IS_INSIDE)  # the button that was pressed is gone
    answers.say(fenced(AFTER))
    press("Retry")
    expect(says(panel)).to_contain_text("2 changes suggested.")
    press("Accept this change")
    expect(says(panel)).to_contain_text("1 change suggested.")
    page.wait_for_function(IS_INSIDE)
    press("Reject this change")
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == HALF
    expect(page.locator(".jp-CodeCell .cm-content")).to_be_focused()


def test_what_is_rejected_leaves_no_trace(page: Any, answers: Answers) -> None:
    answers.say(fenced(AFTER))
    opened(page, answers, "reject.ipynb", BEFORE)
    panel = run(page, "document")
    expect(says(panel)).to_contain_text("2 changes suggested.")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == BEFORE
    assert page.evaluate(METADATA) is None
    expect(page.locator(".jp-CodeCell .jp-InputArea-editor")).to_be_visible()


def test_a_cell_that_was_changed_is_not_overwritten(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say(fenced(AFTER))
    opened(page, answers, "stale.ipynb", BEFORE)
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("2 changes suggested.")
    page.evaluate(SET_SOURCE, "something = 'else'")
    expect(says(panel)).to_contain_text("The cell was changed in the meantime")
    expect(button(panel, "Accept all")).to_have_count(0)
    expect(page.locator(".jp-CodeCell .jp-InputArea-editor")).to_be_visible()
    assert page.evaluate(SOURCE) == "something = 'else'"
    page.screenshot(path=tmp_path / "stale.png")


def test_magics_stay_and_copies_of_other_cells_are_left_out(
    page: Any, answers: Answers, tmp_path: Path
) -> None:
    other = "def load(path):\n    return open(path).read()"
    answers.say(fenced(f"{other}\n\ntext = load('a')\nprint(text)"))
    opened(page, answers, "magics.ipynb", other, "%%time\n%matplotlib inline\n\ntext=load('a')\nprint(text)")
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text(
        "1 change suggested. 2 lines were copied from other cells and left out."
    )
    page.screenshot(path=tmp_path / "magics.png")
    button(panel, "Accept all").click()
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == "%%time\n%matplotlib inline\n\ntext = load('a')\nprint(text)"


def test_an_answer_that_is_not_to_be_written_is_shown(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say(fenced("import os\n\nprint(os.listdir())"))
    opened(page, answers, "shell.ipynb", "%%bash\nls | wc -l")
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text(
        "No safe change was found. The answer is not in the language of the code, which is bash."
    )
    expect(says(panel)).to_contain_text("Read the answer")
    expect(button(panel, "Accept all")).to_have_count(0)
    expect(panel.locator("code")).to_contain_text("os.listdir()")
    assert page.evaluate(SOURCE) == "%%bash\nls | wc -l"
    page.screenshot(path=tmp_path / "withheld.png")
    assert violations(page, PANEL) == []

    answers.say(fenced("ls | wc --lines").replace("python", "bash"))
    button(panel, "Retry").click()
    expect(says(panel)).to_contain_text("1 change suggested.")
    button(panel, "Accept all").click()
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == "%%bash\nls | wc --lines"


def test_an_explanation_streams_and_is_stopped(page: Any, answers: Answers, tmp_path: Path) -> None:
    answers.say("The function `area` is **wrong**. ![x](http://127.0.0.1:9/leak.png)\n\n" * 2, ends=False)
    opened(page, answers, "explain.ipynb", BEFORE)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    panel = run(page, "explain")
    expect(panel.locator("strong").first).to_have_text("wrong")
    expect(says(panel)).to_contain_text("Writing.")
    button(panel, "Stop").click()
    expect(says(panel)).to_contain_text("Stopped.")
    expect(panel.locator("strong").first).to_have_text("wrong")
    until(lambda: answers.lab.call("GET", "health")["queue_length"] == 0)
    assert not [url for url in fetched if "leak" in url]

    answers.say("It computes the *area* of a circle.")
    panel.get_by_role("textbox", name="Refine the instruction").fill("in one sentence")
    page.keyboard.press("Enter")
    expect(panel.locator("em")).to_have_text("area")
    expect(says(panel)).to_contain_text("Done.")
    page.screenshot(path=tmp_path / "explain.png")
    button(panel, "Insert below").click()
    expect(page.locator(".jp-MarkdownCell")).to_have_count(1)
    assert violations(page, PANEL) == []


def test_an_error_is_fixed_from_its_traceback(page: Any, answers: Answers, tmp_path: Path) -> None:
    error = {
        "output_type": "error", "ename": "NameError", "evalue": "name 'y' is not defined",
        "traceback": ["NameError: name 'y' is not defined"],
    }  # fmt: skip
    answers.say(fenced("y = 1\nprint(y)"))
    opened(page, answers, "fix.ipynb", "x = 1", "print(y)", outputs=(error,))
    page.locator(".jp-cell-toolbar [data-jp-item-name='localcoder-menu']").click()
    page.screenshot(path=tmp_path / "menu.png")
    page.get_by_role("menuitem", name=re.compile("^Fix Error")).click()
    panel = page.locator(PANEL)
    expect(says(panel)).to_contain_text("1 change suggested.")
    button(panel, "Accept all").click()
    assert page.evaluate(SOURCE) == "y = 1\nprint(y)"


@pytest.mark.parametrize(("command", "key"), [("explain", "e"), ("test", "t"), ("generate", "g")])
def test_commands_have_keys(page: Any, answers: Answers, command: str, key: str) -> None:
    answers.say(fenced("y = x + 1"))
    opened(page, answers, f"keys-{command}.ipynb", "# add one to x")
    page.keyboard.press("Alt+Shift+c")
    page.keyboard.press(key)
    panel = page.locator(PANEL)
    expect(panel).to_be_focused()
    expect(panel).to_contain_text("y = x + 1")
    expect(says(panel)).to_contain_text(re.compile("Done|suggested"))
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button").or_(panel.get_by_role("textbox")).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.locator(".jp-CodeCell .cm-content")).to_be_focused()
    assert page.evaluate(SOURCE) == "# add one to x"


def test_tests_go_into_a_cell_below_which_is_not_run(page: Any, answers: Answers) -> None:
    answers.say(fenced("def test_area():\n    assert area(0) == 0"))
    opened(page, answers, "tests.ipynb", BEFORE)
    panel = run(page, "test")
    expect(says(panel)).to_contain_text("Done.")
    button(panel, "Insert below").click()
    expect(page.locator(".jp-CodeCell")).to_have_count(2)
    below = page.evaluate(
        "() => jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.toJSON()"
    )
    assert below["source"] == "def test_area():\n    assert area(0) == 0"
    assert below["outputs"] == []
    assert request_again(below["metadata"]["localcoder"]).command == "test"


def test_it_is_asked_again_refined_and_private(page: Any, answers: Answers, tmp_path: Path) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    answers.say(fenced(HALF))
    opened(page, answers, "refine.ipynb", BEFORE)
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("1 change suggested.")
    answers.say(fenced(AFTER))
    button(panel, "Retry").click()
    expect(says(panel)).to_contain_text("2 changes suggested.")
    answers.say(fenced(BEFORE))
    panel.get_by_role("textbox", name="Refine the instruction").fill("keep the number")
    button(panel, "Refine").click()
    expect(says(panel)).to_contain_text("The model suggests no changes.")
    asked = [frame for frame in sent if '"op":"generate"' in frame]
    assert ["keep the number" in frame for frame in asked] == [False, False, True]
    assert all('"notebook":"refine.ipynb"' in frame for frame in asked)
    assert violations(page, PANEL) == []

    # Private from here on, and remembered for the next command.
    private = panel.get_by_role("checkbox", name="Private")
    expect(private).not_to_be_checked()
    private.check()
    expect(panel).not_to_contain_text("not saved")
    button(panel, "Retry").click()
    expect(panel).to_contain_text("private: not saved")
    expect(says(panel)).to_contain_text("The model suggests no changes.")
    page.screenshot(path=tmp_path / "private.png")
    assert violations(page, PANEL) == []
    button(panel, "Close").click()
    answers.say("private words")
    panel = run(page, "explain")
    expect(says(panel)).to_contain_text("Done.")
    expect(panel).to_contain_text("private: not saved")
    page.locator(".jp-cell-toolbar [data-jp-item-name='localcoder-menu']").click()
    item = page.get_by_role("menuitemcheckbox", name=re.compile("^Private"))
    expect(item).to_be_checked()
    expect(item.locator("svg")).to_be_visible()
    page.screenshot(path=tmp_path / "private-menu.png")
    item.click()
    expect(panel.get_by_role("checkbox", name="Private")).not_to_be_checked()
    answers.say("words to keep")
    button(panel, "Retry").click()
    expect(panel).to_contain_text("words to keep")
    expect(panel).not_to_contain_text("not saved")

    def kept() -> list[Any]:
        listed = answers.lab.call("GET", "responses")["responses"]
        return [one for one in listed if one["notebook"] == "refine.ipynb"]

    until(lambda: len(kept()) >= 4)
    assert sorted(one["command"] for one in kept()) == ["explain", "improve", "improve", "improve"]
    assert {one["cell"] for one in kept()} == {"c0"}


def test_a_failure_is_told_with_a_way_out(page: Any, answers: Answers) -> None:
    opened(page, answers, "failure.ipynb", "x = 1", "print(x)")
    run(page, "fix")
    expect(page.locator(".Toastify")).to_contain_text("There is no error in the output of the cell.")
    expect(page.locator(PANEL)).to_have_count(0)


def test_nothing_in_an_answer_acts(page: Any, answers: Answers) -> None:
    asked: list[str] = []
    troubles: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: troubles.append(popup.url))
    opened(page, answers, "hostile.ipynb", "x = 1")
    answers.say("ready")
    panel = run(page, "explain")
    for number, hostile in enumerate(HOSTILE):
        answers.say(f"{hostile}\n\nanswer {number}.")
        button(panel, "Retry").click()
        expect(panel.locator(".jp-LocalCoder-Markdown")).to_contain_text(f"answer {number}.")
        found = page.evaluate(ACTING, f"{PANEL} .jp-LocalCoder-Markdown .jp-RenderedMarkdown")
        assert found == [], f"{hostile}: {found}"
    harmless(page)
    assert [url for url in asked if url.startswith(AWAY)] == []
    assert troubles == []


@pytest.mark.parametrize("third", range(3))
def test_nothing_in_a_diff_acts(page: Any, answers: Answers, third: int) -> None:
    """Many at once: a diff shows code, and code is text. (The scripted worker sends letter by letter.)"""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # What is valid Python would not be changed into what is not.
    opened(page, answers, f"hostile-diff-{third}.ipynb", "x = (1")
    code = "\n".join((*HOSTILE[third::3], "y = 2"))
    answers.say(f"`````````python\n{code}\n`````````\n")
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("suggested.")
    shown = page.evaluate(
        """selector => [...document.querySelectorAll(`${selector} .cm-content *`)]
            .filter(e => !e.matches('button.jp-LocalCoder-button') && (
              !['div', 'span', 'br', 'ins', 'del', 'img'].includes(e.localName)
              || e.localName === 'img' && !e.classList.contains('cm-widgetBuffer')
              || e.getAttributeNames().some(name => /^(on|src|href|data-comm)/.test(name))))
            .map(e => e.outerHTML)""",
        PANEL,
    )
    assert shown == []
    page.keyboard.press("Control+Enter")
    expect(panel).to_have_count(0)
    assert "y = 2" in page.evaluate(SOURCE)
    assert page.evaluate("() => window.harmed") is None
    assert [url for url in asked if url.startswith(AWAY)] == []


def test_notebook_7(page: Any, answers: Answers, tmp_path: Path) -> None:
    errors: list[str] = []
    # Notebook itself complains of settings that come before its shortcuts do.
    page.on("pageerror", lambda error: errors.append(error.stack) if "localcoder" in error.stack else None)
    answers.say(fenced(AFTER))
    answers.notebook("seven.ipynb", BEFORE)
    page.goto(answers.lab.page("notebooks/seven.ipynb"))
    content = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    expect(content).to_contain_text("import math")
    content.click()
    page.keyboard.press("Alt+Shift+c")
    page.keyboard.press("i")
    panel = page.locator(PANEL)
    expect(says(panel)).to_contain_text("2 changes suggested.")
    page.screenshot(path=tmp_path / "notebook7.png")
    page.keyboard.press("Control+Enter")
    expect(panel).to_have_count(0)
    expect(content).to_contain_text("math.pi")
    assert errors == [], "\n".join(errors)
