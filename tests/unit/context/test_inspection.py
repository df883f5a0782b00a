"""What is told of a prompt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_localcoder.context import inspection
from jupyter_localcoder.contract.generation import PromptPart
from jupyter_localcoder.contract.wire import Segment

PROMPT = (
    Segment("control tokens", "<|fim_prefix|>", 1, control=True),
    Segment("cells above", "import os\n\n", 4, 6),
    Segment("kernel", "# x: int\n", 4),
    Segment("cells above", "y = 1\n", 4),
    Segment("control tokens", "<|fim_suffix|>", 1, control=True),
)


def part(source: str, tokens: int, left_out: int = 0) -> PromptPart:
    return PromptPart(source=source, tokens=tokens, left_out_tokens=left_out)


def test_tokens_are_told_by_source_in_order() -> None:
    assert inspection.parts(PROMPT, {}) == (
        part("control tokens", 2), part("cells above", 8, 6), part("kernel", 4),
    )  # fmt: skip


def test_what_was_left_out_before_it_was_counted_is_told_in_tokens_of_the_same_length() -> None:
    counted = inspection.parts(PROMPT, {"kernel": 12, "cells below": 1, "this cell": 0})
    assert counted[2:] == (part("kernel", 4, 6), part("cells below", 0, 1))


def test_the_text_is_exact() -> None:
    assert inspection.prompt_text(PROMPT) == "<|fim_prefix|>import os\n\n# x: int\ny = 1\n<|fim_suffix|>"


def test_the_redacted_text_keeps_the_structure_and_no_content() -> None:
    assert inspection.redacted_text(PROMPT, inspection.parts(PROMPT, {})) == (
        "control tokens: 2 tokens, 0 left out\n"
        "cells above: 8 tokens, 6 left out\n"
        "kernel: 4 tokens, 0 left out\n"
        "\n"
        "<|fim_prefix|>xxxxxx xx\n\nx xx xxx\nx x x\n<|fim_suffix|>"
    )


@given(st.text(min_size=1))
def test_no_character_survives_redaction(text: str) -> None:
    redacted = inspection.redacted_text((Segment("code", text, 1),), ())[1:]
    assert len(redacted) == len(text)
    assert set("".join(redacted.split())) <= {"x"}
