"""What a trial has shown, as one object with a sentence. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from ..text.units import size
from .report import NEWLY, RESULT, Comparison, RunReport, TrialLimits, Wall

VerdictKind = Literal["same", "differs", "fixed", "broken", "fails", "runs", "unchecked"]
"""`fixed`: only the new code runs. `broken`: only the old code does. `fails`: none does. `runs`: the new code
runs, and was not compared. `unchecked`: the copy cannot tell."""

LEAST_SECONDS, LEAST_RATIO = 0.05, 1.5
LEAST_BYTES = 20_000_000
"""One run measures no smaller differences in time and memory."""
_MAX_NAMED = 3
_TIMES = "\N{MULTIPLICATION SIGN}"
_REFUSED = {
    "network": "needs the network",
    "write": "writes outside of the copy",
    "process": "starts a program, which cannot be isolated on this system",
    "signal": "sends a signal to another process",
}
_ASIDE = {
    "network": "A connection",
    "write": "A change outside of the copy",
    "process": "The start of a program",
    "signal": "A signal to another process",
}
GUARD_ONLY = (
    "This system does not permit namespaces: only Python code was kept from writing "
    "outside of the copy and from the network."
)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a trial."""

    kind: VerdictKind
    sentence: str
    notes: tuple[str, ...] = ()
    """More, one sentence each."""
    old: RunReport | None = None
    new: RunReport | None = None
    comparison: Comparison | None = None
    wall: Wall = "namespace"

    @property
    def runs(self) -> bool:
        """Whether the new code ran to its end."""
        return self.new is not None and self.new.ok


def cannot_check(reason: str) -> Verdict:
    """A verdict without a trial."""
    return Verdict(kind="unchecked", sentence=f"Cannot be checked: {reason}.")


def of_one(run: RunReport, limits: TrialLimits, left_out: Mapping[str, str], wall: Wall) -> Verdict:
    """The verdict on code that was run alone."""
    notes = _notes(None, run, wall)
    if reason := _unknown(run, left_out, "the code"):
        kind: VerdictKind = "unchecked"
        sentence = f"Cannot be checked: {reason}."
    elif run.ok:
        kind, sentence = "runs", f"Ran in a copy in {_seconds(run.seconds)}."
    else:
        kind, sentence = "fails", f"Tried in a copy: the code {_ending(run, limits)}."
    return Verdict(kind=kind, sentence=sentence, notes=notes, new=run, wall=wall)


def of_two(
    old: RunReport,
    new: RunReport,
    comparison: Comparison | None,
    *,
    limits: TrialLimits,
    left_out: Mapping[str, str],
    wall: Wall,
    helpers: Collection[str] = (),
) -> Verdict:
    """The verdict on new code beside the old one.

    Parameters
    ----------
    comparison
        Of what they have made; None if not both ran to their end, or if it could not be compared.
    left_out
        Names whose values could not be copied, with the reason.
    helpers
        Names of the old code that are no results, such as the variable of a loop.
    """
    if comparison is not None:
        kept = [one for one in comparison.differences if one.name not in helpers]
        comparison = msgspec.structs.replace(comparison, differences=tuple(kept))
    kind, sentence = _judged(old, new, comparison, limits, left_out)
    return Verdict(
        kind=kind,
        sentence=sentence,
        notes=_notes(old, new, wall, comparison),
        old=old,
        new=new,
        comparison=comparison,
        wall=wall,
    )


def _judged(
    old: RunReport,
    new: RunReport,
    comparison: Comparison | None,
    limits: TrialLimits,
    left_out: Mapping[str, str],
) -> tuple[VerdictKind, str]:
    unknown_old, unknown_new = (
        _unknown(old, left_out, "the old code"),
        _unknown(new, left_out, "the new code"),
    )
    if unknown_old or unknown_new:
        reason = unknown_old or unknown_new
        if unknown_old and unknown_new:
            reason = reason.replace("the old code", "the code", 1)
        return "unchecked", f"Cannot be checked: {reason}."
    if not old.ok and new.ok:
        return "fixed", f"The old code {_ending(old, limits)}; the new code runs."
    if old.ok and not new.ok:
        return "broken", f"The old code runs; the new code {_ending(new, limits)}."
    if not old.ok:
        before, after = _ending(old, limits), _ending(new, limits)
        if before == after:
            return "fails", f"Old and new code: each {before}."
        return "fails", f"The old code {before}; the new code {after}."
    if comparison is None:
        return "unchecked", "Cannot be checked: both run, but their results could not be compared."
    differing = [one for one in comparison.differences if one.detail != NEWLY]
    if differing:
        parts = [f"in {_named(one.name)}: {one.detail}" for one in differing[:_MAX_NAMED]]
        more = len(differing) - len(parts)
        rest = f", and {more} more" if more > 0 else ""
        return "differs", f"Differs {', '.join(parts)}{rest}{_without_others(comparison)}."
    added = [one.name for one in comparison.differences]
    if added and not old.bound and not old.output and RESULT not in {one.name for one in old.values}:
        return "runs", f"The new code runs, and defines {_list(added)}{_without_others(comparison)}."
    compared = set(new.bound) - set(comparison.uncompared) - set(comparison.varying)
    if comparison.uncompared and not compared and not new.output:
        names = _list(comparison.uncompared)
        return "runs", f"Both run; not compared, because only calling it would show what it does: {names}."
    return "same", f"Same result{_faster(old, new)}{_without_others(comparison)}."


