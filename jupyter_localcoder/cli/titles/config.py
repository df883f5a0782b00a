"""``titles show`` and ``titles set``: how titles are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from traitlets import Bool, Float, Unicode

from ...contract import codec, history, registry
from ...contract.providers import EMBEDDED
from ...errors import InvalidArgument
from ...text.plain_text import plain
from ..command import LocalCoderCommand, options
from ..exits import ExitCode


class TitlesCommand(LocalCoderCommand):
    """Base of both."""

    def report(self, config: history.TitleConfig, given: Iterable[str] = ()) -> ExitCode:
        """Print how they are made, and what became of what was given."""
        self.console.document(config)
        lines = {
            "enabled": "yes" if config.enabled else "no",
            "provider": config.provider or f"{EMBEDDED} (default)",
            "model": config.model or "the loaded model (default)",
            "timeout": f"{config.timeout_seconds:g} s",
        }
        for name, value in lines.items():
            self.console.out(f"{name} = {plain(value)}")
        for name in given:
            if (layer := config.sources.get(name)) in ("environment", "command-line"):
                self.note(f"Note: the value is saved, but the {layer} currently overrides `{name}`.")
        if config.problem:
            self.note(plain(config.problem))
        return ExitCode.OK


class TitlesShow(TitlesCommand):
    """Print how titles are made."""

    usage = "titles show [options]"
    description = "Print whether titles are generated, by which provider, and the time limit."

    def run(self) -> ExitCode:
        """Print it."""
        with self.client() as client:
            return self.report(client.call(registry.TITLE_CONFIG_GET, history.TitleConfigGetRequest()))


class TitlesSet(TitlesCommand):
    """Change how titles are made."""

    usage = "titles set [options]"
    description = """Change and save the title settings. Options that are not given stay unchanged.
    No model is loaded only for titles. A provider other than the embedded one receives the first
    500 characters of each question and its answer."""
    aliases = TitlesCommand.aliases | {
        "provider": "TitlesSet.provider",
        "model": "TitlesSet.model",
        "timeout": "TitlesSet.timeout_seconds",
    }
    flags = TitlesCommand.flags | options(
        on=("TitlesSet.switch_on", "Make titles."), off=("TitlesSet.switch_off", "Make none.")
    )
    examples = """
jupyter localcoder titles set --off
jupyter localcoder titles set --on --timeout=20
"""

    provider = Unicode(
        None, allow_none=True, config=True, help="Id of a provider; empty for the embedded provider."
    )
    model = Unicode(None, allow_none=True, config=True, help="Id of a model; empty for the loaded model.")
    timeout_seconds = Float(
        None, allow_none=True, config=True, help="Time limit for a title in seconds, 10 to 120."
    )
    switch_on = Bool(False, config=True, help="Make titles.")
    switch_off = Bool(False, config=True, help="Make none.")

    def run(self) -> ExitCode:
        """Send it."""
        given: dict[str, Any] = {
            "provider": self.provider,
            "model": self.model,
            "timeout_seconds": self.timeout_seconds,
            "enabled": self.switch_on if self.switch_on != self.switch_off else None,
        }
        fields = {name: value for name, value in given.items() if value is not None}
        if not fields or (self.switch_on and self.switch_off):
            raise InvalidArgument(
                "Name the setting to change." if not fields else "`--on` and `--off` contradict each other.",
                recovery="Pass `--on` or `--off`, `--provider`, `--model` or `--timeout`.",
            )
        request = codec.decode(history.TitleConfigSetRequest, fields)
        with self.client() as client:
            return self.report(client.call(registry.TITLE_CONFIG_SET, request), fields)
