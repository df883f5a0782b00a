"""Memory that the product takes beside the model.

Server: what a Jupyter server process with the extension holds after it has served requests, less what one
without it holds that was asked as often for ``api/status``.

Worker: its resident memory, less the weights that it has mapped, the repacked weights, the KV cache and the
buffers of computation. Much of what it reserves for computing is never touched (the logits of a whole batch,
for one), so no more is taken off for these three than what is resident of the large anonymous mappings in
which they lie, and at most what `models.memory.estimate` gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.backend import PingRequest
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import Done, GenerateRequest
from jupyter_localcoder.contract.models import ModelListRequest, ModelLoadRequest
from jupyter_localcoder.contract.registry import GENERATE, MODEL_LIST, MODEL_LOAD, PING
from jupyter_localcoder.models.memory import Estimate, estimate

from . import texts
from .figure import Figure, Target, turns
from .footprint import MB, Footprint, footprint, mappings
from .server import Server
from .setting import Setting

_PAIRS = 3
_REQUESTS = 10
_PROMPT_TOKENS = 2000


@dataclass(frozen=True)
class _Served:
    """A server with the extension: before its first request, and after some; and its worker."""

    started: Footprint
    served: Footprint
    worker_loaded: float
    worker_read: float


def run(setting: Setting) -> Iterator[Figure]:
    """Measure memory."""
    ours: list[_Served] = []
    bare: list[Footprint] = []
    for pair in turns(setting.times(_PAIRS)):
        for extension in pair:
            with Server(setting.workspace, extension=extension) as server:
                if extension:
                    ours.append(_serve(setting, server))
                else:
                    bare.append(_bare(server))
    for kind in ("uss", "pss", "rss"):
        yield Figure(
            bench="memory",
            name=f"server after {_REQUESTS} requests, {kind.upper()}",
            unit="MB",
            ours=[getattr(one.served, kind) for one in ours],
            peer=[getattr(one, kind) for one in bare],
            peer_name="without the extension",
            compare="difference",
            target=Target(40.0) if kind == "uss" else None,
        )
    yield Figure(
        bench="memory",
        name="server before its first request, USS",
        unit="MB",
        ours=[one.started.uss for one in ours],
        peer=[one.uss for one in bare],
        peer_name="without the extension",
        compare="difference",
    )
    yield Figure(
        bench="memory",
        name="worker over model + KV + compute, loaded",
        unit="MB",
        ours=[one.worker_loaded for one in ours],
        target=Target(120.0),
    )
    yield Figure(
        bench="memory",
        name=f"worker over model + KV + compute, {_PROMPT_TOKENS} read",
        unit="MB",
        ours=[one.worker_read for one in ours],
        target=Target(120.0),
        note=_told(_estimate(setting)),
    )


def _bare(server: Server) -> Footprint:
    for _ in range(_REQUESTS):
        server.status()
    return footprint(server.pid)


def _serve(setting: Setting, server: Server) -> _Served:
    started = footprint(server.pid)
    with server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        worker = _worker(server)
        loaded = _over(setting, worker)
        for _ in range(_REQUESTS - 1):
            _ask(client, texts.code(1))
        client.call(MODEL_LIST, ModelListRequest())
        client.call(PING, PingRequest())
        _ask(client, texts.code(_PROMPT_TOKENS))
        return _Served(started, footprint(server.pid), loaded, _over(setting, worker))


def _ask(client: Client, code: str) -> None:
    request = GenerateRequest(
        command="explain", code=code, max_tokens=8, sampling=SamplingOptions(temperature=0.0)
    )
    with client.stream(GENERATE, request) as frames:
        if not any(isinstance(frame, Done) for frame in frames):
            raise RuntimeError("an answer without an end")


def _worker(server: Server) -> int:
    children = psutil.Process(server.pid).children()
    (pid,) = [child.pid for child in children if "jupyter_localcoder.worker" in child.cmdline()]
    return pid


def _estimate(setting: Setting) -> Estimate:
    load = setting.workspace.load
    return estimate(
        setting.workspace.model.header.shape,
        load.n_cells or load.n_ctx,
        cache_type=load.cache_type,
        n_ubatch=load.n_ubatch,
        flash_attention=load.flash_attention != "off",
        repack=load.repack,
    )


def _over(setting: Setting, pid: int) -> float:
    """Resident memory of the worker that cannot be laid to the model's account, MB."""
    need = _estimate(setting)
    buffers = (need.repacked_bytes + need.kv_bytes + need.compute_bytes + need.output_bytes) / MB
    rss = footprint(pid).rss
    found = mappings(pid, setting.workspace.model.path)
    if found is None:
        return rss - need.weights_bytes / MB - buffers
    return rss - found.file - min(buffers, found.buffers)


def _told(need: Estimate) -> str:
    parts = {
        "weights": need.weights_bytes,
        "repacked": need.repacked_bytes,
        "KV": need.kv_bytes,
        "compute": need.compute_bytes,
        "output": need.output_bytes,
    }
    return ", ".join(f"{name} {size / MB:.0f}" for name, size in parts.items()) + " MB by the estimate"
