"""The tokens with which the families of models mark a prompt for filling in the middle.

The reader of GGUF headers tells by them whether a model completes code, the worker writes prompts with them,
and a provider's raw prompt is made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Part = Literal["prefix", "suffix", "middle"]


@dataclass(frozen=True)
class FillFamily:
    """How one family spells its tokens. Without a token for the middle, the suffix comes first."""

    prefix: str
    suffix: str
    middle: str = ""

    @property
    def tokens(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(filter(None, (self.prefix, self.suffix, self.middle)))

    @property
    def template(self) -> str:
        """A raw prompt, with `{prefix}` and `{suffix}` in the places of the code."""
        if not self.middle:
            return f"{self.suffix}{{suffix}}{self.prefix}{{prefix}}"
        return f"{self.prefix}{{prefix}}{self.suffix}{{suffix}}{self.middle}"


FILL_FAMILIES = (
    FillFamily("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),  # Qwen2.5-Coder, CodeGemma
    FillFamily("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder, Granite
    FillFamily("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),  # SantaCoder
    FillFamily("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # noqa: RUF001 - DeepSeek spells them so
    FillFamily("▁<PRE>", "▁<SUF>", "▁<MID>"),  # CodeLlama
    FillFamily("<PRE>", "<SUF>", "<MID>"),
    FillFamily("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),  # GLM-4.5
    FillFamily("[PREFIX]", "[SUFFIX]"),  # Codestral
)

GGUF_FILL_KEYS: dict[Part, tuple[str, str]] = {
    "prefix": ("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"),
    "suffix": ("tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"),
    "middle": ("tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"),
}
"""Keys of a GGUF header that hold the ids; the second ones are of older files."""

QWEN_FILL = FILL_FAMILIES[0].template
"""The raw prompt that most servers of models for code understand."""


def can_fill(has_id: Callable[[Part], bool], has_token: Callable[[str], bool]) -> bool:
    """Whether a vocabulary has all tokens of one family.

    Parameters
    ----------
    has_id
        Whether the file names a token for a part of the prompt.
    has_token
        Whether the vocabulary has a token of this spelling.
    """

    def is_there(part: Part) -> bool:
        # llama.cpp looks for each of the three alone.
        families = (family for family in FILL_FAMILIES if family.middle)
        return has_id(part) or any(has_token(getattr(family, part)) for family in families)

    return all(is_there(part) for part in GGUF_FILL_KEYS) or any(
        all(map(has_token, family.tokens)) for family in FILL_FAMILIES
    )
