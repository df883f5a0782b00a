"""`improve` of real cells, greedy: drafts from the prompt against one token after the other.

The bindings generate as many tokens from a prompt as long; which tokens those are makes no difference to
their speed. A second server without drafts shows whether drafts change an answer.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import Delta, Done, GenerateRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import GENERATE, MODEL_LOAD

from .figure import Figure, Target, turns
from .peers.bindings import BindingsPeer
from .server import Server
from .setting import Setting
from .traces import code_cells

_CELLS = 8
_CHARS = range(250, 1200)
_ANSWER = 400
_LEAST_ANSWER = 24
_TURNS = 2
"""A B, B A for each cell: one turn apiece says more of the machine's moods than of the drafts."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure editing."""
    if setting.traces is None:
        return
    cells = [cell.source for cell in code_cells(setting.traces) if len(cell.source) in _CHARS]
    step = max(1, len(cells) // setting.times(_CELLS))
    chosen = cells[::step][: setting.times(_CELLS)]
    ours: list[tuple[int, float]] = []
    theirs: list[tuple[int, float]] = []
    same = 0
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(_product(setting))
        plain = stack.enter_context(_product(setting, "--Tuning.lookup=False"))
        peer = stack.enter_context(BindingsPeer(setting.workspace.plan.load))
        for code in chosen:
            done, _ = _improve(client, code)
            usage = done.usage
            if usage.completion_tokens < _LEAST_ANSWER:
                continue
            tokens, our_seconds, their_seconds = 0, 0.0, 0.0
            for pair in turns(_TURNS):
                for we in pair:
                    if we:
                        again, seconds = _improve(client, code)
                        tokens += again.usage.completion_tokens - 1
                        our_seconds += seconds
                    else:
                        speeds = peer.generate(usage.prompt_tokens, usage.completion_tokens)
                        their_seconds += speeds.rest_seconds
            ours.append((tokens, our_seconds))
            theirs.append((_TURNS * (usage.completion_tokens - 1), their_seconds))
            same += _improve(plain, code)[0].text == done.text
    speed = [tokens / seconds for tokens, seconds in ours]
    plain_speed = [tokens / seconds for tokens, seconds in theirs]
    common = {"bench": "editing", "unit": "tokens/s", "peer_name": BindingsPeer.name}
    yield Figure(
        **common,
        name="improve, all cells together",
        ours=[_together(ours)],
        peer=[_together(theirs)],
        compare="ratio",
        target=Target(1.4, at_least=True),
        note=f"{len(ours)} cells; {same} answers are the same without drafts",
    )
    worst = min(range(len(speed)), key=lambda i: speed[i] / plain_speed[i])
    yield Figure(
        **common,
        name="improve, the worst cell",
        ours=[speed[worst]],
        peer=[plain_speed[worst]],
        compare="ratio",
        target=Target(0.97, at_least=True),
    )
    yield Figure(**common, name="improve, each cell", ours=speed, peer=plain_speed, compare="ratio")


def _together(measured: list[tuple[int, float]]) -> float:
    return sum(tokens for tokens, _ in measured) / sum(seconds for _, seconds in measured)


@contextlib.contextmanager
def _product(setting: Setting, *options: str) -> Iterator[Client]:
    with Server(setting.workspace, extension=True, options=options) as server, server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        yield client


def _improve(client: Client, code: str) -> tuple[Done, float]:
    """The answer, and seconds from its first text to its end."""
    request = GenerateRequest(
        command="improve",
        code=code,
        max_tokens=_ANSWER,
        sampling=SamplingOptions(temperature=0.0),
        private=True,  # else its title is written while the other side is measured
    )
    first: float | None = None
    with client.stream(GENERATE, request) as frames:
        for frame in frames:
            if first is None and isinstance(frame, Delta):
                first = time.perf_counter()
            if isinstance(frame, Done) and first is not None:
                return frame, time.perf_counter() - first
    raise RuntimeError("an answer without text")
