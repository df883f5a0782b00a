"""The service: every operation of the contract. No HTTP, no Jupyter.

Each noun is a module with one class, which is handed the parts that it needs; its methods are named after
the operations that it serves (`tab:cancel` → `tab_cancel`). A method takes its request and answers its
response; an operation that streams answers an async iterator of frames. Failures are `LocalCoderError`. All
of it runs in one event loop; what blocks goes to a thread.

`Service` owns the nouns and offers all of their operations by the same names. A new noun is a module here,
a line in the class's list and the line that makes it.
"""

from __future__ import annotations

from typing import Any

from traitlets import Float, Integer
from traitlets.config import LoggingConfigurable

from ..contract import wire
from ..downloads import Downloads
from ..events import EventHub
from ..models.store import ModelStore
from ..planning import Planner
from ..queueing.journal import Journal
from ..queueing.queue import RequestQueue
from ..queueing.record import Record
from ..runs import Runs
from ..settings import LocalCoderSettings
from ..supervisor import LoadPlan, Supervisor
from .backend import Backend
from .choice import OnlyEmbedded
from .completion import Completion
from .context import Context
from .embedded import Embedded
from .engine import Engine
from .generation import Generation
from .machine import KernelPids, Machine
from .models import Models
from .offering import offers_operations
from .queue import Queue
from .room import Room
from .settings import Settings


@offers_operations
class Service(LoggingConfigurable):
    """What the product does, for every way of reaching it."""

    backend: Backend
    models: Models
    settings: Settings
    generation: Generation
    completion: Completion
    context: Context
    queue: Queue

    max_requests = Integer(
        512,
        min=1,
        config=True,
        help="So many requests that stream may run or wait; more are answered `QUEUE_FULL`.",
    )
    completion_latency_ms = Float(
        400.0,
        min=50.0,
        config=True,
        help="Completions are sized to come within so many milliseconds, on a warm cache. Less makes them "
        "shorter, more lets them be longer.",
    )

    def __init__(
        self,
        *,
        settings: LocalCoderSettings,
        store: ModelStore,
        supervisor: Supervisor,
        events: EventHub,
        planner: Planner,
        accepted_by: str,
        kernel_pids: KernelPids = tuple,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.events = events
        self._supervisor = supervisor
        self._planner = planner
        self._downloads = Downloads(store, events, accepted_by=accepted_by)
        machine = Machine(supervisor, kernel_pids)
        room = Room(planner, supervisor, machine)
        self._engine = Engine(
            settings, supervisor, planner, room, latency_ms=lambda: self.completion_latency_ms
        )
        self._runs = Runs(self.max_requests, self._engine.remember_speed)

        requests = RequestQueue(parent=self)
        record = Record(lambda: Journal(settings.path.parent / "queue"), self.log)

        self.backend = Backend(
            settings, supervisor, planner, events, self._engine, self._runs, requests, machine
        )
        self.models = Models(settings, store, supervisor, planner, events, self._downloads, machine, room)
        self.settings = Settings(settings, store, planner, self._engine, events)
        self.generation = Generation(settings, planner, self._engine, self._runs)
        self.completion = Completion(settings, supervisor, planner, self._engine, self._runs)
        self.context = Context()
        choice = OnlyEmbedded(Embedded(store, planner, self._engine))
        self.queue = Queue(settings, requests, choice, events, self._runs, record)

    async def close(self) -> None:
        """End everything that is under way."""
        self._runs.cancel_all()
        self.completion.stop_warming()
        await self.queue.close()
        await self._downloads.close()
        await self._supervisor.close()
        self._planner.close()

    def note_loaded(self, plan: LoadPlan, loaded: wire.Loaded, hello: wire.Hello) -> None:
        """Learn from a load what this machine can do, and how fast it is."""
        self.backend.note_loaded(plan, loaded, hello)
