"""What the queue adds to each of many requests, and what it does to the server's memory.

A model of random weights that answers in milliseconds, so that what is added shows. While a long answer holds
the provider's place, a batch of short ones is queued; then that answer is cancelled, and the time to the last
end is taken. From it goes what the worker says that it spent on reading and writing; the rest, by
the number of requests, is what each of them costs more: queue, history, supervisor, pipes, events.

Memory is the server's own (USS), from when the queue remembers as many ended requests as it ever will.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import LlmCancelRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.queue import CallRequest, QueueAnswer, QueueGetRequest
from jupyter_localcoder.contract.registry import LLM_CALL, LLM_CANCEL, MODEL_LOAD, QUEUE_GET
from jupyter_localcoder.service.queue import MAX_ENDED
from tests.support.tiny_model import write_tiny_model

from .figure import Figure, Target
from .footprint import footprint
from .server import Server
from .setting import Setting
from .workspace import Workspace

_REQUESTS = 1000
_BATCH = 50
_WORD_TOKENS = 8
_WAIT_MS = 5000
"""Below the client's own patience with a question."""
_GREEDY = SamplingOptions(temperature=0.0)


@dataclass(frozen=True)
class _Batch:
    """Milliseconds of a batch, by request."""

    whole: float
    model: float

    @property
    def added(self) -> float:
        return self.whole - self.model


def run(setting: Setting) -> Iterator[Figure]:
    """Measure the queue."""
    count = setting.times(_REQUESTS)
    model = setting.workspace.folder / "tiny.gguf"
    write_tiny_model(model)
    batches: list[_Batch] = []
    memory: list[float] = []
    with (
        Workspace(str(model)) as workspace,
        Server(workspace, extension=True) as server,
        server.client() as client,
    ):
        client.call(MODEL_LOAD, ModelLoadRequest(id=workspace.model.id))
        _batch(client, 2)
        asked = 0
        while asked < count:
            size = min(_BATCH, count - asked)
            batches.append(_batch(client, size))
            asked += size
            if asked >= min(MAX_ENDED, count // 2):
                memory.append(footprint(server.pid).uss)
    yield Figure(
        bench="queue",
        name="added to a queued request",
        unit="ms",
        ours=[batch.added for batch in batches],
        target=Target(3.0),
        note=f"{count} requests in batches of {_BATCH}; {batches[-1].model:.1f} ms each are the model's own",
    )
    yield Figure(
        bench="queue",
        name="added to a queued request",
        unit="ms",
        ours=[batch.added for batch in batches],
        of="worst",
        note="the slowest batch",
    )
    yield Figure(
        bench="queue",
        name="growth of the server's memory",
        unit="MB",
        ours=[memory[-1] - memory[0]],
        target=Target(5.0),
        note=f"USS, over the last {len(memory) - 1} batches of {_BATCH}; {memory[-1]:.0f} MB at the end",
    )


def _batch(client: Client, size: int) -> _Batch:
    holder = _queue(client, "Tell a story without an end.", 4000)
    ids = [_queue(client, f"Say the number {number}.", _WORD_TOKENS) for number in range(size)]
    begin = time.perf_counter()
    client.call(LLM_CANCEL, LlmCancelRequest(id=holder))
    while not _get(client, ids[-1], _WAIT_MS).finish:
        pass
    whole = (time.perf_counter() - begin) * 1000
    timings = [_get(client, id_, 0).timings for id_ in ids]
    own = [spent.prefill_ms + spent.decode_ms for spent in timings if spent is not None]
    if len(own) != size:
        raise RuntimeError("a request of the batch was not answered")
    return _Batch(whole / size, sum(own) / size)


def _queue(client: Client, prompt: str, max_tokens: int) -> str:
    request = CallRequest(prompt=prompt, max_tokens=max_tokens, sampling=_GREEDY, keep=True)
    return client.call(LLM_CALL, request).id


def _get(client: Client, id_: str, wait_ms: int) -> QueueAnswer:
    answer = client.call(QUEUE_GET, QueueGetRequest(id=id_, wait_ms=wait_ms))
    if answer.item.error is not None:
        raise RuntimeError(f"a queued request failed: {answer.item.error.message}")
    return answer
