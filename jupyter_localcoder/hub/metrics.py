"""Numbers for Prometheus: no user, no group, no text among their labels."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from .fair_queue import FairQueue, Rank

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """The metrics of one service."""

    def __init__(self, queue: FairQueue) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "localcoder_hub_requests",
            "Requests by rank and by how they ended: `ok`, or an error code.",
            ("rank", "outcome"),
            registry=self._registry,
        )
        self.tokens = Counter(
            "localcoder_hub_tokens",
            "Tokens by model and kind: `prompt` or `completion`.",
            ("model", "kind"),
            registry=self._registry,
        )
        self.waited = self._histogram("wait_seconds", "Time in the queue.")
        self.first = self._histogram("first_piece_seconds", "Time from the start to the first piece of text.")
        self.lasted = self._histogram("answer_seconds", "Time from the start to the end of an answer.")
        running = Gauge("localcoder_hub_running", "Requests that run.", registry=self._registry)
        running.set_function(lambda: queue.running)
        waiting = Gauge("localcoder_hub_waiting", "Requests that wait.", ("rank",), registry=self._registry)
        for rank in Rank:
            waiting.labels(rank.name.lower()).set_function(partial(queue.waiting, rank))

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"localcoder_hub_{name}", text, ("rank",), buckets=_SECONDS, registry=self._registry)

    def text(self) -> bytes:
        """All of them, in Prometheus's format."""
        return generate_latest(self._registry)
