"""How long a completion waits for a title that is being made: it should not.

Before each completion a short answer is written, which then wants a title. The completion is asked at the
moment when the title is being made, or at the same distance where titles are switched off.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from jupyter_localcoder.contract.generation import GenerateRequest
from jupyter_localcoder.contract.history import TitleConfigSetRequest
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import MODEL_LOAD, TITLE_CONFIG_SET
from jupyter_localcoder.service.titles import QUIET_SECONDS

from .asked import answer, first_token_ms, free_prompt
from .figure import Figure, Target, turns
from .server import Server
from .setting import Setting

_PAIRS = 12
_SCOPE = "titles"
_AFTER_SECONDS = QUIET_SECONDS + 0.1
"""A title is begun when nothing was asked for `QUIET_SECONDS`, and takes longer than a tenth of a second."""


def run(setting: Setting) -> Iterator[Figure]:
    """Measure first tokens of completions."""
    ours: list[float] = []
    without: list[float] = []
    with Server(setting.workspace, extension=True) as server, server.client() as client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        answer(client, _colour("warm"))
        first_token_ms(client, 0, scope=_SCOPE)
        for i, pair in enumerate(turns(setting.times(_PAIRS))):
            for titles in pair:
                client.call(TITLE_CONFIG_SET, TitleConfigSetRequest(enabled=titles))
                answer(client, _colour(f"{i} {titles}"))
                time.sleep(_AFTER_SECONDS)
                (ours if titles else without).append(first_token_ms(client, i, scope=_SCOPE))
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


def _colour(name: str) -> GenerateRequest:
    return free_prompt(f"{name}: name a colour.", 8, private=False)
