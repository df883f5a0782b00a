"""Lets a suggestion through line by line, as far as nothing speaks against it.

How sure the model is of a suggestion is the probability of all of it so far, the product of its tokens'. It
only falls. The suggestion ends before the token with which it falls too far, and from there goes back to
where a line may end: after a whole word, with no bracket open. On cells of notebooks this shows as much that
is right as taking or leaving whole lines does, and a fraction of what is wrong.

A line is shown as it comes, up to where it could be cut, and never taken back: what fails a check when the
line is complete ends the suggestion where it stands. The first line decides whether anything is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...contract.generation import Doubt, Finish
from ..indentation import Outdent, split_indentation
from .cell_language import PROSE
from .columns import unknown_column
from .foreign import foreign_at
from .repetition import last_line, overlapping, repeats, without_comment, without_overlap
from .surroundings import Surroundings
from .syntax import breaks
from .whole import whole_part

Checks = Literal["off", "mark", "drop"]
_UNBALANCED = PROSE | {"bash", "html"}
"""Languages in which a bracket may close nothing, such as a case of a shell."""


@dataclass(frozen=True)
class Rules:
    """What is asked of a suggestion."""

    checks: Checks = "drop"
    """`off` checks nothing, `mark` only tells of what does not parse or names a missing column."""
    min_log_probability: float | None = None
    """Least natural logarithm of the probability of what is shown; None asks for nothing."""

    trim: bool = False
    """Whether a line that the token limit cuts off ends after a whole word, with no bracket open."""

    @property
    def any(self) -> bool:
        """Whether anything is asked."""
        return self.checks != "off" or self.min_log_probability is not None


AT_ONCE_CHARS = 32_000
_EARLY_CHARS = 4
"""Fewer characters of a line that still comes are no help: the line may yet fail a check."""


class SuggestionGate:
    """One suggestion on its way to who asked for it."""

    def __init__(self, around: Surroundings, rules: Rules) -> None:
        self.withheld: Doubt = ""
        """Why nothing is shown."""
        self.doubt: Doubt = ""
        """What speaks against what is shown."""
        self.ended = False
        """Whether the rest is not wanted."""
        self.slow = around.chars > AT_ONCE_CHARS
        """Whether reading what is around takes more than a few milliseconds."""
        self._around = around
        self._rules = rules
        self._outdent = Outdent(split_indentation(around.prefix)[1])
        self._held = ""
        self._shown = ""
        self._early = ""
        """What is shown of the line that still comes, the first of what is held."""
        self._first = True

    def take(self, text: str, log_probability: float | None = None) -> str:
        """Take the next piece of the answer, and return what may be shown now.

        Parameters
        ----------
        log_probability
            Natural logarithm of the probability of the answer so far.
        """
        if self.ended:
            return ""
        text = self._outdent.take(text)
        if not self._rules.any:
            return text
        least = self._rules.min_log_probability
        if least is not None and log_probability is not None and log_probability < least:
            return self._cut(text)
        self._held += text
        out = self._pass(last=False)
        return out if least is None or log_probability is None else out + self._pass_early()

    def finish(self, finish: Finish, log_probability: float | None = None) -> str:
        """Return what is left when the answer has ended."""
        if self.ended:
            return ""
        if finish == "canceled":
            # Nobody looks at it any more.
            text, self._held = self._held.removeprefix(self._early), ""
            return text
        return self._pass(last=True, cut_off=finish in ("length", "timeout"), trim=self._rules.trim)

    def _cut(self, unsure: str) -> str:
        """End the suggestion before a piece that the model is not sure of."""
        out = self._pass(last=True, cut_off=True, trim=True, following=unsure)
        self.ended = True
        if self._first and not self.withheld and not self._early:
            self.withheld = "confidence"
        return out

    def _pass_early(self) -> str:
        """What more can be shown of the line that still comes: as much as a cut would leave of it."""
        around, line = self._around, self._held
        if self.ended or self.slow or self._rules.checks != "drop" or around.rest.strip():
            return ""
        if not line.strip() or "\n" in line.lstrip():
            return ""
        before = around.prefix + self._shown
        line = whole_part(before, line)
        line = line[: foreign_at(before, line, around, cut_off=True)]
        head, _, whole = (before + line).rpartition("\n")
        if len(line.strip()) < _EARLY_CHARS or not line.startswith(self._early):
            return ""
        if line != self._without_ends(before, line):
            return ""
        if any(other.startswith(whole.strip()) for other in (last_line(head).strip(), around.below.strip())):
            return ""  # It may turn out to repeat what is there.
        if around.cell_language == "python" and unknown_column(before, line, "", around):
            return ""
        out, self._early = line[len(self._early) :], line
        return out

    def _pass(self, *, last: bool, cut_off: bool = False, trim: bool = False, following: str = "") -> str:
        out = ""
        while self._held.strip() and not self.ended:
            # Blank lines go with the line after them: at the end they would only move what follows.
            begin = len(self._held) - len(self._held.lstrip())
            end = self._held.find("\n", begin)
            if end < 0 and not last:
                break
            goes_on = end >= 0
            line, self._held = (self._held[:end], self._held[end:]) if goes_on else (self._held, "")
            if cut_off and not goes_on and trim:
                line = whole_part(self._around.prefix + self._shown, line, following)
                if not line.strip():
                    break
            early, passed = self._early, self._line(line, goes_on=goes_on, cut_off=cut_off and not goes_on)
            if not passed.startswith(early):
                self.ended, passed = True, early
            self._early = ""
            out += passed[len(early) :]
            self._shown += passed
            self._first = False
        return out

    def _line(self, line: str, *, goes_on: bool, cut_off: bool) -> str:
        """The part of a line (with the line breaks before it) that may be shown."""
        around, rules = self._around, self._rules
        if rules.checks == "off":
            return line
        before = around.prefix + self._shown
        own = line[: foreign_at(before, line, around, cut_off=cut_off)]
        if own != line:
            self.ended, line, goes_on = True, own.rstrip(), False
            if not line:
                return self._stop("syntax")
        shorter = self._without_ends(before, line)
        if shorter != line:
            # What came after it would stand between the line and its end.
            self.ended, line, goes_on = True, shorter, False
            if not line.strip():
                return self._stop("repetition")
        head, _, whole = (before + line).rpartition("\n")
        if repeats(whole, last_line(head)) or repeats(whole, around.below):
            return self._stop("repetition")
        rest = "" if goes_on else around.rest
        doubt = self._doubt(before, line, rest, cut_off=cut_off)
        if doubt == "syntax":
            # Such as the end of a field in an f-string, which is no bracket of its own.
            for fitting in overlapping(line, rest):
                if fitting.strip() and not self._doubt(before, fitting, rest, cut_off=cut_off):
                    self.ended, line, doubt = True, fitting, ""
                    break
        if doubt and rules.checks == "drop":
            return self._stop(doubt)
        self.doubt = self.doubt or doubt
        return line

    def _without_ends(self, before: str, line: str) -> str:
        """The line without what doubles or swallows what follows the cursor."""
        around = self._around
        line = without_comment(before, line, around.rest, around.comment)
        return without_overlap(
            before,
            line,
            around.rest,
            around.after,
            comment=around.comment,
            closes=around.cell_language not in _UNBALANCED,
        )

    def _doubt(self, before: str, line: str, rest: str, *, cut_off: bool) -> Doubt:
        if self._around.cell_language != "python":
            return ""
        if cut_off:
            # The name or the bracket at its end may well have gone on.
            return ""
        if unknown_column(before, line, rest, self._around):
            return "columns"
        return "syntax" if breaks(before, line, rest) else ""

    def _stop(self, why: Doubt) -> str:
        """End the suggestion here; with nothing shown yet, say why."""
        self.ended, self._held = True, ""
        if self._first and not self._early:
            self.withheld = why
        return ""
