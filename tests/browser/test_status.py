"""The status-bar item shows what the worker does, live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, frozen, running_lab
from tests.browser.patience import CHANNEL, leave_out_lost_server, until
from tests.browser.themes import THEMES, wear

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

ITEM = ".jp-LocalCoder-StatusItem"
BUTTON = f"{ITEM} button"

RECORD = """() => {
  window.states = [];
  CHANNEL.on('backend:state', ({ state }) => { window.states.push(state); });
  const label = document.querySelector('.jp-LocalCoder-StatusItem-label');
  window.labels = [label.textContent];
  new MutationObserver(() => window.labels.push(label.textContent)).observe(label, {
    characterData: true, childList: true, subtree: true
  });
  window.isSamePage = true;
}""".replace("CHANNEL", CHANNEL)


def opened(page: Any, lab: Any) -> Any:
    """Open JupyterLab; the item of the status bar."""
    page.goto(lab.page())
    # The launcher comes last, and takes the focus.
    expect(page.locator(".jp-Launcher")).to_be_visible()
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
    return page.locator(BUTTON)


def choose(page: Any, label: str) -> None:
    """Choose from the open menu by the keyboard."""
    seen = []
    for _ in range(10):
        seen.append(page.locator(".lm-Menu-item.lm-mod-active .lm-Menu-itemLabel").inner_text())
        if seen[-1] == label:
            page.keyboard.press("Enter")
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"there is no {label!r} in the menu: {seen}")


def test_without_the_server_extension_it_is_calm(page: Any, bare_lab: Any, tmp_path: Path) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    item = opened(page, bare_lab)
    expect(item).to_have_text("LocalCoder: not connected")
    expect(item).to_have_attribute("title", re.compile("does not run the LocalCoder extension"))
    expect(page.get_by_role("status").filter(has_text="LocalCoder")).to_have_text("LocalCoder: not connected")
    page.screenshot(path=tmp_path / "not-connected.png")
    # What the browser itself prints of the two attempts that failed, and nothing else.
    ours = [error for error in errors if "localcoder" in error.lower()]
    assert all("404" in error or "WebSocket connection" in error for error in ours), ours


def test_it_is_reached_and_opened_by_the_keyboard(page: Any, bare_lab: Any) -> None:
    item = opened(page, bare_lab)
    item.focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("menu").filter(has_text="Show the State of the Local Model")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(item).to_be_focused()
    page.keyboard.press("Enter")
    choose(page, "Show the State of the Local Model")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("does not run the LocalCoder extension")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(item).to_be_focused()


def test_the_setting_hides_it_at_once(page: Any, bare_lab: Any, tmp_path: Path) -> None:
    item = opened(page, bare_lab)
    expect(item).to_be_visible()
    page.evaluate("() => { jupyterapp.commands.execute('settingeditor:open', {query: 'LocalCoder'}); }")
    box = page.get_by_label("Show the state in the status bar")
    expect(box).to_be_checked()
    box.uncheck()
    expect(item).to_be_hidden()
    page.screenshot(path=tmp_path / "settings.png")
    box.check()
    expect(item).to_be_visible()


@pytest.fixture
def slow_lab(tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab that waits for an hour before it starts a worker again that has crashed twice."""
    waits = {"Supervisor": {"backoff_first_seconds": 3600.0, "backoff_max_seconds": 3600.0}}
    with running_lab(tmp_path, config=waits) as lab:
        yield lab


