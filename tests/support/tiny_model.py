"""Tiny GGUF models of random weights: real files for the real engine, ready in milliseconds.

They speak no language, but everything around the weights is as in a large model: the tokenizer with its
control tokens, a chat template, fill-in-the-middle tokens, the tensors of the architecture.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>",
    "<|fim_pad|>", "<|file_sep|>",
)  # fmt: skip
WIDTH, HEADS, KV_HEADS, LAYERS, FEED_FORWARD = 128, 4, 2, 2, 128


def byte_characters() -> list[str]:
    """The characters that stand for the 256 bytes in a byte-level vocabulary (GPT-2)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(spare)) for b in range(256)]


def write_tiny_model(
    path: Path,
    *,
    architecture: str = "qwen2",
    context_length: int = 4096,
    chat_template: str | None = CHATML,
    fill_in_the_middle: bool = True,
    layers: int = LAYERS,
    seed: int = 0,
) -> Path:
    """Write a model of a given architecture (``qwen2`` or ``llama``)."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), architecture)
    control = [t for t in CONTROL if fill_in_the_middle or "fim" not in t]
    _write_header(writer, architecture, context_length, layers)
    vocabulary = _write_vocabulary(writer, architecture, control)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    for name, shape in _tensors(architecture, vocabulary, layers).items():
        is_norm = name.endswith("norm.weight")
        data = np.ones(shape) if is_norm else random.normal(0, 0.3, shape)
        if name == "output.weight":
            # So that it seldom ends by itself: most tests want an answer of some length.
            data[-len(control) :] = 0.0
        writer.add_tensor(name, data.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_header(writer: gguf.GGUFWriter, architecture: str, context_length: int, layers: int) -> None:
    writer.add_name(f"tiny {architecture} of random weights")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(context_length)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10_000.0)
    if architecture == "llama":
        writer.add_rope_dimension_count(WIDTH // HEADS)


def _write_vocabulary(writer: gguf.GGUFWriter, architecture: str, control: list[str]) -> int:
    characters = byte_characters()
    merges = [("Ġ", "Ġ"), ("i", "n"), ("r", "e"), ("d", "e"), ("de", "f")]
    tokens = [*characters, *("".join(pair) for pair in merges), *control]
    types = [gguf.TokenType.NORMAL] * (len(tokens) - len(control))
    types += [gguf.TokenType.CONTROL] * len(control)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2" if architecture == "qwen2" else "llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(architecture == "llama")
    return len(tokens)


def _tensors(architecture: str, vocabulary: int, layers: int) -> dict[str, tuple[int, ...]]:
    kv = WIDTH // HEADS * KV_HEADS
    tensors: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, WIDTH),
        "output_norm.weight": (WIDTH,),
        "output.weight": (vocabulary, WIDTH),
    }
    for i in range(layers):
        block = {
            "attn_norm.weight": (WIDTH,),
            "attn_q.weight": (WIDTH, WIDTH),
            "attn_k.weight": (kv, WIDTH),
            "attn_v.weight": (kv, WIDTH),
            "attn_output.weight": (WIDTH, WIDTH),
            "ffn_norm.weight": (WIDTH,),
            "ffn_gate.weight": (FEED_FORWARD, WIDTH),
            "ffn_up.weight": (FEED_FORWARD, WIDTH),
            "ffn_down.weight": (WIDTH, FEED_FORWARD),
        }
        if architecture == "qwen2":
            block |= {"attn_q.bias": (WIDTH,), "attn_k.bias": (kv,), "attn_v.bias": (kv,)}
        tensors |= {f"blk.{i}.{name}": shape for name, shape in block.items()}
    return tensors
