"""Speed through the whole stack, client → Jupyter server → worker, against the same llama.cpp alone.

Decode: tokens per second between the first and the last token of an answer of at least 128, as the client
sees it. Prefill: tokens per second of a prompt of about 1,024 that nothing is cached of, from the request
to the first text at the client. Added time to the first token: what the client waits for a warm short
request, less what the worker says it spent on the prompt. Only one side computes at a time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import Delta, Done, GenerateRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import GENERATE, MODEL_LOAD

from . import texts
from .figure import Figure, Target, turns
from .peers.base import Peer
from .peers.bindings import BindingsPeer
from .peers.llama_server import LlamaServerPeer
from .server import Server
from .setting import Setting

_DECODE_PAIRS = 5
_PREFILL_PAIRS = 5
_FIRST_TOKENS = 40
_PROMPT_TOKENS = 1024
_LEAST_ANSWER = 128
_ANSWER = 160
_SEED = 1
"""A request with a seed is computed afresh, without the cache."""


@dataclass(frozen=True)
class _Seen:
    """A request as the client saw it, seconds."""

    first_seconds: float
    rest_seconds: float
    done: Done


def run(setting: Setting) -> Iterator[Figure]:
    """Measure the stack."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(setting.workspace, extension=True))
        client = stack.enter_context(server.client())
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        peers: list[Peer] = [stack.enter_context(BindingsPeer(setting.workspace.plan.load))]
        if setting.peer_url:
            peers.append(LlamaServerPeer(setting.peer_url))
        _warm_up(client, peers)
        for peer in peers:
            yield _decode(client, peer, setting.times(_DECODE_PAIRS))
        for peer in peers:
            yield _prefill(client, peer, setting.times(_PREFILL_PAIRS))
        yield from _first_token(client, max(30, setting.times(_FIRST_TOKENS)))


def _warm_up(client: Client, peers: list[Peer]) -> None:
    _ask(client, texts.code(64), 8)
    for peer in peers:
        peer.generate(64, 8)


def _ask(client: Client, code: str, max_tokens: int, *, seed: int | None = None) -> _Seen:
    request = GenerateRequest(
        command="explain",
        code=code,
        max_tokens=max_tokens,
        sampling=SamplingOptions(temperature=0.0, seed=seed),
        private=True,  # else its title is written while the other side is measured
    )
    begin = time.perf_counter()
    first: float | None = None
    with client.stream(GENERATE, request) as frames:
        for frame in frames:
            if first is None and isinstance(frame, Delta):
                first = time.perf_counter()
            if isinstance(frame, Done) and first is not None:
                return _Seen(first - begin, time.perf_counter() - first, frame)
    raise RuntimeError("an answer without text")


def _decode(client: Client, peer: Peer, pairs: int) -> Figure:
    code = texts.code(160)
    usage = _ask(client, code, _ANSWER, seed=_SEED).done.usage
    if usage.completion_tokens < _LEAST_ANSWER:
        raise RuntimeError(f"the answer has {usage.completion_tokens} tokens; {_LEAST_ANSWER} are needed")
    ours: list[float] = []
    theirs: list[float] = []
    for pair in turns(pairs):
        for we in pair:
            if we:
                seen = _ask(client, code, _ANSWER, seed=_SEED)
                # Its own count: the smallest difference in the order of sums can make another answer.
                ours.append((seen.done.usage.completion_tokens - 1) / seen.rest_seconds)
            else:
                speeds = peer.generate(usage.prompt_tokens, usage.completion_tokens)
                theirs.append((usage.completion_tokens - 1) / speeds.rest_seconds)
    name = f"decode of {usage.completion_tokens} tokens after {usage.prompt_tokens}"
    return _speed(name, ours, theirs, peer, 0.97)


def _prefill(client: Client, peer: Peer, pairs: int) -> Figure:
    code = texts.code(_PROMPT_TOKENS)
    tokens = _ask(client, code, 1, seed=_SEED).done.usage.prompt_tokens
    ours: list[float] = []
    theirs: list[float] = []
    for pair in turns(pairs):
        for we in pair:
            if we:
                ours.append(tokens / _ask(client, code, 1, seed=_SEED).first_seconds)
            else:
                theirs.append(tokens / peer.generate(tokens, 1).first_seconds)
    return _speed(f"prefill of {tokens} tokens", ours, theirs, peer, 0.95)


def _speed(name: str, ours: list[float], theirs: list[float], peer: Peer, least: float) -> Figure:
    return Figure(
        bench="stack",
        name=name,
        unit="tokens/s",
        ours=ours,
        peer=theirs,
        peer_name=peer.name,
        compare="ratio",
        target=Target(least, at_least=True) if isinstance(peer, BindingsPeer) else None,
        note=f"peer: {peer.name}",
    )


def _first_token(client: Client, times: int) -> Iterator[Figure]:
    code = texts.code(1)
    _ask(client, code, 4)
    all_seen = [_ask(client, code, 4) for _ in range(times)]
    added = [seen.first_seconds * 1000 - seen.done.timings.prefill_ms for seen in all_seen]
    queue = [seen.done.timings.queue_ms for seen in all_seen]
    yield Figure(
        bench="stack",
        name="added to the first token",
        unit="ms",
        ours=added,
        target=Target(15.0),
        note=f"of {times} warm requests; client's wait less the worker's own time for the prompt",
    )
    yield Figure(bench="stack", name="added to the first token", unit="ms", ours=added, of="p95")
    yield Figure(bench="stack", name="… of it between server and worker", unit="ms", ours=queue)
