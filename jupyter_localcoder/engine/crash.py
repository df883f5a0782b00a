"""What is known of the crash of a worker, and what the user and the requests are told."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BackendUnavailable, LocalCoderError, OutOfMemory
from .crash_cause import SENTENCES, Verdict
from .load_plan import LoadPlan
from .process import WorkerExit


@dataclass(frozen=True)
class Crash:
    """The end of a worker that nobody asked for."""

    how: WorkerExit
    verdict: Verdict
    """Whether memory was the cause."""
    plan: LoadPlan | None
    """How the model can be loaded again; with the speeds that the worker measured."""
    loading: bool
    """Whether the model was not loaded yet."""

    @property
    def sentence(self) -> str:
        """What happened, and why."""
        return f"{self.how.sentence} {SENTENCES[self.verdict]}".rstrip()

    def reason(self, crashes: int, *, gives_up: bool) -> str:
        """What happened, and what follows.

        Parameters
        ----------
        crashes
            Number of crashes that count.
        gives_up
            Whether the worker is not restarted because of them.
        """
        if gives_up:
            return (
                f"{self.sentence} It crashed {crashes} times within a short period, so it is not "
                "restarted automatically: load a model to try again."
            )
        if self.verdict:
            return f"{self.sentence} The same load is not retried automatically."
        return f"{self.sentence} It is restarting."

    def errors(self, *, busy: bool) -> tuple[LocalCoderError, LocalCoderError]:
        """The error of the requests that have shown text, and the error of everything else that is open.

        Parameters
        ----------
        busy
            Whether the worker was computing requests.
        """
        unavailable = BackendUnavailable(self.sentence, signal=self.how.code)
        out_of_memory = OutOfMemory(self.sentence, stage="compute" if busy else "load", signal=self.how.code)
        return (
            out_of_memory if self.verdict == "said" else unavailable,
            out_of_memory if self.verdict else unavailable,
        )
