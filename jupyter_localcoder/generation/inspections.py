"""What the last requests were answered from, for who wants to see it. In memory only, and only a few."""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

import msgspec

from ..context import inspection
from ..contract.generation import Done, Inspection
from ..contract.providers import EMBEDDED
from ..errors import RunNotFound
from .run import AnyRun, RunFrame
from .runs import DoneObserver, Observer

KEPT = 8
"""Of each kind: completions come with every keystroke, and must not push a command out."""


@dataclass(frozen=True)
class _InspectedRun:
    run: AnyRun
    done: Done
    scope: str
    ended: datetime

    def inspection(self) -> Inspection:
        run, done = self.run, self.done
        return Inspection(
            run=done.run,
            kind=run.kind,
            time=self.ended.isoformat(timespec="milliseconds"),
            scope=self.scope,
            prompt=inspection.prompt_text(run.segments),
            redacted=inspection.redacted_text(run.segments, done.parts),
            parts=done.parts,
            finish=done.finish,
            withheld=done.withheld,
            usage=done.usage,
            timings=done.timings,
            model=done.model,
            sampling=done.sampling,
            prompt_sha256=done.prompt_sha256,
            provider=done.provider,
            confidence=done.confidence,
        )


class Inspections:
    """Looks at runs as they end.

    Parameters
    ----------
    now
        Answers the time.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self._now = now
        self._kept: dict[str, collections.deque[_InspectedRun]] = {}
        self._last: _InspectedRun | None = None

    def observer(self, run: AnyRun, scope: str, *, ahead: bool = False) -> Observer:
        """Keeps a run for inspection when it is done; its `Done` must have the parts (`parts_of`).

        Parameters
        ----------
        scope
            What the request shares a cache with.
        ahead
            Whether the answer is not shown yet. It is then found by its id, and is not the last one.
        """
        return DoneObserver(lambda done: self._remember(_InspectedRun(run, done, scope, self._now()), ahead))

    def find(self, run: str = "") -> Inspection:
        """What is kept of a run; without an id, of the one that ended last.

        Raises
        ------
        RunNotFound
            It has not ended as it should, or others have ended since.
        """
        known = [kept for kind in self._kept.values() for kept in kind]
        found = next((kept for kept in known if kept.done.run == run), None) if run else self._last
        if found is None:
            raise RunNotFound(
                f"There is no record of the request {run!r}." if run else "No request has been sent yet.",
                recovery="Request a completion or run a command, and try again.",
            )
        return found.inspection()

    def _remember(self, kept: _InspectedRun, ahead: bool) -> None:
        if not ahead:
            self._last = kept
        self._kept.setdefault(kept.run.kind, collections.deque(maxlen=KEPT)).append(kept)


def parts_of(run: AnyRun, omitted: Mapping[str, int] | None = None) -> Callable[[RunFrame], RunFrame]:
    """Make the function that adds the sources of the prompt of a run to its `Done`.

    Parameters
    ----------
    omitted
        Characters by source that were left out before the worker counted tokens.
    """

    def add_parts(frame: RunFrame) -> RunFrame:
        # The tokens of other providers are not counted.
        if not isinstance(frame, Done) or frame.provider != EMBEDDED:
            return frame
        return msgspec.structs.replace(frame, parts=inspection.parts(run.segments, omitted or {}))

    return add_parts
