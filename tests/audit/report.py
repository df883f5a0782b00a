"""What pip-audit and npm audit say, as findings. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Unreached(Exception):
    """Nobody was asked, or nobody answered: it is not known whether there is anything."""


@dataclass(frozen=True)
class Finding:
    """An advisory that a package falls under."""

    package: str
    version: str
    ids: tuple[str, ...]
    """Its own id first, then the others that it goes by."""
    remedy: str


@dataclass(frozen=True)
class Report:
    """What one service says."""

    asked: int
    """Packages that it has an answer for."""
    findings: tuple[Finding, ...]


def from_pip_audit(output: str, wanted: Mapping[str, str]) -> Report:
    """Read the answer of ``pip-audit --format json``.

    Parameters
    ----------
    wanted
        The packages that it was asked about. pip-audit skips one that it gets no answer for, and calls the
        rest clean: that is no answer.

    Raises
    ------
    Unreached
        The service was not reached, or has not answered for each of them.
    """
    answered: dict[str, Any] = {}
    skipped: list[str] = []
    for entry in _json(output, "pip-audit").get("dependencies", ()):
        if "skip_reason" in entry:
            skipped.append(entry["name"])
        else:
            answered[entry["name"]] = entry
    silent = sorted(set(wanted) - set(answered))
    if silent:
        some = f"{', '.join(silent[:5])}{' …' if len(silent) > 5 else ''}"
        raise Unreached(f"it has no answer for {len(silent)} of {len(wanted)} packages: {some}")
    findings = tuple(
        Finding(
            name,
            entry["version"],
            (found["id"], *found.get("aliases", ())),
            f"fixed in {', '.join(found['fix_versions'])}" if found.get("fix_versions") else "no fix yet",
        )
        for name, entry in sorted(answered.items())
        for found in entry["vulns"]
    )
    return Report(len(answered), findings)


def from_npm_audit(output: str) -> Report:
    """Read the answer of ``npm audit --json``.

    Raises
    ------
    Unreached
        The service was not reached.
    """
    answer = _json(output, "npm audit")
    if "vulnerabilities" not in answer:
        said = answer.get("message") or (answer.get("error") or {}).get("summary") or "it gave no answer"
        raise Unreached(str(said).splitlines()[0])
    # A package that only depends on one with an advisory names that one, and not the advisory.
    findings = tuple(
        Finding(
            name,
            entry.get("range", ""),
            (_id_of(via),),
            "npm audit fix" if entry.get("fixAvailable") else "no fix yet",
        )
        for name, entry in sorted(answer["vulnerabilities"].items())
        for via in entry["via"]
        if isinstance(via, dict)
    )
    total = answer.get("metadata", {}).get("dependencies", {})
    return Report(total.get("prod", total.get("total", 0)), findings)


def left(report: Report, accepted: Mapping[str, str]) -> list[Finding]:
    """The findings that nobody has given a reason for."""
    return [finding for finding in report.findings if not accepted.keys() & set(finding.ids)]


def _id_of(via: Mapping[str, Any]) -> str:
    url = str(via.get("url", ""))
    return url.rpartition("/")[2] or str(via.get("source", ""))


def _json(output: str, who: str) -> dict[str, Any]:
    try:
        read = json.loads(output)
    except ValueError:
        raise Unreached(f"{who} gave no report") from None
    if not isinstance(read, dict):
        raise Unreached(f"{who} gave no report")
    return read
