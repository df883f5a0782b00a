"""Something happens to the cell of a command: nothing is lost, spoiled or left running."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.answering import Answers, running_answers
from tests.browser.ghost import READY, THEIR_ERRORS
from tests.browser.patience import connected, leave_out_lost_server, let_toasts_go, new_context, until
from tests.browser.test_commands import (
    AFTER,
    BEFORE,
    METADATA,
    PANEL,
    SOURCE,
    button,
    fenced,
    run,
    says,
)

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

CURRENT = "jupyterapp.shell.currentWidget"
CELL = f"{CURRENT}.content.activeCell.model.sharedModel"
SHARED = f"{CURRENT}.content.model.sharedModel"
TOASTS = ".Toastify [role=alert]"
# The texts of the cells: of the document, of JupyterLab's widgets, and as they stand on the screen.
DOCUMENT = f"() => {SHARED}.cells.map(cell => cell.getSource())"
WIDGETS = f"() => {CURRENT}.content.widgets.map(cell => cell.model.sharedModel.getSource())"
SCREEN = f"""() => [...{CURRENT}.content.node.querySelectorAll('.jp-Cell')].map(
  cell => [...cell.querySelectorAll('.jp-InputArea-editor .cm-line')].map(one => one.textContent).join('\\n')
)"""
CHOOSE = f"""([first, last]) => {{
  const notebook = {CURRENT}.content;
  notebook.mode = 'command';
  notebook.deselectAll();
  notebook.activeCellIndex = first;
  if (last > first) {{
    notebook.extendContiguousSelectionTo(last);
  }}
}}"""
CELLS = ("a = 1\nb = 2", "c = 3\nd = 4", "# third", "# fourth", "# fifth")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with running_answers(tmp_path_factory.mktemp("answers")) as answers:
        yield answers


def entered(page: Any, answers: Answers) -> None:
    """Come to JupyterLab."""
    page.goto(answers.lab.page())
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
    connected(page)


@pytest.fixture(scope="module")
def entered_page(browser: Any, answers: Answers) -> Iterator[Any]:
    """Somebody who has JupyterLab open, for all tests of this module."""
    context = new_context(browser)
    page = context.new_page()
    entered(page, answers)
    yield page
    context.close()


@pytest.fixture
def page(entered_page: Any) -> Iterator[Any]:
    """The same, with nothing open."""
    yield entered_page
    # Not closed: that would ask whether to save.
    entered_page.evaluate("() => [...jupyterapp.shell.widgets('main')].forEach(one => one.dispose())")
    let_toasts_go(entered_page)


def open_(page: Any, name: str) -> None:
    """Open a document; nothing comes back, since a widget may be too deep for the way to here."""
    page.evaluate("async path => { await jupyterapp.commands.execute('docmanager:open', { path }); }", name)


def opened(page: Any, answers: Answers, name: str, *cells: str) -> None:
    """Open a notebook, with the cursor in its last cell."""
    answers.notebook(name, *cells)
    open_(page, name)
    page.wait_for_function("() => jupyterapp.shell.currentWidget?.context?.isReady")
    page.locator(".jp-CodeCell .cm-content").nth(len(cells) - 1).click()


@pytest.fixture
def complaints(page: Any) -> Iterator[list[str]]:
    """What the page says went wrong in a script of the extension, or while JupyterLab changed its cells."""
    found: list[str] = []

    def failed(error: Any) -> None:
        found.append(str(error.stack))

    def said(message: Any) -> None:
        if message.type == "error":
            found.append(message.text)

    page.on("pageerror", failed)
    page.on("console", said)
    yield found
    page.remove_listener("pageerror", failed)
    page.remove_listener("console", said)
    ours = [one for one in found if not any(theirs in one for theirs in THEIR_ERRORS)]
    assert [one for one in ours if "localcoder" in one or "TypeError" in one] == []


def command(page: Any, name: str) -> None:
    page.evaluate("async name => { await jupyterapp.commands.execute(name); }", name)


def choose(page: Any, first: int, last: int = -1) -> None:
    """Select cells, in command mode; the last one is the active one."""
    page.evaluate(CHOOSE, [first, last])


def running(answers: Answers) -> list[Any]:
    found: list[Any] = answers.lab.call("GET", "queue")["streams"]
    return found


def streaming(page: Any, answers: Answers, name: str = "explain", text: str = "So far.\n") -> Any:
    """Run a command on the active cell whose answer has no end."""
    answers.say(text, ends=False)
    run(page, name)
    panel = page.locator(".jp-Cell.jp-mod-active").locator(PANEL)
    expect(says(panel)).to_contain_text("Writing.")
    until(lambda: running(answers))
    return panel


def agreed(page: Any, answers: Answers, name: str, *cells: str) -> None:
    """The document, JupyterLab's widgets, the screen and the saved file have these cells."""
    assert page.evaluate(DOCUMENT) == list(cells)
    assert page.evaluate(WIDGETS) == list(cells)
    until(lambda: page.evaluate(SCREEN) == list(cells))
    page.evaluate(f"() => {CURRENT}.context.save()")
    saved = json.loads((answers.lab.work / name).read_text())
    assert ["".join(cell["source"]) for cell in saved["cells"]] == list(cells)


