"""What a person can do with a model in the state that it is in. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..contract.words import ModelAction
from .known import KnownModel

FETCHING: frozenset[ModelAction] = frozenset({"download", "resume", "retry", "update"})
STOPPING: frozenset[ModelAction] = frozenset({"pause", "stop", "discard", "unload"})
"""What ends something must work while that goes on."""

ENDING: frozenset[ModelAction] = frozenset({"discard", "update", "verify", "use-code", "use-general"})
"""What is not offered any more once it was done."""


class Actions(NamedTuple):
    """What is offered with a model, and what with its details."""

    first: tuple[ModelAction, ...]
    more: tuple[ModelAction, ...] = ()


def actions_of(model: KnownModel) -> Actions:
    """What can be done with a model now."""
    info = model.info
    if model.progress is not None and model.progress.activity:
        return Actions(("pause", "discard") if model.progress.activity == "download" else ("stop",))
    if info.state == "ready":
        return Actions(("unload" if info.loaded or model.loading else "load",), _installed(model))
    if info.state == "error":
        if info.origin == "catalogue":
            return Actions(("retry",), ("verify", "discard" if info.received_bytes else "delete"))
        return Actions(("verify",), ("delete",))
    return Actions(("resume", "discard") if info.received_bytes else ("download",))


def _installed(model: KnownModel) -> tuple[ModelAction, ...]:
    info = model.info
    offered: list[tuple[ModelAction, bool]] = [
        ("use-code", not model.for_code),
        ("use-general", not model.for_general),
        ("update", info.update is not None and not info.pinned),
        ("verify", True),
        ("export", True),
        ("pin", not info.pinned and info.origin == "catalogue"),
        ("unpin", info.pinned),
        ("delete", True),
    ]
    return tuple(action for action, wanted in offered if wanted)
