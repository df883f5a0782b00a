"""Weights of a large model's shape, and no sense: for its speed and memory on this machine.

``python -m tests.benchmarks.shaped FILE`` writes a file of the shape of Qwen2.5-Coder 7B in Q4_K (4.3 GB);
``python -m tests.benchmarks stack memory --model FILE`` measures it. What it writes is noise, so benches
that look at the text say nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing

from tests.support.tiny_model import CHATML, CONTROL, byte_characters

BLOCK, BLOCK_BYTES = 256, 144
"""Weights of a block of Q4_K, and its bytes: two scales of 2 bytes, 12 of finer ones, 128 of weights."""
_SCALE = 2e-5
"""Keeps the numbers of a forward pass finite."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a `qwen2` model; widths are multiples of 256."""

    name: str
    width: int
    heads: int
    kv_heads: int
    layers: int
    feed_forward: int
    vocabulary: int
    context: int = 32_768


SEVEN_B = Shape("7B of random weights", 3584, 28, 4, 28, 18_944, 152_064)


def write(path: Path, shape: Shape, seed: int = 0) -> Path:
    """Write a model file; it takes its own size in temporary space besides."""
    writer = gguf.GGUFWriter(str(path), "qwen2", use_temp_file=True)
    writer.add_name(shape.name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1_000_000.0)
    _write_vocabulary(writer, shape.vocabulary)
    random = np.random.default_rng(seed)
    for name, size in _tensors(shape):
        if len(size) == 2:
            blocks = _blocks(random, *size)
            writer.add_tensor(name, blocks, raw_dtype=gguf.GGMLQuantizationType.Q4_K)
        else:
            value = 1.0 if name.endswith("norm.weight") else 0.0
            writer.add_tensor(name, np.full(size, value, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _blocks(random: np.random.Generator, rows: int, columns: int) -> np.typing.NDArray[np.uint8]:
    data = random.integers(0, 256, (rows, columns // BLOCK, BLOCK_BYTES), dtype=np.uint8)
    scales = np.array([_SCALE, 8 * _SCALE], np.float16).view(np.uint8)
    data[:, :, :4] = scales
    return data.reshape(rows, columns // BLOCK * BLOCK_BYTES)


def _write_vocabulary(writer: gguf.GGUFWriter, size: int) -> None:
    spelled = [*byte_characters(), "in", *CONTROL]
    tokens = [*spelled, *(f"<|unused_{i}|>" for i in range(size - len(spelled)))]
    types = [gguf.TokenType.NORMAL] * size
    types[len(spelled) - len(CONTROL) : len(spelled)] = [gguf.TokenType.CONTROL] * len(CONTROL)
    types[len(spelled) :] = [gguf.TokenType.UNUSED] * (size - len(spelled))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(["i n"])
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)


def _tensors(shape: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    width, wide, kv = shape.width, shape.feed_forward, shape.width // shape.heads * shape.kv_heads
    yield "token_embd.weight", (shape.vocabulary, width)
    yield "output_norm.weight", (width,)
    yield "output.weight", (shape.vocabulary, width)
    for i in range(shape.layers):
        for name, size in (
            ("attn_norm.weight", (width,)),
            ("attn_q.weight", (width, width)),
            ("attn_q.bias", (width,)),
            ("attn_k.weight", (kv, width)),
            ("attn_k.bias", (kv,)),
            ("attn_v.weight", (kv, width)),
            ("attn_v.bias", (kv,)),
            ("attn_output.weight", (width, width)),
            ("ffn_norm.weight", (width,)),
            ("ffn_gate.weight", (wide, width)),
            ("ffn_up.weight", (wide, width)),
            ("ffn_down.weight", (width, wide)),
        ):
            yield f"blk.{i}.{name}", size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.shaped", description=__doc__)
    parser.add_argument("file", type=Path, help="where the model is written")
    parser.add_argument("--layers", type=int, default=SEVEN_B.layers, help="(default: %(default)s)")
    asked = parser.parse_args()
    write(asked.file, Shape(**{**vars(SEVEN_B), "layers": asked.layers}))
