"""Ghost text in a real browser: from the key to the first character, and what the extension adds to the page.

Lines of real notebooks are typed up to about their middle in JupyterLab, with the whole notebook around
them, once what stands above has been read ahead; the last key counts. Where a suggestion that was there
already goes on to fit, nothing is asked and nothing is measured. `--repeat` sets the lines of each notebook.
The browser's own processes and the model share the machine, as they do for a person.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_localcoder.errors import InvalidArgument

from . import held_back
from .figure import Figure, Target, turns
from .setting import Setting

_LINES = 6
"""Of each notebook."""
_LOADS = 5
_KEY_MS = 120
_LONGEST_WAIT_SECONDS = 20.0
_LONGEST_WARMING_SECONDS = 60.0
_LOOK_MS, _QUIET_LOOKS = 250, 6
_RECORDER = """
(() => {
  const seen = (window.seen = {});
  const begin = at => Object.assign(seen, { key: at, sent: 0, ghost: 0, done: null });
  document.addEventListener('keydown', event => begin(event.timeStamp), true);
  const watched = new WeakSet();
  const send = WebSocket.prototype.send;
  const read = event => {
    const payload = typeof event.data === 'string' ? JSON.parse(event.data).payload : null;
    if (payload?.type === 'done' && payload.confidence) {
      seen.done = payload;
    }
  };
  WebSocket.prototype.send = function (data) {
    if (typeof data === 'string' && data.includes('"tab:complete"')) {
      seen.sent = performance.now();
      if (!watched.has(this)) {
        watched.add(this);
        this.addEventListener('message', read);
      }
    }
    return send.call(this, data);
  };
  const look = () => {
    if (!seen.ghost && document.querySelector('.jp-GhostText')?.innerText) {
      seen.ghost = performance.now();
    }
  };
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true
  });
})();
"""
_SCRIPTS = """() => performance.getEntriesByType('resource')
  .map(one => new URL(one.name).pathname)
  .filter(path => path.includes('/extensions/jupyter-localcoder/'))"""


@dataclass(frozen=True)
class _Shown:
    total_ms: float
    """From the key to the ghost text."""
    outside_ms: float
    """Of it, what the worker did not take."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure; it needs notebooks, Playwright for Python, Chromium and the built extension."""
    if setting.traces is None:
        print("keystroke  | left out: it needs --traces FOLDER, with notebooks in it", file=sys.stderr)
        return
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, FLAGS

    if CHROMIUM is None:
        raise InvalidArgument("There is no Chromium on this machine.")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield from _typed(setting, setting.traces, browser)
            yield from _added(setting, browser)
        finally:
            browser.close()


def _typed(setting: Setting, traces: Path, browser: Any) -> Iterator[Figure]:
    with _lab(setting, "keystroke") as lab, _page(browser) as page:
        lab.call("POST", f"models/{setting.workspace.model.id}/load", {})
        shown = list(_lines(setting, traces, lab, page))
    if not shown:
        print(
            "keystroke  | no line was answered with ghost text: type more of them (--repeat)", file=sys.stderr
        )
        return
    note = f"{len(shown)} suggestions; keys {_KEY_MS} ms apart"
    for of in ("median", "p95"):
        yield Figure(
            bench="keystroke",
            name="key to ghost text",
            unit="ms",
            ours=[one.total_ms for one in shown],
            of=of,  # type: ignore[arg-type]
            note=note,
        )
    yield Figure(
        bench="keystroke",
        name="of it outside the worker",
        unit="ms",
        ours=[one.outside_ms for one in shown],
        target=Target(30.0),
        note=note,
    )


def _lines(setting: Setting, traces: Path, lab: Any, page: Any) -> Iterator[_Shown]:
    from tests.browser.ghost import Writer

    writer = Writer(page, lab)
    writer.enter()
    with writer.settings(completionLines="single", completionLookAhead=False):
        for path in sorted(traces.glob("*.ipynb")):
            cells = held_back.read(path)
            for i, (cell, line) in enumerate(held_back.lines(cells, setting.times(_LINES))):
                request = held_back.request(cells, cell, line, "middle")
                name = f"{path.stem}-{i}.ipynb"
                (lab.work / name).write_text(json.dumps(_document(request)))
                writer.open(name)
                _enter(writer, request)
                _warm(lab, page)
                page.keyboard.type(request.typed.lstrip(), delay=_KEY_MS)
                shown = _last_key(page)
                writer.leave()
                if shown is not None:
                    yield shown


