"""A request's prompt as token ids, and where each of them comes from.

Control tokens come from templates alone: text of a person or a notebook is tokenised without them.
"""

from __future__ import annotations

import hashlib
import itertools
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..contract.wire import (
    REASONING_MARKS,
    SOURCE_BRIEF,
    SOURCE_EARLIER,
    SOURCE_MARKS,
    SOURCE_OWN,
    ChatPrompt,
    ContextPiece,
    FillPrompt,
    PromptTurn,
    Segment,
)
from ..errors import InvalidArgument
from .chat import ChatTemplate
from .fill import FillTokens, OutlineItemSize, affordable, choose, template_of
from .model import ModelFacts
from .splice import FillLayout

if TYPE_CHECKING:
    from .engine import Engine

_SPELLINGS = {"system": "instructions", "user": "question", "assistant": "earlier answers"}
_MOST_KNOWN_CHARS = 2_000_000


class Detokenizer(Protocol):
    """Turns tokens back into text."""

    def piece(self, token: int) -> bytes:
        """Bytes of one token; empty for a control token."""

    def token_text(self, token: int) -> str:
        """Spelling of a token in the vocabulary."""


@dataclass(frozen=True)
class Part:
    """Tokens of the prompt that follow one another and come from one source."""

    source: str
    tokens: Sequence[int]
    left_out: int = 0
    control: bool = False

    def report(self, vocabulary: Detokenizer) -> Segment:
        """What it says, as text."""
        if self.control:
            text = "".join(vocabulary.token_text(token) for token in self.tokens)
        else:
            text = b"".join(vocabulary.piece(token) for token in self.tokens).decode("utf-8", "replace")
        return Segment(self.source, text, len(self.tokens), self.left_out, self.control)


@dataclass(frozen=True)
class TokenizedPrompt:
    """Token ids, and how many tokens of context did not fit."""

    tokens: list[int]
    left_out: int = 0
    fill: FillLayout | None = None
    """Its parts, where it fills in the middle."""
    parts: tuple[Part, ...] = ()
    """All of its tokens by source, in order."""
    left_out_turns: int = 0
    """How many earlier turns of a conversation did not fit."""
    opened: str = ""
    """The mark of reasoning with which the chat template has begun the answer."""

    @property
    def sha256(self) -> str:
        """Digest of the ids, as little-endian 32-bit numbers."""
        return hashlib.sha256(array("i", self.tokens).tobytes()).hexdigest()

    def report(self, vocabulary: Detokenizer) -> tuple[Segment, ...]:
        """The whole prompt as text, with its sources."""
        return tuple(part.report(vocabulary) for part in self.parts)


