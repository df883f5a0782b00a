"""llama.cpp as this worker needs it: the only module that imports ``llama_cpp``.

It wraps the low-level API (the C functions), since the high-level one hides what matters here: which
tokens are control tokens, what stays in the KV cache, and how a computation is aborted. It knows
nothing of requests, prompts or frames.

Position ``i`` of a sequence is the KV cell of its ``i``-th token. All token lists are lists of ids.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import functools
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import llama_cpp.llama_cpp as native
import numpy as np

from ..contract.fill_tokens import ModelIdentity
from ..contract.wire import Draw, LoadFrame
from ..errors import (
    Canceled,
    InvalidModel,
    OutOfMemory,
    UnknownError,
    UnsupportedModel,
    mentions_memory,
)
from ..machine import processors
from .model import SEQUENCES, Aborted, BuildFeatures, Item, ModelFacts

_ABORTED = 2
_NO_ROOM = 1
_ALLOCATION_FAILED = -2
_PENALTY_LAST_N = 256
"""How far back the repetition penalty looks, in tokens."""

_FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
_CACHE_TYPES = {"f16": 1, "q8_0": 8}
_LOUD = (3, 4)
"""GGML_LOG_LEVEL_WARN and GGML_LOG_LEVEL_ERROR; what is below is only kept to explain a failure."""
_UNKNOWN = re.compile(r"unknown (model architecture|pre-tokenizer type|tokenizer): '([^'\n]{1,64})'")
"""What llama.cpp says of a model that is newer than itself."""


class _Log:
    """Takes llama.cpp's log: warnings go on to stderr, the last lines are kept to explain a failure.

    The callback must stay referenced for as long as the process lives, or llama.cpp calls into freed
    memory; so there is one, made when the process starts.
    """

    def __init__(self) -> None:
        self.last: collections.deque[str] = collections.deque(maxlen=80)
        self._callback = native.llama_log_callback(self._on_log)
        native.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _on_log(self, level: int, text: bytes, _data: object) -> None:
        line = text.decode("utf-8", "replace")
        self.last.append(line)
        if level in _LOUD:
            with contextlib.suppress(OSError):
                os.write(2, text)

    def mentions_memory(self) -> bool:
        """Whether the last lines complain of memory."""
        return mentions_memory("".join(self.last))


class _AbortFlag:
    """One byte that llama.cpp looks at between two nodes of its graph.

    The callback is called hundreds of times for each token, so it must not be Python: each call would
    take the interpreter's lock. The C library's ``strlen`` has just the shape that is wanted, a pointer
    to bytes in and "is there anything" out, so it serves as the callback: an empty string goes on, a
    string of one character aborts.
    """

    def __init__(self) -> None:
        libc = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
        self._flag = ctypes.create_string_buffer(2)
        self.callback = ctypes.cast(libc.strlen, native.ggml_abort_callback)
        self.data = ctypes.cast(self._flag, ctypes.c_void_p)

    def set(self) -> None:
        self._flag[0] = b"\x01"

    def clear(self) -> None:
        self._flag[0] = b"\x00"

    def is_set(self) -> bool:
        return self._flag[0] != b"\x00"


def set_fields(struct: ctypes.Structure, **values: Any) -> None:
    """Set fields of one of llama.cpp's structs.

    ctypes takes any name without an error, and llama.cpp would never see the value of one that its struct
    no longer has.

    Raises
    ------
    UnknownError
        The installed llama-cpp-python has no such field.
    """
    known = {field[0] for field in struct._fields_}
    missing = sorted(values.keys() - known)
    if missing:
        raise UnknownError(
            f"The installed version of llama-cpp-python is not supported: `{type(struct).__name__}` has no "
            f"field {', '.join(f'`{name}`' for name in missing)}.",
            recovery="Reinstall jupyter_localcoder, which brings the version that it supports.",
        )
    for name, value in values.items():
        setattr(struct, name, value)


def _logits(context: Any, index: int, n_vocab: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits after item ``index`` of the last batch, where llama.cpp has them: (n_vocab,)."""
    return np.ctypeslib.as_array(native.llama_get_logits_ith(context, index), shape=(n_vocab,))


