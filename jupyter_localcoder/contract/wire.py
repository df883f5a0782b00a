"""The protocol between the service and its worker process.

A frame is a length of four bytes (big-endian, unsigned), followed by MessagePack data. Both sides
refuse a frame of more than `MAX_FRAME_BYTES`. The worker speaks first, with `Hello`; a `protocol`
other than ours ends the handshake. Every later frame carries the ``id`` of the request that it belongs to.

::

    service → worker    Ping · Load · Unload · Generate · Cancel
    worker → service    Hello · Pong · LoadProgress · Loaded · Unloaded · Text · Finished · Error

Every `Ping`, `LoadFrame`, `UnloadFrame` and `GenerateFrame` has exactly one end: `Pong`; `Loaded` or `Error`;
`Unloaded`; `Finished` or `Error`. A `Cancel` has no separate response: the named request ends.
The worker leaves when its input ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

PROTOCOL = 1
MAX_FRAME_BYTES = 8 * 1024 * 1024
HEADER_BYTES = 4
EXIT_WITHOUT_ENGINE = 78
"""Exit status of a worker that cannot import llama-cpp-python; the reason is the last line that it prints."""

Priority = Literal["completion", "command", "background", "warm"]
CacheType = Literal["f16", "q8_0"]


class FrameError(Exception):
    """The stream of frames is broken: too large, cut off, or not what was agreed."""


FlashAttention = Literal["auto", "on", "off"]
CPU_UBATCH = 128
"""Maximum number of tokens that a CPU computes together: more are not faster, and use more memory."""


def attention_of(wanted: FlashAttention, cache_type: CacheType, *, on_gpu: bool) -> FlashAttention:
    """How attention is computed: `auto` is llama.cpp's choice on a GPU, and off on a processor.

    There flash attention makes steps of one token slower by a tenth, and those of a draft by half. Without it
    the values of the cache cannot be of another type than f16.
    """
    return "off" if wanted == "auto" and not on_gpu and cache_type == "f16" else wanted


def ubatch_of(tokens: int, *, on_gpu: bool) -> int:
    """Number of tokens of a batch that are computed together."""
    return tokens if on_gpu else min(tokens, CPU_UBATCH)


class _Frame(Struct, frozen=True, kw_only=True, tag=True, tag_field="t"):
    pass


class Ping(_Frame, frozen=True, kw_only=True):
    """Request a response from the worker (health check)."""

    id: int


class LoadFrame(_Frame, frozen=True, kw_only=True):
    """Load a model; the worker holds one at most."""

    id: int
    path: str
    n_ctx: int
    n_batch: int
    n_ubatch: int
    n_gpu_layers: int
    """-1: all of them."""
    n_threads: int
    """Threads for decoding; 0 lets the worker take the physical cores."""
    n_threads_batch: int
    flash_attention: FlashAttention = "auto"
    cache_type: CacheType = "f16"
    use_mmap: bool = True
    use_mlock: bool = False
    repack: bool = True
    n_cells: int = 0
    """Cells of the KV cache, for all requests together; 0: as many as ``n_ctx``, which is for one."""
    splice: bool = True
    """Move the code after the cursor instead of computing it again."""
    splice_changed_share: float = 0.25
    """Compute it again when so much before the cursor has changed."""
    costs: dict[int, float] = msgspec.field(default_factory=dict)
    """Seconds of a batch by its tokens, as measured before; empty: measure now."""
    costs_are_new: bool = False
    """Whether they were measured a moment ago: then they are believed, and nothing is measured."""
    draft_path: str = ""
    """A small model of the same vocabulary that drafts answers; empty: none."""
    state_path: str = ""
    """File that keeps what was computed over an unload; empty: nothing is kept."""
    state_bytes: int = 0
    """Largest size of that file."""
    memory_bytes: int = 0
    """Most private memory of the worker, all in all; 0: no limit."""
    builtin_chat_format: bool = False
    """Ask in the ChatML format instead of the file's own, where the model knows its marks."""

    def on(self, *, gpu: bool) -> LoadFrame:
        """The same with what was left open decided, on a machine with or without a GPU."""
        on_gpu = gpu and self.n_gpu_layers != 0
        return msgspec.structs.replace(
            self,
            flash_attention=attention_of(self.flash_attention, self.cache_type, on_gpu=on_gpu),
            n_ubatch=ubatch_of(min(self.n_ubatch, self.n_batch), on_gpu=on_gpu),
        )


