"""Ghost text while a person types: shown, taken, typed through, given up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.browser.ghost import CELL, CURRENT, STATUS, GhostLab, Writer, markdown, until

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

# What the page asks the worker for.
ASKING = ("tab:complete", "tab:warm")
NUMPY = {"ends": "import ", "pieces": ["numpy as np"]}
LINES = {"ends": "def f(x):", "pieces": ["\n    y = x + 1\n", "    return y"]}
# The first line is shown when it is complete; this one then goes on without an end.
ENDLESS = {"ends": "forever(", "pieces": ["a, b)\n"], "hangs": True}


@contextlib.contextmanager
def paused(writer: Writer) -> Iterator[None]:
    """Have no suggestions for a while."""
    writer.execute("localcoder:toggle-completion")
    try:
        yield
    finally:
        writer.execute("localcoder:toggle-completion")


def test_it_is_shown_and_taken_as_one_step(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY])
    writer.open(ghost_lab.write("take.ipynb", "x = 1"))
    writer.type("\nimport ")
    writer.sees("numpy as np")
    writer.press("Tab")
    assert writer.text == "x = 1\nimport numpy as np"
    writer.sees("")
    writer.press("Control+z")
    assert writer.text == "x = 1\nimport "


def test_the_next_one_is_there_when_it_is_taken(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY, {"ends": "import numpy as np", "pieces": ["\nimport pandas as pd"]}])
    ghost_lab.forget()
    writer.open(ghost_lab.write("ahead.ipynb", ""))
    writer.type("import ")
    writer.sees("numpy as np")
    until(lambda: [one["prefix"] for one in ghost_lab.events(event="asked", priority="background")])
    ghost_lab.quiet()
    writer.press("Tab")
    writer.sees("\nimport pandas as pd")
    assert [one["prefix"] for one in ghost_lab.asked if one["prefix"].endswith("np")] == []
    writer.press("Tab")
    assert writer.text == "import numpy as np\nimport pandas as pd"
    with writer.settings("jupyter-localcoder:plugin", completionLookAhead=False):
        ghost_lab.forget()
        writer.type("\nimport ")
        writer.sees("numpy as np")
        ghost_lab.quiet()
        # What follows the suggestion before may have been asked for until now.
        ahead = ghost_lab.events(event="asked", priority="background")
        assert [one for one in ahead if one["prefix"].endswith("pd\nimport numpy as np")] == []


def test_it_comes_as_it_is_written(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "def f(x):", "pieces": ["\n    y = x + 1\n", "    return y\n"], "hangs": True}])
    writer.open(ghost_lab.write("stream.ipynb", ""))
    writer.type("def f(x):")
    writer.sees("\n    y = x + 1\n    return y")
    # It still goes on, and can be taken as far as it has come.
    assert ghost_lab.how_ended("def f(x):") == ""
    writer.press("Tab")
    assert writer.text == "def f(x):\n    y = x + 1\n    return y"


def test_words_and_lines_are_steps_of_their_own(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([LINES])
    writer.open(ghost_lab.write("pieces.ipynb", ""))
    writer.type("def f(x):")
    writer.sees("\n    y = x + 1\n    return y")
    texts = ["def f(x):"]
    for key, added, left in (
        ("Alt+ArrowRight", "\n    y", " = x + 1\n    return y"),
        ("Alt+ArrowRight", " =", " x + 1\n    return y"),
        ("Alt+ArrowRight", " x", " + 1\n    return y"),
        ("Alt+ArrowDown", " + 1", "\n    return y"),
        ("Alt+ArrowDown", "\n    return y", ""),
    ):
        writer.press(key)
        writer.sees(left)
        texts.append(texts[-1] + added)
        assert writer.text == texts[-1]
    # All of it came from one answer; then it may be asked what follows.
    prefixes = [asked["prefix"] for asked in ghost_lab.asked]
    assert prefixes.count("def f(x):") == 1
    assert set(prefixes[prefixes.index("def f(x):") + 1 :]) <= {texts[-1]}
    for text in reversed(texts[:-1]):
        writer.press("Control+z")
        assert writer.text == text


def test_the_shortcuts_are_those_of_the_settings(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY])
    writer.open(ghost_lab.write("keys.ipynb", "import "))
    keys = writer.page.evaluate(
        """() => jupyterapp.commands.keyBindings
          .filter(({ command }) => command.startsWith('localcoder:accept'))
          .map(({ command, keys, selector }) => [command, ...keys, selector])"""
    )
    assert sorted(keys) == [
        ["localcoder:accept-line", "Alt ArrowDown", ".jp-mod-inline-completer-active"],
        ["localcoder:accept-word", "Alt ArrowRight", ".jp-mod-inline-completer-active"],
    ]
    own = [
        {
            "command": "localcoder:accept-word",
            "keys": ["Accel ArrowRight"],
            "selector": ".jp-mod-inline-completer-active",
        }
    ]
    with writer.settings("@jupyterlab/shortcuts-extension:shortcuts", shortcuts=own):
        writer.page.wait_for_function(
            """() => jupyterapp.commands.keyBindings.some(({ command, keys }) =>
              command === 'localcoder:accept-word' && keys[0] !== 'Alt ArrowRight')"""
        )
        writer.type("\nimport ")
        writer.sees("numpy as np")
        writer.press("Control+ArrowRight")
        assert writer.text == "import \nimport numpy"
        writer.sees(" as np")


def test_the_palette_shows_the_commands_with_their_shortcuts(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY])
    writer.open(ghost_lab.write("palette.ipynb", ""), wait_for_kernel=True)
    writer.type("import ")
    writer.sees("numpy as np")
    palette = writer.page.locator(".lm-CommandPalette:visible")
    commands = (("Accept the Next Line", "Alt+Down"), ("Accept the Next Word", "Alt+Right"))
    for count, (name, key) in enumerate(commands, 1):
        writer.page.evaluate("() => { jupyterapp.commands.execute('apputils:activate-command-palette'); }")
        palette.locator("input").fill(name)
        item = palette.locator(".lm-CommandPalette-item").filter(has_text=name)
        expect(item).to_be_visible()
        expect(item).to_contain_text(key)
        item.click()
        toast = writer.page.locator(".Toastify__toast").filter(
            has_text="There is no suggestion at the cursor"
        )
        expect(toast).to_have_count(count)
    assert writer.text == "import "


def test_typing_what_it_says_asks_nothing(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY])
    writer.open(ghost_lab.write("through.ipynb", ""))
    writer.type("import ")
    writer.sees("numpy as np")
    before = len(ghost_lab.asked)
    for typed, left in (("n", "umpy as np"), ("um", "py as np"), ("py ", "as np")):
        writer.type(typed)
        writer.sees(left)
    writer.settle()
    assert writer.sent("tab:complete")[-1] == "import "
    assert len(ghost_lab.asked) == before
    writer.press("Tab")
    assert writer.text == "import numpy as np"


def test_typing_something_else_ends_it_on_the_worker(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([ENDLESS, {"ends": "forever(b", "pieces": [", c)"]}])
    writer.open(ghost_lab.write("other.ipynb", ""))
    writer.type("forever(")
    writer.sees("a, b)")
    assert ghost_lab.how_ended("forever(") == ""
    writer.type("b")
    writer.sees(", c)")
    until(lambda: ghost_lab.how_ended("forever(") == "canceled")


def test_a_line_that_is_blank_again_ends_it(writer: Writer, ghost_lab: GhostLab) -> None:
    """JupyterLab does not ask where the line is blank, so that no new question ends the old one."""
    ghost_lab.rules([{"ends": "z", "pieces": ["ip(a, b)\n"], "hangs": True}])
    writer.open(ghost_lab.write("blank.ipynb", "x = 1"))
    with writer.settings(completionAtNewLines=False, completionLines="multiple"):
        writer.type("\nz")
        writer.sees("ip(a, b)")
        writer.press("Backspace")
        writer.sees("")
        until(lambda: ghost_lab.how_ended("x = 1\nz") == "canceled")


@pytest.mark.parametrize("key", ["Escape", "ArrowLeft", "Home"])
def test_escape_and_the_cursor_end_it(writer: Writer, ghost_lab: GhostLab, key: str) -> None:
    ghost_lab.rules([ENDLESS])
    writer.open(ghost_lab.write("escape.ipynb", ""))
    writer.type("forever(")
    writer.sees("a, b)")
    writer.press(key)
    writer.sees("")
    until(lambda: ghost_lab.how_ended("forever(") == "canceled")
    assert writer.text == "forever("
    # What may still come finds nobody who wants it, and Tab does what it does without a suggestion.
    assert not writer.page.locator(".jp-mod-inline-completer-active").count()


def test_another_cell_ends_it(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([ENDLESS])
    writer.open(ghost_lab.write("cells.ipynb", "", "y = 2"))
    writer.type("forever(")
    writer.sees("a, b)")
    writer.enter_cell(1)
    writer.sees("")
    until(lambda: ghost_lab.how_ended("forever(") == "canceled")


def test_a_closed_tab_ends_it(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([ENDLESS])
    writer.open(ghost_lab.write("closed.ipynb", ""), wait_for_kernel=True)
    writer.type("forever(")
    writer.sees("a, b)")
    writer.page.evaluate(f"() => {{ {CURRENT}.context.model.dirty = false; {CURRENT}.close(); }}")
    until(lambda: ghost_lab.how_ended("forever(") == "canceled")


def test_a_closed_file_ends_it(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([ENDLESS])
    (ghost_lab.work / "closed.py").write_text("")
    writer.open("closed.py")
    writer.type("forever(")
    writer.sees("a, b)")
    writer.page.evaluate(f"() => {{ {CURRENT}.context.model.dirty = false; {CURRENT}.dispose(); }}")
    until(lambda: ghost_lab.how_ended("forever(") == "canceled")


def test_a_pause_takes_it_away(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([ENDLESS])
    writer.open(ghost_lab.write("paused.ipynb", ""))
    writer.type("forever(")
    writer.sees("a, b)")
    with paused(writer):
        writer.sees("")
        until(lambda: ghost_lab.how_ended("forever(") == "canceled")


def test_an_answer_that_comes_too_late_is_not_shown(writer: Writer, ghost_lab: GhostLab) -> None:
    gate = ghost_lab.gate()
    ghost_lab.rules([{"ends": "slow(", "pieces": [gate.held, "late)"]}])
    writer.open(ghost_lab.write("late.ipynb", "y = 1"))
    writer.page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => {
            const shown = document.querySelector('.jp-GhostText')?.innerText;
            if (shown) { window.seen.push(shown); }
          }).observe(document.body, { childList: true, subtree: true, characterData: true });
        }"""
    )
    writer.type("\nslow(")
    until(lambda: ghost_lab.events(event="asked", prefix="y = 1\nslow("))
    writer.press("ArrowUp")
    gate.open()
    writer.is_answered()
    writer.settle()
    assert ghost_lab.how_ended("y = 1\nslow(") != ""
    assert writer.page.evaluate("() => window.seen") == []