def remote(page: Any) -> None:
    """Take the first two cells away as a collaborator does: by a change of the document itself."""
    page.evaluate(
        f"() => {SHARED}.ydoc.transact(() => {SHARED}.ydoc.getArray('cells').delete(0, 2), 'remote')"
    )


FIRST, SECOND, *REST = CELLS
HAPPENINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "removed": (("notebook:delete-cell",), tuple(REST), "The cell was removed, and Explain with it."),
    "moved": (
        ("notebook:move-cell-down",),
        (REST[0], FIRST, SECOND, *REST[1:]),
        "The cell was moved, so Explain was closed. Run the command again in its new position.",
    ),
    "pasted": (
        ("notebook:cut-cell", "notebook:paste-cell-below"),
        (REST[0], FIRST, SECOND, *REST[1:]),
        "The cell was removed, and Explain with it.",
    ),
    "merged": (
        ("notebook:merge-cells",),
        (f"{FIRST}\n\n{SECOND}", *REST),
        "The cell was merged with another, so Explain was closed.",
    ),
    "retyped": (
        ("notebook:change-cell-to-raw",),
        CELLS,
        "The type of the cell was changed, so Explain was closed.",
    ),
    "reloaded": (
        (),
        CELLS,
        "The notebook was reloaded, so Explain was closed. Run the command again.",
    ),
    "collaborator": ((), tuple(REST), "The cell was removed, and Explain with it."),
}


@pytest.mark.parametrize("what", HAPPENINGS)
def test_the_cell_of_a_command_goes(
    page: Any, answers: Answers, complaints: list[str], tmp_path: Path, what: str
) -> None:
    """One command is open with a change to accept, and another one still writes."""
    commands, left, sentence = HAPPENINGS[what]
    name = f"goes-{what}.ipynb"
    opened(page, answers, name, *CELLS)
    choose(page, 1)
    answers.say(fenced("c = 4\nd = 4"))
    change = run(page, "improve")
    expect(says(change)).to_contain_text("1 change suggested.")
    choose(page, 0)
    streaming(page, answers)
    expect(page.locator(PANEL)).to_have_count(2)

    choose(page, 0, 1)
    if what == "reloaded":
        page.evaluate(f"() => {CURRENT}.context.revert()")
    elif what == "collaborator":
        remote(page)
    for one in commands:
        command(page, one)
    expect(page.locator(PANEL)).to_have_count(0)
    expect(page.locator(TOASTS).filter(has_text=sentence)).to_have_count(1)
    expect(page.locator(TOASTS).filter(has_text=sentence.replace("Explain", "Improve"))).to_have_count(1)
    page.screenshot(path=tmp_path / "goes.png")
    until(lambda: not running(answers))
    agreed(page, answers, name, *left)
    # What is done to a cell on the screen is done to that one in the document.
    page.locator(".jp-CodeCell").filter(has_text="# fourth").locator(".jp-InputPrompt").click()
    page.keyboard.press("d")
    page.keyboard.press("d")
    until(lambda: "# fourth" not in page.evaluate(DOCUMENT))
    agreed(page, answers, name, *(one for one in left if one != "# fourth"))


