"""The service: every operation of the contract. No HTTP, no Jupyter.

Each noun is a module with one class, which is handed the parts that it needs. A method marked
`@serves(OPERATION)` takes the request of that operation and returns its response; one of an operation that
streams returns an async generator of frames. Failures are `LocalCoderError`. All of it runs in one event
loop; what blocks goes to a thread.

`composition.parts` makes the nouns, and `Service.handle` finds the method of an operation in one table
(`dispatch`). A new noun is a module here, a field of `ServiceParts`, and the lines that make it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from traitlets import Bool, CaselessStrEnum, Float, Integer, Unicode
from traitlets.config import LoggingConfigurable

from ..context.checks.gate import Rules
from ..context.heads import HEADS_SHARE
from ..contract.registry import Operation
from ..engine.memory_usage import MemoryUsage
from ..engine.model_fallback import ModelFallback
from ..engine.planner import Planner
from ..engine.pool import WorkerPool
from ..events import EventHub
from ..generation.instructions import SHIPPED, Instructions
from ..generation.instructions import load as load_instructions
from ..generation.runs import Runs
from ..generation.slow_model_hint import SLOW_SECONDS
from ..history.notebooks import Notebooks
from ..history.recorder import Recorder
from ..models.jobs import Downloads
from ..models.profiles import SLOW_TOKENS_PER_SECOND
from ..models.store import ModelStore
from ..settings import LocalCoderSettings
from .admission import Admission
from .backend import BackendOperations
from .completion import CompletionOperations
from .dispatch import handlers_of
from .generation import GenerationOperations
from .history import HistoryOperations
from .models import ModelOperations
from .providers import ProviderOperations
from .queue import QueueOperations
from .settings import SettingsOperations
from .stats import StatsOperations
from .titles import TitleOperations


@dataclass(frozen=True)
class ServiceParts:
    """What a service consists of; `composition.parts` makes them and connects them."""

    user_settings: LocalCoderSettings
    store: ModelStore
    memory: MemoryUsage
    pool: WorkerPool
    planner: Planner
    fallback: ModelFallback
    downloads: Downloads
    runs: Runs
    recorder: Recorder
    notebooks: Notebooks
    backend: BackendOperations
    models: ModelOperations
    settings: SettingsOperations
    generation: GenerationOperations
    completion: CompletionOperations
    stats: StatsOperations
    providers: ProviderOperations
    queue: QueueOperations
    history: HistoryOperations
    titles: TitleOperations
    admission: Admission

    @property
    def nouns(self) -> tuple[object, ...]:
        """Those that serve operations."""
        return (
            self.backend,
            self.models,
            self.settings,
            self.generation,
            self.completion,
            self.stats,
            self.providers,
            self.queue,
            self.history,
            self.titles,
        )


class Service(LoggingConfigurable):
    """The service with all operations, independent of the transport."""

    max_requests = Integer(
        512,
        min=1,
        config=True,
        help="Maximum number of waiting and running streaming requests; further ones fail with `QUEUE_FULL`. "
        "One user or token can occupy at most as many places as remain free; so can all kernels and "
        "terminals together, and each of them has a share of these.",
    )
    max_request_bytes = Integer(
        256 * 1024 * 1024,
        min=1,
        config=True,
        help="Maximum total size in bytes of waiting and running streaming requests; further ones fail with "
        "`QUEUE_FULL`. One user or token can use at most as many bytes as remain free; so can all kernels "
        "and terminals together, and each of them has a share of these.",
    )
    slow_tokens_per_second = Float(
        SLOW_TOKENS_PER_SECOND,
        min=0.0,
        config=True,
        help="Minimum speed in tokens per second. If a model is slower for `slow_seconds`, a lighter profile "
        "is suggested once. 0 disables the suggestion.",
    )
    slow_seconds = Float(
        SLOW_SECONDS,
        min=0.0,
        config=True,
        help="Time in seconds that a model must be slow before a lighter profile is suggested.",
    )
    link_local_providers = Bool(
        False,
        config=True,
        help="Whether providers may use link-local addresses (169.254.0.0/16, fe80::/10) or the addresses of "
        "cloud metadata services. Such services hand out keys to any client, so these addresses are "
        "refused by default; set it to True if your provider uses one.",
    )
    completion_latency_ms = Float(
        400.0,
        min=50.0,
        config=True,
        help="Target time in milliseconds for a completion with a warm cache, which limits its length. A "
        "smaller value makes completions shorter.",
    )
    completion_checks = CaselessStrEnum(
        ["off", "mark", "drop"],
        "drop",
        config=True,
        help="How to handle a completion that repeats existing code, does not parse, or names a column that "
        "the data frame does not have. off: show it. mark: trim the repetition, show the rest and mark "
        "it. drop: hide it.",
    )
    completion_min_log_probability = Float(
        -0.7,
        max=0.0,
        allow_none=True,
        config=True,
        help="Minimum log probability of an automatic completion: it ends before the token with which its "
        "probability falls below this value. A natural logarithm, at most 0 (certain); -0.7 is one in "
        "two. A lower value shows more text, and more wrong text. None disables the limit. It does not "
        "apply to completions requested with the shortcut. With `suggestion_counts`, the share of accepted "
        "suggestions moves a probability from 0.35 to 0.70 within these bounds.",
    )
    completion_heads_share = Float(
        HEADS_SHARE,
        min=0.0,
        max=0.5,
        config=True,
        help="Maximum share of the tokens before the cursor for previews of data frames, including their "
        "values. A browser sends them only if the user has turned on `dataFrameHeads` in JupyterLab's "
        "settings, which is off by default. 0 keeps them out of every prompt.",
    )

    instructions_dir = Unicode(
        "",
        config=True,
        help="Folder with files that replace the instructions of commands and chat: `system.md`, "
        "`explain.md`, `improve.md`, `fix.md`, `document.md`, `test.md` and `generate.md`, as in the "
        "package's folder `generation/instructions`. `{language}` stands for the language of the code. "
        "Empty uses those of the package.",
    )

    def __init__(
        self, *, events: EventHub, make_parts: Callable[[Service], ServiceParts], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.events = events
        parts = make_parts(self)
        self.user_settings = parts.user_settings
        self.store = parts.store
        self.memory = parts.memory
        self.pool = parts.pool
        self.planner = parts.planner
        self.fallback = parts.fallback
        self._downloads = parts.downloads
        self.runs = parts.runs
        self.recorder = parts.recorder
        self.notebooks = parts.notebooks
        self.backend = parts.backend
        self.models = parts.models
        self.settings = parts.settings
        self.generation = parts.generation
        self.completion = parts.completion
        self.stats = parts.stats
        self.providers = parts.providers
        self.queue = parts.queue
        self.history = parts.history
        self.titles = parts.titles
        self._admission = parts.admission
        self._handlers = handlers_of(parts.nouns)

    async def handle(self, operation: Operation[Any, Any], request: msgspec.Struct) -> Any:
        """Serve a request, under the settings that are in force when it comes.

        Returns the response; the frames, as an async generator, of an operation that streams.

        Raises
        ------
        LocalCoderError
            How it failed; a stream may also raise it later.
        """
        await self.settings.refresh()
        request = await self._admission.admit(operation, request)
        answer = self._handlers[operation](request)
        return answer if operation.streams else await answer

    async def close(self) -> None:
        """End everything that is under way."""
        self.runs.close()
        self.completion.close()
        await self.stats.close()
        await self.queue.close()
        await self.titles.close()
        await self.recorder.close()
        await self.providers.close()
        await self._downloads.close()
        await self.pool.close()
        self.planner.close()

    @property
    def instructions(self) -> Instructions:
        """The instructions of commands and chat, by the trait."""
        return (
            load_instructions(Path(self.instructions_dir).expanduser()) if self.instructions_dir else SHIPPED
        )

    def completion_rules(self) -> Rules:
        """How suggestions are checked, by the traits."""
        return Rules(self.completion_checks, self.stats.min_log_probability)