def test_it_follows_the_worker_without_a_reload(
    page: Any, slow_lab: Lab, tiny_gguf: Path, tmp_path: Path
) -> None:
    lab = slow_lab
    item = opened(page, lab)
    expect(item).to_have_text("Local: no model loaded")
    page.screenshot(path=tmp_path / "no-model.png")
    page.evaluate(RECORD)

    model = lab.call("POST", "models/import", {"path": str(tiny_gguf), "id": "tiny"})
    lab.call("POST", "models/tiny/load", {})
    ready = f"Local: ready · {model['name']}"
    expect(item).to_have_text(ready)
    page.screenshot(path=tmp_path / "ready.png")

    item.click()
    page.get_by_role("menuitem", name="Show the State of the Local Model").click()
    details = page.get_by_role("dialog")
    expect(details).to_contain_text(model["name"])
    expect(details).to_contain_text(re.compile(r"Context window\s*\d"))
    page.screenshot(path=tmp_path / "details.png")
    page.keyboard.press("Escape")

    page.evaluate("() => { window.states = []; window.labels = []; }")
    lab.worker().kill()
    page.wait_for_function("() => window.states.includes('backoff') && window.states.includes('ready')")
    expect(item).to_have_text(ready)
    # What lasts for a moment only may be passed over, but not all of it.
    labels = page.evaluate("() => window.labels")
    assert any(re.match("Local: (restarting|starting|loading)", label) for label in labels), labels
    assert page.evaluate("() => window.isSamePage")

    lab.call("POST", "models/unload", {})
    expect(item).to_have_text(re.compile("^Local: (stopped|no model loaded)"))
    lab.call("POST", "models/tiny/load", {})
    expect(item).to_have_text(ready)
    lab.worker().kill()  # The second time in a short while, it is not started again at once.
    expect(item).to_have_text(re.compile("^Local: restarting"))


def test_it_comes_back_with_the_server(page: Any, lab: Any) -> None:
    item = opened(page, lab)
    expect(item).to_have_text("Local: no model loaded")
    page.evaluate(RECORD)
    leave_out_lost_server(page)
    lab.stop()
    expect(item).to_have_text("LocalCoder: not connected")
    lab.start()
    expect(item).to_have_text("Local: no model loaded")
    assert page.evaluate("() => window.isSamePage")


def test_a_server_that_hangs_is_said_not_to_respond(page: Any, lab: Any, tmp_path: Path) -> None:
    item = opened(page, lab)
    expect(item).to_have_text("Local: no model loaded")
    page.evaluate(RECORD)
    leave_out_lost_server(page)
    # What was asked in between is answered all the same.
    with frozen(lab.process):
        page.evaluate(
            f"""() => {{ {CHANNEL}.request('model:list', {{}}).then(
              () => {{ window.answered = true; }}, () => {{ window.answered = false; }}
            ); }}"""
        )
        expect(item).to_have_text("LocalCoder: no response")
        expect(item).to_have_attribute("title", re.compile("The Jupyter server is not responding"))
        expect(page.get_by_role("status").filter(has_text="LocalCoder")).to_have_text(
            "LocalCoder: no response"
        )
        page.screenshot(path=tmp_path / "no-response.png")
    expect(item).to_have_text("Local: no model loaded")
    page.wait_for_function("() => window.answered === true")
    assert page.evaluate("() => window.isSamePage")


def test_a_worker_that_hangs_is_replaced(page: Any, lab: Any, tiny_gguf: Path) -> None:
    item = opened(page, lab)
    model = lab.call("POST", "models/import", {"path": str(tiny_gguf), "id": "tiny"})
    lab.call("POST", "models/tiny/load", {})
    ready = f"Local: ready · {model['name']}"
    expect(item).to_have_text(ready)
    page.evaluate(RECORD)
    worker = lab.worker()
    with frozen(worker):
        # What lasts for a moment only may be passed over, but not all of it.
        page.wait_for_function(
            "() => window.labels.some(one => /Local: (restarting|starting|loading)/.test(one))"
        )
        expect(item).to_have_text(ready)
        until(lambda: not worker.is_running())
    assert lab.worker().pid != worker.pid


@pytest.mark.parametrize("theme", THEMES)
def test_it_can_be_read_in_every_theme(page: Any, bare_lab: Any, tmp_path: Path, theme: str) -> None:
    item = opened(page, bare_lab)
    wear(page, theme)
    expect(item).to_be_visible()
    page.screenshot(path=tmp_path / "theme.png")
    assert contrast(page) >= 4.5


def contrast(page: Any) -> float:
    """Ratio of luminance between the text and the status bar, as WCAG 2 defines it."""
    text, background = page.evaluate(
        """() => {
          const style = selector => getComputedStyle(document.querySelector(selector));
          const numbers = color => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
          return [
            numbers(style('.jp-LocalCoder-StatusItem-label').color),
            numbers(style('.jp-StatusBar-Widget').backgroundColor)
          ];
        }"""
    )
    dark, light = sorted([luminance(text), luminance(background)])
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb: list[float]) -> float:
    parts = [value / 255 for value in rgb]
    red, green, blue = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
