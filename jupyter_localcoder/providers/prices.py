"""What answers cost, by a table that the user writes. None is shipped: a wrong price is worse than none.

``prices.json`` in the folder of the settings::

    {"format": 1,
     "usd_per_million_tokens": {
       "my-provider/some-model": {"input": 1.0, "cached_input": 0.5, "output": 2.0},
       "my-provider/*": {"input": 1.0, "output": 2.0}}}

A name is a provider's id, a slash, and a model as the provider calls it; ``*`` at the end stands for
any rest, and the longest name that fits decides. A name that begins with ``#`` is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from ..storage.regular import read_regular
from .base import ReportedUsage

_Usd = Annotated[float, Meta(ge=0.0, le=1e6)]
_MILLION = 1_000_000
_MAX_BYTES = 4 * 1024 * 1024


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars for a million tokens."""

    input: _Usd
    output: _Usd
    cached_input: _Usd | None = None
    """Of the input tokens that the provider had computed before. None: as the others."""


class _Table(Struct, forbid_unknown_fields=True):
    format: int = 1
    usd_per_million_tokens: dict[str, Price] = field(default_factory=dict)


class Prices:
    """The table of prices, read again when its file changes.

    Parameters
    ----------
    configured
        Prices of the configuration of the server; those of the file go before them, name by name.
    """

    def __init__(self, path: Path, configured: Mapping[str, Price] | None = None) -> None:
        self.path = path
        self._configured = dict(configured or {})
        self._stamp: tuple[int, int] | None = None
        self._table = self._configured
        self.problem = ""
        """A sentence that says why the file is not used; empty where it is, or there is none."""

    def cost_usd(self, provider: str, models: tuple[str, ...], usage: ReportedUsage) -> float | None:
        """An estimate, or None where there is no price or the provider did not count.

        Parameters
        ----------
        models
            Names of the model, the most exact first.
        """
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        price = self.price(provider, models)
        if price is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
        cached_price = price.input if price.cached_input is None else price.cached_input
        paid = (usage.prompt_tokens - cached) * price.input + cached * cached_price
        return (paid + usage.completion_tokens * price.output) / _MILLION

    def price(self, provider: str, models: tuple[str, ...]) -> Price | None:
        """What tokens of a provider cost, or None where there is no price.

        Parameters
        ----------
        models
            Names of the model, the most exact first.
        """
        self.refresh()
        return next(
            (found for model in models if model and (found := self._price(f"{provider}/{model}"))), None
        )

    def refresh(self) -> None:
        """Read the file if it has changed."""
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            table = msgspec.json.decode(read_regular(self.path, _MAX_BYTES), type=_Table)
            if table.format != 1:
                raise ValueError
        except FileNotFoundError:
            self._stamp, self._table, self.problem = None, self._configured, ""
        except (OSError, ValueError, RecursionError):  # of msgspec too
            self._table = self._configured
            self.problem = f"The prices in {self.path} cannot be read, so they are not used."
        else:
            self._table, self.problem = {**self._configured, **table.usd_per_million_tokens}, ""

    def _price(self, name: str) -> Price | None:
        if name in self._table:
            return self._table[name]
        open_ended = [key for key in self._table if key.endswith("*") and name.startswith(key[:-1])]
        return self._table[max(open_ended, key=len)] if open_ended else None
