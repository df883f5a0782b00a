"""The service: every operation of the contract. No HTTP, no Jupyter.

Each noun is a module with one class, which is handed the parts that it needs. A method marked
`@serves(OPERATION)` takes the request of that operation and returns its response; one of an operation that
streams returns an async generator of frames. Failures are `LocalCoderError`. All of it runs in one event
loop; what blocks goes to a thread.

`Service` makes the nouns, and `Service.handle` finds the method of an operation in one table (`dispatch`). A
new noun is a module here and the line that makes it.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
from traitlets import Bool, CaselessStrEnum, Float, Integer
from traitlets.config import LoggingConfigurable

from ..context.checks.gate import Rules
from ..context.heads import HEADS_SHARE
from ..contract.registry import Operation
from ..credentials.store import Credentials
from ..engine.memory_admission import MemoryAdmission
from ..engine.memory_usage import KernelPids, MemoryUsage
from ..engine.model_fallback import ModelFallback
from ..engine.planner import Planner
from ..engine.pool import WorkerPool
from ..events import EventHub
from ..generation import clients
from ..generation.embedded_provider import EmbeddedProvider
from ..generation.engine_requests import EngineRequests
from ..generation.inspections import Inspections
from ..generation.runs import DoneObserver, Runs
from ..generation.slow_model_hint import SLOW_SECONDS, SlowModelHint
from ..history import HistoryStore
from ..history.dialogue import Dialogue
from ..history.notebooks import Notebooks
from ..history.recorder import Recorder
from ..history.suggestion_counts import SuggestionLog
from ..models.jobs import Downloads
from ..models.profiles import SLOW_TOKENS_PER_SECOND
from ..models.store import ModelStore
from ..providers.build import Retries
from ..providers.configured import LocalCoderProviders
from ..providers.connections import RemoteProviders
from ..providers.prices import Prices
from ..providers.registry import ProviderRegistry
from ..queueing.journal import Journal
from ..queueing.queue import RequestQueue
from ..queueing.record import Record
from ..settings import LocalCoderSettings
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


class Service(LoggingConfigurable):
    """The service with all operations, independent of the transport."""

    max_requests = Integer(
        512,
        min=1,
        config=True,
        help="Maximum number of waiting and running streaming requests; further ones fail with `QUEUE_FULL`. "
        "One user or token can occupy at most as many places as remain free.",
    )
    max_request_bytes = Integer(
        256 * 1024 * 1024,
        min=1,
        config=True,
        help="Maximum total size in bytes of waiting and running streaming requests; further ones fail with "
        "`QUEUE_FULL`. One user or token can use at most as many bytes as remain free.",
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

    def __init__(
        self,
        *,
        settings: LocalCoderSettings,
        store: ModelStore,
        pool: WorkerPool,
        events: EventHub,
        planner: Planner,
        history: HistoryStore,
        accepted_by: str,
        credentials: Credentials,
        kernel_pids: KernelPids = tuple,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.events = events
        self._pool = pool
        self._planner = planner
        self._downloads = Downloads(
            store, events, accepted_by=accepted_by, air_gap=lambda: settings.current.air_gap
        )
        machine = MemoryUsage(pool, kernel_pids)
        room = MemoryAdmission(planner, pool, machine, self._downloads.check)
        pool.neighbours = room
        self._fallback = fallback = ModelFallback(store, planner, pool, room, events)
        pool.on_out_of_memory.listen(fallback.failed)
        self._engine = EngineRequests(
            settings,
            pool,
            fallback,
            SlowModelHint(
                store,
                events,
                tokens_per_second=lambda: self.slow_tokens_per_second,
                seconds=lambda: self.slow_seconds,
            ),
            latency_ms=lambda: self.completion_latency_ms,
        )
        shares = clients.ClientQuotas(
            lambda: self.max_requests,
            lambda: self.max_request_bytes,
            what="requests run or wait",
            retry_after_seconds=1,
        )
        self._runs = Runs(shares, self.log, (DoneObserver(self._engine.remember_speed),))

        requests = RequestQueue(parent=self)
        record = Record(lambda: Journal(settings.path.parent / "queue"), self.log)

        self.backend = BackendOperations(
            settings, pool, planner, events, self._engine, self._runs, requests, machine
        )
        self.models = ModelOperations(
            settings, store, pool, planner, events, self._downloads, machine, room, fallback
        )
        folder = settings.path.parent
        listed = LocalCoderProviders(parent=self)
        configured = listed.configured(link_local=self.link_local_providers)
        registry = ProviderRegistry(folder / "providers.json", configured)
        self.providers = ProviderOperations(
            settings,
            registry,
            credentials,
            RemoteProviders(
                settings,
                registry,
                credentials,
                Prices(folder / "prices.json", configured.prices),
                self.log,
                lambda: self.link_local_providers,
                lambda: Retries(listed.retries, listed.retry_after_seconds),
            ),
            EmbeddedProvider(store, planner, self._engine),
            events,
            waiting=requests.in_lane,
        )
        self.settings = SettingsOperations(
            settings, store, planner, fallback, self._engine, events, self.providers
        )
        inspections = Inspections()
        self._recorder = Recorder(history, settings, events, self.log, clock=time.monotonic)
        self.notebooks = Notebooks(self._recorder, self.log)
        dialogue = Dialogue(history, self._recorder.unsaved)
        self.stats = StatsOperations(
            settings,
            SuggestionLog(folder / "suggestions.json"),
            lambda: self.completion_min_log_probability,
        )
        self.completion = CompletionOperations(
            settings,
            pool,
            planner,
            fallback,
            self._engine,
            self._runs,
            inspections,
            self._completion_rules,
            self.providers,
            lambda: self.completion_heads_share,
        )
        self.generation = GenerationOperations(
            settings,
            planner,
            self._engine,
            self._runs,
            inspections,
            self._recorder,
            dialogue,
            self.notebooks,
            self.providers,
        )
        self.queue = QueueOperations(
            settings, requests, self.providers, events, self._runs, record, self._recorder
        )
        self.history = HistoryOperations(self._recorder, events, self.notebooks)
        self.titles = TitleOperations(
            settings,
            store,
            self._recorder,
            pool,
            self._engine,
            events,
            self.queue.ask,
            self.log,
            providers=self.providers,
            change_settings=self.settings.settings_update,
        )
        self.settings.checks.append(self.titles.checked)

        self._handlers = handlers_of(
            (
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
        )

    async def handle(self, operation: Operation[Any, Any], request: msgspec.Struct) -> Any:
        """Serve a request, under the settings that are in force when it comes.

        Returns the response; the frames, as an async generator, of an operation that streams.

        Raises
        ------
        LocalCoderError
            How it failed; a stream may also raise it later.
        """
        await self.settings.refresh()
        answer = self._handlers[operation](request)
        return answer if operation.streams else await answer

    async def close(self) -> None:
        """End everything that is under way."""
        self._runs.close()
        self.completion.close()
        await self.stats.close()
        await self.queue.close()
        await self.titles.close()
        await self._recorder.close()
        await self.providers.close()
        await self._downloads.close()
        await self._pool.close()
        self._planner.close()

    def _completion_rules(self) -> Rules:
        return Rules(self.completion_checks, self.stats.min_log_probability)
