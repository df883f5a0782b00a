"""Switching between two models: from the request to the first text of its completion.

Every request asks for the other model than the loaded one, in the same notebook. *Cold*: the first
time for each model, which has read nothing yet. *Kept*: later, when it takes up what it had read.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from traitlets.config import Config

from jupyter_localcoder.client.base import Client
from jupyter_localcoder.client.local import LocalClient
from jupyter_localcoder.contract.generation import CompleteRequest, Delta, Done
from jupyter_localcoder.contract.models import ModelImportRequest
from jupyter_localcoder.contract.registry import MODEL_IMPORT, TAB_COMPLETE

from . import texts
from .figure import Figure
from .setting import Setting

_ROUNDS = 4
_CODE_TOKENS = 600
_MOST_TOKENS = 12


@dataclass(frozen=True)
class _Switched:
    seconds: float
    cached_tokens: int


def run(setting: Setting) -> Iterator[Figure]:
    """Measure; without another model there is nothing to switch to."""
    if setting.other_model is None:
        print("switch    | left out: it needs --other-model FILE", file=sys.stderr)
        return
    models = (setting.workspace.model.id, "other")
    with LocalClient(_config(setting)) as client:
        client.call(MODEL_IMPORT, ModelImportRequest(path=str(setting.other_model), id="other", link=True))
        rounds = [[_ask(client, model) for model in models] for _ in range(1 + setting.times(_ROUNDS))]
    names = (setting.workspace.model.id, setting.other_model.stem)
    for i, name in enumerate(names):
        cold, *kept = (one[i] for one in rounds)
        yield Figure(
            bench="switch",
            name=f"to {name}, kept, until its completion",
            unit="s",
            ours=[one.seconds for one in kept],
            peer=[cold.seconds] * len(kept),
            peer_name="cold",
            compare="ratio",
            note=f"{min(one.cached_tokens for one in kept)} tokens kept",
        )


def _config(setting: Setting) -> Config:
    folder: Path = setting.workspace.folder
    return Config(
        {
            "LocalCoderSettings": {"settings_dir": str(folder / "switch")},
            "ModelStore": {"models_dir": str(folder / "models")},
        }
    )


def _ask(client: Client, model: str) -> _Switched:
    request = CompleteRequest(
        prefix=texts.code(_CODE_TOKENS) + "\ndef total(rows):\n    return ",
        suffix="\n",
        multiline=False,
        max_tokens=_MOST_TOKENS,
        model=model,
        scope="notebook",
    )
    begin, first = time.perf_counter(), 0.0
    with client.stream(TAB_COMPLETE, request) as frames:
        for frame in frames:
            if not first and isinstance(frame, Delta | Done):
                first = time.perf_counter() - begin
            if isinstance(frame, Done):
                return _Switched(first, frame.usage.cached_tokens or 0)
    raise RuntimeError("a completion without an end")
