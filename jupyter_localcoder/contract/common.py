"""The parts that several operations share: ids, sampling, usage, timings, the shape of an error.

Names include units: ``_ms`` milliseconds, ``_bytes`` bytes, ``_seconds`` seconds. Counts of text
are in tokens of the loaded model unless the name says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every request: an unknown field is an error, so that typing errors are detected."""


class Reply(Struct, frozen=True, kw_only=True):
    """Base of every response: clients ignore unknown fields."""


class Empty(Reply, frozen=True):
    """A response without content."""


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
TopK = Annotated[int, Meta(ge=0, le=1000, description="0 disables it.")]
TopP = Annotated[float, Meta(gt=0.0, le=1.0, description="1 disables it.")]
MinP = Annotated[float, Meta(ge=0.0, le=1.0, description="0 disables it.")]
RepeatPenalty = Annotated[float, Meta(ge=1.0, le=2.0, description="1 disables it.")]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 2)]
MaxTokens = Annotated[int, Meta(ge=1, le=131072)]
FilePath = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4096,
        description="Path on the machine of the service. A relative path starts at the root of Jupyter's "
        "file browser.",
    ),
]
TimeoutMs = Annotated[int, Meta(ge=1, le=3_600_000)]
StopString = Annotated[str, Meta(min_length=1, max_length=10_240)]
StopStrings = Annotated[tuple[StopString, ...], Meta(max_length=16)]


class SamplingOptions(Request, frozen=True, kw_only=True):
    """Sampling of one request; missing values come from the settings.

    With a ``seed``, the prompt is computed without the cache of earlier requests: the same seed then gives
    the same text on the same machine, regardless of earlier requests.
    """

    temperature: Temperature | None = None
    top_k: TopK | None = None
    top_p: TopP | None = None
    min_p: MinP | None = None
    repeat_penalty: RepeatPenalty | None = None
    seed: Seed | None = None


class Sampling(Reply, frozen=True, kw_only=True):
    """The sampling parameters that were used, including the seed."""

    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repeat_penalty: float
    seed: int


class Usage(Reply, frozen=True, kw_only=True):
    """Tokens of one request."""

    prompt_tokens: int | None
    """Length of the whole prompt; null if a provider did not report it, as for the next two fields."""
    cached_tokens: int | None
    """Number of prompt tokens that were already in the KV cache."""
    completion_tokens: int | None
    reasoning_tokens: int | None = None
    """Number of ``completion_tokens`` used for reasoning; null if not counted."""
    left_out_tokens: int = 0
    """Context tokens that did not fit (completions only; a command never omits context)."""


class Timings(Reply, frozen=True, kw_only=True):
    """Timings of one request, in milliseconds."""

    queue_ms: float
    """Time spent waiting for the worker: for a load, or for another request."""
    prefill_ms: float
    """Time to process the prompt, up to the first token; for other providers including network latency."""
    decode_ms: float
    """Time to generate the answer, from the first token."""
    total_ms: float

    prefill_tokens_per_second: float
    """0 if the whole prompt was cached."""
    decode_tokens_per_second: float
    """0 for answers of fewer than two tokens."""


class ModelStamp(Reply, frozen=True, kw_only=True):
    """The model that generated an answer."""

    id: str
    """Model name at the provider."""
    digest: str
    """SHA-256 of the GGUF file, hexadecimal; empty for providers other than the embedded one."""
    quantization: str


class ErrorPayload(Reply, frozen=True, kw_only=True):
    """The format of every error response."""

    code: str
    message: str
    recovery: str
    details: dict[str, str | int | float | bool | list[str] | None] = msgspec.field(default_factory=dict)


Severity = Literal["info", "warning", "error"]
Layer = Literal["default", "config", "settings", "environment", "command-line"]
