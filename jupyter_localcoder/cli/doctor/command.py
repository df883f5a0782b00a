"""``doctor``: collects the findings of all areas and prints them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from traitlets import Bool

from ...contract import models, registry
from ...engine.tuning import Tuning
from ...errors import LocalCoderError
from ..command import LocalCoderCommand, options
from ..config.show import settings_of
from ..exits import ExitCode
from . import airgap, engine, jupyter, memory, python
from . import models as model_checks
from .finding import COLOURS, SIGNS, Finding, note, ok, problem


class Doctor(LocalCoderCommand):
    """Check what is found, what is missing, and what to do."""

    usage = "doctor [options]"
    description = """Check this installation: Python and packages, features of the llama.cpp build,
    model folder and models, memory, settings, and Jupyter extensions. Each line is a finding,
    followed by an explanation and a suggested fix if there is one. The command changes nothing and
    opens no connection to another machine. The exit code is 1 if something essential is missing.
    With `--airgap`, it verifies the air gap on this machine instead: it tests the isolation of the
    worker, and traces the system calls of a download and of an answer."""
    flags = LocalCoderCommand.flags | options(
        airgap=("Doctor.airgap", "Verify that no data leaves this machine while the air gap is on.")
    )

    airgap = Bool(False, config=True, help="Verify that no data leaves this machine while the air gap is on.")

    def run(self) -> ExitCode:
        """Look everywhere, and print each line as it is found."""
        found: list[Finding] = []
        for area, look in self._areas():
            for finding in _guarded(area, look):
                found.append(finding)
                self._print(finding)
        problems = sum(finding.verdict == "problem" for finding in found)
        self.console.document({"ok": problems == 0, "findings": found})
        self.console.out("")
        self.console.out(f"{problems} to be solved." if problems else _sound(airgap=self.airgap))
        return ExitCode.FAILED if problems else ExitCode.OK

    def _areas(self) -> list[tuple[str, Callable[[], Iterator[Finding]]]]:
        if self.airgap:
            return [("Air gap", self._airgap)]
        return [
            ("Python", python.findings),
            ("Engine", engine.findings),
            ("Memory", memory.findings),
            ("Processors", self._processors),
            ("Models", self._models),
            ("Settings", self._settings),
            ("Jupyter", jupyter.findings),
        ]

    def _processors(self) -> Iterator[Finding]:
        yield from memory.processor_findings(Tuning(config=self.config).threads)

    def _airgap(self) -> Iterator[Finding]:
        with self.client() as client:
            known: models.ModelList = client.call(registry.MODEL_LIST, models.ModelListRequest())
            closed = settings_of(client).settings.air_gap
        yield from airgap.findings(closed, known)

    def _models(self) -> Iterator[Finding]:
        with self.client() as client:
            known: models.ModelList = client.call(registry.MODEL_LIST, models.ModelListRequest())
            settings = settings_of(client).settings
        yield from model_checks.findings(known, settings)

    def _settings(self) -> Iterator[Finding]:
        with self.client() as client:
            view = settings_of(client)
        yield ok("Settings", f"profile {view.settings.profile}, kept in {view.path}")
        if view.settings.air_gap:
            yield note("Air gap", "on", "Nothing is downloaded. `config set air_gap false` turns it off.")
        else:
            yield ok("Air gap", "off: models may be downloaded")

    def _print(self, finding: Finding) -> None:
        verdict = f"{SIGNS[finding.verdict]} {finding.verdict.ljust(7)}"
        first, *more = self._wrapped(f"{finding.topic}: {finding.found}") + self._wrapped(finding.meaning)
        self.console.out(f"{self.console.paint(verdict, COLOURS[finding.verdict])}  {first}")
        for line in more:
            self.console.out(" " * _INDENT + line)

    def _wrapped(self, text: str) -> list[str]:
        """The lines of a text, one in a pipe; words stay whole, so that a command can be copied."""
        width = max((self.console.width or 10_000) - _INDENT, 20)
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


_INDENT = 11


def _sound(*, airgap: bool) -> str:
    return "No data left this machine." if airgap else "Nothing essential is missing."


def _guarded(area: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of an area; one that cannot be looked at is a finding too, and the next one's turn."""
    try:
        yield from look()
    except LocalCoderError as failure:
        yield problem(area, str(failure), failure.recovery)
    except Exception as failure:
        yield problem(area, f"cannot be checked: {type(failure).__name__}: {failure}", "Please report it.")
