"""Looks for a model that a setting is to name: one that is not known is refused, with those that are here."""

from __future__ import annotations

from ..errors import ModelNotFound
from .store import ModelStore

_MOST_NAMED = 20


def check_model(store: ModelStore, field: str, id_: str) -> None:
    """Whether the catalogue or this machine has a model. Reads files.

    One of the catalogue may be named before it is downloaded.

    Raises
    ------
    ModelNotFound
    """
    try:
        store.info(id_, 0)
    except ModelNotFound as failure:
        here = here_text(store)
        raise ModelNotFound(
            failure.message,
            recovery=f"{here} {failure.recovery}".strip(),
            **{**failure.details, "field": field},
        ) from None


def here_text(store: ModelStore) -> str:
    """The models that are here, as a sentence; empty where none is."""
    here = [info.id for info in store.infos(0) if info.state == "ready"]
    if not here:
        return ""
    more = len(here) - _MOST_NAMED
    named = ", ".join(f"`{id_}`" for id_ in here[:_MOST_NAMED])
    return f"On this machine: {named}" + (f" and {more} more." if more > 0 else ".")
