"""Tiny GGUF models of random weights: real files for the real engine, ready in milliseconds.

They speak no language, but everything around the weights is as in a large model: the tokenizer with its
control tokens, a chat template, fill-in-the-middle tokens, the tensors of the architecture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

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
_MERGES = [("Ġ", "Ġ"), ("i", "n"), ("r", "e"), ("d", "e"), ("de", "f")]
_PIECES = ("▁", *"abcdefghijklmnopqrstuvwxyz", "▁a", "▁x")
Tokenizer = Literal["bytes", "tekken", "spaces"]
SSM_WIDTH, SSM_STATE, SSM_HEADS, SSM_KERNEL = 256, 16, 4, 4
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
    name: str = "",
    control: Sequence[str] | None = None,
    tokenizer: Tokenizer = "bytes",
) -> Path:
    """Write a model of a given architecture (``qwen2``, ``llama`` or ``granitehybrid``).

    Parameters
    ----------
    name
        What its header says of its origin.
    control
        Its control tokens, instead of those of Qwen2.5-Coder; the last one ends an answer.
    tokenizer
        ``bytes``: byte-level pairs. ``tekken``: the same, with the pre-tokenizer of Mistral's later models.
        ``spaces``: SentencePiece, which reads a text as if a space stood before it.
    """
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), architecture)
    if control is None:
        control = [t for t in CONTROL if fill_in_the_middle or "fim" not in t]
    _write_header(writer, architecture, context_length, layers, name)
    vocabulary = _write_vocabulary(writer, architecture, control, tokenizer)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    for name, shape in _tensors(architecture, vocabulary, layers).items():
        is_norm = name.endswith("norm.weight")
        data = np.ones(shape) if is_norm else random.normal(0, 0.3, shape)
        if name.endswith("ssm_a"):
            data = -np.exp(data)  # A state that fades.
        if name == "output.weight":
            # So that it seldom ends by itself: most tests want an answer of some length.
            data[-len(control) :] = 0.0
        writer.add_tensor(name, data.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_header(
    writer: gguf.GGUFWriter, architecture: str, context_length: int, layers: int, name: str
) -> None:
    writer.add_name(name or f"tiny {architecture} of random weights")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(context_length)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    if architecture == "granitehybrid":
        _write_hybrid(writer, layers)
    else:
        writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10_000.0)
    if architecture != "qwen2":
        writer.add_rope_dimension_count(WIDTH // HEADS)


def _write_hybrid(writer: gguf.GGUFWriter, layers: int) -> None:
    """All layers but the last one are recurrent."""
    writer.add_head_count_kv([0] * (layers - 1) + [KV_HEADS])
    writer.add_ssm_conv_kernel(SSM_KERNEL)
    writer.add_ssm_inner_size(SSM_WIDTH)
    writer.add_ssm_state_size(SSM_STATE)
    writer.add_ssm_time_step_rank(SSM_HEADS)
    writer.add_ssm_group_count(1)
    writer.add_embedding_scale(1.0)
    writer.add_residual_scale(1.0)
    writer.add_attention_scale(1.0)
    writer.add_logit_scale(1.0)


def tiny_vocabulary(control: Sequence[str], tokenizer: Tokenizer = "bytes") -> list[str]:
    """The tokens of a tiny model, by their ids."""
    if tokenizer == "spaces":
        return ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *_PIECES, *control]
    return [*byte_characters(), *("".join(pair) for pair in _MERGES), *control]


def _write_vocabulary(
    writer: gguf.GGUFWriter, architecture: str, control: Sequence[str], tokenizer: Tokenizer
) -> int:
    tokens = tiny_vocabulary(control, tokenizer)
    types = [gguf.TokenType.NORMAL] * (len(tokens) - len(control))
    types += [gguf.TokenType.CONTROL] * len(control)
    if tokenizer == "spaces":
        types[0] = gguf.TokenType.UNKNOWN
        types[1:257] = [gguf.TokenType.BYTE] * 256
        writer.add_tokenizer_model("llama")
        writer.add_add_space_prefix(value=True)
        writer.add_token_scores([0.0] * 257 + [-float(i) for i in range(len(tokens) - 257)])
        writer.add_unk_token_id(0)
    else:
        pre = "tekken" if tokenizer == "tekken" else "qwen2" if architecture == "qwen2" else "llama-bpe"
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(pre)
        writer.add_token_merges([" ".join(pair) for pair in _MERGES])
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    marks = {text: len(tokens) - len(control) + i for i, text in enumerate(control)}
    writer.add_bos_token_id(marks.get("<|endoftext|>", marks.get("<s>", len(tokens) - 1)))
    writer.add_eos_token_id(marks.get("<|im_end|>", len(tokens) - 1))
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
        if architecture == "granitehybrid" and i < layers - 1:
            mixed = SSM_WIDTH + 2 * SSM_STATE
            block = {
                name: shape
                for name, shape in block.items()
                if not name.startswith(("attn_q", "attn_k", "attn_v", "attn_o"))
            }
            block |= {
                "ssm_in.weight": (SSM_WIDTH + mixed + SSM_HEADS, WIDTH),
                "ssm_conv1d.weight": (mixed, SSM_KERNEL),
                "ssm_conv1d.bias": (mixed,),
                "ssm_dt.bias": (SSM_HEADS,),
                "ssm_a": (SSM_HEADS, 1),
                "ssm_d": (SSM_HEADS, 1),
                "ssm_norm.weight": (1, SSM_WIDTH),
                "ssm_out.weight": (WIDTH, SSM_WIDTH),
            }
        if architecture == "qwen2":
            block |= {"attn_q.bias": (WIDTH,), "attn_k.bias": (kv,), "attn_v.bias": (kv,)}
        tensors |= {f"blk.{i}.{name}": shape for name, shape in block.items()}
    return tensors
