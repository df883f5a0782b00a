"""Several requests at once: four streams together, a completion beside a long answer, gaps while others read.

Four streams against `llama-server`, which must have been started with as many slots (``-np 4``).
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.generation import Delta, Done
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import GENERATE, MODEL_LOAD

from . import texts
from .asked import answer, first_token_ms, free_prompt
from .figure import Figure, Target, turns
from .peers.llama_server import LlamaServerPeer
from .server import Server
from .setting import Setting

_STREAMS = 4
_PAIRS = 3
_ANSWER = 128
_PROMPT = 64
_LONG_ANSWER = 4000
_LONG_PROMPT = 1000
_COMPLETIONS = 12
_SCOPE = "mixed"
_ENDLESS = "Write the numbers from 1 to 5000 in words, one per line, and nothing else."
"""What even a small model does not end by itself."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure mixed loads."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(setting.workspace, extension=True))
        client = stack.enter_context(server.client())
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        peer = LlamaServerPeer(setting.peer_url) if setting.peer_url else None
        yield _four(setting, client, peer if peer is not None and peer.slots() >= _STREAMS else None)
        yield from _completion_beside(setting, client)
        yield _gaps(setting, client)


def _four(setting: Setting, client: Client, peer: LlamaServerPeer | None) -> Figure:
    ours: list[float] = []
    theirs: list[float] = []
    for i, pair in enumerate(turns(setting.times(_PAIRS))):
        for we in pair:
            if we:
                ours.append(_together(lambda n, i=i: _write(client, f"{i} {n}")))  # type: ignore[misc]
            elif peer is not None:
                # Its own prompts differ too: each begins with another token.
                theirs.append(_together(lambda n: _peer_tokens(peer, n)))
    return Figure(
        bench="mixed",
        name="four streams at once, all tokens",
        unit="tokens/s",
        ours=ours,
        peer=theirs,
        peer_name="llama-server",
        compare="ratio" if theirs else "none",
        target=Target(1.0, at_least=True) if theirs else None,
        note="prompts are read within that time",
    )


def _together(one: Callable[[int], int]) -> float:
    """Tokens per second of four at once."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(_STREAMS) as pool:
        tokens = sum(pool.map(one, range(_STREAMS)))
    return tokens / (time.perf_counter() - begin)


def _peer_tokens(peer: LlamaServerPeer, number: int) -> int:
    peer.generate(_PROMPT + number, _ANSWER)
    return _ANSWER


def _write(client: Client, name: str) -> int:
    with client.stream(GENERATE, free_prompt(f"Request {name}. {_ENDLESS}", _ANSWER)) as frames:
        for frame in frames:
            if isinstance(frame, Done):
                if frame.finish != "length":
                    raise RuntimeError(f"an answer of {frame.usage.completion_tokens} tokens is too short")
                return frame.usage.completion_tokens
    raise RuntimeError("an answer without an end")


def _completion_beside(setting: Setting, client: Client) -> Iterator[Figure]:
    idle = [first_token_ms(client, i, scope=_SCOPE) for i in range(setting.times(_COMPLETIONS) + 1)][1:]
    busy: list[float] = []
    with _answering(client, []):
        for i in range(setting.times(_COMPLETIONS)):
            time.sleep(0.2)
            busy.append(first_token_ms(client, i + 100, scope=_SCOPE))
    yield Figure(
        bench="mixed",
        name="first token of a completion, long answer beside",
        unit="ms",
        ours=busy,
        peer=idle,
        peer_name="an idle engine",
        compare="summary ratio",
        target=Target(1.5),
        note=f"{len(busy)} warm completions; peer: the same on an idle engine",
    )


def _gaps(setting: Setting, client: Client) -> Figure:
    arrivals: list[list[float]] = []
    with _answering(client, arrivals):
        time.sleep(0.5)
        for i in range(setting.times(3)):
            answer(client, free_prompt(f"{i} {texts.code(_LONG_PROMPT)}", 4))
    gaps = [(b - a) * 1000 for seen in arrivals for a, b in itertools.pairwise(seen)]
    return Figure(
        bench="mixed",
        name="gap between tokens while a prompt is read",
        unit="ms",
        ours=gaps,
        of="worst",
        target=Target(300.0),
        note=f"of {len(gaps)} gaps; prompts of about {_LONG_PROMPT} tokens",
    )


@contextlib.contextmanager
def _answering(client: Client, arrivals: list[list[float]]) -> Iterator[None]:
    """A long answer is being written all the while.

    Parameters
    ----------
    arrivals
        Gets the times at which text came, of each answer.
    """
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            seen: list[float] = []
            arrivals.append(seen)
            with client.stream(
                GENERATE, free_prompt(f"Request {number}. {_ENDLESS}", _LONG_ANSWER)
            ) as frames:
                for frame in frames:
                    if over.is_set():
                        break
                    if isinstance(frame, Delta):
                        seen.append(time.perf_counter())

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(1.0)
    try:
        yield
    finally:
        over.set()
        writer.join()
