"""Drafts from a small model for a large one of the same vocabulary.

Where an answer does not repeat its prompt there is nothing to look up, but a model of a fifteenth of the
size agrees with the large one on most of the easy tokens. It writes a few, the large one verifies them in
one batch. It follows one request at a time, the one that is computed alone: with several in a batch
there is less to gain, and its own cache would have to hold them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..contract.wire import Draw
from .cache import common_prefix
from .lookup import DraftPolicy
from .model import Item, ModelFacts

if TYPE_CHECKING:
    from .engine import Engine, Sampler

LEAST_LOG_PROBABILITY = -0.7
"""Of a token of the draft, about one half; a less likely one is seldom what the large model says."""
PADDING_TOKENS = 128
"""Vocabularies of one family differ by so many unused tokens at their end."""


def fits(small: Engine, small_facts: ModelFacts, large: Engine, large_facts: ModelFacts) -> bool:
    """Whether two models mean the same by their token ids."""
    shared = min(small_facts.n_vocab, large_facts.n_vocab)
    if abs(small_facts.n_vocab - large_facts.n_vocab) > PADDING_TOKENS:
        return False
    probes = (*range(0, shared, max(1, shared // 500)), small.eos, large.eos)
    return all(small.token_text(token) == large.token_text(token) for token in probes if 0 <= token < shared)


class Drafter:
    """A small model that writes ahead.

    Parameters
    ----------
    engine
        Holds the small model, and nothing else uses it.
    n_ctx
        Longest text that it can follow, in tokens.
    policy
        How many tokens are worth drafting.
    """

    def __init__(self, engine: Engine, n_ctx: int, policy: DraftPolicy) -> None:
        self.policy = policy
        self._engine = engine
        self._n_ctx = n_ctx
        self._tokens: list[int] = []
        """Ids whose cells are valid."""
        self._sampler: Sampler = engine.sampler(
            Draw(temperature=0.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=0)
        )

    def follow(self, tokens: list[int]) -> bool:
        """Read what is new of a text; False where it is too long for this model.

        Raises
        ------
        Aborted
            What was read until then stays.

        """
        if len(tokens) >= self._n_ctx:
            return False
        common = common_prefix(self._tokens, tokens)
        self._forget_from(common)
        while len(self._tokens) < len(tokens):
            start = len(self._tokens)
            chunk = tokens[start : start + self._engine.batch_size]
            self._decode(chunk)
        return True

    def guess(self, tokens: list[int], most: int) -> list[int]:
        """Write on after a text: at most so many tokens, as long as they are likely.

        Raises
        ------
        Aborted
            Nothing is lost but the draft.

        """
        most = min(most, self._n_ctx - len(tokens) - 1)
        if most <= 0 or not self.follow(tokens[:-1]):
            return []
        self._forget_from(len(tokens) - 1)
        draft: list[int] = []
        last = tokens[-1]
        while len(draft) < most:
            self._decode([last])
            last = self._sampler.sample(0)
            (log_probability,), _ = self._engine.log_probabilities(0, [last])
            if log_probability < LEAST_LOG_PROBABILITY:
                break
            draft.append(last)
            if self._engine.is_end(last):
                break
        return draft

    def _decode(self, chunk: list[int]) -> None:
        start = len(self._tokens)
        last = len(chunk) - 1
        try:
            self._engine.decode([Item(t, start + i, 0, i == last) for i, t in enumerate(chunk)])
        except BaseException:
            self._engine.remove(0, start)
            raise
        self._tokens += chunk

    def _forget_from(self, length: int) -> None:
        if length < len(self._tokens):
            if not self._engine.remove(0, length):
                length = 0
            del self._tokens[length:]
