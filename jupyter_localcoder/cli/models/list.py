"""``models list``: what is offered, and what is here."""

from __future__ import annotations

import textwrap

from ...contract import models, registry
from ...text.units import size
from ..command import LocalCoderCommand
from ..exits import ExitCode
from ..table import table

_FIT = {"fits": "fits", "tight": "tight", "does-not-fit": "too big", "unknown": "?"}


class ModelsList(LocalCoderCommand):
    """List the models."""

    usage = "models list [options]"
    description = """List the models of the catalogue and the imported models: file size, state,
    whether the model fits into the available memory, licence, and use. The active profile, its
    model and the model folder are shown below the table."""

    def run(self) -> ExitCode:
        """Print them."""
        with self.client() as client:
            known: models.ModelList = client.call(registry.MODEL_LIST, models.ModelListRequest())
        self.console.document(known)
        head = ("MODEL", "SIZE", "STATE", "FIT", "LICENCE", "FOR")
        rows = [_row(info) for info in known.models]
        self.console.out(table(head, rows, width=self.console.width))
        self.console.out("")
        for line in _remarks(known):
            self.console.out(textwrap.fill(line, self.console.width or 10_000, break_long_words=False))
        return ExitCode.OK


def state_text(info: models.ModelInfo) -> str:
    """The state of a model in a word or two."""
    if info.state == "idle":
        return f"partly ({_percent(info)})" if info.received_bytes else "not here"
    if info.state == "downloading":
        return f"{info.state} {_percent(info)}"
    state = "loaded" if info.loaded else info.state
    return f"{state}, pinned" if info.pinned else state


def _percent(info: models.ModelInfo) -> str:
    # Rounded down: what is not whole never reads as 100 %.
    return f"{100 * info.received_bytes // max(info.size_bytes, 1)} %"


def _row(info: models.ModelInfo) -> tuple[str, ...]:
    roles = ", ".join(info.roles) or "?"
    return (info.id, size(info.size_bytes), state_text(info), _FIT[info.fit.fit], info.license or "?", roles)


def _remarks(known: models.ModelList) -> list[str]:
    # The reason begins with the name of the profile.
    lines = [f"Profile: {known.profile_reason or known.active_profile}", f"Folder: {known.models_dir}"]
    offered = {info.license for info in known.models}
    # Some licences ask that these words stand wherever the model is offered.
    lines += [
        license.attribution for license in known.licenses if license.id in offered and license.attribution
    ]
    return lines + [f"{info.id}: {info.error.message}" for info in known.models if info.error]