def test_several_lines_only_where_there_is_room(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "", "pieces": ["a\nb"]}])
    writer.open(ghost_lab.write("lines.ipynb", ""))
    writer.type("foo = ")
    writer.sees("a")
    writer.press("Tab", "Enter")
    writer.sees("a\nb")  # A fresh line, on which JupyterLab itself never asks.
    writer.type("if x")
    writer.sees("a")
    writer.type(":")
    writer.sees("a\nb")
    writer.press("ArrowLeft")
    writer.type("y")
    writer.sees("a")
    stops = [asked["stop"] for asked in ghost_lab.asked if asked["prefix"].endswith("if xy")]
    assert stops[-1:] == [["\n"]]


def test_alternatives_come_on_demand(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "pick(", "pieces": ["one"]}])
    writer.open(ghost_lab.write("pick.ipynb", ""))
    writer.type("pick(")
    writer.sees("one")
    assert len([asked for asked in ghost_lab.asked if asked["prefix"] == "pick("]) == 1
    writer.press("Alt+\\")

    def answered() -> list[int]:
        over = {ended["id"] for ended in ghost_lab.events(event="ended")}
        return [asked["id"] for asked in ghost_lab.asked if asked["temperature"] > 0 and asked["id"] in over]

    until(lambda: len(answered()) == 2)
    writer.is_answered()
    writer.settle()  # JupyterLab takes them one after the other.
    alternatives = [f"one{id_}" for id_ in answered()]
    writer.sees("one")
    seen = []
    for _ in range(3):
        before = writer.ghost
        writer.press("Alt+]")
        seen.append(until(lambda before=before: writer.ghost != before and writer.ghost))
    assert sorted(seen) == sorted(["one", *alternatives])
    writer.press("Alt+[")
    writer.sees(seen[1])
    writer.press("Tab")
    assert writer.text == f"pick({seen[1]}"