def _unknown(run: RunReport, left_out: Mapping[str, str], code: str) -> str:
    """Why a run says nothing about the code; empty if it does."""
    if run.failure is None:
        return ""
    for refusal in run.refusals:
        if refusal.fatal:
            what = f" (`{refusal.what}`)" if refusal.what else ""
            return f"{code} {_REFUSED[refusal.kind]}{what}"
    if run.failure.name in left_out:
        return f"`{run.failure.name}` {left_out[run.failure.name]}"
    return ""


def _ending(run: RunReport, limits: TrialLimits) -> str:
    if run.limit == "time":
        return f"does not end within the time limit of {limits.seconds:g} s"
    if run.limit == "memory":
        return f"reaches the memory limit of {size(limits.memory_bytes)}"
    if run.limit == "processes":
        return f"reaches the limit of {limits.processes} processes"
    if run.limit == "disk":
        return f"reaches the disk limit of {size(limits.disk_bytes)}"
    if run.limit == "files":
        return f"reaches the limit of {limits.open_files} open files"
    if run.crash:
        return f"ends its process ({run.crash})"
    return f"fails with {run.failure.sentence}" if run.failure else "fails"


def _faster(old: RunReport, new: RunReport) -> str:
    parts = []
    slow, quick = max(old.seconds, new.seconds), max(min(old.seconds, new.seconds), 1e-9)
    if slow >= LEAST_SECONDS and slow / quick >= LEAST_RATIO:
        word = "faster" if new.seconds < old.seconds else "slower"
        parts.append(f"{_ratio(slow / quick)} {_TIMES} {word}")
    most, least = max(old.peak_bytes, new.peak_bytes), max(min(old.peak_bytes, new.peak_bytes), 1_000_000)
    if most >= LEAST_BYTES and most / least >= LEAST_RATIO:
        word = "less" if new.peak_bytes < old.peak_bytes else "more"
        parts.append(f"{_ratio(most / least)} {_TIMES} {word} memory")
    return f", {', '.join(parts)}" if parts else ""


def _without_others(comparison: Comparison) -> str:
    text = ""
    if comparison.uncompared:
        text += f"; not compared: {_list(comparison.uncompared)}"
    if comparison.varying:
        text += f"; differs in each run: {_list(comparison.varying)}"
    return text


def _notes(
    old: RunReport | None, new: RunReport, wall: Wall, comparison: Comparison | None = None
) -> tuple[str, ...]:
    notes = []
    if old is not None and old.ok and new.ok:
        notes.append(
            f"Time: {_seconds(old.seconds)} before, {_seconds(new.seconds)} now. "
            f"Memory: {size(old.peak_bytes)} before, {size(new.peak_bytes)} now."
        )
    if comparison is not None:
        added = [one.name for one in comparison.differences if one.detail == NEWLY]
        if added and old is not None and old.bound:
            notes.append(f"The new code also defines {_list(added)}.")
    refused = {
        one.kind: one for run in (old, new) if run is not None for one in run.refusals if not one.fatal
    }
    for kind, one in sorted(refused.items()):
        what = f" (`{one.what}`)" if one.what else ""
        notes.append(f"{_ASIDE[kind]}{what} was refused, and the code went on without it.")
    if wall == "guard":
        notes.append(GUARD_ONLY)
    return tuple(notes)


def _named(name: str) -> str:
    if not name:
        return "the output"
    return "the value of the last line" if name == RESULT else f"`{name}`"


def _list(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(_named(name) for name in names[:_MAX_NAMED])
    more = len(names) - _MAX_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _ratio(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