class Sampler:
    """Draws tokens from logits.

    The chain has llama.cpp's own order: penalties, top-k, top-p, min-p, temperature, draw. What is
    switched off is not in it; temperature 0 is greedy.
    """

    def __init__(self, context: Any, vocab: Any, draw: Draw) -> None:
        params = native.llama_sampler_chain_default_params()
        set_fields(params, no_perf=True)
        self._context = context
        self._n_vocab = native.llama_vocab_n_tokens(vocab)
        self._greedy = draw.temperature <= 0.0 and draw.repeat_penalty == 1.0
        self._chain = native.llama_sampler_chain_init(params)
        for link in _links(vocab, draw):
            native.llama_sampler_chain_add(self._chain, link)

    def sample(self, index: int) -> int:
        """Draw the token that follows item ``index`` of the last batch, and remember it."""
        if self._greedy:
            # The same token, without the list of candidates that the chain makes of the whole vocabulary.
            return int(_logits(self._context, index, self._n_vocab).argmax())
        return int(native.llama_sampler_sample(self._chain, self._context, index))

    def close(self) -> None:
        """Free it."""
        if self._chain is not None:
            native.llama_sampler_free(self._chain)
            self._chain = None


def _links(vocab: Any, draw: Draw) -> Iterator[Any]:
    if draw.repeat_penalty != 1.0:
        n_vocab = native.llama_vocab_n_tokens(vocab)
        yield native.llama_sampler_init_penalties(n_vocab, _PENALTY_LAST_N, draw.repeat_penalty, 0.0, 0.0)
    if draw.temperature <= 0.0:
        yield native.llama_sampler_init_greedy()
        return
    if draw.top_k > 0:
        yield native.llama_sampler_init_top_k(draw.top_k)
    if draw.top_p < 1.0:
        yield native.llama_sampler_init_top_p(draw.top_p, 1)
    if draw.min_p > 0.0:
        yield native.llama_sampler_init_min_p(draw.min_p, 1)
    yield native.llama_sampler_init_temp(draw.temperature)
    yield native.llama_sampler_init_dist(draw.seed)


def _may_crash_when_repacked() -> bool:
    """Whether llama.cpp would put weights into the layout of the processor's AMX unit.

    Builds by some compilers crash at the first computation then, on processors that have the unit
    (llama.cpp's issue 20824, not mended there). Other layouts cannot be chosen apart from it.
    """
    return b"AMX_INT8 = 1" in native.llama_print_system_info()


