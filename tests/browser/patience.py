"""Waiting for what people see. No test waits for a moment of the clock, or for a speed.

Only what never comes about takes the times that stand here: a busy machine may need most of them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

STEP_SECONDS = 120.0
STEP_MS = STEP_SECONDS * 1000
# Longer than whatever the page puts off: completion, reading ahead, what is said to screen readers, searches.
_PUT_OFF_MS = 600

# The channel is a service of a plugin, for other plugins: a test has to reach behind the registry.
CHANNEL = "jupyterapp.pluginRegistry._plugins.get('jupyter-localcoder:channel').service"
# JupyterLab closes a toast when the bar in it has run out. Here it never does: a test that is held up for
# some seconds sees it all the same. `data-toasts=go` lets all of them go at once.
_TOASTS = """addEventListener('DOMContentLoaded', () => {
  const style = document.createElement('style');
  style.textContent = `
    .Toastify__progress-bar { animation-play-state: paused !important; }
    [data-toasts=go] .Toastify__progress-bar {
      animation-duration: 1ms !important;
      animation-play-state: running !important;
    }`;
  document.head.append(style);
});"""


def until(is_so: Callable[[], Any], seconds: float = STEP_SECONDS) -> Any:
    """Wait until something is so; what it says then."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


def new_context(browser: Any) -> Any:
    """A browser's window, in which toasts stay until somebody closes them."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(STEP_MS)
    context.add_init_script(_TOASTS)
    return context


def let_toasts_go(page: Any) -> None:
    """Close those that would have closed by themselves."""
    root = "document.documentElement.dataset"
    page.evaluate(f"() => {{ {root}.toasts = 'go'; }}")
    page.wait_for_function("() => document.querySelector('.Toastify__progress-bar') === null")
    page.evaluate(f"() => {{ delete {root}.toasts; }}")


def connected(page: Any) -> None:
    """Wait until the page hears the server: what is told before is not for it."""
    expect(page.locator(".jp-LocalCoder-StatusItem")).to_contain_text("Local:")


def heard(page: Any) -> None:
    """Wait until the page has heard what the server has told up to now: it comes in order."""
    page.evaluate(f"() => {CHANNEL}.request('backend:ping', {{}})")


def settle(page: Any) -> None:
    """Wait until the page has done what it has put off, for where nothing may come of it.

    This is no race with the page: the timers of a page run in the order of their times, on its one thread. So
    what a timer of the page does, or another timer that this one has set, and so on, is done after it.
    """
    page.evaluate(
        """async milliseconds => {
          for (let step = 0; step < 3; step++) {
            await new Promise(resolve => setTimeout(resolve, milliseconds));
          }
        }""",
        _PUT_OFF_MS,
    )


def harmless(page: Any) -> None:
    """Wait until what a hostile answer has put into the page would have acted, and see that it has not.

    A picture that is not there is put in after it, and its handler called: as theirs, which came before.
    """
    page.evaluate(
        """() => new Promise(resolve => {
          const image = document.createElement('img');
          image.onerror = () => { image.remove(); resolve(); };
          image.src = 'x';
          document.body.append(image);
        })"""
    )
    settle(page)
    assert page.evaluate("() => window.harmed") is None


def open_sidebar_of_notebook_7(page: Any, address: str) -> None:
    """Open the page of files of Notebook 7, and our sidebar in it."""
    page.goto(address)
    expect(page.locator(".jp-DirListing").first).to_be_visible()
    right = page.get_by_text("Right Sidebar", exact=True)
    ours = page.get_by_role("menuitem", name="LocalCoder")

    def is_offered() -> bool:
        """Whether the menu has it: one that was opened before all plugins were there never gets the rest."""
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.get_by_role("menuitem", name="View").click()
        if not right.is_visible():
            return False
        right.hover()
        with contextlib.suppress(playwright.TimeoutError):
            ours.wait_for(timeout=_PUT_OFF_MS)
        return bool(ours.is_visible())

    until(is_offered)
    ours.click()


def choose_from_palette(page: Any, label: str) -> None:
    """Run a command by the keyboard."""
    page.keyboard.press("Control+Shift+C")
    palette = page.locator(".lm-CommandPalette:visible")
    expect(palette.locator("input")).to_be_focused()
    page.keyboard.type(label)
    expect(palette.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(label)
    page.keyboard.press("Enter")


def leave_out_lost_server(page: Any) -> None:
    """Keep JupyterLab from saying in a dialog, when it likes, that the server is gone: it takes the keys."""
    page.evaluate("() => { jupyterapp.serviceManager.connectionFailure.emit = () => undefined; }")
