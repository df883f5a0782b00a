"""Prompt look-up decoding: guess the next tokens from where the last ones stood before.

An answer to `improve`, `fix` or `document` repeats most of its prompt. Where the last few tokens occur
in the prompt, what followed them there is likely to follow here: it is computed in one batch with the
next token and kept as far as the model agrees. What the model says is never changed, only how many of
its tokens come out of one step. Pure: token ids in, token ids out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .costs import StepCosts

SHORTEST_MATCH = 2
LONGEST_MATCH = 24
MOST_TOKENS = 24
"""Longest draft: a batch of this size still takes well under a second on a slow machine."""


class PromptLookup:
    """Finds drafts in the tokens so far."""

    def __init__(self, tokens: list[int]) -> None:
        self._tokens: list[int] = []
        self._ends: dict[tuple[int, int], list[int]] = {}
        self.extend(tokens)

    def extend(self, tokens: list[int]) -> None:
        """Take in what was read or written."""
        for token in tokens:
            if self._tokens:
                # The place after this pair.
                self._ends.setdefault((self._tokens[-1], token), []).append(len(self._tokens) + 1)
            self._tokens.append(token)

    def find(self, most: int) -> tuple[list[int], int]:
        """The likeliest continuation, and how many tokens agree before it; empty and 0 for none."""
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
        return (text[best : best + most], length) if length else ([], 0)

    def _agreement(self, end: int) -> int:
        """How many tokens before ``end`` are the same as the last ones."""
        text, size = self._tokens, 0
        while size < min(end, LONGEST_MATCH) and text[end - 1 - size] == text[-1 - size]:
            size += 1
        return size


@dataclass
class DraftPolicy:
    """How long a draft should be: as long as it pays by what was accepted so far.

    The chance that a drafted token is accepted is estimated apart for short, middling and long matches,
    since a long one is a copy in progress. A draft is sized to make the most tokens a second; where
    that is fewer than without one, there is none.
    """

    costs: StepCosts
    chances: list[float] = field(default_factory=lambda: [0.35, 0.6, 0.8, 0.9])
    spent: float = 0.0
    """Seconds that drafts have cost more than they saved."""
    pause: int = 0
    """Steps without a draft, after drafts did not pay."""
    _next_pause: int = 8

    @staticmethod
    def bucket(match: int) -> int:
        """Class of a match length: 2, 3 to 4, 5 to 9, 10 and more."""
        return 0 if match <= 2 else 1 if match <= 4 else 2 if match <= 9 else 3

    def size(self, match: int) -> int:
        """How many tokens to draft after a match of this length."""
        if match < SHORTEST_MATCH:
            return 0
        if self.pause > 0:
            self.pause -= 1
            return 0
        chance = self.chances[self.bucket(match)]
        best, rate = 0, 1.0 / self.costs.seconds(1)
        expected, reach = 1.0, 1.0
        for size in range(1, MOST_TOKENS + 1):
            reach *= chance
            expected += reach
            here = expected / self.costs.seconds(1 + size)
            if here > rate * 1.02:
                best, rate = size, here
        return best

    def learn(self, match: int, drafted: int, accepted: int, seconds: float) -> None:
        """Take in how a draft went; ``seconds`` is what its step took."""
        bucket = self.bucket(match)
        for i in range(min(drafted, accepted + 1)):
            self.chances[bucket] += 0.12 * ((1.0 if i < accepted else 0.0) - self.chances[bucket])
        self.spent = max(0.0, self.spent + seconds - (accepted + 1) * self.costs.seconds(1))
        if self.spent > 4 * self.costs.seconds(1):
            self.pause, self._next_pause = self._next_pause, min(128, 2 * self._next_pause)
            self.spent = 0.0
        elif accepted == drafted:
            self._next_pause = 8
