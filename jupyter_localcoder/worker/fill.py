"""Fill in the middle: which tokens a model's family marks it with, and in which order.

The GGUF's own token ids come first; where it has none, the spellings that the families use are looked
up as control tokens. A model with neither cannot complete in the middle. Pure but for the lookup.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


class Vocabulary(Protocol):
    """What this module asks of a model."""

    @property
    def fill_tokens(self) -> tuple[int, int, int]:
        """Prefix, suffix and middle token; -1 where there is none."""

    def control_token(self, text: str) -> int:
        """Id of a control token by its spelling, or -1."""


@dataclass(frozen=True)
class FillTemplate:
    """The marks of a family, as token ids.

    ``prefix-first``: PREFIX before SUFFIX after MIDDLE. ``suffix-first``: SUFFIX after PREFIX before,
    with no mark for the middle (Codestral).
    """

    prefix: int
    suffix: int
    middle: int
    order: Literal["prefix-first", "suffix-first"] = "prefix-first"

    def lay_out(self, before: list[int], after: list[int]) -> list[int]:
        """Token ids of the whole prompt, from those of the code before and after the cursor."""
        if self.order == "suffix-first":
            return [self.suffix, *after, self.prefix, *before]
        return [self.prefix, *before, self.suffix, *after, self.middle]

    @property
    def marks(self) -> int:
        """How many tokens the marks take."""
        return 2 if self.order == "suffix-first" else 3


_SPELLINGS = (
    # (prefix, suffix, middle): Qwen2.5-Coder, CodeGemma; StarCoder, Granite; SantaCoder; DeepSeek; CodeLlama
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # noqa: RUF001 - the makers' own spelling
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),
)


def template_of(vocabulary: Vocabulary) -> FillTemplate | None:
    """The marks of this model, or None where it cannot fill in the middle."""
    prefix, suffix, middle = vocabulary.fill_tokens
    if min(prefix, suffix, middle) >= 0:
        return FillTemplate(prefix, suffix, middle)
    for spelling in _SPELLINGS:
        prefix, suffix, middle = (vocabulary.control_token(text) for text in spelling)
        if min(prefix, suffix, middle) >= 0:
            return FillTemplate(prefix, suffix, middle)
    prefix, suffix = vocabulary.control_token("[PREFIX]"), vocabulary.control_token("[SUFFIX]")
    if min(prefix, suffix) >= 0:
        return FillTemplate(prefix, suffix, -1, order="suffix-first")
    return None


def window(length: int, budget: int) -> int:
    """Where a context of ``length`` tokens begins, so that at most ``budget`` are left.

    The cut moves in steps of a third of the budget: while a person types, the start stays where it is
    and what was computed for it stays valid; only now and then does it jump.
    """
    if length <= budget:
        return 0
    step = max(1, budget // 3)
    return -(-(length - budget) // step) * step
