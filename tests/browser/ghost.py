"""A person who writes in JupyterLab and sees ghost text, and a worker that follows the test's rules."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.browser.lab import Lab
from tests.browser.patience import STEP_MS, let_toasts_go, settle, until

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

GHOST = ".jp-GhostText"
# Line breaks are elements there.
SHOWN = f"[...document.querySelectorAll('{GHOST}')].map(one => one.innerText).join('')"
SETTINGS = "jupyter-localcoder:plugin"
STATUS = ".jp-LocalCoder-StatusItem button"
OUR_SCRIPTS = "/extensions/jupyter-localcoder/"
# Errors of JupyterLab itself: a session or a kernel ends while something is asked of it.
THEIR_ERRORS = ("create_subshell_request", "(reading 'kernel')")

CURRENT = "jupyterapp.shell.currentWidget"
CELL = f"{CURRENT}.content.activeCell"
# Where a person writes in a console, once JupyterLab asks for suggestions there.
PROMPT = ".jp-CodeConsole-promptCell .jp-mod-completer-enabled"
READY = f"""() => {{
  const session = {CURRENT}?.sessionContext;
  const kernel = session?.session?.kernel;
  return session?.isReady && kernel?.status === 'idle' && kernel.connectionStatus === 'connected';
}}"""
# An answer of the kernel is asked for again later where it was slow: after twenty times as long.
KERNEL_MS = 5 * STEP_MS
VARIABLES = "jupyterapp.pluginRegistry._plugins.get('jupyter-localcoder:completion').service.variablesOf"
# What the page sends to the extension, and what the server refuses of it.
LISTEN = """window.sent = [];
window.refused = [];
const { send } = WebSocket.prototype;
const known = new WeakSet();
WebSocket.prototype.send = function (data) {
  if (this.url.includes('/localcoder/')) {
    const { id, op, payload } = JSON.parse(data);
    window.channel = this;
    window.sent.push({ id, op, prefix: payload?.prefix ?? '', ahead: !!payload?.ahead });
    if (!known.has(this)) {
      known.add(this);
      this.addEventListener('message', ({ data }) => {
        const { id, error } = JSON.parse(data);
        if (error) {
          const prefix = window.sent.find(one => one.id === id)?.prefix;
          window.refused.push({ code: error.code, prefix });
        }
      });
    }
  }
  return send.call(this, data);
};"""


class Gate:
    """Holds an answer back until a test opens it; ``held`` stands among the pieces of a rule."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.held = {"waits_for": str(path)}

    def open(self) -> None:
        """Let the answer go on."""
        self._path.touch()