class UnloadFrame(_Frame, frozen=True, kw_only=True):
    """Free everything and leave: freeing a model inside a process that stays is unreliable."""

    id: int


class Span(Struct, frozen=True):
    """Where a part of a text comes from."""

    source: str
    chars: int


class PromptTurn(Struct, frozen=True):
    """One message of a conversation."""

    role: str
    content: str
    spans: tuple[Span, ...] = ()
    """What the content is put together from, in order; empty: it is of one piece."""


class ChatPrompt(Struct, frozen=True, tag="chat"):
    """Rendered by the chat template of the GGUF; the contents never become control tokens."""

    turns: tuple[PromptTurn, ...]
    earlier_turns: int = 0
    """Number of question-answer pairs after the instructions that may be omitted, oldest first."""
    reserve_tokens: int = 0
    """Room that they leave for the answer; at most half of the window."""
    thinking: bool = True
    """False requests the template to disable reasoning; many templates ignore it."""


class OutlineItem(Struct, frozen=True):
    """A statement of a piece that is worth its place even where the piece itself does not fit."""

    text: str
    rank: int = 0
    """0 goes last where room is short."""


class ContextPiece(Struct, frozen=True):
    """Text that is read as a whole or, where it does not fit, not at all."""

    text: str
    source: str
    """What it is accounted to."""
    brief: tuple[OutlineItem, ...] = ()


SOURCE_MARKS = "control tokens"
SOURCE_BRIEF = "imports and definitions"
SOURCE_OWN = "this cell"
SOURCE_EARLIER = "earlier turns"


class FillPrompt(Struct, frozen=True, tag="fill"):
    """Fill in the middle, with the tokens of the model's family.

    The prompt contains the pieces ``above`` and the ``prefix`` before the cursor, the ``suffix`` and the
    pieces ``below`` after it. If the pieces above do not fit, a window at their end is read, preceded by
    the briefs of the omitted pieces.
    """

    prefix: str
    suffix: str
    reserve_tokens: int
    """Number of tokens reserved for the answer; text that does not fit is omitted from the start of the
    pieces above and from the end of the suffix, and reported."""
    above: tuple[ContextPiece, ...] = ()
    """Pieces before the cell: the window begins at a border between two pieces."""
    below: tuple[ContextPiece, ...] = ()
    """Pieces after the cell, nearest first."""
    shares: dict[str, float] = msgspec.field(default_factory=dict)
    """The largest share of the tokens before the cursor that a source may take; its first pieces stay."""
    prefix_tokens: int = 0
    """Most tokens before the cursor, to keep to a time; 0: what fits."""
    suffix_tokens: int = 0
    """Most tokens after the cursor; 0: a quarter of the window."""
    file: str = "notebook.py"
    """Name of the file, for the families whose prompt begins with it."""


class Draw(Struct, frozen=True, kw_only=True):
    """How the next token is drawn."""

    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repeat_penalty: float
    seed: int


class GenerateFrame(_Frame, frozen=True, kw_only=True):
    """Generate text."""

    id: int
    prompt: ChatPrompt | FillPrompt
    draw: Draw
    max_tokens: int
    stop: tuple[str, ...]
    priority: Priority
    fresh: bool = False
    """Compute the prompt without what earlier requests left in the cache."""
    scope: str = ""
    """Requests of one scope (a notebook's completion, a conversation) share a cached prefix."""
    lookup: bool = False
    """The answer is likely to repeat the prompt: draft from it."""
    confidence: bool = False
    """Report how sure the model was."""
    report: bool = False
    """Report what the model read, with the source of each part."""


class Cancel(_Frame, frozen=True, kw_only=True):
    """End the request of this id, wherever it is."""

    id: int
    reason: Literal["canceled", "timeout"] = "canceled"


class Hello(_Frame, frozen=True, kw_only=True):
    """The worker is there, and this is what it can do."""

    protocol: int
    pid: int
    version: str
    llama_cpp: str
    system_info: str
    gpu_offload: bool
    mlock: bool


class Pong(_Frame, frozen=True, kw_only=True):
    """The worker's reader is alive; so is the rest, while the counter moves."""

    id: int
    running: int
    waiting: int
    steps: int
    """Grows with each step of the inference thread."""
    rss_bytes: int
    reserved_cells: int = 0
    """Number of cache cells used by running requests."""


