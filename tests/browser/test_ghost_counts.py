"""What becomes of suggestions is counted, and shown in the details of the status."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.ghost import GhostLab, Writer, until

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

BUTTON = ".jp-LocalCoder-StatusItem button"
RULES = [
    {"ends": "import ", "pieces": ["numpy as np"]},
    {"ends": "plot(", "pieces": ["x, y)"]},
]


def counts(lab: GhostLab) -> dict[str, Any]:
    """All but what was kept for a minute: a busy machine may take that long for a test."""
    total: dict[str, Any] = lab.call("GET", "stats")["total"]
    return {name: number for name, number in total.items() if number and name != "kept"}


def test_outcomes_are_counted_shown_and_erased(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.call("DELETE", "stats")
    # Dismissed before all of it has come: that is a suggestion of the same model.
    never = {"ends": "never(", "pieces": ["wanted)\n", ghost_lab.gate().held, "x = 1"]}
    ghost_lab.rules([*RULES, never])
    writer.open(ghost_lab.write("counts.ipynb", ""))
    writer.type("import ")
    writer.sees("numpy as np")
    writer.press("Tab")
    until(lambda: counts(ghost_lab) == {"shown": 1, "accepted": 1})
    writer.type("\nplot(")
    writer.sees("x, y)")
    writer.press("Alt+ArrowRight")
    until(lambda: counts(ghost_lab) == {"shown": 2, "accepted": 1, "accepted_word": 1})
    writer.press("Escape", "End")
    writer.type("\nnever(")
    writer.sees("wanted)")
    writer.press("Escape")
    until(lambda: counts(ghost_lab).get("dismissed") == 1)
    assert counts(ghost_lab) == {"shown": 3, "accepted": 1, "accepted_word": 1, "dismissed": 1}
    (row,) = ghost_lab.call("GET", "stats")["counts"]
    assert row["model"]
    assert row["language"] == "python"
    writer.page.locator(BUTTON).click()
    writer.page.get_by_role("menuitem", name="Show the State of the Local Model").click()
    dialog = writer.page.locator(".jp-LocalCoder-Details")
    expect(dialog).to_contain_text(
        re.compile(
            r"3 shown, 2 accepted \(1 whole, 0 by line, 1 by word\), 1 dismissed, \d kept for a minute"
        )
    )
    writer.page.get_by_role("button", name="Close").click()
    ghost_lab.call("DELETE", "stats")
    assert counts(ghost_lab) == {}


def test_nothing_is_counted_while_the_setting_is_off(writer: Writer, ghost_lab: GhostLab) -> None:
    ghost_lab.call("DELETE", "stats")
    ghost_lab.call("PATCH", "settings", {"suggestion_counts": False})
    try:
        ghost_lab.rules(RULES)
        writer.open(ghost_lab.write("uncounted.ipynb", ""))
        writer.type("import ")
        writer.sees("numpy as np")
        writer.press("Tab")
        until(lambda: writer.page.evaluate("() => window.sent.some(one => one.op === 'stats:record')"))
        assert counts(ghost_lab) == {}
    finally:
        ghost_lab.call("PATCH", "settings", {"suggestion_counts": None})
