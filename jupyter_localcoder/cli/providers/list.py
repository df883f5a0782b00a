"""``providers list``: which there are, which one is active, and where their keys are."""

from __future__ import annotations

import textwrap

from ...contract import providers, registry
from ...text.plain_text import plain
from ..command import LocalCoderCommand
from ..exits import ExitCode
from ..table import table


class ProvidersList(LocalCoderCommand):
    """List the providers."""

    usage = "providers list [options]"
    description = """List the providers: type, active or not, model, where the key is stored
    (environment, keyring, file or session), and address. Problems, and where a new key would be
    stored, are shown below the table."""

    def run(self) -> ExitCode:
        """Print them."""
        with self.client() as client:
            known: providers.ProviderList = client.call(
                registry.PROVIDER_LIST, providers.ProviderListRequest()
            )
        self.console.document(known)
        head = ("PROVIDER", "ACTIVE", "TYPE", "MODEL", "KEY", "ADDRESS")
        self.console.out(table(head, [_row(info) for info in known.providers], width=self.console.width))
        self.console.out("")
        for line in _remarks(known):
            self.console.out(textwrap.fill(plain(line), self.console.width or 10_000, break_long_words=False))
        return ExitCode.OK


def _row(info: providers.ProviderInfo) -> tuple[str, ...]:
    active = "yes" if info.active else "-"
    return (info.id, active, info.type, plain(info.model) or "-", info.key, plain(info.base_url) or "-")


def _remarks(known: providers.ProviderList) -> list[str]:
    troubles = [f"{info.id}: {info.problem}" for info in known.providers if info.problem]
    configured = [info.id for info in known.providers if info.configured]
    by_others = []
    if configured:
        by_others = [f"Configured by the server administrator: {', '.join(configured)}."]
    if known.locked:
        by_others.append("The administrator has fixed the list of providers and the active provider.")
    return [
        *troubles,
        *by_others,
        *filter(None, [known.problem]),
        known.key_storage.note,
        f"File: {known.path}",
    ]
