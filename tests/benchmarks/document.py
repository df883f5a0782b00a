"""Large documents in the browser: how long ghost text keeps the page's main thread busy at a time.

A notebook of 2,000 cells and a cell of 20,000 lines, in JupyterLab, with a worker that answers at once, so
that the page alone is measured. The least of several rounds counts: what gets in between makes a time longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from jupyter_localcoder.errors import InvalidArgument

from .figure import Figure, Target
from .main_thread import Measure, our_part, tasks
from .setting import Setting

_ROUNDS = 4
_LONGEST_TASK = Target(50.0)
"""From 50 milliseconds on, browsers call a task long."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure; it needs Playwright for Python, Chromium and the built extension."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, FLAGS
    from tests.browser.ghost import GhostLab, Writer, long_cell, many_cells
    from tests.browser.patience import new_context
    from tests.support.tiny_model import write_tiny_model

    if CHROMIUM is None:
        raise InvalidArgument("There is no Chromium on this machine.")
    folder = setting.workspace.folder / "document"
    folder.mkdir()
    lab = GhostLab(folder)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            lab.start_with(write_tiny_model(folder / "tiny.gguf"))
            lab.rules([{"ends": "total = ", "pieces": ["value_7"]}])
            writer = Writer(new_context(browser).new_page(), lab)
            writer.enter()

            def open_cells() -> None:
                writer.open(lab.write("many.ipynb", *many_cells()))
                writer.enter_cell(60)

            # JupyterLab itself has longer tasks there: the browser lays out all the cells.
            yield _figure(setting, writer, "2,000 cells, the extension's own work", our_part, open_cells)

            def open_lines() -> None:
                writer.open(lab.write("long.ipynb", long_cell()))

            yield _figure(
                setting, writer, "20,000 lines in a cell, every task of the page", tasks, open_lines
            )
        finally:
            browser.close()
            lab.stop()


def _figure(
    setting: Setting, writer: Any, name: str, measure: Measure, open_document: Callable[[], None]
) -> Figure:
    open_document()
    writer.press("Enter")
    writer.settle()
    longest = []
    for round_ in range(setting.times(_ROUNDS)):
        if round_:
            writer.press(*["Backspace"] * len("total = "))
            writer.settle()
        with measure(writer.page) as busy:
            writer.type("total = ")
            writer.sees("value_7")
        longest.append(busy.longest)
    writer.leave()
    rounds = ", ".join(f"{one:.1f}" for one in longest)
    return Figure(
        bench="document",
        name=name,
        unit="ms",
        ours=[min(longest)],
        target=_LONGEST_TASK,
        note=f"the longest without a break, least of the rounds {rounds}",
    )
