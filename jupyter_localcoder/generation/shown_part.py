"""What of a suggestion can be seen before it is accepted.

An editor shows control characters, marks of direction and the like in a document as marks; a ghost text
cannot, and would hide what it is going to insert. So nothing passes from the line on in which the first of
them stands.
"""

from __future__ import annotations

from ..context.checks.gate import SuggestionGate
from ..contract.generation import Doubt, Finish
from ..text.plain_text import Visible


class VisibleGate:
    """Stands before the gate of a suggestion, whatever its rules are; implements `run.OutputGate`.

    Parameters
    ----------
    before
        What stands before the cursor.
    """

    def __init__(self, gate: SuggestionGate, before: str) -> None:
        self._gate = gate
        self._visible = Visible(before[-8:])
        self._any = False

    @property
    def ended(self) -> bool:
        """Whether the rest is not wanted."""
        return self._gate.ended or self._visible.hides

    @property
    def withheld(self) -> Doubt:
        """Why nothing is shown."""
        return "hidden" if self._visible.hides and not self._any else self._gate.withheld

    @property
    def doubt(self) -> Doubt:
        """What speaks against what is shown."""
        return self._gate.doubt

    @property
    def slow(self) -> bool:
        """See `SuggestionGate.slow`."""
        return self._gate.slow

    def take(self, text: str, log_probability: float | None = None) -> str:
        """See `SuggestionGate.take`."""
        return self._passed("" if self.ended else self._gate.take(self._visible.take(text), log_probability))

    def finish(self, finish: Finish, log_probability: float | None = None) -> str:
        """See `SuggestionGate.finish`; of a line that hides something no part is shown."""
        return self._passed("" if self.ended else self._gate.finish(finish, log_probability))

    def _passed(self, text: str) -> str:
        self._any = self._any or bool(text.strip())
        return text
