"""No suggestion hides what it inserts, whatever is asked of it otherwise."""

from __future__ import annotations

import pytest

from jupyter_localcoder.context.checks.gate import Checks, Rules, SuggestionGate
from jupyter_localcoder.context.checks.surroundings import Surroundings
from jupyter_localcoder.contract.notebook import NotebookContext
from jupyter_localcoder.generation.shown_part import VisibleGate


def gate(checks: Checks) -> VisibleGate:
    return VisibleGate(
        SuggestionGate(Surroundings("", "", "python", NotebookContext()), Rules(checks=checks)), ""
    )


@pytest.mark.parametrize("checks", ["off", "mark", "drop"])
class TestWhatCannotBeSeen:
    @pytest.mark.parametrize(
        "hidden", ["\x1b[8m", "\u202e", "\u2066", "\u200b", "\U000e0041", "\x07", "\r", "\ud800"]
    )
    def test_it_is_withheld(self, checks: Checks, hidden: str) -> None:
        asked = gate(checks)
        assert asked.take(f"{hidden}print('a')\n") + asked.finish("stop") == ""
        assert asked.withheld == "hidden"

    def test_what_stands_before_its_line_stays(self, checks: Checks) -> None:
        asked = gate(checks)
        shown = (
            asked.take("a = 1\n") + asked.take("b = '\u202e'\n") + asked.take("c = 3") + asked.finish("stop")
        )
        assert shown.startswith("a = 1")
        assert "\u202e" not in shown
        assert "c = 3" not in shown
        assert asked.withheld == ""
        assert asked.ended

    @pytest.mark.parametrize(
        "text", ["print('👩\u200d👧 שלום مرحبا می\u200cشود')", "if x:\n\ty = 1", "é = '…'"]
    )
    def test_writing_stays(self, checks: Checks, text: str) -> None:
        asked = gate(checks)
        assert "".join(map(asked.take, text)) + asked.finish("stop") == text

    def test_line_ends_of_another_system_are_line_feeds(self, checks: Checks) -> None:
        asked = gate(checks)
        assert "".join(map(asked.take, "a = 1\r\nb = 2\r\n")) + asked.finish("stop") == (
            "a = 1\nb = 2\n" if checks == "off" else "a = 1\nb = 2"
        )