class Engine:
    """One model in one context; `load` fills it once.

    Parameters
    ----------
    beside
        Another engine of this process: `abort` and `arm` of either are for both.
    """

    def __init__(self, beside: Engine | None = None) -> None:
        # The log is of the process, and one abort ends what either of two engines computes.
        self._log: _Log = beside._log if beside is not None else _Log()
        self._abort: _AbortFlag = beside._abort if beside is not None else _AbortFlag()
        self._model: Any = None
        self._context: Any = None
        self._vocab: Any = None
        self._memory: Any = None
        self._batch: Any = None
        self._batch_size = 0
        self._n_vocab = 0
        self._pieces: dict[int, bytes] = {}
        self.threads = 1
        """Threads of a computation; `use_threads` changes them."""
        native.llama_backend_init()

    # The machine and the model

    def machine(self) -> BuildFeatures:
        """Describe the build."""
        from llama_cpp import __version__ as version

        return BuildFeatures(
            llama_cpp=version,
            system_info=native.llama_print_system_info().decode("utf-8", "replace"),
            gpu_offload=bool(native.llama_supports_gpu_offload()),
            mlock=bool(native.llama_supports_mlock()),
        )

    def load(self, plan: LoadFrame, progress: Callable[[float], None]) -> ModelFacts:
        """Load a model and make its context.

        Raises
        ------
        OutOfMemory, InvalidModel, Canceled
            The last one when `abort` was called meanwhile.
        """
        self._log.last.clear()
        self._abort.clear()
        self._load_weights(plan, progress)
        self._make_context(plan)
        return self._facts(plan)

    def _load_weights(self, plan: LoadFrame, progress: Callable[[float], None]) -> None:
        last = 0.0

        def report(fraction: float, _data: object) -> bool:
            nonlocal last
            now = time.monotonic()
            if now - last > 0.2 or fraction >= 1.0:
                last = now
                progress(fraction)
            return not self._abort.is_set()

        params = native.llama_model_default_params()
        callback = native.llama_progress_callback(report)
        set_fields(
            params,
            n_gpu_layers=plan.n_gpu_layers,
            load_mode=int(plan.use_mmap) + 2 * int(plan.use_mlock),  # LLAMA_LOAD_MODE_*
            use_extra_bufts=plan.repack and not _may_crash_when_repacked(),
            progress_callback=callback,
        )
        model = native.llama_model_load_from_file(os.fsencode(plan.path), params)
        if not model:
            if self._abort.is_set():
                raise Canceled("The load was cancelled.")
            raise self._load_failure("weights", plan)
        self._model = model
        self._vocab = native.llama_model_get_vocab(model)

    def _make_context(self, plan: LoadFrame) -> None:
        plan = plan.on(gpu=bool(native.llama_supports_gpu_offload()))
        params = native.llama_context_default_params()
        threads = plan.n_threads or processors.available().threads
        set_fields(
            params,
            n_ctx=plan.n_cells or plan.n_ctx,
            # All sequences in one cache: cells can then be shared between them, and moved.
            kv_unified=True,
            n_seq_max=SEQUENCES,
            n_batch=plan.n_batch,
            n_ubatch=plan.n_ubatch,
            n_threads=threads,
            n_threads_batch=plan.n_threads_batch or threads,
            flash_attn_type=_FLASH_ATTENTION[plan.flash_attention],
            type_k=_CACHE_TYPES[plan.cache_type],
            type_v=_CACHE_TYPES[plan.cache_type],
            offload_kqv=plan.n_gpu_layers != 0,
            op_offload=plan.n_gpu_layers != 0,
            abort_callback=self._abort.callback,
            abort_callback_data=self._abort.data,
            no_perf=True,
        )
        context = native.llama_init_from_model(self._model, params)
        if not context:
            raise self._load_failure("context", plan)
        self._context = context
        self.threads = threads
        self._memory = native.llama_get_memory(context)
        self._batch_size = plan.n_batch
        self._n_vocab = native.llama_vocab_n_tokens(self._vocab)
        self._batch = native.llama_batch_init(plan.n_batch, 0, 1)

    def _load_failure(self, what: str, plan: LoadFrame) -> Exception:
        if self._log.mentions_memory():
            return OutOfMemory(stage=what)
        unknown = _UNKNOWN.search("".join(self._log.last))
        if unknown is not None:
            build, (kind, name) = self.machine().llama_cpp, unknown.groups()
            message = f"The installed llama-cpp-python {build} does not support the {kind} `{name}`."
            return UnsupportedModel(message, stage=what)
        reason = next((line.strip() for line in self._log.last if "error" in line.lower()), "")
        # llama.cpp names the file in its sentences; a path does not belong into an answer.
        reason = reason.replace(plan.path, "the file").split("loading model: ")[-1][:200]
        return InvalidModel(f"llama.cpp cannot load the {what} of this model. {reason}".strip(), stage=what)

    def _facts(self, plan: LoadFrame) -> ModelFacts:
        layers = native.llama_model_n_layer(self._model)
        template = native.llama_model_chat_template(self._model, None)
        offered = plan.n_gpu_layers if plan.n_gpu_layers >= 0 else layers + 1
        description = ctypes.create_string_buffer(256)
        native.llama_model_desc(self._model, description, 256)
        return ModelFacts(
            n_ctx=min(plan.n_ctx, native.llama_n_ctx(self._context)),
            n_cells=native.llama_n_ctx(self._context),
            n_ctx_train=native.llama_model_n_ctx_train(self._model),
            n_vocab=native.llama_vocab_n_tokens(self._vocab),
            n_layers=layers,
            n_gpu_layers=min(offered, layers + 1) if native.llama_supports_gpu_offload() else 0,
            description=description.value.decode("utf-8", "replace"),
            weights_bytes=native.llama_model_size(self._model),
            chat_template=template.decode("utf-8", "replace") if template else "",
            add_bos=bool(native.llama_vocab_get_add_bos(self._vocab)),
        )

    # Vocabulary

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of a text. Only with ``special`` may control tokens arise from what it says."""
        # A lone surrogate (half of an emoji, cut by an editor) has no UTF-8 form.
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        out = (native.llama_token * room)()
        count = native.llama_tokenize(self._vocab, data, len(data), out, room, False, special)
        if count < 0:
            out = (native.llama_token * -count)()
            count = native.llama_tokenize(self._vocab, data, len(data), out, -count, False, special)
        return list(out[:count])

    def tokenize_inside(self, text: str) -> list[int]:
        """Token ids of a text that continues another one: without the space that some vocabularies add."""
        if not self._adds_space:
            return self.tokenize(text)
        # No token begins inside of a line end and goes on after it.
        head, tokens = self.tokenize("\n"), self.tokenize(f"\n{text}")
        return tokens[len(head) :]

    @functools.cached_property
    def _adds_space(self) -> bool:
        """Whether a text is read as if a space stood before it (SentencePiece)."""
        tokens = self.tokenize("a")
        return bool(tokens) and self.token_text(tokens[0]).startswith("▁")

    @functools.cached_property
    def identity(self) -> ModelIdentity:
        """What the model says of its origin."""
        return ModelIdentity(
            self._metadata("general.architecture"),
            self._metadata("general.name"),
            self._metadata("tokenizer.ggml.pre"),
        )

    def _metadata(self, key: str) -> str:
        """A text of the model's header, up to its first 255 bytes; empty where it has none."""
        buffer = ctypes.create_string_buffer(256)
        length = native.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""

    def piece(self, token: int) -> bytes:
        """Bytes of one token, possibly a part of a character; empty for a control token."""
        known = self._pieces.get(token)
        if known is not None:
            return known
        size = 64
        buffer = ctypes.create_string_buffer(size)
        length = native.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
        if length < 0:
            size = -length
            buffer = ctypes.create_string_buffer(size)
            length = native.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
        piece = buffer.raw[:length]
        self._pieces[token] = piece
        return piece

    def token_text(self, token: int) -> str:
        """Spelling of a token in the vocabulary; empty for none (-1)."""
        if token < 0:
            return ""
        text = native.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace") if text else ""

    def control_token(self, text: str) -> int:
        """Id of the control token that is spelled like this, or -1."""
        ids = self.tokenize(text, special=True)
        if len(ids) == 1 and native.llama_vocab_is_control(self._vocab, ids[0]):
            return ids[0]
        return -1

    def is_end(self, token: int) -> bool:
        """Whether the model says with this token that it is done."""
        return bool(native.llama_vocab_is_eog(self._vocab, token))

    def is_control(self, token: int) -> bool:
        """Whether this token is a mark and not text."""
        return bool(native.llama_vocab_is_control(self._vocab, token))

    @property
    def bos(self) -> int:
        """Token that begins a text, or -1."""
        return int(native.llama_vocab_bos(self._vocab))

    @property
    def eos(self) -> int:
        """Token that ends a text, or -1."""
        return int(native.llama_vocab_eos(self._vocab))

    @property
    def fill_tokens(self) -> tuple[int, int, int]:
        """Prefix, suffix and middle token of the GGUF; -1 where it has none."""
        return (
            int(native.llama_vocab_fim_pre(self._vocab)),
            int(native.llama_vocab_fim_suf(self._vocab)),
            int(native.llama_vocab_fim_mid(self._vocab)),
        )

    # The cache. Position ``i`` of a sequence is the cell of its ``i``-th token; sequences may share cells.

    def remove(self, sequence: int, start: int = 0, end: int = -1) -> bool:
        """Take a sequence off its cells from ``start`` to before ``end`` (-1: to the last).

        Returns
        -------
        bool
            False where this model cannot forget a part (recurrent ones): the sequence is then empty.

        """
        if native.llama_memory_seq_rm(self._memory, sequence, start, end):
            return True
        native.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return False

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        """Let a second sequence share cells of a first one, which costs no memory and no time."""
        native.llama_memory_seq_cp(self._memory, source, target, start, end)

    def shift(self, sequence: int, start: int, end: int, by: int) -> None:
        """Move cells to other positions; their keys are rotated with the next `decode`."""
        native.llama_memory_seq_add(self._memory, sequence, start, end, by)

    @property
    def can_shift(self) -> bool:
        """Whether this model's cells can be moved."""
        return self.can_take_back and bool(native.llama_memory_can_shift(self._memory))

    @functools.cached_property
    def can_take_back(self) -> bool:
        """Whether a part of a sequence can be forgotten, shared or moved.

        A recurrent layer has one state for all that was read, and llama.cpp says that it can be moved.
        """
        recurrent = native.llama_model_is_recurrent(self._model) or native.llama_model_is_hybrid(self._model)
        return not recurrent

    def clear(self) -> None:
        """Forget all sequences."""
        native.llama_memory_clear(self._memory, False)

    def length(self, sequence: int) -> int:
        """Position after the last cell of a sequence; 0 for an empty one."""
        return int(native.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def save(self, sequence: int) -> bytes:
        """Copy the cells of a sequence out of the cache."""
        size = native.llama_state_seq_get_size(self._context, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = native.llama_state_seq_get_data(self._context, buffer, size, sequence)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: int, state: bytes) -> bool:
        """Put cells that `save` has copied into a sequence; False where they do not fit this context."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        return bool(native.llama_state_seq_set_data(self._context, buffer, len(state), sequence))

    # The computation

    @property
    def batch_size(self) -> int:
        """Most tokens of one `decode`."""
        return self._batch_size

    def decode(self, items: Sequence[Item]) -> None:
        """Compute a batch. The logits of the items that ask for them can be sampled afterwards.

        Raises
        ------
        Aborted
            By `abort`. Some of the tokens may be in the cache; `length` says which.
        OutOfMemory
            The cache has no room, and nothing is changed; or there is no memory for the computation.

        """
        batch = self._batch
        batch.n_tokens = len(items)
        for i, item in enumerate(items):
            batch.token[i] = item.token
            batch.pos[i] = item.position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = item.sequence
            batch.logits[i] = item.output
        self._log.last.clear()  # What a load has said of memory is no reason of this batch.
        code = native.llama_decode(self._context, batch)
        if code == 0:
            return
        if code == _ABORTED:
            raise Aborted
        if code == _NO_ROOM:
            raise OutOfMemory("The context window is full.", stage="cells")
        if code == _ALLOCATION_FAILED or self._log.mentions_memory():
            raise OutOfMemory("Memory ran out while the model was computing.", stage="compute")
        raise UnknownError(f"llama.cpp could not compute a batch (code {code}).")

    def use_threads(self, count: int) -> None:
        """Compute with so many threads from the next `decode` on."""
        self.threads = count
        native.llama_set_n_threads(self._context, count, count)

    def abort(self) -> None:
        """End the running computation, from any thread, within the time of one graph node."""
        self._abort.set()

    def arm(self) -> None:
        """Take an `abort` back, before a new computation."""
        self._abort.clear()

    def log_probabilities(self, index: int, tokens: Sequence[int]) -> tuple[list[float], float]:
        """Natural log-probabilities of tokens after item ``index`` of the last batch, and the margin.

        Returns
        -------
        tuple
            Those of ``tokens``, and by how much the likeliest token leads before the second.

        """
        logits = self._logits(index)
        top = float(logits.max())
        norm = top + math.log(float(np.exp(logits - top).sum()))
        return [float(logits[token]) - norm for token in tokens], self.likeliest(index)[1]

    def likeliest(self, index: int) -> tuple[int, float]:
        """The likeliest token after item ``index`` of the last batch, and by how many logits it leads."""
        logits = self._logits(index)
        best = int(logits.argmax())
        top = float(logits[best])
        # A tenth of the time that a partition of the vocabulary takes.
        logits[best] = -math.inf
        second = float(logits.max())
        logits[best] = top
        return best, top - second

    def _logits(self, index: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        return _logits(self._context, index, self._n_vocab)

    def sampler(self, draw: Draw) -> Sampler:
        """Make a sampler; `Sampler.close` frees it."""
        return Sampler(self._context, self._vocab, draw)
