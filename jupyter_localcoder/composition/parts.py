"""Makes the parts of a service and connects them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..credentials.store import Credentials
from ..engine.memory_admission import MemoryAdmission
from ..engine.memory_usage import KernelPids, MemoryUsage
from ..engine.model_fallback import ModelFallback
from ..engine.planner import Planner
from ..engine.pool import CoexistencePolicy, WorkerPool
from ..errors import ConfigInvalid
from ..events import EventHub
from ..generation import clients
from ..generation.embedded_provider import EmbeddedProvider
from ..generation.engine_requests import EngineRequests
from ..generation.inspections import Inspections
from ..generation.runs import DoneObserver, Runs
from ..generation.slow_model_hint import SlowModelHint
from ..history import HistoryStore
from ..history.dialogue import Dialogue
from ..history.notebooks import NotebookMoves, Notebooks, PathOfKernel
from ..history.recorder import Recorder
from ..history.suggestion_counts import SuggestionLog
from ..models.jobs import Downloads
from ..models.store import ModelStore
from ..policy.fetch import fetcher
from ..policy.guard import NoPolicy, PolicyGuard, SignedPolicyGuard
from ..providers.build import Retries
from ..providers.configured import HUB, LocalCoderProviders, hub_address
from ..providers.connections import RemoteProviders
from ..providers.prices import Prices
from ..providers.registry import ProviderRegistry
from ..queueing.journal import Journal
from ..queueing.queue import RequestQueue
from ..queueing.record import Record
from ..service import Service, ServiceParts
from ..service.admission import Admission
from ..service.backend import BackendOperations
from ..service.completion import CompletionOperations
from ..service.generation import GenerationOperations
from ..service.history import HistoryOperations
from ..service.models import ModelOperations
from ..service.providers import ProviderOperations
from ..service.queue import QueueOperations
from ..service.settings import SettingsOperations
from ..service.stats import StatsOperations
from ..service.titles import TitleOperations
from ..settings import LocalCoderSettings

MakePool = Callable[[Callable[[], CoexistencePolicy | None]], WorkerPool]


@dataclass(frozen=True)
class PartsBuilder:
    """What the parts of a service are made from."""

    settings: LocalCoderSettings
    store: ModelStore
    events: EventHub
    planner: Planner
    history: HistoryStore
    credentials: Credentials
    accepted_by: str
    """The user who accepts licenses."""
    kernel_pids: KernelPids
    path_of_kernel: PathOfKernel
    root: Callable[[], Path | None]
    """Returns the folder that Jupyter serves; None where it is not on this machine's disk."""
    make_pool: MakePool
    """Makes the pool of workers, with a function that returns its `CoexistencePolicy`."""

    @property
    def _folder(self) -> Path:
        return self.settings.path.parent

    def build(self, service: Service) -> ServiceParts:
        """Make all parts; the traits of the service apply whenever they are read."""
        settings, events, planner = self.settings, self.events, self.planner
        downloads = Downloads(
            self.store, events, accepted_by=self.accepted_by, air_gap=lambda: settings.current.air_gap
        )
        pool = self.make_pool(lambda: admission)
        memory = MemoryUsage(pool, self.kernel_pids)
        admission = MemoryAdmission(planner, pool, memory, downloads.check)
        fallback = ModelFallback(self.store, planner, pool, admission, events)
        pool.on_out_of_memory.listen(fallback.failed)
        engine = self._make_engine(service, pool, fallback)
        runs = self._make_runs(service, engine)
        requests = RequestQueue(parent=service)
        providers = self._make_providers(service, engine, requests)
        inspections = Inspections()
        moves = NotebookMoves()
        recorder = Recorder(
            self.history, settings, events, service.log, clock=time.monotonic, place=moves.since
        )
        notebooks = Notebooks(recorder, moves, service.log, self.path_of_kernel)
        queue = QueueOperations(
            settings,
            requests,
            providers,
            events,
            runs,
            Record(lambda: Journal(self._folder / "queue"), service.log),
            recorder,
        )
        change_settings = SettingsOperations(
            settings, self.store, planner, fallback, engine, events, providers
        )
        titles = TitleOperations(
            settings,
            self.store,
            recorder,
            pool,
            engine,
            events,
            queue.ask,
            service.log,
            providers=providers,
            change_settings=change_settings.settings_update,
        )
        change_settings.checks.append(titles.checked)
        guard = self._make_guard()
        return ServiceParts(
            user_settings=settings,
            store=self.store,
            memory=memory,
            pool=pool,
            planner=planner,
            fallback=fallback,
            downloads=downloads,
            runs=runs,
            recorder=recorder,
            notebooks=notebooks,
            backend=BackendOperations(settings, pool, planner, events, engine, runs, requests, memory, guard),
            models=ModelOperations(
                settings, self.store, pool, planner, events, downloads, memory, admission, fallback
            ),
            settings=change_settings,
            generation=GenerationOperations(
                settings,
                planner,
                engine,
                runs,
                inspections,
                recorder,
                Dialogue(self.history, recorder.unsaved),
                notebooks,
                providers,
                self.root,
                service.instructions,
            ),
            completion=CompletionOperations(
                settings,
                pool,
                planner,
                fallback,
                engine,
                runs,
                inspections,
                service.completion_rules,
                providers,
                lambda: service.completion_heads_share,
            ),
            stats=StatsOperations(
                settings,
                SuggestionLog(self._folder / "suggestions.json"),
                lambda: service.completion_min_log_probability,
            ),
            providers=providers,
            queue=queue,
            history=HistoryOperations(recorder, events, notebooks),
            titles=titles,
            admission=Admission(guard, HUB, lambda: settings.current, providers.active),
        )

    def _make_guard(self) -> PolicyGuard:
        """Make the guard by the environment alone: files of configuration are the user's own."""
        key, url, outage = (
            os.environ.get(f"LOCALCODER_{name}", "").strip()
            for name in ("POLICY_KEY", "HUB_URL", "POLICY_OUTAGE")
        )
        if not key:
            return NoPolicy()
        if not url:
            raise ConfigInvalid("The environment variable LOCALCODER_POLICY_KEY needs LOCALCODER_HUB_URL.")
        if outage not in ("", "off", "full"):
            raise ConfigInvalid("The environment variable LOCALCODER_POLICY_OUTAGE must be `off` or `full`.")
        return SignedPolicyGuard(fetcher(hub_address(url), key), "full" if outage == "full" else "off")

    def _make_engine(self, service: Service, pool: WorkerPool, fallback: ModelFallback) -> EngineRequests:
        hint = SlowModelHint(
            self.store,
            self.events,
            tokens_per_second=lambda: service.slow_tokens_per_second,
            seconds=lambda: service.slow_seconds,
        )
        return EngineRequests(
            self.settings, pool, fallback, hint, latency_ms=lambda: service.completion_latency_ms
        )

    def _make_runs(self, service: Service, engine: EngineRequests) -> Runs:
        quotas = clients.ClientQuotas(
            lambda: service.max_requests,
            lambda: service.max_request_bytes,
            what="requests run or wait",
            retry_after_seconds=1,
        )
        return Runs(quotas, service.log, (DoneObserver(engine.remember_speed),))

    def _make_providers(
        self, service: Service, engine: EngineRequests, requests: RequestQueue
    ) -> ProviderOperations:
        listed = LocalCoderProviders(parent=service)
        configured = listed.configured(link_local=service.link_local_providers)
        registry = ProviderRegistry(self._folder / "providers.json", configured)
        remote = RemoteProviders(
            self.settings,
            registry,
            self.credentials,
            Prices(self._folder / "prices.json", configured.prices),
            service.log,
            lambda: service.link_local_providers,
            lambda: Retries(listed.retries, listed.retry_after_seconds),
        )
        return ProviderOperations(
            self.settings,
            registry,
            self.credentials,
            remote,
            EmbeddedProvider(self.store, self.planner, engine),
            self.events,
            waiting=requests.in_lane,
        )