@pytest.mark.parametrize("name", ["explain", "improve"])
def test_the_cell_of_a_command_is_split(
    page: Any, answers: Answers, complaints: list[str], tmp_path: Path, name: str
) -> None:
    file = f"split-{name}.ipynb"
    opened(page, answers, file, FIRST, "# last")
    choose(page, 0)
    panel = streaming(page, answers, name)
    page.evaluate(f"() => {CURRENT}.content.activeCell.editor.setCursorPosition({{ line: 1, column: 0 }})")
    command(page, "notebook:split-cell-at-cursor")
    expect(says(panel)).to_contain_text("The cell was split, so the answer was stopped.")
    page.screenshot(path=tmp_path / "split.png")
    until(lambda: not running(answers))
    agreed(page, answers, file, "a = 1", "b = 2", "# last")
    answers.say(fenced("b = 3"))
    button(panel, "Retry").click()
    expect(says(panel)).to_contain_text("Done." if name == "explain" else "1 change suggested.")


@pytest.mark.parametrize("how", ["tab", "dispose"])
def test_who_leaves_a_notebook_leaves_nothing_running(
    page: Any, answers: Answers, complaints: list[str], how: str
) -> None:
    opened(page, answers, f"leave-{how}.ipynb", *CELLS[:2])
    page.wait_for_function(READY)
    page.evaluate(f"() => {CURRENT}.context.save()")
    streaming(page, answers)
    if how == "tab":
        command(page, "application:close")
    else:
        page.evaluate(f"() => {CURRENT}.dispose()")
    until(lambda: not running(answers))
    expect(page.locator(PANEL)).to_have_count(0)
    # They asked for it, and know it.
    expect(page.locator(TOASTS).filter(has_text="Explain")).to_have_count(0)


def test_who_leaves_the_page_leaves_nothing_running(browser: Any, answers: Answers) -> None:
    context = new_context(browser)
    page = context.new_page()
    entered(page, answers)
    opened(page, answers, "leave-page.ipynb", *CELLS[:2])
    streaming(page, answers)
    page.goto("about:blank")
    until(lambda: not running(answers))
    context.close()


def test_a_kernel_is_restarted(page: Any, answers: Answers, complaints: list[str], tmp_path: Path) -> None:
    opened(page, answers, "kernel.ipynb", FIRST)
    page.wait_for_function(READY)
    panel = streaming(page, answers)
    page.evaluate(f"() => {CURRENT}.sessionContext.restartKernel()")
    expect(says(panel)).to_contain_text("The kernel was restarted, so the answer was stopped.")
    expect(panel).to_contain_text("So far.")
    page.screenshot(path=tmp_path / "kernel.png")
    until(lambda: not running(answers))
    answers.say("Again.")
    button(panel, "Retry").click()
    expect(says(panel)).to_contain_text("Done.")


LOCKS = {
    "cell": (
        f"{CELL}.setMetadata('editable', false)",
        f"{CELL}.deleteMetadata('editable')",
        "The cell is read-only",
    ),
    "notebook": (
        f"{CURRENT}.context.model.readOnly = true",
        f"{CURRENT}.context.model.readOnly = false",
        "The notebook is read-only.",
    ),
}


@pytest.mark.parametrize("which", LOCKS)
def test_what_became_read_only_is_not_written(
    page: Any, answers: Answers, complaints: list[str], tmp_path: Path, which: str
) -> None:
    lock, unlock, sentence = LOCKS[which]
    answers.say(fenced(AFTER))
    opened(page, answers, f"lock-{which}.ipynb", BEFORE)
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("2 changes suggested.")
    # The moment before the buttons go: what was shown is no promise.
    page.evaluate(
        f"() => {{ {lock}; document.querySelector('[aria-label=\"Accept this change\"]').click(); }}"
    )
    expect(says(panel)).to_contain_text(sentence)
    assert page.evaluate(SOURCE) == BEFORE
    expect(button(panel, "Accept all")).to_have_count(0)
    expect(panel.get_by_role("button", name="Accept this change").first).to_be_hidden()
    panel.focus()
    page.keyboard.press("Control+Enter")
    assert page.evaluate(SOURCE) == BEFORE
    page.screenshot(path=tmp_path / "locked.png")
    assert violations(page, PANEL) == []
    page.evaluate(f"() => {{ {unlock}; }}")
    expect(says(panel)).to_contain_text("2 changes suggested.")
    expect(panel.get_by_role("button", name="Accept this change")).to_have_count(2)
    button(panel, "Accept all").click()
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == AFTER


