"""Figures as a table for people, and as JSON with every sample."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from .figure import Figure, Spread
from .machine import Machine

_HEAD = ("bench", "figure", "unit", "ours", "peer", "ours against peer", "target", "met")
_WIDTHS = (8, 44, 8, 8, 8, 26, 8, 3)
_MET = {None: "", True: "yes", False: "NO"}


def head() -> str:
    """First lines of the table."""
    return _line(_HEAD) + "\n" + _line(["-" * width for width in _WIDTHS])


def row(figure: Figure) -> str:
    """One line of the table, and the note below it."""
    peer, compared = figure.peer_value, figure.compared
    cells = (
        figure.bench,
        figure.name + ("" if figure.of == "median" else f", {figure.of}"),
        figure.unit,
        _number(figure.value.value),
        _number(peer.value) if peer else "",
        _spread(compared, figure.compare) if compared else "",
        str(figure.target or ""),
        _MET[figure.met],
    )
    return _line(cells) + (f"\n{'':>{_WIDTHS[0]}}   {figure.note}" if figure.note else "")


def document(machine: Machine, model: dict[str, Any], figures: Sequence[Figure]) -> str:
    """Everything, as JSON."""
    return json.dumps(
        {
            "machine": dataclasses.asdict(machine),
            "model": model,
            "figures": [_figure(figure) for figure in figures],
        },
        indent=2,
        ensure_ascii=False,
    )


def _figure(figure: Figure) -> dict[str, Any]:
    compared = figure.compared
    return {
        **dataclasses.asdict(figure),
        "value": dataclasses.asdict(figure.value),
        "compared": dataclasses.asdict(compared) if compared else None,
        "met": figure.met,
    }


def _line(cells: Sequence[str]) -> str:
    return " | ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _spread(spread: Spread, compare: str) -> str:
    if spread.low == spread.high:
        return _number(spread.value)
    sign = "+" if compare == "difference" and spread.value > 0 else ""
    return f"{sign}{_number(spread.value)} ({_number(spread.low)} … {_number(spread.high)})"


def _number(value: float) -> str:
    """Three digits that count."""
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"
