"""How much memory a model takes before it is loaded, and how much there is.

The formulas follow llama.cpp's allocation of its buffers, also of what it reserves and seldom touches; the
bench `estimate` holds them against real workers. Sliding-window layers are counted in full, which is the
upper bound. Nothing here knows where a model lies or which one is chosen.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ..contract.models import Fit, MemoryFit
from ..machine.free_memory import available as available
from .shape import Shape

CacheType = Literal["f16", "q8_0"]

BYTES_PER_32_VALUES: dict[CacheType, int] = {"f16": 64, "q8_0": 34}
CELLS_MULTIPLE = 256
"""llama.cpp rounds the number of cells of the KV cache up to this."""
PYTHON_BYTES = 54 * 1024 * 1024
"""The worker's interpreter with its libraries, as measured."""
VOCABULARY_BYTES = 320
"""Of each token: its text, its merges and what finds them, as measured."""
NODE_BYTES = 30 * 2 * 336
"""What llama.cpp's scheduler reserves for each node of a graph: twice a tensor for 30 inputs of a part."""
LEAST_NODES, NODES_PER_TENSOR = 1024, 8
"""Nodes of a graph that llama.cpp makes room for."""
SEQUENCES = 16
"""Sequences of the worker's context, each with a row of outputs (`worker.model.SEQUENCES`)."""
SAFE_SHARE = 0.8
"""Of the memory that is free, this share may be taken by what cannot be given back."""


class Terms(Struct, frozen=True, kw_only=True):
    """How a model would be loaded, as far as its memory depends on it."""

    context_window: int = 0
    """Tokens of one request."""
    extra_cells: int = 0
    """Cells of the KV cache beside it."""
    cache_type: CacheType = "f16"
    n_ubatch: int = 512
    flash_attention: bool = True
    repack: bool = True
    given_back_bytes: int = 0
    """What comes free before it is loaded: what the model holds that is loaded now."""

    def cells(self, trained: int) -> int:
        """Cells of the KV cache for a model that was trained for so many tokens; 0: not known."""
        window = min(self.context_window, trained) if trained else self.context_window
        return window + self.extra_cells


class Estimate(Struct, frozen=True, kw_only=True):
    """Memory of a loaded model, in bytes."""

    weights_bytes: int
    """Mapped from the file: the system can drop these pages and read them again, slowly."""
    repacked_bytes: int
    """Copies of weights in a faster layout, which take the place of the mapped ones."""
    kv_bytes: int
    compute_bytes: int
    output_bytes: int
    python_bytes: int
    """The interpreter, and the vocabulary."""

    @property
    def private_bytes(self) -> int:
        """What the system cannot take back."""
        return (
            self.repacked_bytes + self.kv_bytes + self.compute_bytes + self.output_bytes + self.python_bytes
        )

    @property
    def needed_bytes(self) -> int:
        """What must stay in memory for full speed: each weight once, and all the rest."""
        return self.weights_bytes + self.private_bytes - self.repacked_bytes


def estimate(
    shape: Shape,
    context_window: int,
    *,
    cache_type: CacheType = "f16",
    n_ubatch: int = 512,
    n_seq: int = SEQUENCES,
    flash_attention: bool = True,
    repack: bool = True,
) -> Estimate:
    """Memory that a model takes with a context window.

    Parameters
    ----------
    shape
        The numbers of the model.
    context_window
        Tokens, for all sequences together.
    cache_type
        Type of keys and values in the cache.
    n_ubatch
        Tokens computed at once.
    n_seq
        Sequences held side by side.
    flash_attention
        Without it, the attention scores of a whole batch are held.
    repack
        Whether llama.cpp may copy weights into a faster layout (`Load.repack`).

    """
    cells = -(-context_window // CELLS_MULTIPLE) * CELLS_MULTIPLE
    values = shape.kv_heads_total * (shape.key_length + shape.value_length)
    compute = 4 * n_ubatch * (shape.vocabulary + shape.embedding_length)
    if not flash_attention:
        compute = max(compute, 4 * n_ubatch * cells * (shape.heads + 1))
    graph = NODE_BYTES * max(LEAST_NODES, NODES_PER_TENSOR * shape.tensors)
    return Estimate(
        weights_bytes=shape.weights_bytes,
        repacked_bytes=shape.repackable_bytes if repack else 0,
        kv_bytes=cells * values * BYTES_PER_32_VALUES[cache_type] // 32 + n_seq * shape.recurrent_bytes,
        compute_bytes=compute + graph,
        output_bytes=4 * shape.vocabulary * n_seq,
        python_bytes=PYTHON_BYTES + VOCABULARY_BYTES * shape.vocabulary,
    )


def fit_of(
    shape: Shape | None, size_bytes: int, trained: int, terms: Terms, free: tuple[int, int]
) -> MemoryFit:
    """Whether a model fits under these terms into free and total bytes.

    Parameters
    ----------
    shape
        None where only the size of the file is known.
    trained
        Longest context that the model was trained for, in tokens; 0 where that is not known.
    """
    available_bytes = min(free[0] + terms.given_back_bytes, free[1])
    if shape is None:
        return unknown_fit(size_bytes, available_bytes)
    cells = terms.cells(trained)
    need = estimate(
        shape,
        cells,
        cache_type=terms.cache_type,
        n_ubatch=terms.n_ubatch,
        flash_attention=terms.flash_attention,
        repack=terms.repack,
    )
    return fit(need, available_bytes, free[1], context_window=cells)


def fit(need: Estimate, available_bytes: int, total_bytes: int, *, context_window: int = 0) -> MemoryFit:
    """Whether a model fits: ``fits``, ``tight`` (it loads, other programs will feel it), or not.

    `MemoryFit.needed_bytes` is what must stay in memory for full speed.
    """
    verdict: Fit
    if available_bytes <= 0:
        verdict = "unknown"
    elif need.private_bytes > SAFE_SHARE * available_bytes or need.needed_bytes > total_bytes:
        verdict = "does-not-fit"
    elif need.needed_bytes > available_bytes:
        verdict = "tight"
    else:
        verdict = "fits"
    return MemoryFit(
        fit=verdict,
        weights_bytes=need.weights_bytes,
        kv_bytes=need.kv_bytes,
        compute_bytes=need.compute_bytes,
        overhead_bytes=need.output_bytes + need.python_bytes,
        private_bytes=need.private_bytes,
        needed_bytes=need.needed_bytes,
        available_bytes=available_bytes,
        context_window=context_window,
    )


def unknown_fit(weights_bytes: int, available_bytes: int) -> MemoryFit:
    """The answer for a model of which only the size is known."""
    return MemoryFit(
        fit="unknown",
        weights_bytes=weights_bytes,
        kv_bytes=0,
        compute_bytes=0,
        needed_bytes=0,
        available_bytes=available_bytes,
    )
