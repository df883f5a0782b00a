"""From nothing to an answer: the load of a model, and what a kept state is worth after an unload."""

from __future__ import annotations

import time
from collections.abc import Iterator

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.contract.generation import CompleteRequest, Delta, Done
from jupyter_localcoder.contract.models import ModelLoadRequest, ModelUnloadRequest
from jupyter_localcoder.contract.registry import MODEL_LOAD, MODEL_UNLOAD, TAB_COMPLETE

from . import texts
from .figure import Figure, turns
from .server import Server
from .setting import Setting

_PAIRS = 3
_PROMPT = 1000


def run(setting: Setting) -> Iterator[Figure]:
    """Measure cold starts."""
    loads: list[float] = []
    kept: list[float] = []
    cold: list[float] = []
    id_ = setting.workspace.model.id
    with Server(setting.workspace, extension=True) as server, server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=id_))
        for i, pair in enumerate(turns(setting.times(_PAIRS))):
            for remembers in pair:
                if remembers:
                    _first_text(client, "kept", i)
                client.call(MODEL_UNLOAD, ModelUnloadRequest())
                begin = time.perf_counter()
                client.call(MODEL_LOAD, ModelLoadRequest(id=id_))
                loads.append(time.perf_counter() - begin)
                client.call(MODEL_UNLOAD, ModelUnloadRequest())
                # The whole of it, with the load: what a person waits for.
                seconds = _first_text(client, "kept", i) if remembers else _first_text(client, f"new {i}", i)
                (kept if remembers else cold).append(seconds)
    yield Figure(bench="cold", name="load of a model that was loaded before", unit="s", ours=loads)
    yield Figure(
        bench="cold",
        name="first completion after an unload, same notebook",
        unit="s",
        ours=kept,
        peer=cold,
        peer_name="another notebook",
        compare="ratio",
        note=f"with the load; about {_PROMPT} tokens before the cursor; peer: a notebook not seen before",
    )


def _first_text(client: Client, scope: str, number: int) -> float:
    # Different throughout: the window before the cursor may begin anywhere.
    above = texts.code(_PROMPT).replace("column", f"{scope.replace(' ', '_')}_{number}")
    prefix = f"{above}\ndef mean_of_all(rows):\n    return "
    request = CompleteRequest(prefix=prefix, max_tokens=8, scope=scope)
    begin = time.perf_counter()
    with client.stream(TAB_COMPLETE, request) as frames:
        for frame in frames:
            if isinstance(frame, Delta | Done):
                return time.perf_counter() - begin
    raise RuntimeError("an answer without an end")
