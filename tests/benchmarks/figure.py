"""The result of every bench: samples, and what they amount to. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Compare = Literal["ratio", "difference", "summary ratio", "none"]
"""Pair by pair, or (`summary ratio`) what the samples of each side are summed up to.

The latter is for requests of very different sizes, and for other numbers than the median.
"""
Of = Literal["median", "p95", "worst", "mean"]


@dataclass(frozen=True)
class Target:
    """What a figure should reach; a difference or a ratio where there is a peer, else the figure itself."""

    limit: float
    at_least: bool = False
    """False: the limit is the most that it may be."""

    def met(self, value: float) -> bool:
        """Whether the value reaches it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True)
class Spread:
    """One number for many, with the least and the greatest of them."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row of the table.

    The i-th sample of the peer was taken right before or after our i-th, so that what the machine did
    meanwhile falls on both.
    """

    bench: str
    name: str
    unit: str
    ours: Sequence[float]
    peer: Sequence[float] = ()
    peer_name: str = ""
    compare: Compare = "none"
    of: Of = "median"
    """How the samples are summed up; pairwise ratios and differences always by their median."""
    target: Target | None = None
    note: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """What the figure belongs to or goes with, by name, for whoever reads the JSON."""

    def __post_init__(self) -> None:
        if not self.ours:
            raise ValueError(f"{self.bench}: {self.name} has no samples")
        if self.compare in ("ratio", "difference") and len(self.ours) != len(self.peer):
            raise ValueError(f"{self.bench}: {self.name} is not in pairs")

    @property
    def value(self) -> Spread:
        """Our own samples, summed up."""
        return spread(self.ours, self.of)

    @property
    def peer_value(self) -> Spread | None:
        """The peer's samples, summed up in the same way."""
        return spread(self.peer, self.of) if self.peer else None

    @property
    def compared(self) -> Spread | None:
        """Ours / peer, or ours - peer: the median of the pairs, or that of the two numbers."""
        if self.compare == "none":
            return None
        if self.compare == "summary ratio":
            assert self.peer_value is not None
            ratio = self.value.value / self.peer_value.value
            return Spread(ratio, ratio, ratio)
        pairs = zip(self.ours, self.peer, strict=True)
        return spread([a / b if self.compare == "ratio" else a - b for a, b in pairs], "median")

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else self.target.met((self.compared or self.value).value)


def spread(samples: Sequence[float], of: Of) -> Spread:
    """Sum samples up; `worst` is the greatest, and `p95` the least that 95 % do not exceed."""
    ordered = sorted(samples)
    value = {
        "median": statistics.median(ordered),
        "p95": ordered[-(-len(ordered) * 95 // 100) - 1],
        "worst": ordered[-1],
        "mean": statistics.fmean(ordered),
    }[of]
    return Spread(value, ordered[0], ordered[-1])


def turns(count: int) -> Iterator[tuple[bool, bool]]:
    """Whose turn it is in each pair, True for ours: A B, B A, A B, …

    Taking turns at going first keeps a machine that warms up or slows down from favouring one.
    """
    for i in range(count):
        yield (True, False) if i % 2 == 0 else (False, True)
