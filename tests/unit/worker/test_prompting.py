"""Prompts as tokens: what fits, in which order, and where each token comes from.

The vocabulary has a token for each character, so that tokens can be counted by eye.
"""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_localcoder.contract.fill_tokens import ModelIdentity
from jupyter_localcoder.contract.wire import (
    ChatPrompt,
    ContextPiece,
    FillPrompt,
    OutlineItem,
    PromptTurn,
    Span,
)
from jupyter_localcoder.worker.model import ModelFacts
from jupyter_localcoder.worker.prompting import Prompter, TokenizedPrompt, first_turn

FIRST = 10
MARKS = {"<|fim_prefix|>": 1, "<|fim_suffix|>": 2, "<|fim_middle|>": 3, "<|im_start|>": 4, "<|im_end|>": 5}


class Characters:
    """An engine whose tokens are characters."""

    bos = -1
    eos = 5
    identity = ModelIdentity()

    def __init__(self, fill: tuple[int, int, int] = (1, 2, 3)) -> None:
        self.fill_tokens = fill
        self.tokenized: list[str] = []

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        self.tokenized.append(text)
        tokens: list[int] = []
        while text:
            mark = next((m for m in MARKS if special and text.startswith(m)), "")
            tokens.append(MARKS[mark] if mark else FIRST + ord(text[0]))
            text = text[len(mark) or 1 :]
        return tokens

    def tokenize_inside(self, text: str) -> list[int]:
        return self.tokenize(text)

    def piece(self, token: int) -> bytes:
        return chr(token - FIRST).encode() if token >= FIRST else b""

    def token_text(self, token: int) -> str:
        return next((text for text, known in MARKS.items() if known == token), "")

    def control_token(self, text: str) -> int:
        return MARKS.get(text, -1)

    def is_control(self, token: int) -> bool:
        return token < FIRST


def prompter(n_ctx: int = 1000, engine: Characters | None = None) -> Prompter:
    facts = ModelFacts(
        n_ctx=n_ctx, n_cells=n_ctx, n_ctx_train=n_ctx, n_vocab=300, n_layers=1, n_gpu_layers=0,
        description="", weights_bytes=0, chat_template="", add_bos=False,
    )  # fmt: skip
    return Prompter(engine or Characters(), facts)  # type: ignore[arg-type]


def fill(prefix: str = "", suffix: str = "", **more: Any) -> FillPrompt:
    return FillPrompt(**{"prefix": prefix, "suffix": suffix, "reserve_tokens": 10, **more})


def told(prompt: TokenizedPrompt) -> list[tuple[str, str, int]]:
    return [(s.source, s.text, s.left_out) for s in prompt.report(Characters())]


def text_of(prompt: TokenizedPrompt) -> str:
    return "".join(text for _, text, _ in told(prompt))


def test_the_whole_notebook_stands_around_the_cursor() -> None:
    made = prompter().build(
        fill(
            "a\nb",
            "c",
            above=(ContextPiece("one\n", "cells"), ContextPiece("k\n", "kernel")),
            below=(ContextPiece("\ntwo", "below"),),
        )
    )
    assert told(made) == [
        ("control tokens", "<|fim_prefix|>", 0),
        ("cells", "one\n", 0),
        ("kernel", "k\n", 0),
        ("this cell", "a\nb", 0),
        ("control tokens", "<|fim_suffix|>", 0),
        ("this cell", "c", 0),
        ("below", "\ntwo", 0),
        ("control tokens", "<|fim_middle|>", 0),
    ]


def test_a_model_that_wants_the_suffix_first_gets_and_tells_it_so() -> None:
    engine = Characters((-1, -1, -1))
    engine.control_token = lambda text: {"[PREFIX]": 1, "[SUFFIX]": 2}.get(text, -1)  # type: ignore[method-assign]
    made = prompter(engine=engine).build(fill("before", "after"))
    assert [(source, text) for source, text, _ in told(made)] == [
        ("control tokens", "<|fim_suffix|>"),
        ("this cell", "after"),
        ("control tokens", "<|fim_prefix|>"),
        ("this cell", "before"),
    ]


def test_a_source_takes_no_more_than_its_share_and_its_first_pieces_stay() -> None:
    lines = tuple(ContextPiece(f"# name {i}\n", "kernel") for i in range(10))
    made = prompter().build(fill("x", above=lines, shares={"kernel": 0.3}, prefix_tokens=100))
    assert text_of(made).count("# name") == 3
    assert "# name 2\nx" in text_of(made)
    assert sum(left for source, _, left in told(made) if source == "kernel") == 7 * 9


def cell(i: int) -> ContextPiece:
    briefs = (OutlineItem("import numpy\n"), OutlineItem(f"def f{i}(): ...\n", 1))
    return ContextPiece(f"cell {i} " + "." * 30 + "\n", "cells", briefs)


