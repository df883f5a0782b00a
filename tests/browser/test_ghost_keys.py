"""Keys and cursors around ghost text: what dismisses and what takes it, and whose edits ask for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.browser.ghost import CELL, CURRENT, PROMPT, GhostLab, Writer, until
from tests.browser.patience import heard

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

NUMPY = {"ends": "import ", "pieces": ["numpy as np"]}
MODE = f"() => {CURRENT}.content.mode"
COMPLETER = "@jupyterlab/completer-extension:inline-completer"
LISTS = "@jupyterlab/completer-extension:manager"
LIST = ".jp-Completer:not(.lm-mod-hidden)"


def sources(writer: Writer) -> list[str]:
    found: list[str] = writer.page.evaluate(
        f"() => {CURRENT}.content.widgets.map(cell => cell.model.sharedModel.getSource())"
    )
    return found


def put_cursors(writer: Writer, *places: tuple[int, int] | tuple[int, int, int]) -> None:
    """Have a cursor at each (line, column), or a selection (line, column, column)."""
    selections = [
        {"start": {"line": line, "column": columns[0]}, "end": {"line": line, "column": columns[-1]}}
        for line, *columns in places
    ]
    writer.page.evaluate(f"all => {CELL}.editor.setSelections(all)", selections)


def cursors(writer: Writer) -> int:
    return int(writer.page.evaluate(f"() => {CELL}.editor.getSelections().length"))


def type_elsewhere(writer: Writer, text: str, at: int) -> None:
    """A collaborator does so: the change comes into the shared document with another origin."""
    writer.page.evaluate(
        f"""([text, at]) => {{
          const {{ ysource }} = {CELL}.model.sharedModel;
          ysource.doc.transact(() => ysource.insert(at, text), 'collaborator');
        }}""",
        [text, at],
    )


def closes_the_rest(writer: Writer, ghost: str) -> None:
    """After what was in front: the ghost text is still there, then it goes, then the edit mode is left."""
    assert (writer.ghost, writer.page.evaluate(MODE)) == (ghost, "edit")
    writer.press("Escape")
    writer.sees("")
    assert writer.page.evaluate(MODE) == "edit"
    writer.press("Escape")
    assert writer.page.evaluate(MODE) == "command"


class TestEscape:
    def test_takes_the_ghost_text_and_nothing_else(self, writer: Writer, ghost_lab: GhostLab) -> None:
        ghost_lab.rules([NUMPY])
        writer.open(ghost_lab.write("escape.ipynb", "", "y = 2"))
        writer.type("import ")
        writer.sees("numpy as np")
        writer.press("Escape")
        writer.sees("")
        assert writer.page.evaluate(MODE) == "edit"
        writer.type("x")
        assert sources(writer) == ["import x", "y = 2"]

    def test_leaves_the_edit_mode_where_there_is_none(self, writer: Writer, ghost_lab: GhostLab) -> None:
        ghost_lab.rules([NUMPY])
        writer.open(ghost_lab.write("mode.ipynb", "", "y = 2"))
        writer.type("import ")
        writer.sees("numpy as np")
        writer.press("Escape")
        writer.sees("")
        writer.press("Escape")
        assert writer.page.evaluate(MODE) == "command"
        # Typed over, there is none either: JupyterLab leaves its mark at the editor all the same.
        writer.enter_cell(0)
        writer.press("Backspace")
        writer.type(" ")
        writer.sees("numpy as np")
        writer.type("x")
        writer.is_answered()
        writer.press("Escape")
        assert writer.page.evaluate(MODE) == "command"

    def test_with_the_focus_on_the_toolbar_of_the_ghost_text(
        self, writer: Writer, ghost_lab: GhostLab
    ) -> None:
        ghost_lab.rules([NUMPY])
        writer.open(ghost_lab.write("toolbar.ipynb", "", "y = 2"))
        with writer.settings(COMPLETER, showWidget="always"):
            writer.type("import ")
            writer.sees("numpy as np")
            writer.page.evaluate("() => document.querySelector('.jp-InlineCompleter').focus()")
            writer.page.wait_for_function("() => document.activeElement.matches('.jp-InlineCompleter')")
            writer.press("Escape")
            writer.sees("")
            assert writer.page.evaluate(MODE) == "edit"
            writer.type("x")
        assert sources(writer) == ["import x", "y = 2"]

    def test_closes_the_list_of_completions_first(self, writer: Writer, ghost_lab: GhostLab) -> None:
        ghost_lab.rules([{"ends": "import_", "pieces": ["you"]}])
        writer.open(ghost_lab.write("list.ipynb", "import_me = 1\nimport_you = 2\n", "y = 2"))
        shown_together = (
            writer.settings(COMPLETER, suppressIfTabCompleterActive=False),
            writer.settings(LISTS, suppressIfInlineCompleterActive=False),
        )
        with shown_together[0], shown_together[1]:
            writer.type("import_")
            writer.sees("you")
            writer.execute("completer:invoke-notebook")
            expect(writer.page.locator(LIST)).to_have_count(1)
            writer.press("Escape")
            expect(writer.page.locator(LIST)).to_have_count(0)
            writer.settle()
            closes_the_rest(writer, "you")
        assert sources(writer)[0] == "import_me = 1\nimport_you = 2\nimport_"

    def test_closes_the_tooltip_first(self, writer: Writer, ghost_lab: GhostLab) -> None:
        gate = ghost_lab.gate()
        ghost_lab.rules([{"ends": "print(", "pieces": [gate.held, "1)"]}])
        writer.open(ghost_lab.write("tooltip.ipynb", "", "y = 2"), wait_for_kernel=True)
        writer.type("print(")
        until(lambda: ghost_lab.asked and ghost_lab.asked[-1]["prefix"] == "print(")
        # Each key closes it: it can only be there before the ghost text is.
        writer.press("Shift+Tab")
        tooltip = writer.page.locator(".jp-Tooltip")
        expect(tooltip).to_be_visible()
        gate.open()
        writer.sees("1)")
        expect(tooltip).to_be_visible()
        writer.press("Escape")
        expect(tooltip).to_have_count(0)
        writer.settle()
        closes_the_rest(writer, "1)")
        assert sources(writer) == ["print(", "y = 2"]

    def test_in_a_file(self, writer: Writer, ghost_lab: GhostLab) -> None:
        ghost_lab.rules([NUMPY])
        (ghost_lab.work / "escape.py").write_text("")
        writer.open("escape.py")
        writer.type("import ")
        writer.sees("numpy as np")
        writer.press("Escape")
        writer.sees("")
        writer.type("x")
        text = writer.page.evaluate(f"() => {CURRENT}.content.model.sharedModel.getSource()")
        assert text == "import x"

    def test_in_a_console(self, writer: Writer, ghost_lab: GhostLab) -> None:
        ghost_lab.rules([NUMPY])
        writer.page.evaluate(
            """() => { jupyterapp.commands.execute('console:create', {
              kernelPreference: { name: 'python3', shutdownOnDispose: true }, activate: true
            }); }"""
        )
        session = f"{CURRENT}?.console?.sessionContext"
        writer.page.wait_for_function(
            f"() => {session}?.isReady && {session}.session?.kernel?.status === 'idle'"
        )
        writer.page.locator(".jp-CodeConsole-promptCell .cm-content").click()
        expect(writer.page.locator(PROMPT)).to_be_visible()
        writer.type("import ")
        writer.sees("numpy as np")
        writer.press("Escape")
        writer.sees("")
        writer.type("x")
        text = writer.page.evaluate(f"() => {CURRENT}.console.promptCell.model.sharedModel.getSource()")
        assert text == "import x"

    def test_is_a_command_with_a_shortcut_of_the_settings(self, writer: Writer, ghost_lab: GhostLab) -> None:
        ghost_lab.rules([NUMPY])
        writer.open(ghost_lab.write("own-key.ipynb", "", "y = 2"))
        active = ".jp-mod-inline-completer-active"
        own = [
            {"command": "localcoder:dismiss", "keys": ["Escape"], "selector": active, "disabled": True},
            {"command": "localcoder:dismiss", "keys": ["Ctrl ,"], "selector": active},
        ]
        with writer.settings("@jupyterlab/shortcuts-extension:shortcuts", shortcuts=own):
            writer.page.wait_for_function(
                """() => jupyterapp.commands.keyBindings.some(({ command, keys }) =>
                  command === 'localcoder:dismiss' && keys[0] === 'Ctrl ,')"""
            )
            writer.type("import ")
            writer.sees("numpy as np")
            writer.press("Control+,")
            writer.sees("")
            assert writer.page.evaluate(MODE) == "edit"


class TestSeveralCursors:
    @pytest.mark.parametrize(
        ("key", "taken"),
        [("Alt+ArrowRight", "numpy"), ("Alt+ArrowDown", "numpy as np"), ("Tab", "numpy as np")],
    )
    def test_all_of_them_take_it(self, writer: Writer, ghost_lab: GhostLab, key: str, taken: str) -> None:
        ghost_lab.rules([NUMPY])
        writer.open(ghost_lab.write("cursors.ipynb", "import\nimport\nimport"))
        put_cursors(writer, (0, 6), (1, 6), (2, 6))
        writer.type(" ")
        until(lambda: writer.ghost.startswith("numpy as np"))
        writer.press(key)
        assert writer.text == "\n".join([f"import {taken}"] * 3)
        assert cursors(writer) == 3
        writer.press("Control+z")
        assert writer.text == "import \nimport \nimport "

    @pytest.mark.parametrize("key", ["Alt+ArrowRight", "Alt+ArrowDown", "Tab"])
    def test_none_takes_it_where_text_is_selected(
        self, writer: Writer, ghost_lab: GhostLab, key: str
    ) -> None:
        ghost_lab.rules([NUMPY])
        writer.open(ghost_lab.write("selected.ipynb", "import \ny = 2"))
        put_cursors(writer, (0, 7), (1, 0, 1))
        writer.press("Alt+\\")
        until(lambda: writer.ghost.startswith("numpy as np"))
        writer.press(key)
        toast = writer.page.locator(".Toastify__toast").filter(has_text="The suggestion was not accepted")
        expect(toast).to_have_count(1)
        assert writer.text == "import \ny = 2"
        assert cursors(writer) == 2


def test_only_edits_of_this_browser_ask(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY, {"ends": "ax", "pieces": ["is = 1"]}])
    writer.open(ghost_lab.write("shared.ipynb", "y = 2\n"))
    writer.type("a")
    writer.is_answered()
    begun = len(writer.sent("tab:complete"))
    type_elsewhere(writer, "x", len("y = 2\na"))
    type_elsewhere(writer, "import os\n", 0)
    writer.settle()
    assert writer.text == "import os\ny = 2\nax"
    assert writer.sent("tab:complete")[begun:] == []
    assert writer.ghost == ""
    # Whoever types here is still answered, and so is who asks by the shortcut.
    writer.press("Alt+\\")
    writer.type("\nimport ")
    writer.sees("numpy as np")
    type_elsewhere(writer, "# 1\n", 0)
    begun = len(writer.sent("tab:complete"))
    writer.press("Alt+\\")
    writer.sees("numpy as np")
    assert len(writer.sent("tab:complete")) > begun


class TestSwitchedOnAgain:
    """Nothing of a refusal outlives the switch."""

    def refused(self, writer: Writer) -> None:
        writer.page.wait_for_function("() => window.refused.some(one => one.code === 'DISABLED')")

    def test_on_the_server(self, writer: Writer, ghost_lab: GhostLab) -> None:
        ghost_lab.rules([NUMPY])
        writer.open(ghost_lab.write("server.ipynb", ""))
        ghost_lab.call("PATCH", "settings", {"tab_completion": False})
        try:
            writer.type("import ")
            self.refused(writer)
        finally:
            ghost_lab.call("PATCH", "settings", {"tab_completion": True})
        heard(writer.page)
        writer.press("Backspace")
        writer.type(" ")
        writer.sees("numpy as np")

    @pytest.mark.parametrize(
        "switch", [["localcoder:toggle-completion"], ["localcoder:toggle-completion-in-notebook"], []]
    )
    def test_in_the_page(self, writer: Writer, ghost_lab: GhostLab, switch: Sequence[str]) -> None:
        ghost_lab.rules([NUMPY])
        writer.open(ghost_lab.write("page.ipynb", ""))
        path = Path(ghost_lab.call("GET", "settings")["path"])
        before = path.read_text()
        off: dict[str, Any] = json.loads(before)
        off["settings"]["tab_completion"] = False
        # By hand: no event tells of it.
        path.write_text(json.dumps(off))
        try:
            writer.type("import ")
            self.refused(writer)
        finally:
            path.write_text(before)
        for command in (*switch, *switch):
            writer.execute(command)
        if not switch:
            with writer.settings(completionMode="off"):
                writer.settle()
        writer.enter_cell(0)
        writer.press("Backspace")
        writer.type(" ")
        writer.sees("numpy as np")
