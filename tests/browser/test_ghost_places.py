"""Where ghost text is shown: files, consoles, Notebook 7, other kernels and key maps, large notebooks."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from tests.browser.ghost import CELL, CURRENT, PROMPT, GhostLab, Writer, long_cell, many_cells, until
from tests.browser.patience import CHANNEL, new_context

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

PROBES = "() => window.sent.some(one => one.op === 'context:probe')"
RULES = [
    {"ends": "import ", "pieces": ["numpy as np"]},
    {"ends": "def f(x):", "pieces": ["\n    y = x + 1\n", "    return y"]},
]


def test_a_file(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules(RULES)
    (ghost_lab.work / "module.py").write_text("import os\n")
    writer.open("module.py")
    writer.type("import ")
    writer.sees("numpy as np")
    assert ghost_lab.asked[-1]["prefix"] == "import os\nimport "
    text = f"() => {CURRENT}.content.model.sharedModel.getSource()"
    writer.press("Escape")
    writer.sees("")
    writer.press("Backspace")
    writer.type(" ")
    writer.sees("numpy as np")
    writer.press("Alt+ArrowRight")
    assert writer.page.evaluate(text) == "import os\nimport numpy"
    writer.press("Tab")
    assert writer.page.evaluate(text) == "import os\nimport numpy as np"
    writer.press("Control+z")
    assert writer.page.evaluate(text) == "import os\nimport numpy"


def test_a_console(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules(RULES)
    writer.page.evaluate(
        """() => { jupyterapp.commands.execute('console:create', {
          kernelPreference: { name: 'python3', shutdownOnDispose: true }, activate: true
        }); }"""
    )
    session = f"{CURRENT}?.console?.sessionContext"
    writer.page.wait_for_function(f"() => {session}?.isReady && {session}.session?.kernel?.status === 'idle'")
    writer.page.locator(".jp-CodeConsole-promptCell .cm-content").click()
    expect(writer.page.locator(PROMPT)).to_be_visible()
    writer.type("rate = 7")
    writer.press("Shift+Enter")
    expect(writer.page.locator(".jp-CodeConsole-content .jp-InputPrompt").last).to_have_text("[1]:")
    writer.page.locator(".jp-CodeConsole-promptCell .cm-content").click()
    expect(writer.page.locator(PROMPT)).to_be_visible()
    writer.type("import ")
    writer.sees("numpy as np")
    assert any("rate = 7" in text for text in ghost_lab.asked[-1]["texts"])
    writer.press("Alt+ArrowRight")
    writer.press("Tab")
    text = writer.page.evaluate(f"() => {CURRENT}.console.promptCell.model.sharedModel.getSource()")
    assert text == "import numpy as np"


def test_notebook_7(browser: Any, ghost_lab: GhostLab) -> None:
    ghost_lab.rules(RULES)
    ghost_lab.write("classic.ipynb", "x = 1")
    context = new_context(browser)
    page = context.new_page()
    errors: list[str] = []
    # Notebook itself complains of settings that come before its shortcuts do, also without this extension.
    page.on("pageerror", lambda error: errors.append(error.stack) if "localcoder" in error.stack else None)
    page.goto(ghost_lab.page("notebooks/classic.ipynb"))
    content = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    expect(content).to_contain_text("x = 1")
    expect(page.locator(".jp-NotebookKernelStatus, .jp-Notebook-ExecutionIndicator").first).to_be_visible()
    content.click()
    page.wait_for_function("() => document.activeElement.closest('.jp-mod-completer-enabled') !== null")
    page.keyboard.press("Control+End")
    page.keyboard.type("\nimport")
    ghost = page.locator(".jp-GhostText")

    def is_suggested() -> bool:
        """Whether it is, when it is typed once more: not before the page has read its settings."""
        page.keyboard.type(" ")
        with contextlib.suppress(AssertionError):
            expect(ghost).to_have_text("numpy as np", timeout=5000)
            return True
        page.keyboard.press("Backspace")
        return False

    until(is_suggested)
    page.keyboard.press("Alt+ArrowRight")
    expect(ghost).to_have_text(" as np")
    page.keyboard.press("Tab")
    expect(ghost).to_have_count(0)
    expect(content).to_contain_text("import numpy as np")
    page.keyboard.press("Control+z")
    expect(content).to_have_text("x = 1import numpy")
    # Notebook's own: it asks for the shortcuts' settings before they are there, without this extension too.
    assert [error for error in errors if "reading 'schema'" not in error] == []
    context.close()


def test_a_kernel_of_another_language(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "f(x) = ", "pieces": ["x^2"]}])
    path = ghost_lab.write(
        "julia.ipynb",
        "",
        kernelspec={"name": "toy", "display_name": "Toy", "language": "julia"},
        language_info={"name": "julia", "mimetype": "text/x-julia"},
    )
    writer.open(path, wait_for_kernel=True)
    until(lambda: writer.page.evaluate(PROBES))
    writer.page.evaluate(f"() => {CHANNEL}.request('context:probe', {{ language: 'julia' }})")
    writer.settle()
    # The kernel answers one question after the other.
    writer.page.evaluate(f"() => {CURRENT}.sessionContext.session.kernel.requestKernelInfo()")
    writer.type("f(x) = ")
    writer.sees("x^2")
    silent = [line for line in ghost_lab.log.splitlines() if "execute" in line and "silent" in line]
    assert silent == []
    writer.press("Tab")
    assert writer.text == "f(x) = x^2"


@pytest.fixture
def vim(writer: Writer) -> Any:
    plugin = "@axlair/jupyterlab_vim"
    if not writer.page.evaluate("plugin => jupyterapp.hasPlugin(plugin)", plugin):
        # Once there, it is in every editor of the server: `make browser` runs this test by itself.
        pytest.skip("the vim key map is not installed: `make browser` puts it beside the environment")
    with writer.settings(f"{plugin}:plugin", enabled=True):
        yield writer


def test_the_vim_key_map(vim: Writer, ghost_lab: GhostLab) -> None:
    writer = vim
    ghost_lab.rules(RULES)
    writer.open(ghost_lab.write("vim.ipynb", "x = 1\ny = 2"))
    normal = f"() => {CELL}.editor.editor.scrollDOM.classList.contains('cm-vimMode')"
    writer.page.wait_for_function(normal)
    # In normal mode keys are commands, and nothing is asked, whatever they change.
    writer.press("g", "g", "x")
    writer.settle()
    assert writer.text == " = 1\ny = 2"
    assert writer.sent("tab:complete") == []
    writer.press("G", "o")
    writer.type("import ")
    writer.sees("numpy as np")
    writer.press("Alt+ArrowRight")
    writer.sees(" as np")
    writer.press("Escape")
    writer.sees("")
    writer.page.wait_for_function(normal)
    assert writer.text == " = 1\ny = 2\nimport numpy"
    writer.press("d", "d")
    assert writer.text == " = 1\ny = 2"
    assert writer.page.evaluate(f"() => {CURRENT}.content.mode") == "edit"


def test_a_notebook_of_thousands_of_cells(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "value_60 + ", "pieces": ["value_7"]}])
    writer.open(ghost_lab.write("many.ipynb", *many_cells()))
    writer.enter_cell(60)  # JupyterLab takes a minute to get to those far below
    writer.press("Enter")
    writer.type("z = value_60 + ")
    writer.sees("value_7")
    sent = "\n".join(ghost_lab.asked[-1]["texts"])
    assert "value_59 = 59" in sent
    assert len(json.dumps(ghost_lab.asked[-1])) < 400_000


def test_a_cell_of_thousands_of_lines(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "total = ", "pieces": ["line_9999"]}])
    writer.open(ghost_lab.write("long.ipynb", long_cell()))
    writer.press("Enter")
    writer.type("total = ")
    writer.sees("line_9999")
    prefix = ghost_lab.asked[-1]["prefix"]
    assert prefix.endswith("line_19999 = 19999  # 日本\ntotal = ")
    writer.press("Tab")
    end = writer.page.evaluate(f"() => {CELL}.model.sharedModel.getSource().slice(-25)")
    assert end.endswith("\ntotal = line_9999")
    until(lambda: writer.ghost == "")
