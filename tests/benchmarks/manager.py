"""The model manager: how soon JupyterLab's sidebar is painted, what a download costs the page, and how many
models of widgets the one in a cell brings along.

A catalogue of tiny models and a source of them on this machine; page, server and browser are real.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jupyter_localcoder.errors import InvalidArgument

from .figure import Figure, Target
from .main_thread import tasks
from .server import Server
from .setting import Setting

_PAINTS = 7
_WATCHED_SECONDS = 8.0
_CHUNK_SECONDS = 0.2
"""The file then takes longer than it is watched."""
_CARD = ".jp-LocalCoder-Models [data-model]"
_LONGEST_PAINT_MS = 20_000
_OPEN = """async ([card, longest]) => {
  const begin = performance.now();
  jupyterapp.commands.execute('localcoder:open-models');
  while (!document.querySelector(card)?.getBoundingClientRect().height) {
    if (performance.now() > begin + longest) {
      throw new Error('the models were not painted');
    }
    await new Promise(requestAnimationFrame);
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - begin;
}"""
"""Milliseconds from the command until the frame in which the first model's card has been painted."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure; it needs Playwright for Python, Chromium and the built extension."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, FLAGS
    from tests.browser.workshop import running_workshop

    if CHROMIUM is None:
        raise InvalidArgument("There is no Chromium on this machine.")
    folder = setting.workspace.folder / "manager"
    folder.mkdir()
    with sync_playwright() as play, running_workshop(folder) as workshop:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            painted = [_painted(browser, workshop) for _ in range(1 + setting.times(_PAINTS))]
            yield Figure(
                bench="manager",
                name="from the command to the first card painted",
                unit="ms",
                ours=painted[1:],
                note=f"pages loaded anew; the first of all: {painted[0]:.0f}",
            )
            yield from _downloading(browser, workshop)
        finally:
            browser.close()
    yield _in_a_cell(setting)


def _in_a_cell(setting: Setting) -> Figure:
    """What a notebook holds, and saves, of a manager that shows the catalogue."""
    from ipywidgets.widgets.widget import _instances

    from jupyter_localcoder.widgets import ModelManager

    with Server(setting.workspace, extension=True) as server, server.client() as client:
        manager = ModelManager(client)
        manager.controller.refresh()
        states = [widget.get_state() for widget in list(_instances.values())]
        shown = len(manager.controller.known)
        manager.close()
    size = sum(len(json.dumps(state, default=str)) for state in states)
    return Figure(
        bench="manager",
        name="models of widgets in a cell",
        unit="models",
        ours=[len(states)],
        target=Target(150.0),
        note=f"{shown} models shown; {size / 1000:.0f} kB",
    )


def _page(browser: Any, workshop: Any) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
    page.goto(workshop.lab.page())
    page.locator(".jp-Launcher").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    return page


def _painted(browser: Any, workshop: Any) -> float:
    page = _page(browser, workshop)
    try:
        return float(page.evaluate(_OPEN, [_CARD, _LONGEST_PAINT_MS]))
    finally:
        page.close()


def _downloading(browser: Any, workshop: Any) -> Iterator[Figure]:
    from tests.browser.workshop import CODER

    page = _page(browser, workshop)
    page.evaluate(_OPEN, [_CARD, _LONGEST_PAINT_MS])
    card = page.locator(f".jp-LocalCoder-Models [data-model='{CODER}']")
    page.wait_for_timeout(2000)
    with tasks(page) as idle:
        page.wait_for_timeout(_WATCHED_SECONDS * 1000)
    workshop.source.chunk_seconds = _CHUNK_SECONDS
    card.get_by_role("button", name="Download").click()
    page.get_by_role("button", name="Accept and download").click()
    bar = card.get_by_role("progressbar")
    bar.wait_for()
    before = bar.get_attribute("aria-valuetext")
    with tasks(page) as busy:
        page.wait_for_timeout(_WATCHED_SECONDS * 1000)
    if bar.count() == 0 or bar.get_attribute("aria-valuetext") == before:
        raise RuntimeError("the download was not watched")
    page.close()
    yield Figure(
        bench="manager",
        name="main thread, while a download reports progress",
        unit="ms/s",
        ours=[sum(busy.milliseconds) / _WATCHED_SECONDS],
        peer=[sum(idle.milliseconds) / _WATCHED_SECONDS],
        peer_name="the same page at rest",
        compare="difference",
        note="processor time of all tasks of the page",
    )
    yield Figure(
        bench="manager",
        name="the longest task of it",
        unit="ms",
        ours=[busy.longest],
        target=Target(50.0),
    )
