"""The tokens with which the families of models mark a prompt for filling in the middle.

The reader of GGUF headers tells by them whether a model completes code, the worker writes prompts with them,
and a provider's raw prompt is made of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Part = Literal["prefix", "suffix", "middle"]
Order = Literal["prefix-first", "suffix-first"]


@dataclass(frozen=True)
class ModelIdentity:
    """What a GGUF header says of the model's origin."""

    architecture: str = ""
    name: str = ""
    pre_tokenizer: str = ""


@dataclass(frozen=True)
class FillFamily:
    """How one family spells its tokens, and in which order it was trained to see them."""

    prefix: str
    suffix: str
    middle: str = ""
    """Empty where the family has none."""
    order: Order = "prefix-first"
    file: str = ""
    """The token before the name of the file, which begins the prompt; empty where the family has none."""
    named: str = ""
    """The family has tokens of another one: it is known by this word in its architecture or name."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens around the code."""
        return tuple(filter(None, (self.prefix, self.suffix, self.middle)))

    @property
    def template(self) -> str:
        """A raw prompt, with `{prefix}` and `{suffix}` in the places of the code."""
        before, after = f"{self.prefix}{{prefix}}", f"{self.suffix}{{suffix}}"
        both = before + after if self.order == "prefix-first" else after + before
        return both + self.middle

    def may_be(self, model: ModelIdentity) -> bool:
        """Whether a model can belong to it."""
        return self.named in f"{model.architecture} {model.name}".casefold()


FILL_FAMILIES = (
    # Qwen2.5-Coder, Qwen3-Coder, sweep, Granite 4, CodeGemma
    FillFamily("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    FillFamily(
        "<fim_prefix>",
        "<fim_suffix>",
        "<fim_middle>",
        order="suffix-first",
        file="<filename>",
        named="mellum",
    ),
    FillFamily("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder, Granite Code
    FillFamily("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),  # SantaCoder
    FillFamily("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # noqa: RUF001 - DeepSeek spells them so
    FillFamily("▁<PRE>", "▁<SUF>", "▁<MID>"),  # CodeLlama
    FillFamily("<PRE>", "<SUF>", "<MID>"),
    FillFamily("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),  # GLM-4.5
    FillFamily("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", order="suffix-first"),  # Seed-Coder
    FillFamily("[PREFIX]", "[SUFFIX]", order="suffix-first"),  # Codestral
)

_UNTRAINED = re.compile(r"gpt-?oss|gemma-?[34]|devstral|phi-?[34]|phimoe|smollm-?3")
"""Architectures and names of models that were not trained to fill in, whatever is in their vocabulary."""
_TEKKEN = "tekken"
"""The tokenizer of Mistral's later models. Its vocabulary has Codestral's tokens in each of them."""


def trained_to_fill(model: ModelIdentity) -> bool:
    """Whether a model may complete in the middle if its vocabulary has the tokens.

    The tokens alone do not say so: Phi-4 and Devstral have them and were never trained with them.
    """
    said = re.sub(r"[ _]", "-", f"{model.architecture}/{model.name}".casefold())
    if "codegemma" in said:
        return True
    return not _UNTRAINED.search(said) and (model.pre_tokenizer != _TEKKEN or "codestral" in said)


def family_of(model: ModelIdentity, has_token: Callable[[str], bool]) -> FillFamily | None:
    """The family whose tokens a vocabulary has, or None."""
    for family in FILL_FAMILIES:
        if family.may_be(model) and all(map(has_token, family.tokens)):
            return family
    return None


GGUF_FILL_KEYS: dict[Part, tuple[str, str]] = {
    "prefix": ("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"),
    "suffix": ("tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"),
    "middle": ("tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"),
}
"""Keys of a GGUF header that hold the ids; the second ones are of older files."""

QWEN_FILL = FILL_FAMILIES[0].template
"""The raw prompt that most servers of models for code understand."""


def can_fill(model: ModelIdentity, has_id: Callable[[Part], bool], has_token: Callable[[str], bool]) -> bool:
    """Whether a model has all tokens of one family, and was trained with them.

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

    if not trained_to_fill(model):
        return False
    return family_of(model, has_token) is not None or all(map(is_there, GGUF_FILL_KEYS))
