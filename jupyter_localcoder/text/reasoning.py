"""The reasoning that a model writes before its answer, told apart from it while both still come. Pure.

Reasoning stands between marks at the beginning (`<think>` … `</think>`, `[THINK]` … `[/THINK]`, the channels
of the harmony format). Marks in the middle of an answer, which may explain them, are text. Where the chat
template has opened the reasoning, an answer may have the closing mark alone: what came before it is shown as
answer until then, unless who asks knows that this model does so.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..contract.wire import REASONING_MARKS

_CLOSING = {opening.lower(): closing for opening, closing in REASONING_MARKS}
_TAGS = "|".join(re.escape(opening) for opening, _ in REASONING_MARKS)
_OPEN = re.compile(
    rf"\s*(?:(?P<tag>{_TAGS})"
    r"|(?:<\|start\|>[^<]{0,40})?<\|channel\|>\s*(?P<channel>\w+)[^<]{0,80}"
    r"(?:<\|constrain\|>[^<]{0,80})?<\|message\|>)",
    re.IGNORECASE,
)
_BEGINNINGS = (*_CLOSING, "<|channel|>", "<|start|>")
_LONGEST_HEAD = 300
"""Of a message in the harmony format."""
_CHANNEL_ENDS = ("<|end|>", "<|return|>", "<|call|>")
_ALONE = tuple(closing for _, closing in REASONING_MARKS)
_ALONE_ON_A_LINE = re.compile(rf"(?:\A|(?<=\n))[ \t]*(?:{'|'.join(map(re.escape, _ALONE))})", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


class Pieces(NamedTuple):
    """What is certain now."""

    text: str = ""
    reasoning: str = ""


class AnswerParts:
    """Takes what a model writes in any pieces, and gives answer and reasoning apart.

    Parameters
    ----------
    within
        It is likely to begin within the reasoning, without an opening mark.
    """

    def __init__(self, *, within: bool = False) -> None:
        self.text = ""
        """The answer, so far."""
        self.reasoning = ""
        """The reasoning, so far."""
        self.moved = 0
        """So many characters of what was given as answer, the first ones, have turned out to be reasoning."""
        self.unopened = False
        """Whether reasoning has ended that no mark had opened."""
        self._within = within
        self._guessing = False
        self._state = "start"
        self._held = ""
        self._ends: tuple[str, ...] = ()
        self._reasoned = False

    @property
    def reasons(self) -> bool:
        """Whether the model reasons at this point."""
        return self._state == "reasoning"

    @property
    def guessing(self) -> bool:
        """Whether what is given as reasoning is so only by `within`: no mark has said it."""
        return self._guessing

    def add_reasoning(self, words: str) -> Pieces:
        """Take reasoning that came apart from the answer."""
        if words:
            self._within = False
        self.reasoning += words
        return Pieces(reasoning=words)

    def feed(self, piece: str) -> Pieces:
        """Take the next piece."""
        self._held += piece
        return self._released(final=False)

    def finish(self) -> Pieces:
        """Take what was held back, which turned out to be no mark."""
        return self._released(final=True)

    def take_back(self) -> str:
        """Take what was guessed to be reasoning for the answer, which it was: nothing has ended it."""
        self.text, self.reasoning = self.reasoning, ""
        self._guessing = False
        return self.text

    def _released(self, *, final: bool) -> Pieces:
        text = reasoning = ""
        again = True
        while again:
            if self._state == "start":
                again = self._start(final=final)
            elif self._state == "reasoning":
                more, again = self._up_to_end(final=final)
                reasoning += more
                self.reasoning += more
            elif self._ends:
                more, again = self._up_to_end(final=final)
                text += more
                self.text += more
            else:
                given, thought, again = self._answer(final=final)
                if thought is not None:
                    reasoning += thought
                    text = ""
                text += given
        return Pieces(text, reasoning)

    def _start(self, *, final: bool) -> bool:
        """Look whether reasoning begins; whether that is known."""
        found = _OPEN.match(self._held)
        if found is not None:
            self._held = self._held[found.end() :]
            if found["tag"]:
                self._state, self._ends = "reasoning", (_CLOSING[found["tag"].lower()],)
            else:
                self._state = "text" if found["channel"].lower() == "final" else "reasoning"
                self._ends = _CHANNEL_ENDS
            self._reasoned = True
            return True
        begun = self._held.lstrip()
        if not final and (not begun or any(_may_become(begun, mark) for mark in _BEGINNINGS)):
            return False
        if self._within and not self._reasoned:
            self._within, self._guessing, self._reasoned = False, True, True
            self._state, self._ends = "reasoning", _ALONE
            return True
        if self._reasoned:
            # The lines between reasoning and answer belong to neither; an indentation is the answer's.
            space = len(self._held) - len(begun)
            self._held = self._held[self._held.rfind("\n", 0, space) + 1 or space :]
        self._state, self._ends = "text", ()
        return True

    def _up_to_end(self, *, final: bool) -> tuple[str, bool]:
        """What comes before the mark that ends this part, and whether the mark has come."""
        found = re.search("|".join(map(re.escape, self._ends)), self._held, re.IGNORECASE)
        if found is not None:
            before = self.reasoning + self._held[: found.start()]
            if self._guessing and not self._ends_reasoning(before):
                more, self._held = self._held[: found.end()], self._held[found.end() :]
                return more, True
            more, self._held = self._held[: found.start()], self._held[found.end() :]
            self._state = "start"
            self.unopened = self.unopened or self._guessing
            self._guessing = False
            return more, True
        keep = 0 if final else max(_overlap(self._held, mark) for mark in self._ends)
        cut = len(self._held) - keep
        more, self._held = self._held[:cut], self._held[cut:]
        return more, False

    def _answer(self, *, final: bool) -> tuple[str, str | None, bool]:
        """Text of the answer; with it the reasoning, where the text turns out to end one."""
        held, self._held = self._held, ""
        if self._reasoned:
            self.text += held
            return held, None, False
        whole = self.text + held
        # No further back than a mark that is complete only now.
        found = _ALONE_ON_A_LINE.search(whole, max(0, len(self.text) - 40))
        if found is not None and self._ends_reasoning(whole[: found.start()]):
            self.moved = len(self.text)
            thought = whole[self.moved : found.start()]
            self.reasoning += whole[: found.start()]
            self.text, self._held = "", whole[found.end() :]
            self._state, self._reasoned, self.unopened = "start", True, True
            return "", thought, True
        keep = 0 if final else max(_overlap(held, mark) for mark in _ALONE)
        cut = len(held) - keep
        self.text += held[:cut]
        self._held = held[cut:]
        return held[:cut], None, False

    def _ends_reasoning(self, before: str) -> bool:
        explains = any(opening in before.lower() for opening in _CLOSING)
        return not explains and len(_FENCE.findall(before)) % 2 == 0


def split(text: str) -> Pieces:
    """Answer and reasoning of a whole text."""
    parts = AnswerParts()
    parts.feed(text)
    parts.finish()
    return Pieces(parts.text, parts.reasoning)


def bounded(reasoning: str, limit: int) -> str:
    """What is kept of reasoning: its beginning, in at most so many characters."""
    return reasoning if len(reasoning) <= limit else reasoning[: max(0, limit - 1)] + "…" * (limit > 0)


def _may_become(begun: str, mark: str) -> bool:
    if mark.startswith(begun[: len(mark)].lower()) and len(begun) < len(mark):
        return True
    harmony = mark.startswith("<|") and begun.lower().startswith(mark)
    return harmony and "<|message|>" not in begun and len(begun) < _LONGEST_HEAD


def _overlap(text: str, mark: str) -> int:
    """Length of the longest end of ``text`` that is a beginning of ``mark``."""
    for size in range(min(len(mark) - 1, len(text)), 0, -1):
        if text[-size:].lower() == mark[:size].lower():
            return size
    return 0
