"""One request while it is computed: what is still to be read, what was written, and how it ends.

A task knows its own tokens and text. Which tasks share a batch, and when, is the scheduler's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..contract.wire import REASONING_MARKS, FillPrompt, Finished, GenerateFrame, Text
from .cache import Sequence
from .lookup import DraftPolicy, PromptLookup
from .prompting import TokenizedPrompt
from .text import TextStream

if TYPE_CHECKING:
    from .engine import Engine, Sampler

Finish = Literal["stop", "length", "canceled", "timeout"]
_MARKS = frozenset(mark for marks in REASONING_MARKS for mark in marks)
_CHANNEL_MARKS = frozenset({"<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|constrain|>"})
RANK = {"completion": 0, "command": 1, "background": 2, "warm": 3}
"""Who goes first."""


@dataclass
class CancelableRequest:
    """A request, and whether somebody has asked for its end."""

    request: GenerateFrame
    arrived: float = field(default_factory=time.monotonic)
    ended: Literal["", "canceled", "timeout"] = ""
    prompt: TokenizedPrompt | None = None
    """Its token ids, once they were made."""

    @property
    def rank(self) -> int:
        """Its place among the priorities; 0 goes first."""
        return RANK[self.request.priority]


@dataclass
class Splice:
    """What is left to do of a suffix splice; see `splice`."""

    changed: int
    then: list[int]
    """Tokens to compute after the suffix was attached."""


@dataclass
class PendingDraft:
    """The rest of a draft, while a close call before it is computed again by itself.

    Its cells wait in the side sequence: where the token comes out as it was drafted, they are right.
    """

    draft: list[int]
    likeliest: list[tuple[int, float]]
    """After each token of the draft: the likeliest one, and its lead before the second, in logits."""
    accepted: int
    """Tokens before it that were accepted."""
    count: int
    """Close calls so far."""
    learn: Callable[[int, int], None]
    """Takes in how the whole draft went: tokens accepted, and close calls."""


class Task:
    """One request in the engine.

    Parameters
    ----------
    limit
        Most tokens of the answer.
    """

    def __init__(
        self,
        job: CancelableRequest,
        prompt: TokenizedPrompt,
        sequence: Sequence,
        engine: Engine,
        emit: Callable[[Text], None],
        limit: int,
    ) -> None:
        self.job = job
        self.prompt = prompt
        self.sequence = sequence
        self.todo: list[int] = []
        """Tokens of the prompt to compute next."""
        self.splice: Splice | None = None
        self.drift = 0
        self.cached = 0
        self.next_token = -1
        """Drawn, shown, and not yet computed."""
        self.finish: Finish | None = None
        self.lookup: PromptLookup | None = None
        self.policy: DraftPolicy | None = None
        self.without_draft = False
        """The next batch is to compute one token of it, as if there were no drafts."""
        self.pending: PendingDraft | None = None
        self.written = 0
        self.answer: list[int] = []
        """What was drawn, with the token that ended it."""
        self.log_probability: float | None = None
        self.margin: float | None = None
        self._engine = engine
        self._emit = emit
        self._limit = limit
        self._text = TextStream(job.request.stop)
        self._sampler: Sampler | None = None
        self._started = time.monotonic()
        self._first: float | None = None
        self._ends_at_marks = isinstance(job.request.prompt, FillPrompt)
        self._opened = prompt.opened
        """To be written in front of the answer."""
        self._channels = False

    @property
    def reading(self) -> bool:
        """Whether the prompt is still being computed."""
        return bool(self.todo) or self.splice is not None

    @property
    def rank(self) -> int:
        """See `CancelableRequest.rank`."""
        return self.job.rank

    @property
    def exclusive(self) -> bool:
        """Whether it must not share a batch: what is computed together rounds differently."""
        return self.job.request.fresh

    @property
    def limit(self) -> int:
        """Most tokens of the answer; 0 only reads the prompt."""
        return self._limit

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.job.request.draw.temperature <= 0.0

    @property
    def drafted_ahead(self) -> bool:
        """Whether the likeliest token of a position is all that is to be known of it."""
        request = self.job.request
        return self.greedy and request.draw.repeat_penalty == 1.0 and not request.confidence

    @property
    def text(self) -> str:
        """The answer, with the stop string that ended it."""
        return b"".join(self._engine.piece(token) for token in self.answer).decode("utf-8", "ignore")

    def draft(self, lookup: PromptLookup, policy: DraftPolicy) -> None:
        """Guess the answer's tokens, to verify several of them at once."""
        self.lookup, self.policy = lookup, policy

    def draw(self, index: int) -> int:
        """Draw the token after item ``index`` of the last batch."""
        if self._sampler is None:
            self._sampler = self._engine.sampler(self.job.request.draw)
        token = self._sampler.sample(index)
        if self.job.request.confidence:
            (probability,), margin = self._engine.log_probabilities(index, [token])
            if self.margin is None:
                self.margin = margin
            self.log_probability = (self.log_probability or 0.0) + probability
        return token

    def take(self, token: int) -> bool:
        """Write a token; False where the answer is complete with, or before, it."""
        if self._first is None:
            self._first = time.monotonic()
        self.answer.append(token)
        if self._is_end(token):
            self.finish = "stop"
            return False
        self.next_token = token
        self.written += 1
        if self.lookup is not None:
            self.lookup.extend([token])
        self._send(self._text.feed(self._engine.piece(token) or self._mark(token)))
        if self._text.stopped:
            self.finish = "stop"
        elif self.written >= self._limit:
            self.finish = "length"
        return self.finish is None

    def close(self) -> Finished:
        """Send what was held back, let go of the sampler, and report."""
        if self._sampler is not None:
            self._sampler.close()
            self._sampler = None
        self._send(self._text.finish())
        ended = time.monotonic()
        first = self._first or ended
        # Asked to end after its last token: then it has ended by itself.
        finish: Finish = self.finish or self.job.ended or "stop"
        return Finished(
            id=self.job.request.id,
            finish=finish,
            prompt_tokens=len(self.prompt.tokens),
            cached_tokens=self.cached,
            left_out_tokens=self.prompt.left_out,
            left_out_turns=self.prompt.left_out_turns,
            completion_tokens=self.written,
            queue_ms=(self._started - self.job.arrived) * 1000,
            prefill_ms=(first - self._started) * 1000,
            decode_ms=(ended - first) * 1000,
            prompt_sha256=self.prompt.sha256,
            log_probability=self.log_probability,
            first_token_margin=self.margin,
            segments=self.prompt.report(self._engine) if self.job.request.report else (),
        )

    def _is_end(self, token: int) -> bool:
        return self._engine.is_end(token) or (self._ends_at_marks and self._engine.is_control(token))

    def _mark(self, token: int) -> bytes:
        """How a control token is spelled that tells reasoning from the answer; nothing for the others."""
        if self._ends_at_marks or not self._engine.is_control(token):
            return b""
        spelled = self._engine.token_text(token)
        self._channels = self._channels or spelled == "<|channel|>" or "<|channel|>" in self._opened
        known = spelled in _MARKS or (self._channels and spelled in _CHANNEL_MARKS)
        return spelled.encode() if known else b""

    def _send(self, text: str) -> None:
        if text:
            text, self._opened = self._opened + text, ""
            self._emit(
                Text(
                    id=self.job.request.id,
                    text=text,
                    tokens=self.written,
                    log_probability=self.log_probability,
                )
            )