class GhostLab(Lab):
    """JupyterLab with a worker that follows rules; the options are those of `Lab`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self._script = folder / "script"
        self._script.mkdir()
        self._gates = itertools.count()
        super().__init__(folder, program=("-m", "tests.browser.scripted_lab", str(self._script)), **options)
        self.rules([])
        _add_toy_kernel(folder / "data" / "kernels" / "toy")
        _add_vim(folder / "data" / "labextensions", folder / "lab-settings")

    def start_with(self, model: Path) -> None:
        """Start it, with this model loaded."""
        self.start()
        self.call("POST", "models/import", {"path": str(model), "id": "tiny"})
        # No answer that a test holds back ends because this machine is busy.
        chosen = {"model": "tiny", "general_model": "tiny", "completion_timeout_seconds": 3600}
        self.call("PATCH", "settings", chosen)
        self.call("POST", "models/tiny/load", {})

    def rules(self, rules: Sequence[dict[str, Any]]) -> None:
        """From here on the worker does so."""
        new = self._script / "rules.new"
        new.write_text(json.dumps(list(rules)))
        new.replace(self._script / "rules.json")

    def gate(self) -> Gate:
        """A gate that is closed."""
        return Gate(self._script / f"gate-{next(self._gates)}")

    def events(self, **which: Any) -> list[dict[str, Any]]:
        """What the worker has heard and done; of those that have these values."""
        try:
            text = (self._script / "log.jsonl").read_text()
        except FileNotFoundError:
            return []
        # The last line may be half written.
        events = [json.loads(line) for line in text.split("\n")[:-1]]
        return [event for event in events if all(event.get(name) == is_ for name, is_ in which.items())]

    @property
    def asked(self) -> list[dict[str, Any]]:
        """All completions that it was asked for."""
        return self.events(event="asked", priority="completion")

    def how_ended(self, prefix: str) -> str:
        """How the last completion of this text has ended; empty until it has."""
        asked = [one for one in self.asked if one["prefix"] == prefix]
        ended = asked and self.events(event="ended", id=asked[-1]["id"], pid=asked[-1]["pid"])
        return str(ended[0]["how"]) if ended else ""

    def quiet(self) -> None:
        """Wait until the worker does nothing: what a test has left would meet the next one."""

        def is_quiet() -> bool:
            over = {(one["pid"], one["id"]) for one in self.events(event="ended")}
            asked = {(one["pid"], one["id"]) for one in self.events(event="asked")}
            return not any(psutil.pid_exists(pid) for pid, _ in asked - over)

        until(is_quiet)

    def answer_of(self, request: str) -> dict[str, Any]:
        """Wait for the end of a queued prompt; what is told of it."""

        def answer() -> Any:
            told = self.call("GET", f"queue/{request}?wait_ms=20000")
            return told if told["item"]["state"] in ("done", "failed", "canceled") else None

        found: dict[str, Any] = until(answer)
        return found

    def forget(self) -> None:
        """Begin a new log."""
        (self._script / "log.jsonl").unlink(missing_ok=True)

    def write(self, name: str, *cells: str | dict[str, Any], **metadata: Any) -> str:
        """Write a notebook of code cells, or of cells as given; its path."""
        return write_notebook(self, name, *cells, **metadata)


def _add_toy_kernel(folder: Path) -> None:
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.support.toy_kernel", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "Toy", "language": "julia"}
    (folder / "kernel.json").write_text(json.dumps(spec))


def _add_vim(extensions: Path, settings: Path) -> None:
    """The vim key map, if it is installed; it is off until a test wants it."""
    off = settings / "@axlair" / "jupyterlab_vim" / "plugin.jupyterlab-settings"
    off.parent.mkdir(parents=True)
    off.write_text('{"enabled": false}')
    found = importlib.util.find_spec("jupyterlab_vim")
    if found is None or found.origin is None:
        return
    # `pip install --target` puts it beside the package, and any other way below the prefix.
    for root in (Path(found.origin).parents[1], Path(sys.prefix)):
        built = root / "share" / "jupyter" / "labextensions" / "@axlair" / "jupyterlab_vim"
        if built.is_dir():
            (extensions / "@axlair").mkdir()
            (extensions / "@axlair" / "jupyterlab_vim").symlink_to(built)
            return


def code(source: str, count: int | None = None, outputs: Sequence[Any] = ()) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": count,
        "outputs": list(outputs),
        "metadata": {},
    }


def write_notebook(lab: Lab, name: str, *cells: str | dict[str, Any], **metadata: Any) -> str:
    """Write a notebook of code cells, or of cells as given, where the lab finds it; its path."""
    python = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "mimetype": "text/x-python"},
    }
    made = [cell if isinstance(cell, dict) else code(cell) for cell in cells]
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {**python, **metadata},
        "cells": [{"id": f"cell-{index}", **cell} for index, cell in enumerate(made)],
    }
    (lab.work / name).write_text(json.dumps(content))
    return name


def many_cells() -> list[str]:
    """The cells of a large notebook: 2,000, each with a line of code and a long comment."""
    return [f"value_{index} = {index}\n# {'x' * 400}" for index in range(2000)]


def long_cell() -> str:
    """A large cell: 20,000 lines, with characters that take several bytes."""
    return "\n".join(f"line_{index} = {index}  # 日本" for index in range(20_000))


def markdown(source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "source": source, "metadata": {}}


class Writer:
    """Somebody at a keyboard, in one page."""

    def __init__(self, page: Any, lab: Lab) -> None:
        self.page = page
        self.lab = lab
        self.complaints: list[str] = []
        page.add_init_script(LISTEN)
        page.on("pageerror", self._fail)
        page.on("console", self._listen)

    def _fail(self, error: Any) -> None:
        story = error.stack or str(error)
        is_theirs = OUR_SCRIPTS not in story and any(words in str(error) for words in THEIR_ERRORS)
        if not is_theirs:
            self.complaints.append(story)

    def _listen(self, line: Any) -> None:
        # JupyterLab's own, when a kernel ends while its debugger is asked for, or something that is gone is.
        # So is what it says of a plugin for which a busy machine has taken some seconds.
        is_known = (
            line.text.startswith("Could not restore the debugger state")
            or (line.text.startswith("Failed to load resource") and "localcoder" not in line.location["url"])
            or re.fullmatch(r"Plugin .* took [\d.]+ms to activate\.", line.text) is not None
        )
        if not is_known and (line.type == "error" or "completion" in line.text.lower()):
            self.complaints.append(line.text)

    def enter(self) -> None:
        """Open JupyterLab."""
        self.page.goto(self.lab.page())
        expect(self.page.locator(".jp-Launcher")).to_be_visible()
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)

    def open(
        self, path: str, factory: str = "default", *, wait_for_kernel: bool = False, enter: bool = True
    ) -> None:
        """Open a document, and put the cursor at the end of its first cell, or of the file."""
        self.page.evaluate(
            "([path, factory]) => { jupyterapp.commands.execute('docmanager:open', {path, factory}); }",
            [path, factory],
        )
        self.page.wait_for_function(
            f"path => {CURRENT}?.context?.path === path && {CURRENT}.context.isReady", arg=path
        )
        if wait_for_kernel:
            self.page.wait_for_function(READY)
        if not enter:
            return
        if path.endswith(".ipynb"):
            self.enter_cell(0)
        else:
            self.page.locator(".jp-FileEditor .cm-content:visible").click()
            self.page.keyboard.press("Control+End")
            self.page.wait_for_function(
                f"() => {CURRENT}.content.editor.host.classList.contains('jp-mod-completer-enabled')"
            )

    def enter_cell(self, index: int) -> None:
        """Put the cursor at the end of a cell."""
        # Asked for again: a notebook that has just been opened forgets where it was to go.
        self.page.wait_for_function(
            f"""index => {{
              const {{ content }} = {CURRENT};
              if (content.widgets[index]?.editor) return true;
              content.scrollToItem(index).catch(() => undefined);
            }}""",
            arg=index,
            polling=300,
        )
        self.page.evaluate(
            f"""index => {{
              const notebook = {CURRENT}.content;
              notebook.activeCellIndex = index;
              notebook.mode = 'edit';
              const {{ editor }} = notebook.activeCell;
              editor.focus();
              editor.setCursorPosition(editor.getPositionAt(editor.editor.state.doc.length));
            }}""",
            index,
        )
        self.page.wait_for_function(
            f"() => {CELL}.editor.editor.hasFocus && "
            f"{CELL}.editor.host.classList.contains('jp-mod-completer-enabled')"
        )

    def type(self, text: str, delay: float = 15) -> None:
        """Type with so many milliseconds between the keys."""
        self.page.keyboard.type(text, delay=delay)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def sees(self, text: str) -> None:
        """Wait until the ghost text is this; empty: until there is none."""
        try:
            self.page.wait_for_function(f"text => {SHOWN} === text", arg=text)
        except playwright.TimeoutError:
            raise AssertionError(f"the ghost text is {self.ghost!r}, and not {text!r}") from None

    @property
    def ghost(self) -> str:
        """The ghost text."""
        return str(self.page.evaluate(f"() => {SHOWN}"))

    @property
    def text(self) -> str:
        """The text of the active cell."""
        return str(self.page.evaluate(f"() => {CELL}.model.sharedModel.getSource()"))

    def is_answered(self) -> None:
        """Wait until all that the page has asked for is over, and nothing is read ahead."""
        expect(self.page.locator(STATUS)).to_have_attribute("data-working", "false")

    def settle(self) -> None:
        """Wait until the page has done what it has put off, for where nothing may come of it."""
        settle(self.page)

    def sent(self, *operations: str) -> list[str]:
        """The texts before the cursor with which the page has asked for these operations in this test.

        Without what it asked for ahead, as if a suggestion had been accepted.
        """
        sent = self.page.evaluate("() => window.sent")
        return [one["prefix"] for one in sent if one["op"] in operations and not one["ahead"]]

    def knows(self, *names: str) -> None:
        """Wait until the page knows these variables of the kernel."""
        self.page.wait_for_function(
            f"""names => {{
              const known = {VARIABLES}({CURRENT}.sessionContext).map(one => one.name);
              return names.every(name => known.includes(name));
            }}""",
            arg=list(names),
            timeout=KERNEL_MS,
        )

    def forget(self) -> None:
        """Begin anew to listen to the page."""
        self.complaints.clear()
        self.page.evaluate("() => { window.sent = []; window.refused = []; }")

    def run(self) -> None:
        """Run the active cell and wait for its end; the next one is active then."""
        self.execute("notebook:run-cell-and-select-next")
        self.page.wait_for_function(
            f"""() => {{
              const at = {CURRENT}.content.activeCellIndex - 1;
              return at >= 0 && {CURRENT}.content.widgets[at].model.executionCount !== null;
            }}"""
        )

    def execute(self, command: str, **arguments: Any) -> None:
        """Run a command, and wait for its end."""
        self.page.evaluate(
            "async ([command, args]) => { await jupyterapp.commands.execute(command, args); }",
            [command, arguments],
        )

    @contextlib.contextmanager
    def settings(self, plugin: str = SETTINGS, **values: Any) -> Iterator[None]:
        """Have other settings for a while."""
        registry = "jupyterapp.pluginRegistry._plugins.get('@jupyterlab/apputils-extension:settings').service"
        change = f"([plugin, name, value]) => {registry}.set(plugin, name, value)"
        for name, value in values.items():
            self.page.evaluate(change, [plugin, name, value])
        try:
            yield
        finally:
            for name in values:
                self.page.evaluate(f"([plugin, name]) => {registry}.remove(plugin, name)", [plugin, name])

    def leave(self) -> None:
        """Close all dialogs and documents without saving, and end their kernels."""
        self.page.evaluate(
            """async () => {
              document.querySelectorAll('.jp-Dialog .jp-mod-reject').forEach(button => button.click());
              for (const widget of [...jupyterapp.shell.widgets('main')]) {
                if (widget.context) {
                  widget.context.model.dirty = false;
                  await widget.sessionContext?.shutdown?.().catch(() => undefined);
                }
                widget.dispose();
              }
            }"""
        )
        let_toasts_go(self.page)
