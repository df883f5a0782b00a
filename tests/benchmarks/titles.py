"""How long a completion waits for a title that is being made: it should not.

Before each completion a short answer is written, which then wants a title. The completion is asked at the
moment when the title is being made, or at the same distance where titles are switched off.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.common import SamplingOptions
from jupyter_localcoder.contract.generation import CompleteRequest, Delta, Done, GenerateRequest
from jupyter_localcoder.contract.history import TitleConfigSetRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import GENERATE, MODEL_LOAD, TAB_COMPLETE, TITLE_CONFIG_SET
from jupyter_localcoder.service.titles import QUIET_SECONDS

from . import texts
from .figure import Figure, Target, turns
from .server import Server
from .setting import Setting

_PAIRS = 12
_AFTER_SECONDS = QUIET_SECONDS + 0.1
"""A title is begun when nothing was asked for `QUIET_SECONDS`, and takes longer than a tenth of a second."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure first tokens of completions."""
    ours: list[float] = []
    without: list[float] = []
    with Server(setting.workspace, extension=True) as server, server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        _answer(client, "warm")
        _first_token(client, 0)
        for i, pair in enumerate(turns(setting.times(_PAIRS))):
            for titles in pair:
                client.call(TITLE_CONFIG_SET, TitleConfigSetRequest(enabled=titles))
                _answer(client, f"{i} {titles}")
                time.sleep(_AFTER_SECONDS)
                (ours if titles else without).append(_first_token(client, i))
    yield Figure(
        bench="titles",
        name="first token of a completion, a title being made",
        unit="ms",
        ours=ours,
        peer=without,
        peer_name="no titles",
        compare="difference",
        target=Target(50.0),
        note=f"{len(ours)} warm completions, {_AFTER_SECONDS:g} s after an answer",
    )


def _answer(client: Client, name: str) -> None:
    request = GenerateRequest(
        command="prompt",
        instruction=f"{name}: name a colour.",
        max_tokens=8,
        sampling=SamplingOptions(temperature=0.0),
    )
    with client.stream(GENERATE, request) as frames:
        for _ in frames:
            pass


def _first_token(client: Client, number: int) -> float:
    """Milliseconds from the keystroke to the first text."""
    head = texts.code(300)
    prefix = head + "\ndef total_of_all_columns(rows):\n    values = [column_1(rows)," + " " * (number % 7)
    request = CompleteRequest(
        prefix=prefix, suffix="\n    return sum(values)\n", max_tokens=8, scope="titles"
    )
    begin = time.perf_counter()
    with client.stream(TAB_COMPLETE, request) as frames:
        for frame in frames:
            if isinstance(frame, Delta | Done):
                return (time.perf_counter() - begin) * 1000
    raise RuntimeError("an answer without an end")