def test_a_read_only_notebook_gets_no_new_cell(page: Any, answers: Answers, complaints: list[str]) -> None:
    answers.say(fenced("def test():\n    assert True"))
    opened(page, answers, "lock-insert.ipynb", BEFORE)
    panel = run(page, "test")
    expect(says(panel)).to_contain_text("Done.")
    page.evaluate(f"() => {{ {CURRENT}.context.model.readOnly = true; }}")
    button(panel, "Insert below").click()
    expect(page.locator(TOASTS).filter(has_text="The notebook is read-only.")).to_have_count(1)
    assert page.evaluate(DOCUMENT) == [BEFORE]
    page.evaluate(f"() => {{ {CURRENT}.context.model.readOnly = false; }}")
    button(panel, "Insert below").click()
    assert page.evaluate(DOCUMENT) == [BEFORE, "def test():\n    assert True"]
    choose(page, 0)
    command(page, "notebook:undo-cell-action")
    assert page.evaluate(DOCUMENT) == [BEFORE]


@contextlib.contextmanager
def write_protected(path: Path) -> Iterator[None]:
    """Let nobody write a file: by its mode, and by its attribute, for an administrator."""
    mode = path.stat().st_mode
    path.chmod(0o444)
    is_marked = os.access(path, os.W_OK) and shutil.which("chattr") is not None
    if is_marked:
        subprocess.run(["chattr", "+i", path], check=False, capture_output=True)
    try:
        if os.access(path, os.W_OK):
            pytest.skip("nothing keeps this user from writing a file")
        yield
    finally:
        if is_marked:
            subprocess.run(["chattr", "-i", path], check=False, capture_output=True)
        path.chmod(mode)


def test_a_file_that_cannot_be_written_loses_no_accepted_change(
    page: Any, answers: Answers, complaints: list[str], tmp_path: Path
) -> None:
    """The notebook in the page takes the change; that it is not on the disk yet is for JupyterLab to say."""
    answers.say(fenced(AFTER))
    opened(page, answers, "protected.ipynb", BEFORE)
    file = answers.lab.work / "protected.ipynb"
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("2 changes suggested.")
    with write_protected(file):
        button(panel, "Accept all").click()
        expect(panel).to_have_count(0)
        assert page.evaluate(SOURCE) == AFTER
        page.keyboard.press("Control+s")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("File Save Error for protected.ipynb")
        page.screenshot(path=tmp_path / "not-saved.png")
        page.keyboard.press("Enter")
        expect(dialog).to_have_count(0)
        assert page.evaluate(SOURCE) == AFTER
        assert page.evaluate(f"() => {CURRENT}.context.model.dirty")
    agreed(page, answers, "protected.ipynb", AFTER)
    with write_protected(file):
        page.evaluate(f"() => {{ {CURRENT}.dispose(); }}")
        open_(page, "protected.ipynb")
        page.wait_for_function(
            f"() => {CURRENT}?.context?.isReady && !{CURRENT}.context.contentsModel.writable"
        )
        page.locator(".jp-CodeCell .cm-content").first.click()
        command(page, "localcoder:improve")
        expect(page.locator(TOASTS).filter(has_text="The notebook is read-only.")).to_have_count(1)
        expect(page.locator(PANEL)).to_have_count(0)


def test_an_overtaken_change_is_compared_with_the_cell_as_it_is(
    page: Any, answers: Answers, complaints: list[str], tmp_path: Path
) -> None:
    answers.say(fenced(AFTER))
    opened(page, answers, "compare.ipynb", BEFORE)
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("2 changes suggested.")
    mine = BEFORE.replace("import math", "import math as m")
    page.evaluate(f"text => {{ {CELL}.setSource(text); }}", mine)
    expect(says(panel)).to_contain_text("The cell was changed in the meantime")
    page.screenshot(path=tmp_path / "overtaken.png")
    button(panel, "Compare").click()
    expect(says(panel)).to_contain_text("3 changes suggested.")
    page.screenshot(path=tmp_path / "compared.png")
    assert page.evaluate(SOURCE) == mine
    # What the person wrote is theirs to keep.
    panel.get_by_role("button", name="Reject this change").first.click()
    expect(says(panel)).to_contain_text("2 changes suggested.")
    button(panel, "Accept all").click()
    expect(panel).to_have_count(0)
    assert page.evaluate(SOURCE) == AFTER.replace("import math", "import math as m")
    assert page.evaluate(METADATA)["command"] == "improve"
    page.locator(".jp-CodeCell .cm-content").press("Control+z")
    assert page.evaluate(SOURCE) == mine


