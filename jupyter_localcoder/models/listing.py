"""Describe the models: those of the catalogue, and after them those that were imported.

Looks at manifests and headers; computes no digest, so that a list is quick.
"""

from __future__ import annotations

from ..contract.models import ImportManifest, ModelInfo
from ..errors import LocalCoderError, ModelNotReady
from . import info, memory
from .catalogue import Catalogue
from .download import parts_bytes
from .entries import CatalogueEntry
from .installed import InstalledModel
from .library import Library


class Listing:
    """One look at everything, with the memory that is free at that moment.

    Parameters
    ----------
    accepted
        Digests of the licence texts that were accepted.
    terms
        How the models would be loaded: the fit is judged for it.

    """

    def __init__(
        self, catalogue: Catalogue, library: Library, accepted: frozenset[str], terms: memory.Terms
    ) -> None:
        self._catalogue = catalogue
        self._library = library
        self._accepted = accepted
        self._terms = terms
        self._free = memory.available()

    def all(self) -> list[ModelInfo]:
        """Describe every model."""
        known = self._catalogue.entries
        imports = [found for found in self._library.manifests() if found.id not in known]
        return [self.of_entry(entry) for entry in known.values()] + [self.of_import(one) for one in imports]

    def of_entry(self, entry: CatalogueEntry) -> ModelInfo:
        """Describe a model of the catalogue, whether it is here or not."""
        manifest = self._library.manifest(entry.id)
        model, recheck, error = self._inspect(manifest)
        shape = model.header.shape if model else entry.shape
        return info.of_catalogue(
            entry,
            manifest,
            accepted=self._catalogue.licenses[entry.license].sha256 in self._accepted,
            received_bytes=0 if manifest else parts_bytes(self._library.folder.downloads(entry.id), entry),
            error=error,
            recheck=recheck,
            path=str(model.path) if model else "",
            fit=memory.fit_of(shape, entry.size_bytes, entry.context_length, self._terms, self._free),
        )

    def of_import(self, manifest: ImportManifest) -> ModelInfo:
        """Describe a model that was imported."""
        model, recheck, error = self._inspect(manifest)
        license_ = self._catalogue.licenses.get(manifest.license)
        return info.of_import(
            manifest,
            model.header if model else None,
            license_id=license_.id if license_ else "",
            accepted=license_ is not None and license_.sha256 in self._accepted,
            error=error,
            recheck=recheck,
            path=str(model.path) if model else "",
            fit=memory.fit_of(
                model.header.shape if model else None,
                manifest.size_bytes,
                model.context_length if model else 0,
                self._terms,
                self._free,
            ),
        )

    def _inspect(
        self, manifest: ImportManifest | None
    ) -> tuple[InstalledModel | None, bool, LocalCoderError | None]:
        """The model as it is on the disk, whether it is to be checked again, and what is wrong with it.

        Computes no digest.
        """
        if manifest is None:
            return None, False, None
        try:
            model = self._library.current(manifest)
            if model is not None:
                return model, False, None
            model = self._library.touched(manifest)
        except LocalCoderError as error:
            return None, False, error
        if model is None:
            return (
                None,
                False,
                ModelNotReady(
                    f"The file of `{manifest.id}` has changed since it was verified.",
                    recovery="It is verified again when it is used; `models verify` does it now. If it is "
                    "damaged, download or import it again.",
                    model=manifest.id,
                ),
            )
        return model, True, None
