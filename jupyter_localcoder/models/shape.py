"""The numbers of a model that decide how much memory it takes, wherever they were read."""

from __future__ import annotations

from msgspec import Struct


class Shape(Struct, frozen=True, kw_only=True):
    """What `memory.estimate` needs to know; from a GGUF header, or from the catalogue before there is one."""

    weights_bytes: int
    """Sum of all tensors."""
    repackable_bytes: int
    """Tensors that llama.cpp copies into a layout of its own on some CPUs."""
    kv_heads_total: int
    """Heads that cache keys and values, summed over the layers."""
    heads: int
    key_length: int
    """Elements of a key of one head."""
    value_length: int
    embedding_length: int
    vocabulary: int
    tensors: int
    """How many there are."""
    recurrent_bytes: int = 0
    """State of the recurrent layers for one sequence, whatever its length."""
