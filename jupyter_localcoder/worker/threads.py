"""How many threads compute while other programs want the processor too.

The threads of a step wait for each other at every node of the graph. Where one of them has to share its
core, the others wait for it hundreds of times a token: on two cores, a notebook that computes on one of
them slows two threads to a third, and one thread hardly at all. So where steps take far longer than they
did on the quiet machine, fewer threads are tried, and kept where they are faster; more of them are tried
again from time to time. Pure.
"""

from __future__ import annotations

import collections
import statistics
from collections.abc import Callable

CROWDED = 2.0
"""Steps that take so many times as long as on a quiet machine say that somebody else computes; a long
context alone does not make them so slow."""
TRIAL_STEPS = 6
WORTH_IT = 0.9
"""Another number of threads is kept where its steps take at most this share of the time."""
PATIENCE_STEPS, MOST_PATIENCE_STEPS = 32, 1024
"""Steps between two trials; doubled after each that was for nothing."""


class ThreadPolicy:
    """Chooses a number of threads by how long steps take.

    Parameters
    ----------
    most
        Threads on a quiet machine.
    apply
        Sets the number for the next steps.
    """

    def __init__(self, most: int, apply: Callable[[int], None]) -> None:
        self._choices = sorted({n for n in (most, most - 1, most // 2, 1) if n > 0}, reverse=True)
        self._apply = apply
        self._at = 0
        self._before: int | None = None
        """Choice to go back to, while another one is tried."""
        self._bar = 0.0
        """What the trial must come below."""
        self._seen: collections.deque[float] = collections.deque(maxlen=2 * TRIAL_STEPS)
        self._since = 0
        self._patience = {True: TRIAL_STEPS, False: PATIENCE_STEPS}
        """Steps before fewer (True) or more threads are tried."""

    @property
    def threads(self) -> int:
        """Threads of the next step."""
        return self._choices[self._at]

    def observe(self, slowness: float) -> None:
        """Take in a step: its seconds by those of a quiet machine with all threads."""
        self._seen.append(slowness)
        self._since += 1
        if self._before is not None:
            if self._since >= TRIAL_STEPS:
                self._decide()
        elif len(self._seen) >= TRIAL_STEPS:
            self._perhaps_try()

    def _perhaps_try(self) -> None:
        usual = statistics.median(self._seen)
        fewer = usual > CROWDED and self._at + 1 < len(self._choices) and self._since >= self._patience[True]
        more = self._at > 0 and self._since >= self._patience[False]
        if fewer or more:
            # Whichever waited less: a machine that grew quiet is to be noticed too.
            self._before, self._bar = self._at, usual * WORTH_IT
            self._move(self._at + 1 if fewer and not more else self._at - 1)

    def _decide(self) -> None:
        before = self._before
        assert before is not None  # noqa: S101 - asked only in a trial
        went_down = self._at > before
        self._before = None
        if statistics.median(self._seen) <= self._bar:
            self._patience = {True: TRIAL_STEPS, False: PATIENCE_STEPS}
            self._since = 0
            return
        longer = min(MOST_PATIENCE_STEPS, 2 * max(PATIENCE_STEPS, self._patience[went_down]))
        self._patience[went_down] = longer
        self._move(before)

    def _move(self, choice: int) -> None:
        self._at = choice
        self._seen.clear()
        self._since = 0
        self._apply(self.threads)