def test_an_empty_answer_changes_nothing(page: Any, answers: Answers, complaints: list[str]) -> None:
    answers.say("")
    opened(page, answers, "empty.ipynb", BEFORE)
    panel = run(page, "improve")
    expect(says(panel)).to_contain_text("The model returned no answer, so the cell was not changed.")
    expect(button(panel, "Accept all")).to_have_count(0)
    panel.focus()
    page.keyboard.press("Control+Enter")
    assert page.evaluate(SOURCE) == BEFORE


def test_code_of_the_chat_goes_through_the_same_door(
    page: Any, answers: Answers, complaints: list[str]
) -> None:
    answers.say(fenced("y = x + 1"))
    opened(page, answers, "door.ipynb", "x = 1", "print(x)")
    command(page, "localcoder:open-chat")
    chat = page.locator(".jp-LocalCoder-Chat")
    chat.locator(".jp-LocalCoder-Composer > textarea").fill("How does it grow?")
    page.keyboard.press("Enter")
    expect(chat.get_by_role("status")).to_have_text("Done.")
    replace = button(chat, "Replace cell")
    replace.click()
    change = page.get_by_role("region", name="LocalCoder: Replace the cell")
    expect(says(change)).to_contain_text("1 change suggested.")
    page.evaluate(f"() => {CELL}.setMetadata('editable', false)")
    expect(says(change)).to_contain_text("The cell is read-only")
    expect(button(change, "Accept all")).to_have_count(0)
    page.evaluate(f"() => {CELL}.deleteMetadata('editable')")
    expect(says(change)).to_contain_text("1 change suggested.")
    page.evaluate(f"text => {{ {CELL}.setSource(text); }}", "print(x, x)")
    button(change, "Compare").click()
    expect(says(change)).to_contain_text("1 change suggested.")
    choose(page, 1)
    command(page, "notebook:delete-cell")
    expect(change).to_have_count(0)
    expect(
        page.locator(TOASTS).filter(has_text="The cell was removed, and Replace the cell with it.")
    ).to_have_count(1)
    agreed(page, answers, "door.ipynb", "x = 1")

    page.evaluate(f"() => {{ {CURRENT}.context.model.readOnly = true; }}")
    button(chat, "Insert below").click()
    expect(page.locator(TOASTS).filter(has_text="The notebook is read-only.")).to_have_count(1)
    assert page.evaluate(DOCUMENT) == ["x = 1"]


def test_the_server_is_restarted(page: Any, answers: Answers, tmp_path: Path) -> None:
    """What has come is kept, also where it is asked again too early; then all goes on."""
    opened(page, answers, "restart.ipynb", *CELLS[:2])
    leave_out_lost_server(page)
    choose(page, 1)
    answers.say(fenced("c = 4\nd = 4"))
    change = run(page, "improve")
    expect(says(change)).to_contain_text("1 change suggested.")
    choose(page, 0)
    panel = streaming(page, answers)
    answers.lab.stop()
    # A server that has time to say so ends what runs on it.
    sentence = r"because the Jupyter server was shut down|Cannot connect to the Jupyter server"
    expect(says(panel)).to_contain_text(re.compile(sentence))
    expect(panel).to_contain_text("So far.")
    page.screenshot(path=tmp_path / "lost.png")
    words = panel.get_by_role("textbox", name="Refine the instruction")
    words.fill("in one word")
    words.press("Enter")
    expect(page.locator(TOASTS).filter(has_text="so the request was not sent")).to_have_count(1)
    expect(panel).to_contain_text("So far.")
    expect(words).to_have_value("in one word")
    page.screenshot(path=tmp_path / "nothing-asked.png")
    answers.lab.start()
    connected(page)
    expect(panel).to_contain_text("So far.")
    answers.say("Again.")
    button(panel, "Refine").click()
    expect(says(panel)).to_contain_text("Done.")
    expect(panel).to_contain_text("Again.")
    expect(words).to_have_value("")
    other = page.locator(".jp-CodeCell").nth(1).locator(PANEL)
    button(other, "Accept all").click()
    expect(other).to_have_count(0)
    agreed(page, answers, "restart.ipynb", FIRST, "c = 4\nd = 4")
