"""What a loaded model is, in plain data: the words that the engine and its callers share.

Apart from `engine`, so that the rest of the worker can be thought about, and tested, without llama.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

SEQUENCES = 16
"""Sequences that the cache can tell apart."""


class Aborted(Exception):
    """`Engine.abort` ended the computation; the tokens of the batch are not in the cache."""


class Item(NamedTuple):
    """One token of a batch."""

    token: int
    position: int
    sequence: int
    output: bool
    """Whether its logits are wanted."""


@dataclass(frozen=True)
class ModelFacts:
    """What a loaded model is."""

    n_ctx: int
    """Longest prompt and answer together, in tokens."""
    n_cells: int
    """Cells of the cache, for all sequences together."""
    n_ctx_train: int
    n_vocab: int
    n_layers: int
    n_gpu_layers: int
    description: str
    weights_bytes: int
    chat_template: str
    """Jinja source from the GGUF; empty where it has none."""
    add_bos: bool


@dataclass(frozen=True)
class BuildFeatures:
    """What this build of llama.cpp can do here."""

    llama_cpp: str
    system_info: str
    gpu_offload: bool
    mlock: bool
