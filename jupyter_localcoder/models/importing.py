"""Take a model from this machine's own disk into the library, by copy or by reference."""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from pathlib import Path

from ..contract.models import ImportManifest
from ..errors import ChecksumMismatch, InvalidArgument, InvalidModel
from ..storage.regular import open_regular
from . import bundle, files, gguf, installed
from .catalogue import Catalogue
from .entries import CatalogueEntry
from .folder import is_model_id
from .installed import InstalledModel
from .library import Library
from .meter import Meter
from .progress import Report

_DIGEST = re.compile(r"(sha256[-_:]?)?[0-9a-f]{32,128}(\.gguf)?\Z", re.IGNORECASE)
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._-]+")


class ImportJob:
    """One import."""

    def __init__(
        self,
        library: Library,
        catalogue: Catalogue,
        reserve_bytes: int,
        report: Report | None,
        cancel: threading.Event | None,
    ) -> None:
        self._library = library
        self._catalogue = catalogue
        self._reserve_bytes = reserve_bytes
        self._report = report
        self._cancel = cancel

    def run(self, path: Path, model_id: str | None, link: bool) -> InstalledModel:
        """See `ModelStore.import_file`."""
        if model_id is not None and not is_model_id(model_id):
            raise InvalidArgument(
                "The id may contain letters, digits, dots, dashes and underscores.", field="id"
            )
        found = bundle.find(path)
        gguf.read(found.gguf)
        self._library.folder.require_writable()
        self._library.folder.sweep()
        if link:
            digest = self._digest(found.gguf, None)
            return self._place(found, model_id, digest, None)
        incoming = self._library.folder.incoming
        files.make_folder(incoming)
        files.require_space(incoming, found.gguf.stat().st_size + self._reserve_bytes)
        part = incoming / f"{secrets.token_hex(8)}.part"
        try:
            digest = self._digest(found.gguf, part)
            return self._place(found, model_id, digest, part)
        finally:
            part.unlink(missing_ok=True)

    def provisional_id(self, path: Path) -> str:
        """The id that the name or the manifest gives, before the digest is known.

        Raises
        ------
        SourceFileNotFound, InvalidArgument, InvalidModel
            There is nothing; no id can be made of its name; it is no bundle.
        """
        return self._default_id(bundle.find(path), None)

    def _digest(self, source: Path, part: Path | None) -> str:
        """Digest of the file, which is copied on the way unless it is to be linked."""
        meter = Meter(self._report, "verifying", source.stat().st_size) if self._report else None
        try:
            with open_regular(source) as original:
                if part is None:
                    return files.copy_stream(original, None, counted=meter, cancel=self._cancel)
                copy = files.open_part(part, 0)
                try:
                    digest = files.copy_stream(original, copy, counted=meter, cancel=self._cancel)
                finally:
                    files.close_part(copy)
        except OSError as failure:
            raise InvalidModel(f"`{source.name}` cannot be read: {failure.strerror}.") from None
        files.sync_file(part)
        return digest

    def _place(
        self, found: bundle.ImportCandidate, model_id: str | None, digest: str, part: Path | None
    ) -> InstalledModel:
        if found.manifest is not None and found.manifest.digest != digest:
            raise installed.mismatch(found.manifest.id, found.manifest.digest, digest)
        entry = self._catalogue.by_digest(digest)
        chosen = model_id or self._default_id(found, entry)
        known = self._catalogue.entries.get(chosen)
        if known is not None and known.sha256 != digest:
            raise ChecksumMismatch(
                f"The file is not the model `{chosen}` from the catalogue: its digest differs.",
                recovery="To import it anyway, give it a different id.",
                expected=known.sha256,
                found=digest,
            )
        with self._library.folder.lock(chosen, self._cancel):
            present = self._library.manifest(chosen)
            if present is not None and present.digest != digest:
                raise InvalidArgument(
                    f"The model `{chosen}` already exists; delete it or use another id.", field="id"
                )
            if present is not None:
                model = self._library.checked(present, cancel=self._cancel)
            else:
                model = self._install(chosen, found, digest, entry, part)
            if part is None:
                self._library.remove_copies(
                    chosen, {_copied_name(chosen, one) for one in (None, known, entry)}
                )
            return model

    def _install(
        self,
        model_id: str,
        found: bundle.ImportCandidate,
        digest: str,
        entry: CatalogueEntry | None,
        part: Path | None,
    ) -> InstalledModel:
        from_bundle = found.manifest.license if found.manifest is not None else ""
        manifest = ImportManifest(
            id=model_id,
            file=str(found.gguf) if part is None else _copied_name(model_id, entry),
            size_bytes=(part or found.gguf).stat().st_size,
            digest=digest,
            license=entry.license if entry is not None else from_bundle,
            origin="catalogue" if entry is not None and entry.id == model_id else "imported",
            linked=part is None,
            revision=entry.revision if entry else found.manifest.revision if found.manifest else "",
        )
        folder = self._library.folder.model(model_id)
        files.make_folder(folder)
        for name, text in found.texts.items():
            files.write_whole(folder / name, text.encode())
        if part is None:
            return self._library.register(manifest)
        return self._library.install(part, manifest)

    def _default_id(self, found: bundle.ImportCandidate, entry: CatalogueEntry | None) -> str:
        if entry is not None:
            return entry.id
        if found.manifest is not None and is_model_id(found.manifest.id):
            return found.manifest.id
        made = _id_of(_name_of(found))
        if not is_model_id(made):
            raise InvalidArgument("No id can be derived from the file name; give one.", field="id")
        return made


def _name_of(found: bundle.ImportCandidate) -> str:
    """What a model may be called: by its file, or by its header where the file is called by its digest."""
    if not _DIGEST.match(found.name):
        return found.name
    # A blob of a hub's cache: links beside it carry the names that people know.
    for link in sorted(found.gguf.parent.parent.glob("snapshots/*/*.gguf")):
        with contextlib.suppress(OSError):
            if link.samefile(found.gguf):
                return link.name
    header = gguf.read(found.gguf)
    facts = (header.name or header.architecture, header.quantization)
    return " ".join(fact for fact in facts if fact)


def _id_of(name: str) -> str:
    return _NOT_IN_IDS.sub("-", name.removesuffix(".gguf")).strip("-._")[:100]


def _copied_name(model_id: str, entry: CatalogueEntry | None) -> str:
    """What the copy of a file is called in the model's folder."""
    return entry.file if entry is not None else f"{model_id}.gguf"