def test_what_does_not_fit_leaves_its_imports_and_definitions_at_the_top() -> None:
    made = prompter(4000).build(
        fill(
            "x",
            above=tuple(cell(i) for i in range(20)),
            shares={"imports and definitions": 0.3},
            prefix_tokens=400,
        )
    )
    head = told(made)[1]
    assert head[0] == "imports and definitions"
    assert head[1].startswith("import numpy\ndef f")
    assert head[1].count("import numpy") == 1
    # The last of those that are not in the window themselves.
    first_cell = text_of(made).split("cell ")[1].split(" ")[0]
    assert head[1].endswith(f"def f{int(first_cell) - 1}(): ...\n")
    assert len(head[1]) <= 0.3 * 400
    assert head[2] > 0
    assert "cell 19" in text_of(made)
    assert "cell 0 " not in text_of(made)


PIECES = st.lists(
    st.builds(
        lambda text, source, briefs: ContextPiece(
            text, source, tuple(OutlineItem(b + "\n", r) for b, r in briefs)
        ),
        st.text("ab\n", max_size=60),
        st.sampled_from(["cells", "kernel"]),
        st.lists(st.tuples(st.text("cd", min_size=1, max_size=12), st.integers(0, 2)), max_size=3),
    ),
    max_size=20,
)
SHARES = st.fixed_dictionaries({"kernel": st.floats(0, 0.5), "imports and definitions": st.floats(0, 0.5)})


@given(
    PIECES, PIECES, st.text("xy\n", max_size=200), st.text("zy\n", max_size=100), SHARES, st.integers(40, 300)
)
@settings(max_examples=150, deadline=None)
def test_every_token_has_a_source_and_nothing_is_lost_silently(
    above: list[ContextPiece],
    below: list[ContextPiece],
    prefix: str,
    suffix: str,
    shares: dict[str, float],
    room: int,
) -> None:
    prompt = fill(prefix, suffix, above=tuple(above), below=tuple(below), shares=shares, prefix_tokens=room)
    made = prompter(400).build(prompt)
    parts = [p for p in made.parts if not p.control]
    assert [t for part in made.parts for t in part.tokens] == made.tokens
    assert len(made.tokens) <= 400 - 10
    assert made.left_out == sum(part.left_out for part in made.parts)
    given_tokens = sum(len(p.text) for p in (*above, *below)) + len(prefix) + len(suffix)
    whole = [part for part in parts if part.source != "imports and definitions"]
    assert sum(len(part.tokens) + part.left_out for part in whole) == given_tokens
    before = list(itertools.takewhile(lambda part: not part.control, made.parts[1:]))
    assert sum(len(part.tokens) for part in before) <= room
    for source, share in shares.items():
        assert sum(len(part.tokens) for part in before if part.source == source) <= share * room


@given(PIECES, st.text("xy\n", max_size=80), st.text("xyz", max_size=15), SHARES)
@settings(max_examples=150, deadline=None)
def test_typing_a_line_changes_no_token_before_it(
    above: list[ContextPiece], head: str, typed: str, shares: dict[str, float]
) -> None:
    def tokens(line: str) -> list[int]:
        prompt = fill(f"{head}\n{line}", "rest", above=tuple(above), shares=shares, prefix_tokens=200)
        made = prompter(1000).build(prompt)
        return made.tokens[: made.tokens.index(2)]

    assert tokens(typed) == tokens("") + [FIRST + ord(c) for c in typed]


def test_a_keystroke_tokenises_the_typed_line_alone() -> None:
    engine = Characters()
    made = prompter(engine=engine)
    for line in ("pri", "prin"):
        engine.tokenized.clear()
        made.build(fill(f"import os\n{line}", "\n", above=(cell(1), cell(2)), below=(cell(3),)))
    assert engine.tokenized == ["prin"]


def test_a_conversation_is_told_by_what_its_turns_are_made_of() -> None:
    question = PromptTurn("user", "DO: é=1", (Span("instructions", 4), Span("code", 3)))
    made = prompter().build(ChatPrompt((PromptTurn("system", "Be brief."), question)))
    assert [(s, t) for s, t, _ in told(made)] == [
        ("control tokens", "<|im_start|>"),
        ("control tokens", "system\n"),
        ("instructions", "Be brief."),
        ("control tokens", "<|im_end|>"),
        ("control tokens", "\n"),
        ("control tokens", "<|im_start|>"),
        ("control tokens", "user\n"),
        ("instructions", "DO: "),
        ("code", "é=1"),
        ("control tokens", "<|im_end|>"),
        ("control tokens", "\n"),
        ("control tokens", "<|im_start|>"),
        ("control tokens", "assistant\n"),
    ]
    assert [t for part in made.parts for t in part.tokens] == made.tokens


@pytest.mark.parametrize("text", ["<|im_end|>", "<|fim_middle|>"])
def test_marks_in_a_persons_text_are_text(text: str) -> None:
    made = prompter().build(fill(text))
    assert [p.source for p in made.parts if p.control] == ["control tokens"] * 3
    assert made.tokens.count(MARKS[text]) == (1 if text == "<|fim_middle|>" else 0)


# A conversation that does not fit


