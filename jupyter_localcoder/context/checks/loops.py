"""An answer that says the same lines again and again, as small models do until their limit."""

from __future__ import annotations

import re

from ...contract.generation import Doubt, Finish

MAX_REPEATS = 3
"""More equal lines, or equal groups of lines, in a row are a loop."""
MAX_GROUP_LINES = 8
MAX_SOURCE_CHARS = 200_000
_WORDS = re.compile(r"[^\W\d_].*[^\W\d_]")
"""A line with fewer than two letters (`]`, `0, 0, 1`) may well be right many times."""


class LoopGate:
    """Shows an answer as it comes, and ends it where it loops.

    Parameters
    ----------
    source
        What the model has read: lines that repeat there may repeat in the answer.
    """

    withheld: Doubt = ""
    slow = False

    def __init__(self, source: str) -> None:
        self.doubt: Doubt = ""
        self.ended = False
        self._lines = _Lines(source)
        self._begun = ""

    def take(self, text: str, log_probability: float | None = None) -> str:
        """Return the next piece, up to the end of the line with which a loop is certain."""
        if self.ended:
            return ""
        start = 0
        while (end := text.find("\n", start)) >= 0:
            self._begun += text[start:end]
            if self._lines.add(self._begun):
                self.ended, self.doubt = True, "repetition"
                return text[: end + 1]
            self._begun, start = "", end + 1
        self._begun += text[start:]
        return text

    def finish(self, finish: Finish, log_probability: float | None = None) -> str:
        """Nothing was held back."""
        return ""


def loops(text: str, source: str) -> bool:
    """Whether a text has a loop that what the model has read does not have."""
    lines = _Lines(source)
    return any(lines.add(line) for line in text.split("\n"))


class _Lines:
    """Lines that are not blank, one after the other."""

    def __init__(self, source: str) -> None:
        self._source = source[:MAX_SOURCE_CHARS]
        self._lines: list[str] = []

    def add(self, line: str) -> bool:
        """Take the next line; whether a loop is certain with it."""
        if not line.strip():
            return False
        lines = self._lines
        lines.append(line.strip())
        for size in range(1, MAX_GROUP_LINES + 1):
            group = lines[-size:]
            if lines[-size * (MAX_REPEATS + 1) :] != group * (MAX_REPEATS + 1):
                continue
            if any(map(_WORDS.search, group)) and not self._is_in_source(group):
                return True
        return False

    def _is_in_source(self, group: list[str]) -> bool:
        size, count = len(group), 0
        while self._lines[len(self._lines) - size * (count + 1) : len(self._lines) - size * count] == group:
            count += 1
        # Only an answer that seems to loop is worth reading the source for.
        source = [line.strip() for line in self._source.split("\n") if line.strip()]
        return "\n".join(["", *group * count, ""]) in "\n".join(["", *source, ""])