def _document(request: held_back.Request) -> dict[str, Any]:
    cells: list[dict[str, Any]] = []
    for i, cell in enumerate(request.cells):
        indentation = request.typed[: len(request.typed) - len(request.typed.lstrip())]
        own = request.above + indentation + request.below
        source = own if i == request.active else cell.source
        more = {"execution_count": None, "outputs": []} if cell.kind == "code" else {}
        cells.append({"cell_type": cell.kind, "id": f"cell-{i}", "source": source, "metadata": {}, **more})
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": python}, "cells": cells}


def _enter(writer: Any, request: held_back.Request) -> None:
    from tests.browser.ghost import CELL

    writer.enter_cell(request.active)
    indentation = len(request.typed) - len(request.typed.lstrip())
    writer.page.evaluate(
        f"at => {CELL}.editor.setCursorPosition({CELL}.editor.getPositionAt(at))",
        len((request.above).encode("utf-16-le")) // 2 + indentation,
    )


def _warm(lab: Any, page: Any) -> None:
    """Wait until nothing more is read ahead."""
    quiet = 0
    deadline = time.monotonic() + _LONGEST_WARMING_SECONDS
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        page.wait_for_timeout(_LOOK_MS)
        quiet = quiet + 1 if lab.call("GET", "health")["state"] == "ready" else 0


def _last_key(page: Any) -> _Shown | None:
    """What came of the last key; None where nothing was asked for, or nothing shown."""
    over = "() => seen.sent ? seen.done && (seen.ghost || !seen.done.text.trim()) : seen.ghost"
    from playwright.sync_api import TimeoutError as NothingCame

    try:
        page.wait_for_function(over, timeout=_LONGEST_WAIT_SECONDS * 1000)
    except NothingCame:
        return None
    seen = page.evaluate("() => seen")
    if not seen["sent"] or not seen["ghost"]:
        return None
    timings = seen["done"]["timings"]
    total = seen["ghost"] - seen["key"]
    return _Shown(total, total - timings["prefill_ms"] - timings["decode_ms"])


def _added(setting: Setting, browser: Any) -> Iterator[Figure]:
    """What the page loads more, and how much later it is there."""
    from tests.browser.lab import BUILT

    seconds: dict[bool, list[float]] = {True: [], False: []}
    paths: list[str] = []
    with _lab(setting, "with") as ours, _lab(setting, "without", page=False) as bare:
        for lab in (ours, bare):
            _load(browser, lab)
        for pair in turns(setting.times(_LOADS)):
            for extension in pair:
                took, loaded = _load(browser, ours if extension else bare)
                seconds[extension].append(took)
                paths = loaded if extension else paths
    bytes_ = [len(gzip.compress((BUILT / "static" / Path(path).name).read_bytes())) for path in paths]
    yield Figure(
        bench="keystroke",
        name="bytes that the page loads more, gzipped",
        unit="kB",
        ours=[sum(bytes_) / 1000],
        target=Target(60.0),
        note=f"{len(bytes_)} files",
    )
    yield Figure(
        bench="keystroke",
        name="load of JupyterLab until its launcher is shown",
        unit="ms",
        ours=seconds[True],
        peer=seconds[False],
        peer_name="without the extension",
        compare="difference",
        target=Target(50.0),
    )


def _load(browser: Any, lab: Any) -> tuple[float, list[str]]:
    with _page(browser) as page:
        page.goto(lab.page())
        page.wait_for_function("() => document.querySelector('.jp-Launcher') && performance.now()")
        took = page.evaluate("() => performance.now()")
        page.wait_for_timeout(1000)
        return float(took), [str(path) for path in page.evaluate(_SCRIPTS)]


@contextlib.contextmanager
def _page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(60_000)
    context.add_init_script(_RECORDER)
    try:
        yield context.new_page()
    finally:
        context.close()


@contextlib.contextmanager
def _lab(setting: Setting, name: str, *, page: bool = True) -> Iterator[Any]:
    from tests.browser.lab import running_lab

    folder = setting.workspace.folder / name
    folder.mkdir()
    config = {
        "ModelStore": {"models_dir": str(setting.workspace.folder / "models")},
        "LocalCoderSettings": {"settings_dir": str(folder / "settings")},
    }
    with running_lab(folder, with_extension=page, config=config) as lab:
        if not page:
            (folder / "data" / "labextensions" / "jupyter-localcoder").unlink()
        yield lab