def talk(*pairs: str, question: str = "q") -> ChatPrompt:
    turns = [PromptTurn("system", "s")]
    for pair in pairs:
        turns += [
            PromptTurn("user", pair, (Span("earlier turns", len(pair)),)),
            PromptTurn("assistant", "a" * 10),
        ]
    return ChatPrompt((*turns, PromptTurn("user", question)), earlier_turns=len(pairs), reserve_tokens=50)


def shown(made: TokenizedPrompt) -> list[str]:
    return [t for s, t, _ in told(made) if s in ("earlier turns", "question") and t]


def test_a_conversation_that_fits_is_read_whole() -> None:
    made = prompter(n_ctx=1000).build(talk("one", "two"))
    assert shown(made) == ["one", "two", "q"]
    assert (made.left_out, made.left_out_turns) == (0, 0)


def test_the_oldest_turns_go_and_are_counted() -> None:
    pairs = [str(n) * 40 for n in range(6)]
    made = prompter(n_ctx=400).build(talk(*pairs))
    assert len(made.tokens) <= 350
    assert 0 < made.left_out_turns < 6
    assert shown(made) == [*pairs[made.left_out_turns :], "q"]
    assert made.left_out == made.left_out_turns * 50
    assert sum(part.left_out for part in made.parts) == made.left_out
    assert [t for part in made.parts for t in part.tokens] == made.tokens


def test_the_instruction_and_the_question_always_stay() -> None:
    made = prompter(n_ctx=400).build(talk("x" * 300, question="q" * 320))
    assert (shown(made), made.left_out_turns) == (["q" * 320], 1)


def test_a_long_conversation_keeps_its_beginning_over_several_questions() -> None:
    """Else every question would read it all anew."""
    pairs = [chr(97 + n) * 20 for n in range(26)]
    starts = [prompter(n_ctx=600).build(talk(*pairs[:n])).left_out_turns for n in range(1, 27)]
    assert starts == sorted(starts)
    assert starts[-1] > 8
    assert len(set(starts)) <= 6


def test_the_room_for_the_answer_takes_half_of_the_window_at_most() -> None:
    prompt = talk("one", question="q" * 100)
    greedy = ChatPrompt(prompt.turns, earlier_turns=1, reserve_tokens=100_000)
    assert prompter(n_ctx=600).build(greedy).left_out_turns == 0


def test_two_turns_that_say_the_same_are_told_apart() -> None:
    made = prompter(n_ctx=1000).build(talk("again", question="again"))
    assert [s for s, t, _ in told(made) if t == "again"] == ["earlier turns", "question"]


@settings(max_examples=200)
@given(
    st.lists(st.integers(1, 200), max_size=30), st.integers(0, 50), st.integers(1, 200), st.integers(60, 800)
)
def test_what_is_kept_fits_or_nothing_is(pairs: list[int], fixed: int, question: int, room: int) -> None:
    start = first_turn(pairs, fixed, question, room)
    assert 0 <= start <= len(pairs)
    assert fixed + sum(pairs[start:]) + question <= room or start == len(pairs)
    if fixed + sum(pairs) + question <= room:
        assert start == 0


@pytest.mark.parametrize(
    ("end", "opened"),
    [
        ("assistant: ", ""),
        ("assistant: <think>\n", "<think>"),
        ("assistant: <think>\n\n</think>\n\n", ""),
        ("[THINK]", "[THINK]"),
        ("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>analysis<|message|>"),
        ("<|start|>assistant<|channel|>final<|message|>", ""),
    ],
)
def test_a_template_that_begins_the_reasoning_is_noticed(end: str, opened: str) -> None:
    source = "{% for m in messages %}{{ m.content }}\n{% endfor %}" + end
    facts = ModelFacts(
        n_vocab=300, n_ctx_train=4096, n_ctx=1000, n_cells=1000, n_layers=1, n_gpu_layers=0,
        description="", weights_bytes=0, chat_template=source, add_bos=False,
    )  # fmt: skip
    made = Prompter(Characters(), facts).build(ChatPrompt((PromptTurn("user", "<think>"),)))  # type: ignore[arg-type]
    assert made.opened == opened


@pytest.mark.parametrize("variable", ["enable_thinking", "thinking"])
def test_a_template_is_asked_not_to_have_it_reason(variable: str) -> None:
    source = (
        "{% for m in messages %}{{ m.content }}\n{% endfor %}<think>\n"
        f"{{% if {variable} is defined and not {variable} %}}</think>\n{{% endif %}}"
    )
    facts = ModelFacts(
        n_vocab=300, n_ctx_train=4096, n_ctx=1000, n_cells=1000, n_layers=1, n_gpu_layers=0,
        description="", weights_bytes=0, chat_template=source, add_bos=False,
    )  # fmt: skip
    prompter = Prompter(Characters(), facts)  # type: ignore[arg-type]
    asked = ChatPrompt((PromptTurn("user", "x"),))
    assert prompter.build(asked).opened == "<think>"
    assert prompter.build(msgspec.structs.replace(asked, thinking=False)).opened == ""
