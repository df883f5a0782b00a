"""One line of the doctor's report. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Verdict = Literal["ok", "note", "problem"]

SIGNS: dict[Verdict, str] = {"ok": "✓", "note": "!", "problem": "✗"}
COLOURS: dict[Verdict, str] = {"ok": "green", "note": "yellow", "problem": "red"}


class Finding(Struct, frozen=True, kw_only=True):
    """What was found, and what it means to the person."""

    topic: str
    verdict: Verdict
    """`note`: it works, and could be better; `problem`: something essential is missing."""
    found: str
    meaning: str = ""
    """What it means and what to do; empty where there is nothing to say."""


def ok(topic: str, found: str, meaning: str = "") -> Finding:
    """All is well."""
    return Finding(topic=topic, verdict="ok", found=found, meaning=meaning)


def note(topic: str, found: str, meaning: str) -> Finding:
    """It works without, or only partly."""
    return Finding(topic=topic, verdict="note", found=found, meaning=meaning)


def problem(topic: str, found: str, meaning: str) -> Finding:
    """Something essential is missing."""
    return Finding(topic=topic, verdict="problem", found=found, meaning=meaning)
