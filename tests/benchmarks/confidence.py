"""The curve of a threshold: how many suggestions it shows, and how many of those are right. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Suggestion:
    """One answer: how sure the model was of it, and whether it is right."""

    log_probability: float
    right: bool
    offered: bool = True
    """False where something else keeps it from being shown, such as a check."""


@dataclass(frozen=True)
class Point:
    """What a threshold does."""

    threshold: float
    shown: int
    right: int
    asked: int

    @property
    def share_shown(self) -> float:
        """Of all that was asked."""
        return self.shown / self.asked

    @property
    def share_right(self) -> float:
        """Of what is shown; 1 where nothing is."""
        return self.right / self.shown if self.shown else 1.0


def point(suggestions: Sequence[Suggestion], threshold: float) -> Point:
    """What this threshold does."""
    shown = [s for s in suggestions if s.offered and s.log_probability >= threshold]
    return Point(threshold, len(shown), sum(s.right for s in shown), len(suggestions))


def curve(suggestions: Sequence[Suggestion]) -> list[Point]:
    """Every point at which the threshold changes what is shown, the strictest first."""
    thresholds = sorted({s.log_probability for s in suggestions if s.offered}, reverse=True)
    return [point(suggestions, threshold) for threshold in thresholds]


def most_shown(suggestions: Sequence[Suggestion], least_right: float) -> Point | None:
    """The point that shows most while at least this share of it is right; None where there is none."""
    good = [p for p in curve(suggestions) if p.share_right >= least_right]
    return max(good, key=lambda p: p.shown, default=None)


def most_right(suggestions: Sequence[Suggestion], least_shown: float) -> Point | None:
    """The point at which most of it is right while at least this share is shown; None where there is none."""
    good = [p for p in curve(suggestions) if p.share_shown >= least_shown]
    return max(good, key=lambda p: (p.share_right, p.shown), default=None)
