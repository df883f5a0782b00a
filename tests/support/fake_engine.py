"""An engine whose model is a function of what it attends to: stale cells change the answer.

It keeps cells as llama.cpp does (position, token, the sequences that share it) and holds every call against
llama.cpp's rules. The next token is a hash of the tokens that the sequence attends to, in order, so that an
answer is right only if the cache holds exactly the prompt, at the right positions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from jupyter_localcoder.contract.wire import ChatPrompt, Draw, FillPrompt
from jupyter_localcoder.errors import OutOfMemory
from jupyter_localcoder.worker.fill import FillTokens
from jupyter_localcoder.worker.model import Aborted, Item, ModelFacts
from jupyter_localcoder.worker.prompting import TokenizedPrompt

PREFIX, SUFFIX, MIDDLE, END = 1, 2, 3, 0
FIRST_TEXT = 10
CHAT = 50
"""Begins the prompt of a chat."""
TEMPLATE = FillTokens(PREFIX, SUFFIX, MIDDLE)


def next_token(attended: Sequence[int]) -> int:
    """The model: now and then it ends."""
    digest = hashlib.blake2b(bytes(t % 256 for t in attended), digest_size=2).digest()
    if digest[0] < 10:
        return END
    # A small alphabet, so that answers repeat their prompts and drafts are found.
    return FIRST_TEXT + digest[1] % 4


def reference(tokens: Sequence[int], most: int) -> list[int]:
    """The answer of a model without any cache."""
    answer: list[int] = []
    while len(answer) < most and (token := next_token([*tokens, *answer])) != END:
        answer.append(token)
    return answer


@dataclass
class Cell:
    position: int
    token: int
    sequences: set[int]


class FakeSampler:
    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    def sample(self, index: int) -> int:
        return self._engine.likeliest(index)[0]

    def close(self) -> None:
        self._engine.open_samplers -= 1


@dataclass
class FakeEngine:
    """See the top of the file."""

    n_cells: int = 200
    batch_size: int = 64
    abort_after: int | None = None
    """End the next batch after so many items."""
    can_shift: bool = True
    can_take_back: bool = True
    """False: one state for each sequence, as in a recurrent model; see `remove` and `copy`."""
    cells: list[Cell] = field(default_factory=list)
    outputs: dict[int, list[int]] = field(default_factory=dict)
    beside_drafts: set[int] = field(default_factory=set)
    """Outputs of the last batch that more tokens of the same sequence come after."""
    open_samplers: int = 0
    evaluated: int = 0
    batches: list[list[Item]] = field(default_factory=list)
    errs_at: int = 0
    """Every so many tokens this model says another one than it should; 0 never."""

    def of(self, sequence: int) -> list[Cell]:
        return sorted((c for c in self.cells if sequence in c.sequences), key=lambda c: c.position)

    def remove(self, sequence: int, start: int = 0, end: int = -1) -> bool:
        if not self.can_take_back and 0 < start < self.length(sequence):
            self.remove(sequence)
            return False
        for cell in self.cells:
            if cell.position >= start and (end < 0 or cell.position < end):
                cell.sequences.discard(sequence)
        self.cells = [cell for cell in self.cells if cell.sequences]
        return True

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        if not self.can_take_back:
            end = self.length(source)
        for cell in self.cells:
            if source in cell.sequences and start <= cell.position < end:
                cell.sequences.add(target)

    def shift(self, sequence: int, start: int, end: int, by: int) -> None:
        for cell in self.cells:
            if sequence in cell.sequences and start <= cell.position < end:
                assert cell.sequences == {sequence}, "a cell that others share must not be moved"
                cell.position += by

    def clear(self) -> None:
        self.cells.clear()

    def length(self, sequence: int) -> int:
        return max((cell.position for cell in self.of(sequence)), default=-1) + 1

    def save(self, sequence: int) -> bytes:
        return json.dumps([(cell.position, cell.token) for cell in self.of(sequence)]).encode()

    def restore(self, sequence: int, state: bytes) -> bool:
        assert not self.of(sequence)
        cells = [Cell(position, token, {sequence}) for position, token in json.loads(state)]
        if len(self.cells) + len(cells) > self.n_cells:
            return False
        self.cells += cells
        return True

    def arm(self) -> None:
        pass

    def decode(self, items: Sequence[Item]) -> None:
        assert 0 < len(items) <= self.batch_size
        if len(self.cells) + len(items) > self.n_cells:
            raise OutOfMemory("no room")
        self.outputs.clear()
        sequences = [item.sequence for item in items]
        self.beside_drafts = {i for i, one in enumerate(sequences) if one in sequences[i + 1 :]}
        self.batches.append(list(items))
        for i, item in enumerate(items):
            if self.abort_after is not None and i >= self.abort_after:
                self.abort_after = None
                raise Aborted
            assert item.position == self.length(item.sequence), "positions must follow one another"
            self.cells.append(Cell(item.position, item.token, {item.sequence}))
            self.evaluated += 1
            if item.output:
                attended = self.of(item.sequence)
                places = [c.position for c in attended]
                assert places == sorted(set(places))
                self.outputs[i] = [cell.token for cell in attended]
        self.abort_after = None

    def tokenize(self, text: str) -> list[int]:
        return FakePrompter().tokens(text)

    def sampler(self, draw: Draw) -> FakeSampler:
        self.open_samplers += 1
        return FakeSampler(self)

    def log_probabilities(self, index: int, tokens: Sequence[int]) -> tuple[list[float], float]:
        return [-0.5] * len(tokens), 1.0

    def likeliest(self, index: int) -> tuple[int, float]:
        """Now and then a close call, at the same places each time; some come out wrong beside a draft."""
        attended = self.outputs[index]
        errs = self.errs_at and len(attended) % self.errs_at == 0
        token = FIRST_TEXT if errs else next_token(attended)
        if attended[0] != CHAT or sum(attended) % 9:
            return token, 1.0
        if index in self.beside_drafts and sum(attended) % 2:
            token = FIRST_TEXT + (token - FIRST_TEXT + 1) % 4
        return token, 0.01

    def piece(self, token: int) -> bytes:
        return b"abcd"[token - FIRST_TEXT : token - FIRST_TEXT + 1] if token >= FIRST_TEXT else b""

    def is_end(self, token: int) -> bool:
        return token == END

    def is_control(self, token: int) -> bool:
        return token < FIRST_TEXT


class FakePrompter:
    """Characters `abcd` are the tokens of the alphabet; everything else is a token of its own."""

    def tokens(self, text: str) -> list[int]:
        return [FIRST_TEXT + "abcd".index(c) if c in "abcd" else 100 + ord(c) % 100 for c in text]

    def build(self, prompt: ChatPrompt | FillPrompt) -> TokenizedPrompt:
        if isinstance(prompt, ChatPrompt):
            return TokenizedPrompt([CHAT, *self.tokens(prompt.turns[-1].content), 51])
        layout = TEMPLATE.lay_out(self.tokens(prompt.prefix), self.tokens(prompt.suffix))
        return TokenizedPrompt(layout.tokens, fill=layout)


def facts(n_ctx: int, n_cells: int) -> ModelFacts:
    """Of a model with this context."""
    return ModelFacts(
        n_ctx=n_ctx, n_cells=n_cells, n_ctx_train=n_ctx, n_vocab=300, n_layers=1, n_gpu_layers=0,
        description="", weights_bytes=0, chat_template="", add_bos=False,
    )  # fmt: skip
