"""A request's prompt as token ids.

Control tokens come from templates alone: text of a person or a notebook is tokenised without them.
"""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..contract.wire import ChatPrompt, FillPrompt
from ..errors import InvalidArgument
from .chat import ChatTemplate
from .fill import FillTemplate, template_of, window
from .model import Facts
from .splice import FillLayout

if TYPE_CHECKING:
    from .engine import Engine


@dataclass(frozen=True)
class Prompt:
    """Token ids, and how many tokens of context did not fit."""

    tokens: list[int]
    left_out: int = 0
    fill: FillLayout | None = None
    """Its parts, where it fills in the middle."""

    @property
    def sha256(self) -> str:
        """Digest of the ids, as little-endian 32-bit numbers."""
        return hashlib.sha256(array("i", self.tokens).tobytes()).hexdigest()


class Prompter:
    """Makes prompts for one loaded model."""

    def __init__(self, engine: Engine, facts: Facts) -> None:
        self._engine = engine
        self._facts = facts
        self.fill: FillTemplate | None = template_of(engine)
        self.chat = ChatTemplate(
            facts.chat_template,
            bos=engine.token_text(engine.bos),
            eos=engine.token_text(engine.eos),
            has_chatml=engine.control_token("<|im_start|>") >= 0,
        )

    def build(self, prompt: ChatPrompt | FillPrompt) -> Prompt:
        """Token ids of a prompt.

        Raises
        ------
        InvalidArgument
            The model cannot do what is asked.
        """
        if isinstance(prompt, ChatPrompt):
            return self._chat(prompt)
        return self._fill(prompt)

    def _chat(self, prompt: ChatPrompt) -> Prompt:
        tokens: list[int] = []
        for text, from_template in self.chat.render(prompt.turns):
            tokens += self._engine.tokenize(text, special=from_template)
        return Prompt(self._begun(tokens))

    def _fill(self, prompt: FillPrompt) -> Prompt:
        if self.fill is None:
            raise InvalidArgument(
                "This model cannot fill in the middle.",
                recovery="Choose a model that has the role `code` for completion.",
            )
        after = self._engine.tokenize(prompt.suffix)
        room = self._facts.n_ctx - prompt.reserve_tokens - self.fill.marks - 2
        # The code after the cursor matters less: at most a quarter of the window.
        kept_after = after[: max(0, min(prompt.suffix_tokens or room // 4, room // 4))]
        room_before = max(1, room - len(kept_after))
        if prompt.prefix_tokens:
            room_before = min(room_before, prompt.prefix_tokens)
        before, start = self._before(prompt, room_before)
        layout = self.fill.lay_out(before, kept_after, self._begin)
        return Prompt(layout.tokens, start + len(after) - len(kept_after), layout)

    def _before(self, prompt: FillPrompt, room: int) -> tuple[list[int], int]:
        """Tokens before the cursor, and how many were left out of their start."""
        head, _, line = prompt.prefix.rpartition("\n")
        own = f"{head}\n" if "\n" in prompt.prefix else ""
        pieces = [self._engine.tokenize(f"{text}\n\n") for text in prompt.above]
        pieces.append(self._engine.tokenize(own))
        typed = self._engine.tokenize(line)
        start = window([len(piece) for piece in pieces], len(typed), room)
        whole = [token for piece in (*pieces, typed) for token in piece]
        return whole[start:], start

    @property
    def _begin(self) -> list[int]:
        return [self._engine.bos] if self._facts.add_bos and self._engine.bos >= 0 else []

    def _begun(self, tokens: list[int]) -> list[int]:
        begin = self._begin
        return tokens if tokens[:1] == begin or not begin else [*begin, *tokens]
