"""The parts that several operations share: ids, sampling, usage, timings, the shape of an error.

Units stand in the names: ``_ms`` milliseconds, ``_bytes`` bytes, ``_seconds`` seconds. Counts of text
are in tokens of the loaded model unless the name says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every request: an unknown field is an error, so that a typing slip is heard."""


class Reply(Struct, frozen=True, kw_only=True):
    """Base of everything that is answered: an older client skips fields that it does not know."""


class Empty(Reply, frozen=True):
    """An answer without content."""


RESPONSE_ID = "[0-9a-f]{16}"
RESPONSE_ID_PATTERN = rf"^{RESPONSE_ID}\Z"
MODEL_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z"
ModelId = Annotated[
    str,
    Meta(
        pattern=MODEL_ID_PATTERN,
        description="Id of a model: letters, digits, dot, dash and underscore.",
    ),
]
Temperature = Annotated[float, Meta(ge=0.0, le=2.0, description="0 is greedy.")]
TopK = Annotated[int, Meta(ge=0, le=1000, description="0 switches it off.")]
TopP = Annotated[float, Meta(gt=0.0, le=1.0, description="1 switches it off.")]
MinP = Annotated[float, Meta(ge=0.0, le=1.0, description="0 switches it off.")]
RepeatPenalty = Annotated[float, Meta(ge=1.0, le=2.0, description="1 switches it off.")]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 2)]
MaxTokens = Annotated[int, Meta(ge=1, le=131072)]
FilePath = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4096,
        description="On the machine of the service. A relative one begins where Jupyter's file browser does.",
    ),
]
TimeoutMs = Annotated[int, Meta(ge=1, le=3_600_000)]
StopString = Annotated[str, Meta(min_length=1, max_length=10_240)]
StopStrings = Annotated[tuple[StopString, ...], Meta(max_length=16)]


class SamplingOptions(Request, frozen=True, kw_only=True):
    """Sampling of one request; what is absent comes from the settings.

    With a ``seed`` the prompt is computed afresh, without the cache of earlier requests: the same
    seed then gives the same text on the same machine, whatever was asked before.
    """

    temperature: Temperature | None = None
    top_k: TopK | None = None
    top_p: TopP | None = None
    min_p: MinP | None = None
    repeat_penalty: RepeatPenalty | None = None
    seed: Seed | None = None


class Sampling(Reply, frozen=True, kw_only=True):
    """The sampling that was used, seed included: enough to ask for the same again."""

    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repeat_penalty: float
    seed: int


class Usage(Reply, frozen=True, kw_only=True):
    """Tokens of one request."""

    prompt_tokens: int | None
    """Length of the whole prompt; null where another provider than the embedded one did not say. So with
    the next two."""
    cached_tokens: int | None
    """How many of them were still in the KV cache and cost nothing."""
    completion_tokens: int | None
    reasoning_tokens: int | None = None
    """How many of ``completion_tokens`` were reasoning; null where nobody counted them."""
    left_out_tokens: int = 0
    """Tokens of context that did not fit (completion only; a command never loses any)."""


class Timings(Reply, frozen=True, kw_only=True):
    """Where the time of one request went."""

    queue_ms: float
    """Waiting for the worker: for a load, or for another request."""
    prefill_ms: float
    """Reading the prompt, up to the first token; of another provider with the way there and back."""
    decode_ms: float
    """Writing the answer, from the first token on."""
    total_ms: float

    prefill_tokens_per_second: float
    """0 where nothing was left to read."""
    decode_tokens_per_second: float
    """0 for answers of fewer than two tokens."""


class ModelStamp(Reply, frozen=True, kw_only=True):
    """Which weights answered."""

    id: str
    """As its provider calls it."""
    digest: str
    """SHA-256 of the GGUF file, hexadecimal; empty where another provider than the embedded one answered."""
    quantization: str


class ErrorPayload(Reply, frozen=True, kw_only=True):
    """The form in which every error leaves the service."""

    code: str
    message: str
    recovery: str
    details: dict[str, str | int | float | bool | list[str] | None] = msgspec.field(default_factory=dict)


Severity = Literal["info", "warning", "error"]
Layer = Literal["default", "config", "settings", "environment", "command-line"]
