"""The facts besides types that TypeScript needs: each is declared in Python, and generated.

``typescript.render`` writes them to ``labextension/src/contract.ts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from msgspec import Struct

from .. import errors
from .common import MODEL_ID_PATTERN
from .generation import CHANGES, Command, CompleteRequest
from .history import ResponseSearchRequest, TitleConfigSetRequest, TitleSetRequest
from .notebook import NotebookCell, NotebookContext
from .provenance import METADATA_KEY, OF_OTHER_CELLS
from .providers import EMBEDDED, ProviderSaveRequest
from .queue import PLACE_PATTERN
from .settings import SettingsUpdateRequest
from .tex import DISARMED_TEX


@dataclass(frozen=True)
class Constant:
    """One fact."""

    name: str
    value: str | tuple[str, ...]
    comment: str
    """What it is, in a sentence."""
    type: str = "string"
    """Type of the items of a list; empty if the types differ."""


@dataclass(frozen=True)
class Pattern:
    """A regular expression that Python and JavaScript read alike."""

    name: str
    source: str
    comment: str


def _codes(*classes: type[errors.LocalCoderError]) -> tuple[str, ...]:
    return tuple(cls.code for cls in classes)


FACTS: tuple[Constant | Pattern, ...] = (
    Constant("COMMANDS", get_args(Command), "All commands, in the order of menus.", "Command"),
    Constant(
        "CHANGES",
        tuple(sorted(CHANGES)),
        "Commands whose answer replaces the code that was sent.",
        "Command",
    ),
    Constant(
        "DISARMED_TEX",
        DISARMED_TEX,
        "TeX commands, without the backslash, that lose their meaning in what a model writes.",
    ),
    Constant("EMBEDDED", EMBEDDED, "Id of the provider that is always there."),
    Constant("METADATA_KEY", METADATA_KEY, "Key of this extension in the metadata of a cell."),
    Constant(
        "OF_OTHER_CELLS",
        OF_OTHER_CELLS,
        "Fields of a request that hold the text of other cells; a traceback quotes their lines.",
        "",
    ),
    Constant(
        "NO_MODEL_CODES",
        _codes(errors.ModelNotReady, errors.ModelNotFound),
        "Error codes that mean: there is no model to answer.",
    ),
    Constant(
        "PASSING_CODES",
        _codes(
            errors.QueueFull,
            errors.Canceled,
            errors.Timeout,
            errors.ConnectionFailed,
            errors.BackendUnavailable,
            errors.InvalidArgument,
            errors.TokenLimitExceeded,
            errors.RunNotFound,
        ),
        "Error codes of a completion that are not shown: they pass, or the next key changes the request.",
    ),
    Constant(
        "OVER_CODES",
        _codes(errors.RequestAlreadyCompleted, errors.RequestNotFound),
        "Error codes that mean: the queued request is over already.",
    ),
    Pattern("MODEL_ID", MODEL_ID_PATTERN, "Id of a model."),
    Pattern("PLACE", PLACE_PATTERN, "A place of a prompt, with its name as the group."),
)

FORMS: tuple[type[Struct], ...] = (
    SettingsUpdateRequest,
    ProviderSaveRequest,
    TitleConfigSetRequest,
    TitleSetRequest,
    ResponseSearchRequest,
    CompleteRequest,
    NotebookContext,
    NotebookCell,
)
"""Requests whose field limits and defaults are generated for TypeScript."""
