"""What is said of completion: in the status bar, to a screen reader, in every theme."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.ghost import GhostLab, Writer, until
from tests.browser.themes import LIGHT, THEMES, wear

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

BUTTON = ".jp-LocalCoder-StatusItem button"
SPOKEN = "[data-localcoder='suggestion']"
NUMPY = {"ends": "import ", "pieces": ["numpy as np"]}


def test_a_click_pauses_and_resumes(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY])
    writer.open(ghost_lab.write("status.ipynb", ""))
    item = writer.page.locator(BUTTON)
    item.click()
    here = writer.page.get_by_role("menuitemcheckbox", name="Suggestions in This Notebook")
    expect(here).to_be_checked()
    expect(here.locator("svg")).to_be_visible()
    writer.page.get_by_role("menuitem", name="Pause Suggestions").click()
    expect(item).to_contain_text("suggestions paused")
    item.click()
    writer.page.get_by_role("menuitem", name="Resume Suggestions").click()
    expect(item).not_to_contain_text("suggestions")
    with writer.settings(completionMode="off"):
        expect(item).to_contain_text("suggestions off")
    expect(item).not_to_contain_text("suggestions")


def test_it_says_how_fast_and_that_it_works(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([NUMPY, {"ends": "forever(", "pieces": ["a)\n"], "hangs": True}])
    writer.open(ghost_lab.write("speed.ipynb", ""))
    item = writer.page.locator(BUTTON)
    writer.type("import ")
    writer.sees("numpy as np")
    expect(item).to_contain_text(re.compile(r"\d+ tokens/s"))
    label = item.locator(".jp-LocalCoder-StatusItem-label")
    assert label.evaluate("label => label.scrollWidth <= label.clientWidth"), "the speed is cut off"
    expect(item).to_have_attribute("data-working", "false")
    writer.press("Tab")
    writer.type("\nforever(")
    writer.sees("a)")
    expect(item).to_have_attribute("data-working", "true")
    spinner = item.locator(".jp-LocalCoder-StatusItem-spinner")
    expect(spinner).to_have_css("animation-name", "jp-LocalCoder-appear, jp-LocalCoder-turn")
    writer.page.emulate_media(reduced_motion="reduce")
    expect(spinner).to_have_css("animation-name", "jp-LocalCoder-appear")
    writer.page.emulate_media(reduced_motion="no-preference")
    writer.press("Escape")
    expect(item).to_have_attribute("data-working", "false")


def test_it_is_announced_once_and_politely(writer: Writer, ghost_lab: GhostLab) -> None:
    pieces = ["\n    y = x\n", "    z = y\n", "    return z"]
    gate = ghost_lab.gate()
    first, *others = pieces
    ghost_lab.rules([{"ends": "def f(x):", "pieces": [first, gate.held, *others]}])
    writer.open(ghost_lab.write("spoken.ipynb", ""))
    region = writer.page.locator(SPOKEN)
    expect(region).to_have_attribute("aria-live", "polite")
    writer.page.evaluate(
        f"""() => {{
          window.said = [];
          const region = document.querySelector("{SPOKEN}");
          new MutationObserver(() => {{
            if (region.textContent) {{ window.said.push(region.textContent); }}
          }}).observe(region, {{ childList: true }});
        }}"""
    )
    writer.type("def f(x):")
    writer.sees("\n    y = x")
    writer.settle()
    assert writer.page.evaluate("() => window.said") == []
    gate.open()
    writer.sees("".join(pieces))
    said = until(lambda: writer.page.evaluate("() => window.said"))
    writer.press("Alt+ArrowRight")
    writer.settle()
    assert writer.page.evaluate("() => window.said") == said == ["Suggestion: y = x, and 2 more lines"]
    expect(region).to_have_text("")
    with writer.settings(announceCompletions=False):
        writer.press("Control+a", "Backspace")
        writer.type("def f(x):")
        writer.sees("".join(pieces))
        writer.is_answered()
        writer.settle()
        assert len(writer.page.evaluate("() => window.said")) == 1


def test_of_several_it_announces_the_one_on_the_screen(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.rules([{"ends": "pick(", "pieces": ["one"]}])
    writer.open(ghost_lab.write("choose.ipynb", ""))
    region = writer.page.locator(SPOKEN)
    writer.type("pick(")
    writer.sees("one")
    expect(region).to_have_text("Suggestion: one")
    writer.press("Alt+\\")
    until(lambda: len([one for one in ghost_lab.asked if one["temperature"] > 0]) == 2)
    # The others come behind it.
    writer.is_answered()
    writer.settle()
    assert writer.ghost == "one"
    expect(region).to_have_text("Suggestion: one")
    writer.press("Alt+]")
    writer.page.wait_for_function(
        "text => document.querySelector('.jp-GhostText').innerText !== text", arg="one"
    )
    expect(region).to_have_text(f"Suggestion: {writer.ghost}")


@pytest.fixture
def marking_page(page: Any, tmp_path: Path, tiny_gguf: Path) -> Iterator[Writer]:
    """Somebody on whose server suggestions are marked, and not dropped."""
    lab = GhostLab(tmp_path, config={"Service": {"completion_checks": "mark"}})
    try:
        lab.start_with(tiny_gguf)
        lab.rules([{"ends": "x = ", "pieces": ["f(1 2)"]}, {"ends": "y = ", "pieces": ["f(2)"]}])
        writer = Writer(page, lab)
        writer.enter()
        writer.open(lab.write("marked.ipynb", ""))
        yield writer
    finally:
        lab.stop()


def test_what_is_in_doubt_is_marked_where_that_is_wanted(marking_page: Writer, tmp_path: Path) -> None:
    writer = marking_page
    ghost = writer.page.locator(".jp-GhostText").first
    writer.type("x = ")
    writer.sees("f(1 2)")
    expect(ghost).to_have_css("text-decoration-style", "wavy")
    writer.page.screenshot(path=tmp_path / "marked.png")
    region = writer.page.locator(SPOKEN)
    expect(region).to_have_text("Suggestion: f(1 2). It would cause a syntax error")
    writer.press("Escape")
    writer.type("1\ny = ")
    writer.sees("f(2)")
    expect(ghost).to_have_css("text-decoration-line", "none")
    expect(region).to_have_text("Suggestion: f(2)")
    writer.press("Escape")
    writer.type("2\nx = ")
    writer.sees("f(1 2)")
    expect(ghost).to_have_css("text-decoration-style", "wavy")
    writer.lab.rules([{"ends": "x = ", "pieces": ["g"]}])  # The others are in no doubt.
    writer.press("Alt+\\")
    until(lambda: writer.press("Alt+]") or writer.ghost.startswith("g"))
    expect(ghost).to_have_css("text-decoration-line", "none")
    assert writer.complaints == []


@pytest.mark.parametrize("theme", THEMES)
def test_it_looks_right_in_every_theme(
    writer: Writer, ghost_lab: GhostLab, tmp_path: Path, theme: str
) -> None:
    pieces = ["\n    model = LinearRegression()\n", "    model.fit(X, y)\n", "    return model"]
    ghost_lab.rules([{"ends": "def fit(X, y):", "pieces": pieces}])
    wear(writer.page, theme)
    try:
        writer.open(ghost_lab.write("theme.ipynb", "from sklearn.linear_model import LinearRegression", ""))
        writer.enter_cell(1)
        writer.type("def fit(X, y):")
        writer.sees("".join(pieces))
        writer.page.screenshot(path=tmp_path / "ghost.png")
        writer.page.evaluate("() => { jupyterapp.commands.execute('localcoder:inspect-prompt'); }")
        dialog = writer.page.get_by_role("dialog")
        dialog.get_by_text("Tokens by source").wait_for()
        writer.page.screenshot(path=tmp_path / "inspector.png")
        assert least_contrast(dialog) >= 4.5
        writer.press("Escape")
        expect(dialog).to_have_count(0)
    finally:
        wear(writer.page, LIGHT)


def least_contrast(dialog: Any) -> float:
    """The least ratio of luminance, as WCAG 2 defines it, of the texts of the inspector."""
    return float(
        dialog.evaluate(
            """dialog => {
              const numbers = color => color.match(/[\\d.]+/g).map(Number);
              const luminance = color => {
                const [r, g, b] = numbers(color).slice(0, 3).map(value => {
                  const part = value / 255;
                  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const behind = node => {
                const { backgroundColor } = getComputedStyle(node);
                const [, , , alpha = 1] = numbers(backgroundColor);
                return alpha > 0 || !node.parentElement ? backgroundColor : behind(node.parentElement);
              };
              const texts = dialog.querySelectorAll('th, td, dt, dd, pre, h3, caption');
              return Math.min(...[...texts].map(node => {
                const two = [luminance(getComputedStyle(node).color), luminance(behind(node))].sort();
                return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
              }));
            }"""
        )
    )
