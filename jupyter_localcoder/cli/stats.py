"""``stats``: what became of the suggestions on this machine."""

from __future__ import annotations

from traitlets import Bool

from ..contract import registry, stats
from ..contract.common import Empty
from .command import LocalCoderCommand, options
from .exits import ExitCode
from .table import table

_HEAD = ("model", "language", "shown", "accepted", "line", "word", "dismissed", "kept")


class Stats(LocalCoderCommand):
    """Show or erase the counts of suggestions."""

    usage = "stats [options]"
    description = """Show how many suggestions were shown, accepted (whole, first by a line, first by a
    word), dismissed, and kept for a minute, by model and language. The counts stay on this
    machine and contain no text."""
    flags = LocalCoderCommand.flags | options(
        erase=("Stats.erase", "Erase all counts. At a terminal, the command asks for confirmation."),
        yes=("Stats.yes", "Do not ask for confirmation."),
    )

    erase = Bool(False, config=True, help="Erase all counts.")
    yes = Bool(False, config=True, help="Do not ask for confirmation.")

    def run(self) -> ExitCode:
        """Show or erase them."""
        with self.client() as client:
            if self.erase:
                if not self.yes:
                    self.console.confirm("Erase all counts? This cannot be undone.", "Nothing was erased.")
                client.call(registry.STATS_ERASE, stats.StatsEraseRequest())
                self.console.document(Empty())
                self.console.out("The counts were erased.")
                return ExitCode.OK
            found: stats.SuggestionStats = client.call(registry.STATS_GET, stats.StatsGetRequest())
        self.console.document(found)
        self.console.out("\n".join(lines(found, self.console.width)))
        return ExitCode.OK


def lines(found: stats.SuggestionStats, width: int | None) -> list[str]:
    """The counts for a person."""
    if not found.counts:
        said = ["No suggestion was counted yet."]
    else:
        rows = [_row(counts, counts.model or "?", counts.language or "?") for counts in found.counts]
        if len(rows) > 1:
            rows.append(_row(found.total, "all", ""))
        said = [table(_HEAD, rows, width=width), f"Since {found.since}"]
    if not found.enabled:
        return [*said, "Counting is off (`suggestion_counts`)."]
    if found.min_probability is not None:
        recent = f" ({found.recent_accepted} of the last {found.recent_shown} suggestions were accepted)"
        said.append(
            f"Threshold: probability {found.min_probability:.2f}{recent if found.recent_shown else ''}"
        )
    return said


def _row(counts: stats.SuggestionCounts, model: str, language: str) -> list[str]:
    numbers = (
        counts.shown,
        counts.accepted,
        counts.accepted_line,
        counts.accepted_word,
        counts.dismissed,
        counts.kept,
    )
    return [model, language, *map(str, numbers)]
