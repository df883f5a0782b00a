"""From a request to its text: the loop around the engine.

It keeps what the cache holds in step with what the engine has computed: `Session._cached` is, at every
moment, the list of token ids whose cells are valid. Whatever ends a request (a stop, a cancel, a failure),
the next one begins with the longest prefix that both have in common.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ..contract.wire import FillPrompt, Finished, Generate, Load, Loaded, Text
from ..errors import TokenLimitExceeded
from .engine import Aborted, Engine, Facts
from .prompting import Prompt, Prompter
from .text import TextStream

Emit = Callable[[Text], None]
Finish = Literal["stop", "length", "canceled", "timeout"]


@dataclass
class Job:
    """One request on its way, and whether somebody has asked for its end."""

    request: Generate
    arrived: float = field(default_factory=time.monotonic)
    ended: Literal["", "canceled", "timeout"] = ""


class Session:
    """One loaded model and the state of its cache."""

    def __init__(self, engine: Engine, facts: Facts) -> None:
        self._engine = engine
        self._facts = facts
        self._prompter = Prompter(engine, facts)
        self._cached: list[int] = []
        self.steps = 0
        """Grows with every call of the engine: who watches sees that it moves."""

    @classmethod
    def load(cls, engine: Engine, plan: Load, progress: Callable[[float], None]) -> tuple[Session, Loaded]:
        """Load a model; the errors are those of `Engine.load`."""
        start = time.monotonic()
        facts = engine.load(plan, progress)
        session = cls(engine, facts)
        return session, Loaded(
            id=plan.id,
            n_ctx=facts.n_ctx,
            n_ctx_train=facts.n_ctx_train,
            n_vocab=facts.n_vocab,
            n_layers=facts.n_layers,
            n_gpu_layers=facts.n_gpu_layers,
            description=facts.description,
            fill_in_the_middle=session._prompter.fill is not None,
            chat_template=session._prompter.chat.usable,
            weights_bytes=facts.weights_bytes,
            load_ms=(time.monotonic() - start) * 1000,
        )

    def generate(self, job: Job, emit: Emit) -> Finished:
        """Serve one request; pieces of the answer go to ``emit`` as they are certain.

        Raises
        ------
        TokenLimitExceeded, InvalidArgument, InvalidModel, OutOfMemory
            The cache stays usable.
        """
        started = time.monotonic()
        request = job.request
        self._engine.arm()
        prompt = self._prompter.build(request.prompt)
        self._check_length(prompt)
        cached = self._reuse(prompt.tokens, fresh=request.fresh)
        answer = _Answer(request, emit)
        finish: Finish = "canceled"
        first = time.monotonic()
        try:
            if self._prefill(job, prompt.tokens):
                first = time.monotonic()
                finish = self._decode(job, answer, len(prompt.tokens))
        except Aborted:
            self._forget_partial()
        finally:
            first = max(first, started)
        if job.ended:
            finish = job.ended
        answer.close()
        ended = time.monotonic()
        if not answer.tokens:
            first = ended
        return Finished(
            id=request.id,
            finish=finish,
            prompt_tokens=len(prompt.tokens),
            cached_tokens=cached,
            left_out_tokens=prompt.left_out,
            completion_tokens=answer.tokens,
            queue_ms=(started - job.arrived) * 1000,
            prefill_ms=(first - started) * 1000,
            decode_ms=(ended - first) * 1000,
            prompt_sha256=prompt.sha256,
        )

    def _check_length(self, prompt: Prompt) -> None:
        if len(prompt.tokens) >= self._facts.n_ctx:
            raise TokenLimitExceeded(
                f"The prompt has {len(prompt.tokens)} tokens; the context window holds {self._facts.n_ctx}, "
                "answer included.",
                prompt_tokens=len(prompt.tokens),
                context_window=self._facts.n_ctx,
            )

    def _reuse(self, tokens: list[int], *, fresh: bool) -> int:
        """Keep the cells of the common prefix, forget the others; return how many are kept.

        At least the last token is always computed: its logits are what is sampled first.
        """
        kept = 0 if fresh else common_prefix(self._cached, tokens[:-1])
        if not self._engine.keep(kept):
            kept = 0
        self._cached = tokens[:kept]
        return kept

    def _forget_partial(self) -> None:
        if not self._engine.keep(len(self._cached)):
            self._cached = []

    def _compute(self, tokens: list[int]) -> None:
        self._engine.decode(tokens, len(self._cached))
        self._cached += tokens
        self.steps += 1

    def _prefill(self, job: Job, tokens: list[int]) -> bool:
        """Compute what the cache lacks, a batch at a time; False where the request was ended."""
        while len(self._cached) < len(tokens):
            if job.ended:
                return False
            at = len(self._cached)
            self._compute(tokens[at : at + self._engine.batch_size])
        return not job.ended

    def _decode(self, job: Job, answer: _Answer, prompt_tokens: int) -> Finish:
        room = self._facts.n_ctx - prompt_tokens
        limit = min(job.request.max_tokens, room)
        ends_at_marks = isinstance(job.request.prompt, FillPrompt)
        engine = self._engine
        with engine.sampler(job.request.draw) as sample:
            while True:
                token = sample()
                if engine.is_end(token) or (ends_at_marks and engine.is_control(token)):
                    return "stop"
                answer.add(engine.piece(token))
                if answer.stopped:
                    return "stop"
                if answer.tokens >= limit:
                    return "length"
                if job.ended:
                    return "canceled"
                self._compute([token])


class _Answer:
    """The text so far, on its way to who asked."""

    def __init__(self, request: Generate, emit: Emit) -> None:
        self._id = request.id
        self._emit = emit
        self._text = TextStream(request.stop)
        self.tokens = 0

    @property
    def stopped(self) -> bool:
        return self._text.stopped

    def add(self, piece: bytes) -> None:
        self.tokens += 1
        self._send(self._text.feed(piece))

    def close(self) -> None:
        self._send(self._text.finish())

    def _send(self, text: str) -> None:
        if text:
            self._emit(Text(id=self._id, text=text, tokens=self.tokens))


def common_prefix(a: list[int], b: list[int]) -> int:
    """Length of the longest beginning that both lists share."""
    limit = min(len(a), len(b))
    if a[:limit] == b[:limit]:
        return limit
    return next(i for i in range(limit) if a[i] != b[i])
