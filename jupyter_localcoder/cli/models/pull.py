"""``models pull ID``: licence, then bytes, then the digest."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from traitlets import Bool

from ...contract import codec
from ...contract.models import License, ModelInfo, ModelRequest
from ...errors import AirGapped, Canceled, ModelNotFound, PackageMissing
from ...machine.optional_packages import LLAMA_CPP, has_module
from ...models.entries import FileSource
from ...settings import LocalCoderSettings
from ...text.units import size
from ..command import LocalCoderCommand, options
from ..config.show import settings_of
from ..exits import ExitCode
from ..interrupt import on_interrupt
from ..progress import shown
from . import consent

if TYPE_CHECKING:
    from ...models.store import ModelStore

_FLAGS = options(
    accept_license=("ModelsPull.accept_license", "Accept the licence of the model without a prompt."),
    show_license=("ModelsPull.show_license", "Show the licence text without downloading."),
    update=("ModelsPull.update", "Update the file if the catalogue has a different version."),
)


class ModelsPull(LocalCoderCommand):
    """Fetch a model."""

    usage = "models pull ID [options]"
    description = """Download a model from the catalogue. Accept its licence at the prompt or with
    `--accept-license`; the user, the licence text and the time are recorded. The file is used only
    if it matches the digest in the catalogue. Ctrl-C stops the download; run the command again to
    resume it. `--update` installs a newer version from the catalogue, unless the model is pinned."""
    arguments = (1, 1)
    flags = LocalCoderCommand.flags | _FLAGS
    examples = """
jupyter localcoder models pull qwen2.5-coder-0.5b
jupyter localcoder models pull qwen2.5-coder-0.5b --accept-license --quiet
"""

    accept_license = Bool(False, config=True, help="Accept the licence without a prompt.")
    show_license = Bool(False, config=True, help="Show the licence text without downloading.")
    update = Bool(False, config=True, help="Update the file if the catalogue has a different version.")

    def run(self) -> ExitCode:
        """Fetch it."""
        model = codec.decode(ModelRequest, {"id": self.extra_args[0]}).id
        store = self.store()
        license = license_of(store, model)
        if self.show_license:
            self.console.document(license)
            consent.show(self.console, license)
            return ExitCode.OK
        with self.client() as client:
            air_gap = settings_of(client).settings.air_gap
        info = store.info(model, 0)
        check_air_gap(store, info, air_gap)
        accepted = ""
        if info.state != "ready" or self.update:
            accepted = consent.agreed(self, info, license, accept=self.accept_license)
        ready = store.prepare(
            model,
            allow_download=True,
            accept_license=accepted,
            accepted_by=consent.who(),
            air_gap=air_gap,
            update=self.update,
        )
        if ready is None:
            fetch(self, store, info, update=self.update)
        self._report(store, model, fetched=ready is None)
        return ExitCode.OK

    def _report(self, store: ModelStore, model: str, *, fetched: bool) -> None:
        info = store.info(model, 0)
        self.console.document({"model": info, "fetched": fetched})
        told = "is ready and its digest is verified" if fetched else "is already installed"
        self.console.out(f"{info.id} {told} ({size(info.size_bytes)}, SHA-256 {info.digest[:16]}…).")
        if not has_module(LLAMA_CPP):
            missing = PackageMissing.of("local")
            self.note(f"{missing} {missing.recovery}")


def fetch(command: LocalCoderCommand, store: ModelStore, info: ModelInfo, *, update: bool = False) -> None:
    """Fetch a model that `ModelStore.prepare` has found to be allowed; Ctrl-C keeps what came so far."""
    stop = threading.Event()
    settings = LocalCoderSettings(config=command.config, command_line=command.cli_config, log=command.log)
    resumed = f", {size(info.received_bytes)} already downloaded" if info.received_bytes else ""
    command.note(f"Downloading {info.id}: {size(info.size_bytes)}{resumed}.")
    try:
        with shown(command, info.id) as progress, on_interrupt(stop):
            store.fetch(
                info.id,
                progress=progress,
                cancel=stop,
                air_gap=lambda: settings.current.air_gap,
                update=update,
            )
    except (Canceled, KeyboardInterrupt):
        raise Canceled(
            "The download was stopped. The partial download is kept.",
            recovery=f"Resume it with `jupyter localcoder models pull {info.id}`.",
        ) from None


def license_of(store: ModelStore, model: str) -> License:
    """The licence of a model of the catalogue."""
    entry = store.catalogue.entries.get(model)
    if entry is None:
        raise ModelNotFound(f"The catalogue contains no model `{model}`.")
    return store.catalogue.licenses[entry.license]


def check_air_gap(store: ModelStore, info: ModelInfo, air_gap: bool) -> None:
    """Say at once that nothing can be fetched: nobody is to read a licence for nothing."""
    sources = store.catalogue.entries[info.id].sources
    if air_gap and info.state != "ready" and not any(isinstance(source, FileSource) for source in sources):
        raise AirGapped(model=info.id)
