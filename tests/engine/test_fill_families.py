"""Each family's prompt for filling in the middle, token by token, on a model of that shape."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_localcoder.contract import wire
from jupyter_localcoder.errors import InvalidArgument
from jupyter_localcoder.models import gguf
from tests.engine.conftest import Open
from tests.support.tiny_model import CONTROL, Tokenizer, tiny_vocabulary, write_tiny_model
from tests.support.workers import request

QWEN = CONTROL
STAR = ("<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>", "<filename>")
DEEPSEEK = ("<s>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "</s>")  # noqa: RUF001 - it spells them so
LLAMA = ("<s>", "▁<PRE>", "▁<MID>", "▁<SUF>", "</s>")
MISTRAL = ("<s>", "[INST]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "</s>")
SEED = ("<s>", "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", "</s>")


@dataclass(frozen=True)
class Shaped:
    """A model of a family, and its prompt for `ab|x`: tokens by their spelling."""

    name: str
    control: tuple[str, ...]
    prompt: tuple[str, ...]
    architecture: str = "qwen2"
    tokenizer: Tokenizer = "bytes"

    def __str__(self) -> str:
        return self.name


BEFORE, AFTER = ("a", "b"), ("x",)
FILLS = [
    Shaped(
        "Qwen2.5 Coder 1.5B", QWEN, ("<|fim_prefix|>", *BEFORE, "<|fim_suffix|>", *AFTER, "<|fim_middle|>")
    ),
    Shaped("Qwen3 Coder 30B", QWEN, ("<|fim_prefix|>", *BEFORE, "<|fim_suffix|>", *AFTER, "<|fim_middle|>")),
    Shaped("sweep", QWEN, ("<|fim_prefix|>", *BEFORE, "<|fim_suffix|>", *AFTER, "<|fim_middle|>")),
    Shaped("Granite 4.0", QWEN, ("<|fim_prefix|>", *BEFORE, "<|fim_suffix|>", *AFTER, "<|fim_middle|>")),
    Shaped("starcoder2", STAR, ("<fim_prefix>", *BEFORE, "<fim_suffix>", *AFTER, "<fim_middle>")),
    Shaped(
        "DeepSeek Coder",
        DEEPSEEK,
        ("<s>", "<｜fim▁begin｜>", *BEFORE, "<｜fim▁hole｜>", *AFTER, "<｜fim▁end｜>"),  # noqa: RUF001
        "llama",
    ),
    # It reads a text as if a space stood before it: that is meant before the prefix, and nowhere else.
    Shaped("CodeLlama", LLAMA, ("<s>", "▁<PRE>", "▁a", "b", "▁<SUF>", *AFTER, "▁<MID>"), "llama", "spaces"),
    Shaped("Codestral 22B", MISTRAL, ("<s>", "[SUFFIX]", *AFTER, "[PREFIX]", "▁a", "b"), "llama", "spaces"),
    Shaped(
        "Mellum 4b",
        STAR,
        ("<filename>", *"t.py", "Ċ", "<fim_suffix>", *AFTER, "<fim_prefix>", *BEFORE, "<fim_middle>"),
    ),
    Shaped("Seed Coder", SEED, ("<s>", SEED[2], *AFTER, SEED[1], *BEFORE, SEED[3]), "llama"),
]
NEVER = [
    Shaped("Gpt Oss 20b", QWEN, ()),
    Shaped("Gemma 4 12B", QWEN, ()),
    Shaped("Devstral Small", MISTRAL, (), "llama", "tekken"),
    Shaped("Phi 4", QWEN, ()),
    Shaped("Llama 3 8B Instruct", ("<s>", "<|eot_id|>"), (), "llama"),
    Shaped("SmolLM3", ("<s>", "<|im_end|>"), (), "llama"),
]


def written(folder: Path, model: Shaped) -> Path:
    return write_tiny_model(
        folder / "shaped.gguf",
        name=model.name,
        architecture=model.architecture,
        control=model.control,
        tokenizer=model.tokenizer,
    )


@pytest.mark.parametrize("model", FILLS, ids=str)
async def test_the_prompt_is_what_the_family_was_trained_with(
    open_model: Open, tmp_path: Path, model: Shaped
) -> None:
    path = written(tmp_path, model)
    assert gguf.read(path).fill_in_the_middle
    bench = open_model(path)
    assert (await bench.supervisor.load(bench.plan)).fill_in_the_middle
    prompt = wire.FillPrompt(prefix="ab", suffix="x", reserve_tokens=4, file="t.py")
    _, end = await bench.ask(request(prompt=prompt, max_tokens=2, report=True))
    spelled = [segment.text for segment in end.segments]
    ids = [tiny_vocabulary(model.control, model.tokenizer).index(text) for text in model.prompt]
    assert end.prompt_tokens == len(ids), spelled
    assert end.prompt_sha256 == hashlib.sha256(array("i", ids).tobytes()).hexdigest(), spelled


async def test_a_vocabulary_that_adds_a_space_adds_none_between_the_pieces(
    open_model: Open, tmp_path: Path
) -> None:
    model = Shaped("CodeLlama", LLAMA, ("<s>", "▁<PRE>", "▁x", "<0x0A>", "a", "b", "<0x0A>", "x", "▁<SUF>",
                                       "a", "<0x0A>", "b", "▁<MID>"), "llama", "spaces")  # fmt: skip
    bench = open_model(written(tmp_path, model))
    prompt = wire.FillPrompt(
        prefix="ab\nx",
        suffix="a",
        reserve_tokens=4,
        above=(wire.ContextPiece("x\n", "cells"),),
        below=(wire.ContextPiece("\nb", "below"),),
    )
    _, end = await bench.ask(request(prompt=prompt, max_tokens=2))
    ids = [tiny_vocabulary(model.control, model.tokenizer).index(text) for text in model.prompt]
    assert end.prompt_tokens == len(ids)
    assert end.prompt_sha256 == hashlib.sha256(array("i", ids).tobytes()).hexdigest()


@pytest.mark.parametrize("model", NEVER, ids=str)
async def test_a_model_that_was_not_trained_for_it_is_not_asked_to(
    open_model: Open, tmp_path: Path, model: Shaped
) -> None:
    path = written(tmp_path, model)
    assert not gguf.read(path).fill_in_the_middle
    bench = open_model(path)
    assert not (await bench.supervisor.load(bench.plan)).fill_in_the_middle
    with pytest.raises(InvalidArgument, match="fill-in-the-middle"):
        await bench.ask(request(prompt=wire.FillPrompt(prefix="ab", suffix="x", reserve_tokens=4)))
