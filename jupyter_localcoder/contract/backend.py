"""``backend:ping``, and the events that tell what the backend does."""

from __future__ import annotations

from typing import Literal

from .common import ErrorPayload, Reply, Request, Severity
from .policy import PolicyState

WorkerState = Literal["stopped", "starting", "loading", "ready", "busy", "unloading", "backoff", "failed"]


class PingRequest(Request, frozen=True, kw_only=True):
    """Asks nothing."""


class Speeds(Reply, frozen=True, kw_only=True):
    """Medians over the last requests of the loaded model; with none loaded, of the one that was used last.

    0 where none of these requests had enough tokens to tell.
    """

    prefill_tokens_per_second: float = 0.0
    decode_tokens_per_second: float = 0.0
    first_token_ms: float = 0.0
    first_token_p90_ms: float = 0.0
    """Nine of ten of these requests had their first token within this time."""
    requests: int = 0
    """How many requests these are; at most 50."""


class Calibration(Reply, frozen=True, kw_only=True):
    """Speeds that were measured when the model was loaded, and what completion is sized to by them."""

    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    latency_target_ms: float
    prefix_tokens: int
    """Most tokens read before the cursor."""
    suffix_tokens: int
    """Most tokens read after it."""
    completion_tokens: int
    """Most tokens written."""


class Memory(Reply, frozen=True, kw_only=True):
    """Memory in use and free, in bytes; 0 where it cannot be read."""

    worker_bytes: int
    server_bytes: int
    available_bytes: int
    """Free for new programs: the least of the machine's and the container's own limit."""
    total_bytes: int
    kernels: int = 0
    """Kernels that are open."""
    kernels_bytes: int = 0
    """What they and their child processes hold."""
    given_back_bytes: int = 0
    """Memory that is freed when the loaded model is unloaded."""


class LoadWarning(Reply, frozen=True, kw_only=True):
    """A model is loaded, but not as the settings ask for it."""

    code: Literal["GPU_NOT_USED"]
    """`GPU_NOT_USED`: it runs on the processor."""
    message: str
    """The sentence that says so, and why."""
    action: str = ""


class ResidentModel(Reply, frozen=True, kw_only=True):
    """A model with its worker."""

    model: str
    profile: str
    state: WorkerState
    reason: str
    """The sentence that says why its worker is in this state, or that it does not respond."""
    roles: tuple[Literal["code", "general"], ...] = ()
    """What it is asked for; empty where only requests that name it are answered by it."""
    context_window: int = 0
    """Tokens; 0 until it is loaded."""
    memory_bytes: int = 0
    """What its worker holds; 0 in events, and where it cannot be read."""
    warning: LoadWarning | None = None


class BackendStatus(Reply, frozen=True, kw_only=True):
    """What the backend is doing, in one look."""

    version: str
    state: WorkerState
    generation: int
    """Counts the workers that were started: events of an older one are void."""
    reason: str
    """The sentence that says why the backend is in this state, or that its worker does not respond."""
    model: str | None
    profile: str
    uptime_seconds: float
    queue_length: int
    """Requests that run or wait."""
    speeds: Speeds
    memory: Memory
    air_gap: bool
    acceleration: str
    """What the loaded model runs on: `cpu`, or `gpu` with the number of layers."""
    context_window: int
    """Tokens; 0 while no model is loaded."""
    calibration: Calibration | None = None
    """None while no model is loaded."""
    resident: tuple[ResidentModel, ...] = ()
    """All models that have a worker; the one for code first. ``state``, ``generation``, ``reason`` and
    ``model`` are those of the one that was used last, ``generation`` counts the workers of all."""
    residency: str = ""
    """The sentence that says why the models for code and for questions are not both in memory; empty where
    nothing keeps them from it."""
    engine_error: ErrorPayload | None = None
    """Why no model can be loaded in this environment: llama-cpp-python is not installed. None where it is."""
    policy: PolicyState | None = None
    """What the administrator of the hub allows. None without a hub that has a policy."""


class BackendState(Reply, frozen=True, kw_only=True):
    """Event ``backend:state``: a move of a worker's state machine, or a worker stops or begins to respond.

    It names the worker that moved; where that one has gone and another is there, the other one.
    """

    state: WorkerState
    generation: int
    reason: str
    model: str | None
    profile: str
    resident: tuple[ResidentModel, ...] = ()
    """As in ``backend:ping``."""
    residency: str = ""
    """As in ``backend:ping``."""


class Notice(Reply, frozen=True, kw_only=True):
    """Event ``notice``: a sentence that the person should see, with what can be done."""

    severity: Severity
    message: str
    action: str = ""
    try_model: str = ""
    """Model that can be loaded manually to try it again; empty if there is none."""
    use_profile: str = ""
    """Profile that is the way out; empty where none is."""
    code: str = ""
    """What it is about, such as the code of a `LoadWarning`; empty where it has none."""