class TestOff:
    """Where nothing is wanted, nothing is sent."""

    @pytest.fixture(autouse=True)
    def _eager(self, writer: Writer, ghost_lab: GhostLab) -> None:
        ghost_lab.rules([{"ends": "", "pieces": ["never"]}])

    def types(self, writer: Writer, text: str = "\nimport ", operations: tuple[str, ...] = ASKING) -> None:
        """Type something, of which nothing may come."""
        writer.settle()  # A notebook is read ahead when it is opened.
        begun = len(writer.sent(*operations))
        writer.type(text)
        writer.settle()
        assert writer.sent(*operations)[begun:] == []
        assert writer.ghost == ""

    def test_by_the_settings(self, writer: Writer, ghost_lab: GhostLab) -> None:
        with writer.settings(completionMode="off"):
            writer.open(ghost_lab.write("off.ipynb", "x = 1", "y = 2"), wait_for_kernel=True)
            writer.run()
            writer.enter_cell(1)
            self.types(writer)
            writer.press("Alt+\\")
            writer.settle()
            # That a suggestion of before is still there a minute later is counted all the same.
            sent = "() => window.sent.filter(({ op }) => op !== 'stats:record')"
            assert writer.page.evaluate(sent) == []
            assert writer.ghost == ""
        writer.type("n")
        writer.sees("never")

    def test_by_a_pause(self, writer: Writer, ghost_lab: GhostLab) -> None:
        writer.open(ghost_lab.write("pause.ipynb", "x = 1"))
        with paused(writer):
            self.types(writer)
        writer.type("n")
        writer.sees("never")

    def test_by_jupyterlabs_own_switch(self, writer: Writer, ghost_lab: GhostLab) -> None:
        writer.open(ghost_lab.write("core.ipynb", "x = 1"))
        own = {"jupyter-localcoder": {"enabled": False}}
        item = writer.page.locator(STATUS)
        with writer.settings("@jupyterlab/completer-extension:inline-completer", providers=own):
            expect(item).to_contain_text("suggestions off")
            self.types(writer)
        expect(item).not_to_contain_text("suggestions off")
        writer.type("n")
        writer.sees("never")

    def test_in_one_notebook(self, writer: Writer, ghost_lab: GhostLab) -> None:
        writer.open(ghost_lab.write("quiet.ipynb", "x = 1", localcoder={"completion": False}))
        self.types(writer)
        writer.execute("localcoder:toggle-completion-in-notebook")
        metadata = writer.page.evaluate(f"() => {CURRENT}.content.model.getMetadata('localcoder')")
        assert metadata is None
        writer.type("n")
        writer.sees("never")

    def test_in_a_language(self, writer: Writer, ghost_lab: GhostLab) -> None:
        writer.open(ghost_lab.write("prose.ipynb", "x = 1", markdown("Some")))
        writer.enter_cell(1)
        self.types(writer, " words ")

    def test_but_for_the_shortcut(self, writer: Writer, ghost_lab: GhostLab) -> None:
        writer.open(ghost_lab.write("demand.ipynb", "x = 1"))
        with writer.settings(completionMode="on-demand"):
            self.types(writer, operations=("tab:complete",))
            writer.press("Alt+\\")
            writer.sees("never")


