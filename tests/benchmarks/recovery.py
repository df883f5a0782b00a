"""Time from a SIGKILL of the worker, in mid-stream, to the first token of the next request.

With all that lies between: the server notices, starts the worker again, loads the model, reads the prompt.
Each time in a server of its own, since it is the first crash that a person meets; before the restarts after
further ones within minutes it waits (`Supervisor.backoff_first_seconds`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import Delta, GenerateRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import GENERATE, MODEL_LOAD
from jupyter_localcoder.errors import BackendUnavailable
from tests.support.jupyter_server import workers

from . import texts
from .figure import Figure, Target
from .server import Server
from .setting import Setting

_TIMES = 5
_TARGET_SECONDS = 2.0
_TARGET_MODEL_BYTES = 600_000_000
"""The target is that of a 0.5B model."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure recoveries."""
    model = setting.workspace.model
    samples = [_recover(setting) for _ in range(setting.times(_TIMES))]
    yield Figure(
        bench="recovery",
        name="SIGKILL of the worker to the next first token",
        unit="s",
        ours=samples,
        target=Target(_TARGET_SECONDS) if model.size_bytes <= _TARGET_MODEL_BYTES else None,
        note="in mid-stream; with the restart, the load and the prompt",
    )
    yield Figure(
        bench="recovery",
        name="SIGKILL of the worker to the next first token",
        unit="s",
        ours=samples,
        of="worst",
    )


def _recover(setting: Setting) -> float:
    with Server(setting.workspace, extension=True) as server, server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        (worker,) = workers(psutil.Process(server.pid))
        begin = _killed(client, worker)
        with client.stream(GENERATE, _request(8)) as frames:
            for frame in frames:
                if isinstance(frame, Delta):
                    return time.perf_counter() - begin
    raise RuntimeError("an answer without text")


def _killed(client: Client, worker: psutil.Process) -> float:
    """Kill the worker at the first token of a long answer; gives the time, once the answer has ended."""
    begin = 0.0
    try:
        with client.stream(GENERATE, _request(500)) as frames:
            for frame in frames:
                if not begin and isinstance(frame, Delta):
                    begin = time.perf_counter()
                    worker.kill()
    except BackendUnavailable:
        if begin:
            return begin
        raise
    raise RuntimeError("the answer survived its worker")


def _request(max_tokens: int) -> GenerateRequest:
    return GenerateRequest(
        command="explain",
        code=texts.code(1),
        max_tokens=max_tokens,
        sampling=SamplingOptions(temperature=0.0),
    )