class Tokenizer:
    """Tokenises, and knows what it has tokenised lately: of a prompt, only the typed line is new."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[tuple[str, bool], list[int]] = {}
        self._chars = 0

    def tokens(self, text: str) -> list[int]:
        """Token ids of a person's or a notebook's text; not to be changed by who gets them."""
        return self._remembered(text, self._engine.tokenize, inside=False)

    def inside(self, text: str) -> list[int]:
        """The same for a text that goes on after another one."""
        return self._remembered(text, self._engine.tokenize_inside, inside=True)

    def _remembered(self, text: str, tokenize: Callable[[str], list[int]], *, inside: bool) -> list[int]:
        key = (text, inside)
        found = self._known.pop(key, None)
        if found is None:
            found = tokenize(text)
            self._chars += len(text)
        self._known[key] = found
        while self._chars > _MOST_KNOWN_CHARS and len(self._known) > 1:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._chars -= len(oldest[0])
        return found


class Prompter:
    """Makes prompts for one loaded model."""

    def __init__(self, engine: Engine, facts: ModelFacts, *, builtin_chat_format: bool = False) -> None:
        self._engine = engine
        self._facts = facts
        self._tokenizer = Tokenizer(engine)
        self.fill: FillTokens | None = template_of(engine)
        has_chatml = min(engine.control_token(mark) for mark in ("<|im_start|>", "<|im_end|>")) >= 0
        self.chat = ChatTemplate(
            "" if builtin_chat_format and has_chatml else facts.chat_template,
            bos=engine.token_text(engine.bos),
            eos=engine.token_text(engine.eos),
            has_chatml=has_chatml,
        )

    def build(self, prompt: ChatPrompt | FillPrompt) -> TokenizedPrompt:
        """Token ids of a prompt.

        Raises
        ------
        InvalidArgument
            The model cannot do what is asked.
        """
        if isinstance(prompt, ChatPrompt):
            return self._chat(prompt)
        return self._fill(prompt)

    # A conversation

    def _chat(self, prompt: ChatPrompt) -> TokenizedPrompt:
        made = self._rendered(prompt.turns, thinking=prompt.thinking)
        room = self._facts.n_ctx - min(max(1, prompt.reserve_tokens), self._facts.n_ctx // 2)
        if len(made.tokens) <= room or not prompt.earlier_turns:
            return made
        before = len(prompt.turns) - 1 - 2 * prompt.earlier_turns
        last = len(prompt.turns) - 1
        sizes = [len(self._tokenizer.tokens(turn.content)) for turn in prompt.turns]
        # What the template puts around each of them.
        around = max(0, len(made.tokens) - sum(sizes)) // len(sizes) + 1
        pairs = [sizes[i] + sizes[i + 1] + 2 * around for i in range(before, last, 2)]
        start = first_turn(pairs, sum(sizes[:before]) + before * around, sizes[last] + around, room)
        while True:
            kept = (*prompt.turns[:before], *prompt.turns[before + 2 * start :])
            shorter = self._rendered(kept, thinking=prompt.thinking)
            if len(shorter.tokens) <= room or start == prompt.earlier_turns:
                break
            start += 1
        left_out = sum(sizes[before : before + 2 * start])
        at = next((i for i, part in enumerate(shorter.parts) if part.source == SOURCE_EARLIER), 0)
        parts = (*shorter.parts[:at], Part(SOURCE_EARLIER, [], left_out), *shorter.parts[at:])
        return TokenizedPrompt(
            shorter.tokens, left_out, parts=parts, left_out_turns=start, opened=shorter.opened
        )

    def _rendered(self, turns: Sequence[PromptTurn], *, thinking: bool) -> TokenizedPrompt:
        parts: list[Part] = []
        by_content: dict[str, list[PromptTurn]] = {}
        for turn in turns:
            by_content.setdefault(turn.content, []).append(turn)
        rendered = self.chat.render(turns, thinking=thinking)
        for text, from_template in rendered:
            tokens = (
                self._engine.tokenize(text, special=True) if from_template else self._tokenizer.tokens(text)
            )
            if from_template:
                parts += self._template_parts(tokens)
            else:
                # Two turns may say the same: the first that is rendered is the first that was said.
                same = by_content.get(text)
                parts += self._turn_parts(tokens, same.pop(0) if same else None)
        begin = self._begin
        if begin and (not parts or parts[0].tokens[:1] != begin):
            parts.insert(0, Part(SOURCE_MARKS, begin, control=True))
        tokens = [token for part in parts for token in part.tokens]
        last, from_template = rendered[-1] if rendered else ("", False)
        return TokenizedPrompt(tokens, parts=tuple(parts), opened=_opened(last) if from_template else "")

    def _template_parts(self, tokens: list[int]) -> Iterator[Part]:
        """Marks of the template, and the words between them (`user`, line ends)."""
        for control, run in _runs(tokens, self._engine.is_control):
            yield Part(SOURCE_MARKS, run, control=control)

    def _turn_parts(self, tokens: list[int], turn: PromptTurn | None) -> Iterator[Part]:
        """A turn by what it was put together from; a token belongs to where it begins."""
        if turn is None or not turn.spans:
            yield Part(_SPELLINGS.get(turn.role if turn else "", "question"), tokens)
            return
        ends: list[int] = []
        at = 0
        for span in turn.spans:
            at += span.chars
            ends.append(len(turn.content[:at].encode("utf-8", "replace")))
        begin = offset = index = 0
        for i, token in enumerate(tokens):
            while index < len(ends) - 1 and offset >= ends[index]:
                if i > begin:
                    yield Part(turn.spans[index].source, tokens[begin:i])
                begin, index = i, index + 1
            offset += len(self._engine.piece(token))
        yield Part(turn.spans[index].source, tokens[begin:])

    # Fill in the middle

    def _fill(self, prompt: FillPrompt) -> TokenizedPrompt:
        if self.fill is None:
            raise InvalidArgument(
                "This model does not support fill-in-the-middle.",
                recovery="Choose a model that has the role `code` for completion.",
            )
        begin = self._prefix_tokens(prompt)
        room = self._facts.n_ctx - prompt.reserve_tokens - self.fill.marks - len(begin) - 2
        # The code after the cursor matters less: at most a quarter of the window.
        after = self._after(prompt, max(0, min(prompt.suffix_tokens or room // 4, room // 4)))
        room_before = max(1, room - sum(len(part.tokens) for part in after))
        if prompt.prefix_tokens:
            room_before = min(room_before, prompt.prefix_tokens)
        before = self._before(prompt, room_before)
        layout = self.fill.lay_out(_joined(before), _joined(after), begin)
        left_out = sum(part.left_out for part in (*before, *after))
        parts = tuple(self._in_order(layout, begin, before, after))
        return TokenizedPrompt(layout.tokens, left_out, layout, parts)

    def _prefix_tokens(self, prompt: FillPrompt) -> list[int]:
        """What stands before the code, and before its marks."""
        assert self.fill is not None  # noqa: S101 - it was asked before
        if self.fill.file < 0:
            return self._begin
        return [*self._begin, self.fill.file, *self._tokenizer.inside(f"{prompt.file}\n")]

    def _after(self, prompt: FillPrompt, room: int) -> list[Part]:
        parts: list[Part] = []
        for piece in (ContextPiece(prompt.suffix, SOURCE_OWN), *prompt.below):
            tokens = self._tokenizer.inside(piece.text)
            kept = tokens[:room]
            room -= len(kept)
            if tokens:
                parts.append(Part(piece.source, kept, len(tokens) - len(kept)))
        return parts

    def _before(self, prompt: FillPrompt, room: int) -> list[Part]:
        read = self._tokenizer.inside
        head, _, line = prompt.prefix.rpartition("\n")
        head = f"{head}\n" if "\n" in prompt.prefix else ""
        texts = [*(piece.text for piece in prompt.above), head]
        # The vocabularies that add a space before a text were trained with it before the prefix.
        first = next((i for i, text in enumerate(texts) if text), len(texts))
        *pieces, own = [
            self._tokenizer.tokens(text) if i == first else read(text) for i, text in enumerate(texts)
        ]
        typed = self._engine.tokenize_inside(line) if first < len(texts) else self._engine.tokenize(line)
        limits = {source: int(share * room) for source, share in prompt.shares.items()}
        fits = affordable([len(piece) for piece in pieces], [piece.source for piece in prompt.above], limits)
        chosen = choose(
            [*(len(piece) if fit else 0 for piece, fit in zip(pieces, fits, strict=True)), len(own)],
            [
                [OutlineItemSize(brief.text, brief.rank, len(read(brief.text))) for brief in piece.brief]
                for piece in prompt.above
            ],
            len(typed),
            room,
            limits.get(SOURCE_BRIEF, 0),
        )
        parts: list[Part] = []
        if chosen.briefs or chosen.left_out:
            texts = [prompt.above[i].brief[j].text for i, j in chosen.briefs]
            parts.append(Part(SOURCE_BRIEF, [t for text in texts for t in read(text)], chosen.left_out))
        at = 0
        for piece, tokens, fit in zip(prompt.above, pieces, fits, strict=True):
            cut = min(max(0, chosen.start - at), len(tokens)) if fit else len(tokens)
            at += len(tokens) if fit else 0
            if tokens:
                parts.append(Part(piece.source, tokens[cut:], cut))
        last = [*own, *typed]
        cut = max(0, chosen.start - at)
        return [*parts, Part(SOURCE_OWN, last[cut:], cut)] if last else parts

    def _in_order(
        self, layout: FillLayout, begin: list[int], before: list[Part], after: list[Part]
    ) -> Iterator[Part]:
        """All parts as they stand in the prompt, with the marks between them."""
        assert self.fill is not None  # noqa: S101 - it made the layout
        first, second = (before, after) if self.fill.order == "prefix-first" else (after, before)
        tokens, at = layout.tokens, 0
        for group in (first, second):
            size = sum(len(part.tokens) for part in group)
            # The marks before a group are what stands before its first token and is in no part.
            marks = 1 + (len(begin) if at == 0 else 0)
            yield from self._template_parts(tokens[at : at + marks])
            yield from group
            at += marks + size
        if at < len(tokens):
            yield Part(SOURCE_MARKS, tokens[at:], control=True)

    @property
    def _begin(self) -> list[int]:
        return [self._engine.bos] if self._facts.add_bos and self._engine.bos >= 0 else []


def first_turn(pairs: Sequence[int], fixed: int, question: int, room: int) -> int:
    """From which of the earlier turns on a conversation is read.

    When they no longer fit, as many go as it takes to fill two thirds of the room: the next questions then
    find the same beginning in the cache, where dropping one turn at a time would have all of it read anew
    with each question. It is found by going through the turns from the first one, so that the next question
    comes to the same result.

    Parameters
    ----------
    pairs
        Tokens of each earlier turn, question and answer together.
    fixed
        Tokens of what stands before them.
    """
    start = held = 0
    for i, size in enumerate([*pairs, question]):
        held += size
        if fixed + held <= room:
            continue
        while start < min(i + 1, len(pairs)) and fixed + held > room * 2 // 3:
            held -= pairs[start]
            start += 1
    return start


def _joined(parts: list[Part]) -> list[int]:
    return [token for part in parts for token in part.tokens]


def _opened(end: str) -> str:
    """The mark of reasoning that the last words of a template are."""
    words = end.rstrip()
    if words.endswith("<|message|>") and "<|channel|>analysis" in words[-60:]:
        return "<|channel|>analysis<|message|>"
    return next((mark for mark, _ in REASONING_MARKS if words.endswith(mark)), "")


def _runs(tokens: list[int], is_control: Callable[[int], bool]) -> Iterator[tuple[bool, list[int]]]:
    """Tokens in runs of control tokens and of others."""
    for control, run in itertools.groupby(tokens, key=is_control):
        yield control, list(run)
