"""Drafts from what is there: guess the next tokens from where the last ones stood before.

An answer to `improve`, `fix` or `document` repeats most of its prompt. Where the last few tokens occur
in the prompt, what followed them there is likely to follow here: it is computed in one batch with the
next token and kept as far as the model agrees. What the model says is never changed, only how many of
its tokens come out of one step.

A completion drafts from the one before it, too: who types the first letters of what was suggested gets
the rest of it verified in one step, instead of written again.

Pure: token ids in, token ids out.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

from .costs import SIZES, StepCosts

SHORTEST_MATCH = 2
LONGEST_MATCH = 24
MOST_TOKENS = 31
"""Longest draft: with the token before it a batch of 32, which takes less than half a second on a slow
machine. One of its tokens costs half of what one of a batch of eight does."""
BREAK = -1
"""Stands between texts that do not follow one another: no draft goes across."""
CONTINUED = 100
"""Length of the match of a guess that continues the previous completion."""
_FIRST_MOST, _LEAST_MOST = 7, 3
"""Longest draft at the beginning of an answer, and after one that was refused at once."""
_TOKEN_RATE = 0.03
"""How much one token counts in what was seen so far."""


@dataclass(frozen=True)
class PreviousCompletion:
    """The last completion of a scope."""

    prefix: str
    """Text before the cursor that it was made for."""
    text: str
    tokens: list[int]

    def rest(self, prefix: str) -> str:
        """What is left of it where the person went on to type its beginning; empty where not."""
        typed = prefix[len(self.prefix) :] if prefix.startswith(self.prefix) else None
        if typed is None or not self.text.startswith(typed):
            return ""
        return self.text[len(typed) :]


class PromptLookup:
    """Finds drafts in the tokens so far.

    Parameters
    ----------
    tokens
        What was read.
    guess
        What the answer is thought to begin with; dropped at the first token that is another one.
    """

    def __init__(self, tokens: list[int], guess: list[int] | None = None) -> None:
        self._guess = list(guess or ())
        self._tokens: list[int] = []
        self._ends: dict[tuple[int, int], list[int]] = {}
        self._read(tokens)

    def extend(self, tokens: list[int]) -> None:
        """Take in what was written."""
        for token in tokens:
            self._guess = self._guess[1:] if self._guess[:1] == [token] else []
        self._read(tokens)

    def _read(self, tokens: list[int]) -> None:
        for token in tokens:
            if self._tokens:
                # The place after this pair.
                self._ends.setdefault((self._tokens[-1], token), []).append(len(self._tokens) + 1)
            self._tokens.append(token)

    def find(self, most: int) -> tuple[list[int], int]:
        """The likeliest continuation, and how many tokens agree before it; empty and 0 for none."""
        if self._guess and most > 0:
            return self._guess[:most], CONTINUED
        text = self._tokens
        if most <= 0 or len(text) < SHORTEST_MATCH:
            return [], 0
        best, length = 0, 0
        for end in reversed(self._ends.get((text[-2], text[-1]), ())):
            if end >= len(text):
                continue
            same = self._agreement(end)
            if same > length:
                best, length = end, same
            if length >= LONGEST_MATCH:
                break
        draft = text[best : best + most] if length else []
        if BREAK in draft:
            draft = draft[: draft.index(BREAK)]
        return (draft, length) if draft else ([], 0)

    def _agreement(self, end: int) -> int:
        """How many tokens before ``end`` are the same as the last ones."""
        text, size = self._tokens, 0
        while size < min(end, LONGEST_MATCH) and text[end - 1 - size] == text[-1 - size]:
            size += 1
        return size


@dataclass
class DraftPolicy:
    """How long a draft should be: as long as it pays by what was accepted so far.

    The chance that a drafted token is accepted depends on how many tokens agree before it, those of the
    draft among them: after a match of two it is small, after one of thirty a copy is in progress. It is
    estimated apart for short, middling and long matches, and for what continues the previous completion. A
    draft is sized to make the most tokens a second; where that is fewer than without one, there is none.
    Only batches of sizes whose costs are measured are made: between them kernels work in steps, and 13
    tokens can cost more than 16.

    A token of a draft can be a close call: it is then computed again by itself, which costs a step. How
    often that is counts, too.

    An answer begins with short drafts. They grow while all of a draft is accepted, and are short again after
    one that was not: some answers are new text that only looks like a copy here and there.
    """

    costs: StepCosts
    chances: list[float] = field(default_factory=lambda: [0.35, 0.6, 0.8, 0.9, 0.97, 0.9])
    spent: float = 0.0
    """Seconds that drafts have cost more than they saved."""
    draft_seconds: float = 0.0
    """What it takes to write one token of a draft; 0 where it is only looked up."""
    close: float = 0.015
    """Share of the tokens that are close calls."""
    pause: int = 0
    """Steps without a draft, after drafts did not pay."""
    shy: bool = True
    """Whether an answer begins with short drafts."""
    _next_pause: int = 8
    _most: int = 0
    """Longest draft at this moment."""

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Another answer begins: that the drafts of the one before did not pay says little about it."""
        self.pause, self.spent, self._next_pause = 0, 0.0, 8
        self._most = _FIRST_MOST if self.shy else MOST_TOKENS

    @staticmethod
    def bucket(match: int) -> int:
        """Class of a match length: 2, 3 to 4, 5 to 9, 10 to 23, `LONGEST_MATCH`, `CONTINUED`."""
        return bisect.bisect_left((2, 4, 9, LONGEST_MATCH - 1, CONTINUED - 1), match)

    def size(self, match: int, base: int = 1) -> int:
        """How many tokens to draft after a match of this length, beside ``base`` tokens in any case."""
        if match < SHORTEST_MATCH:
            return 0
        if self.pause > 0:
            self.pause -= 1
            return 0
        best, rate = 0, 1.0 / self.costs.seconds(base)
        expected, reach = 1.0, 1.0
        for size in range(1, self._most + 1):
            reach *= self.chances[self.bucket(match + size - 1)]
            expected += reach
            if base + size not in SIZES:
                continue
            again = expected * self.close * self.costs.seconds(1)
            here = expected / (self.costs.seconds(base + size) + size * self.draft_seconds + again)
            if here > rate * 1.02:
                best, rate = size, here
        return best

    def learn(self, match: int, drafted: int, accepted: int, seconds: float, close: int = 0) -> None:
        """Take in how a draft went.

        Parameters
        ----------
        seconds
            What its step costs, less what it costs without it.
        close
            How many close calls there were, each of which costs a step.
        """
        self.close += _TOKEN_RATE * (close - self.close * (accepted + 1))
        for i in range(min(drafted, accepted + 1)):
            bucket = self.bucket(match + i)
            self.chances[bucket] += _TOKEN_RATE * ((1.0 if i < accepted else 0.0) - self.chances[bucket])
        if self.shy and accepted == drafted:
            self._most = min(MOST_TOKENS, 2 * self._most + 1)
        elif self.shy:
            self._most = max(_LEAST_MOST, min(self._most, accepted))
        saved = (accepted - close) * self.costs.seconds(1)
        self.spent = max(0.0, self.spent + seconds - saved)
        if self.spent > 4 * self.costs.seconds(1):
            self.pause, self._next_pause = self._next_pause, min(128, 2 * self._next_pause)
            self.spent = 0.0
        elif accepted == drafted and not close:
            self._next_pause = 8
