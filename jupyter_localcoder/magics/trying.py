"""Try a change in a copy of the notebook, before it is offered."""

from __future__ import annotations

from typing import Any

import msgspec
from IPython.core.interactiveshell import InteractiveShell

from ..contract.common import SamplingOptions
from ..contract.generation import CHANGES, Change, GenerateRequest
from ..trial.trial import Notebook, attempt, compare
from ..trial.verdict import Verdict
from .view import View

MAX_ROUNDS = 3
"""Answers that ``--until-runs`` asks for at most."""
DRAFT_TEMPERATURE = 0.8
"""Of a draft after the first one: it must be able to differ."""
_TRYING = "Trying the code in a copy of the notebook …"


class Trials:
    """Runs code in copies of one shell, which is only read."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    def judge(self, request: GenerateRequest, change: Change, view: View | None) -> Verdict:
        """Try a change: compare it with the code before it, or run it alone if there was none.

        Parameters
        ----------
        view
            Shows progress and the verdict; None shows nothing.

        Raises
        ------
        KeyboardInterrupt
            The trial is stopped.
        """
        notebook = self._notebook()
        if request.command in CHANGES:
            return _shown(view, lambda: compare(request.code, change.code, notebook))
        return _shown(view, lambda: attempt(change.code, notebook))

    def attempt(self, code: str, view: View | None = None) -> Verdict:
        """Run code alone; parameters and errors as of `judge`."""
        return _shown(view, lambda: attempt(code, self._notebook()))

    def _notebook(self) -> Notebook:
        return Notebook.of(self._shell)


def error_of(verdict: Verdict) -> str:
    """The error of code that does not run, for a model; empty if it runs, or if that is not known."""
    if verdict.new is None or verdict.kind not in ("fails", "broken"):
        return ""
    return verdict.new.failure.traceback if verdict.new.failure else verdict.sentence


def next_request(request: GenerateRequest, change: Change, error: str, number: int) -> GenerateRequest:
    """The request after an answer that does not run: a repair of its code, or another draft.

    Parameters
    ----------
    number
        Of the answers so far, from 1.
    """
    if request.command not in CHANGES:
        return next_draft(request, number)
    return msgspec.structs.replace(
        request, code=change.code, error=error, sampling=_reseeded(request, number)
    )


def next_draft(request: GenerateRequest, number: int) -> GenerateRequest:
    """The same request for another answer; parameter as of `next_request`."""
    sampling = _reseeded(request, number)
    if sampling.temperature is None:
        sampling = msgspec.structs.replace(sampling, temperature=DRAFT_TEMPERATURE)
    return msgspec.structs.replace(request, sampling=sampling)


def _reseeded(request: GenerateRequest, number: int) -> SamplingOptions:
    sampling = request.sampling
    if sampling.seed is None:
        return sampling
    return msgspec.structs.replace(sampling, seed=(sampling.seed + number) % (2**32 - 1))


def _shown(view: View | None, act: Any) -> Verdict:
    if view is not None:
        view.trying(_TRYING)
    try:
        verdict: Verdict = act()
    except KeyboardInterrupt:
        if view is not None:
            view.verdict("The trial was stopped.", ())
        raise
    except OSError as error:
        verdict = Verdict(kind="unchecked", sentence=f"Cannot be checked: {error}.")
    if view is not None:
        view.verdict(verdict.sentence, verdict.notes)
    return verdict