@pytest.mark.parametrize(
    "text", ["x = '😀' + ", "größe = 日本 + ", "'\U0001f468\u200d\U0001f469\u200d\U0001f467' + "]
)
def test_characters_of_any_width(writer: Writer, ghost_lab: GhostLab, text: str) -> None:
    ghost_lab.rules([{"ends": "+ ", "pieces": ["'😀", "日本'"]}])
    writer.open(ghost_lab.write("wide.ipynb", f"a = '😀'\n{text[:-2]}"))
    writer.type("+ ")
    writer.sees("'😀日本'")
    assert ghost_lab.asked[-1]["prefix"] == f"a = '😀'\n{text}"
    writer.press("Alt+ArrowRight")
    assert writer.text == f"a = '😀'\n{text}'😀日本"
    writer.sees("'")
    writer.press("Tab")
    assert writer.text == f"a = '😀'\n{text}'😀日本'"


def test_line_ends_of_another_system(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY])
    writer.open(ghost_lab.write("crlf.ipynb", "a = 1\r\nb = 2\r\n"))
    writer.type("import ")
    writer.sees("numpy as np")
    assert "\r" not in ghost_lab.asked[-1]["prefix"]
    assert ghost_lab.asked[-1]["prefix"] == "a = 1\nb = 2\nimport "
    shown = writer.page.evaluate(f"() => {CELL}.editor.editor.state.doc.toString()")
    writer.press("Tab")
    now = writer.page.evaluate(f"() => {CELL}.editor.editor.state.doc.toString()")
    assert now == shown + "numpy as np"
