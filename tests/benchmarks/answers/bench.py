"""Asks both sides for everything, and counts: `python -m tests.benchmarks answers`."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import MODEL_LOAD
from jupyter_localcoder.errors import InvalidArgument

from ..figure import Figure, turns
from ..peers.bindings import BindingsPeer
from ..server import Server
from ..setting import Setting
from .sides import Answer, Plain, Product, Side
from .suites import SUITES, Case

_LIMIT = 6
"""Cases of each suite, so that all of them take a quarter of an hour on two cores with the 0.5B model."""
_PEER = "llama_cpp, asked plainly"


@dataclass
class Tally:
    """What one side answered in a suite."""

    answers: list[Answer] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    """Share of what is right, of every answer; 0 where nothing is offered."""

    @property
    def offered(self) -> list[float]:
        """1 where a change is offered."""
        return [float(answer.offered) for answer in self.answers]

    @property
    def right_of_offered(self) -> list[float]:
        """Of what is offered."""
        return [right for right, answer in zip(self.right, self.answers, strict=True) if answer.offered]


def run(setting: Setting) -> Iterator[Figure]:
    """Measure the suites that were asked for.

    Raises
    ------
    InvalidArgument
        There is no such suite.
    """
    names = setting.suites or tuple(SUITES)
    if unknown := set(names) - set(SUITES):
        raise InvalidArgument(f"There is no suite {', '.join(sorted(unknown))}: use {', '.join(SUITES)}.")
    rows = []
    with (
        Server(setting.workspace, extension=True) as server,
        server.client() as client,
        BindingsPeer(setting.workspace.load) as peer,
    ):
        client.call(MODEL_LOAD, ModelLoadRequest(id=setting.workspace.model.id))
        for name in names:
            ours, theirs = Tally(), Tally()
            sides: tuple[tuple[Side, Tally], ...] = ((Product(client), ours), (Plain(peer), theirs))
            for case, pair in zip(
                SUITES[name](setting.limit or _LIMIT), turns(setting.limit or _LIMIT), strict=False
            ):
                for first in pair:
                    side, tally = sides[0 if first else 1]
                    answer = side.ask(case.asked)
                    tally.answers.append(answer)
                    tally.right.append(case.judge(answer.code) if answer.offered else 0.0)
                    _keep(setting.keep, name, case, "ours" if first else "plain", answer, tally.right[-1])
            if not ours.answers:
                continue
            yield from _figures(name, ours, theirs)
            rows.append(row(name, ours, theirs))
    print("", HEAD, *rows, "", sep="\n", flush=True)


HEAD = (
    "| suite | cases | offered | right of what is offered | right of all | tokens | seconds |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)
"""Of the table for the documentation; each cell holds ours / theirs."""


def row(name: str, ours: Tally, theirs: Tally) -> str:
    """One line of that table."""
    pairs = [
        (_percent(ours.offered), _percent(theirs.offered)),
        (_percent(ours.right_of_offered), _percent(theirs.right_of_offered)),
        (_percent(ours.right), _percent(theirs.right)),
        (_mean([a.tokens for a in ours.answers]), _mean([a.tokens for a in theirs.answers])),
        (_mean([a.seconds for a in ours.answers], 1), _mean([a.seconds for a in theirs.answers], 1)),
    ]
    cells = " | ".join(f"{one} / {other}" for one, other in pairs)
    return f"| {name} | {len(ours.answers)} | {cells} |"


def _figures(name: str, ours: Tally, theirs: Tally) -> Iterator[Figure]:
    measured: list[tuple[str, str, list[float], list[float]]] = [
        ("a change is offered", "share", ours.offered, theirs.offered),
        ("right of what is offered", "share", ours.right_of_offered, theirs.right_of_offered),
        ("right of all", "share", ours.right, theirs.right),
        ("tokens", "", [a.tokens for a in ours.answers], [a.tokens for a in theirs.answers]),
        ("seconds", "s", [a.seconds for a in ours.answers], [a.seconds for a in theirs.answers]),
    ]
    for what, unit, own, other in measured:
        if own:
            yield Figure(
                bench="answers", name=f"{name}: {what}", unit=unit, ours=own, peer=other, peer_name=_PEER,
                of="mean",
            )  # fmt: skip


def _keep(folder: Path | None, suite: str, case: Case, side: str, answer: Answer, right: float) -> None:
    """Write an answer down, for who wants to read it."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() else "-" for c in case.name)
    asked = case.asked
    text = (
        f"{suite}, {case.name}, {side}: {right:g} of 1; {answer.problem or 'offered'}\n\n"
        f"== asked: {asked.command} {asked.instruction}\n{asked.code}\n{asked.error}\n"
        f"== offered\n{answer.code}\n== answered\n{answer.text}\n"
    )
    (folder / f"{suite}-{name}-{side}.txt").write_text(text, encoding="utf-8")


def _percent(shares: list[float]) -> str:
    return f"{100 * statistics.fmean(shares):.0f} %" if shares else "none"


def _mean(values: list[float] | list[int], digits: int = 0) -> str:
    return f"{statistics.fmean(values):.{digits}f}"