class LoadProgress(_Frame, frozen=True, kw_only=True):
    """Share of the weights that is there, 0 to 1."""

    id: int
    fraction: float


class Loaded(_Frame, frozen=True, kw_only=True):
    """The model is ready."""

    id: int
    n_ctx: int
    n_ctx_train: int
    n_vocab: int
    n_layers: int
    n_gpu_layers: int
    description: str
    fill_in_the_middle: bool
    chat_template: bool
    weights_bytes: int
    load_ms: float
    n_cells: int = 0
    costs: dict[int, float] = msgspec.field(default_factory=dict)
    """Seconds of a batch by its tokens."""
    restored_sequences: int = 0
    """How many were kept over an unload."""
    drafts: bool = False
    """Whether the draft model was loaded, and understands the same tokens."""


class Unloaded(_Frame, frozen=True, kw_only=True):
    """All is freed, and the worker leaves."""

    id: int


REASONING_MARKS: tuple[tuple[str, str], ...] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
"""Between these a model writes its reasoning, before the answer. A chat template may end with the first one:
the worker then writes it in front of the answer, so that the answer is self-describing."""


class Text(_Frame, frozen=True, kw_only=True):
    """The next piece of the answer: whole characters, and never the beginning of a stop string."""

    id: int
    text: str
    tokens: int
    """Tokens generated so far."""
    log_probability: float | None = None
    """Natural logarithm of the probability of all of these; None where it was not asked for."""


class Segment(Struct, frozen=True):
    """A part of the prompt that comes from one source."""

    source: str
    text: str
    """What was read of it."""
    tokens: int
    left_out: int = 0
    """Tokens of it that were not read."""
    control: bool = False
    """Whether these are control tokens, as they are spelled, and no text."""


class Finished(_Frame, frozen=True, kw_only=True):
    """The answer is complete."""

    id: int
    finish: Literal["stop", "length", "canceled", "timeout"]
    prompt_tokens: int
    cached_tokens: int
    left_out_tokens: int
    completion_tokens: int
    queue_ms: float
    prefill_ms: float
    decode_ms: float
    prompt_sha256: str
    log_probability: float | None = None
    """Natural logarithm of the probability of the answer, with its end; None where it was not asked for."""
    first_token_margin: float | None = None
    """Difference between the two highest logits of the first token."""
    left_out_turns: int = 0
    """See `ChatPrompt.earlier_turns`."""
    segments: tuple[Segment, ...] = ()
    """The whole prompt, where a report was asked for."""


class Error(_Frame, frozen=True, kw_only=True):
    """The request failed; the worker goes on."""

    id: int
    code: str
    message: str
    recovery: str = ""
    details: dict[str, str | int | float | bool | list[str] | None] = msgspec.field(default_factory=dict)


ToWorker = Ping | LoadFrame | UnloadFrame | GenerateFrame | Cancel
FromWorker = Hello | Pong | LoadProgress | Loaded | Unloaded | Text | Finished | Error

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def pack(frame: ToWorker | FromWorker) -> bytes:
    """A frame with its length in front.

    Raises
    ------
    FrameError
        It would be larger than `MAX_FRAME_BYTES`.

    """
    body = _encoder.encode(frame)
    if len(body) > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {len(body)} bytes; {MAX_FRAME_BYTES} are allowed")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def read_to_worker(read: Callable[[int], bytes]) -> ToWorker | None:
    """The next frame for the worker, or None at the end of the stream; see `_read`."""
    body = _read(read)
    return None if body is None else _decoded(_to_worker, body)


def read_from_worker(read: Callable[[int], bytes]) -> FromWorker | None:
    """The next frame of the worker, or None at the end of the stream; see `_read`."""
    body = _read(read)
    return None if body is None else _decoded(_from_worker, body)


def _decoded(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise FrameError(f"a frame that cannot be read: {failure}") from None


def _read(read: Callable[[int], bytes]) -> bytes | None:
    """Bytes of one frame from ``read(n)``, which gives n bytes, or fewer only at the end."""
    header = read(HEADER_BYTES)
    if not header:
        return None
    if len(header) < HEADER_BYTES:
        raise FrameError("the stream ended inside a frame")
    size = int.from_bytes(header, "big")
    if size > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {size} bytes; {MAX_FRAME_BYTES} are allowed")
    body = read(size)
    if len(body) < size:
        raise FrameError("the stream ended inside a frame")
    return body
