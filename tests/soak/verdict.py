"""What was measured, held against its limits. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

P99_MS = 100.0
SLOPE_MB_PER_MINUTE = 1.0
SHORTEST_MINUTES = 5.0
"""What a process holds settles in its first minutes: a slope of less time says nothing."""
SETTLING_SHARE = 0.3
"""So much of the beginning is left out of the slope."""
MORE_DESCRIPTORS = 8
"""A few stay open for good reasons (a database in each thread); a leak is one for each connection."""
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    value: str
    limit: str = ""
    met: bool | None = None
    """None: not judged."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Slope of the line of least squares through points (x, y); 0 where there is no such line."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / max(1, count)
    mean_y = sum(y for _, y in points) / max(1, count)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def latency(name: str, milliseconds: Sequence[float]) -> Row:
    """Judge times of answers by their 99th percentile."""
    if not milliseconds:
        return Row(name, "no answer", f"p99 ≤ {P99_MS:g} ms", False)
    p50, p99 = percentile(milliseconds, 50), percentile(milliseconds, 99)
    value = f"p50 {p50:.1f}, p99 {p99:.1f}, worst {max(milliseconds):.1f} ms of {len(milliseconds)}"
    return Row(name, value, f"p99 ≤ {P99_MS:g} ms", p99 <= P99_MS)


def memory(megabytes: Sequence[tuple[float, float]]) -> Row:
    """Judge the server's resident memory, (minute, MB), by its slope once it has settled."""
    minutes = megabytes[-1][0] - megabytes[0][0]
    begin = megabytes[0][0] + SETTLING_SHARE * minutes
    rate = slope([point for point in megabytes if point[0] >= begin])
    value = f"{rate:+.2f} MB/min, {megabytes[0][1]:.0f} → {megabytes[-1][1]:.0f} MB"
    if minutes < SHORTEST_MINUTES:
        return Row("memory of the server", f"{value} (too short to judge)")
    limit = f"≤ {SLOPE_MB_PER_MINUTE:g} MB/min"
    return Row("memory of the server", value, limit, rate <= SLOPE_MB_PER_MINUTE)


def at_most(name: str, value: float, limit: float, unit: str = "") -> Row:
    """Judge a number by the most that it may be."""
    return Row(name, f"{value:.4g} {unit}".rstrip(), f"≤ {limit:g} {unit}".rstrip(), value <= limit)


def table(rows: Sequence[Row]) -> str:
    """Lines for a terminal."""
    marks = {True: "ok", False: "MISSED", None: ""}
    cells = [("", "measured", "limit", ""), *((r.name, r.value, r.limit, marks[r.met]) for r in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(4)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )
