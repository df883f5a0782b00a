"""The models that are on this machine: find them, check them, put them in place, remove them.

Knows the folder and the manifests, not where a model could be fetched from.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from ..contract.models import ImportManifest
from ..errors import FileWriteError, InvalidArgument, ModelNotReady
from . import files, gguf, installed
from .folder import MANIFEST, ModelsFolder
from .installed import InstalledModel
from .known_files import KnownFiles
from .meter import Meter
from .progress import Report

_KEPT_HEADERS = 64


class Library:
    """What is installed in a model folder.

    Parameters
    ----------
    known
        Files that this user has verified before.
    """

    def __init__(
        self,
        folder: ModelsFolder,
        known: KnownFiles,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self.folder = folder
        self._known = known
        self._log = log
        self._samples: dict[tuple[str, int, int], str] = {}
        self._headers: dict[tuple[str, int, int], gguf.GgufHeader] = {}
        self._headers_lock = threading.Lock()

    def manifest(self, model_id: str) -> ImportManifest | None:
        """The manifest of a model, or None where it is not here."""
        return installed.read_manifest(self.folder.model(model_id), model_id)

    def manifests(self) -> Iterator[ImportManifest]:
        """The manifests of all models that are here, in the order of their ids."""
        for model_id in self.folder.ids():
            if (manifest := self.manifest(model_id)) is not None:
                yield manifest

    def header(self, path: Path, size: int, mtime_ns: int) -> gguf.GgufHeader:
        """The header of a file; read once for each version of it."""
        key = (str(path), size, mtime_ns)
        with self._headers_lock:
            known = self._headers.get(key)
        if known is not None:
            return known
        header = gguf.read(path)
        with self._headers_lock:
            while len(self._headers) >= _KEPT_HEADERS:
                self._headers.pop(next(iter(self._headers)))
            self._headers[key] = header
        return header

    def current(self, manifest: ImportManifest) -> InstalledModel | None:
        """The model if its file is unchanged since it was verified, else None; reads no weights.

        Raises
        ------
        ModelNotReady
            Its file is gone.
        InvalidModel
            Its header cannot be read.

        """
        path = installed.file_of(self.folder.model(manifest.id), manifest)
        status = installed.status_of(path, manifest)
        return self._model(manifest, path, status) if self._is_verified(manifest, path, status) else None

    def touched(self, manifest: ImportManifest) -> InstalledModel | None:
        """The model if its file seems to be the one that was verified, under another time; else None.

        Errors as of `current`. It is not to be used before it was `checked`.
        """
        path = installed.file_of(self.folder.model(manifest.id), manifest)
        status = installed.status_of(path, manifest)
        if status.st_size != manifest.size_bytes:
            return None
        if manifest.sample and manifest.sample != self._sample(path, status):
            return None
        return self._model(manifest, path, status)

    def _is_verified(self, manifest: ImportManifest, path: Path, status: os.stat_result) -> bool:
        if installed.is_verified(status, manifest):
            return True
        if status.st_size != manifest.size_bytes:
            return False
        sample = self._sample(path, status)
        return self._known.holds(installed.fingerprint(manifest, status, sample))

    def _sample(self, path: Path, status: os.stat_result) -> str:
        """The sample of a file, read once for each version of it; empty where it cannot be read."""
        key = (str(path), status.st_size, status.st_mtime_ns)
        if key not in self._samples:
            try:
                sample = installed.sample_of(path, status.st_size)
            except OSError:
                return ""
            with self._headers_lock:
                while len(self._samples) >= _KEPT_HEADERS:
                    self._samples.pop(next(iter(self._samples)))
                self._samples[key] = sample
            return sample
        return self._samples[key]

    def _fresh_sample(self, path: Path, status: os.stat_result) -> str:
        """The sample as the file is now: its time may hide a change."""
        with self._headers_lock:
            self._samples.pop((str(path), status.st_size, status.st_mtime_ns), None)
        return self._sample(path, status)

    def _noted(self, manifest: ImportManifest, path: Path, status: os.stat_result) -> ImportManifest:
        """The manifest with what tells that the file is the verified one."""
        sample = self._sample(path, status)
        return msgspec.structs.replace(manifest, verified_mtime_ns=status.st_mtime_ns, sample=sample)

    def _model(self, manifest: ImportManifest, path: Path, status: os.stat_result) -> InstalledModel:
        header = self.header(path, status.st_size, status.st_mtime_ns)
        return InstalledModel(
            id=manifest.id,
            path=path,
            digest=manifest.digest,
            quantization=header.quantization,
            size_bytes=manifest.size_bytes,
            header=header,
        )

    def checked(
        self,
        manifest: ImportManifest,
        *,
        report: Report | None = None,
        cancel: threading.Event | None = None,
    ) -> InstalledModel:
        """Compute the digest again; the caller holds the model's lock.

        Raises
        ------
        ChecksumMismatch
            It is another one. The file was moved out of sight; of a linked model only the reference.

        """
        folder = self.folder.model(manifest.id)
        path = installed.file_of(folder, manifest)
        before = installed.status_of(path, manifest)
        meter = Meter(report, "verifying", before.st_size) if report else None
        try:
            # Another size is another file: that takes no reading, of which there might be no end.
            same_size = before.st_size == manifest.size_bytes
            found = files.sha256(path, counted=meter, cancel=cancel) if same_size else ""
        except OSError as failure:
            raise ModelNotReady(f"`{manifest.id}` cannot be read: {failure.strerror}.") from None
        fingerprint = installed.fingerprint(manifest, before, self._fresh_sample(path, before))
        if found != manifest.digest:
            self._known.discard(fingerprint)
            wrong = f"the digest {found}" if found else f"{before.st_size} bytes"
            self._log.error("%s has %s; its digest was %s", manifest.id, wrong, manifest.digest)
            # In a folder that others may only read it stays, and is refused anew each time.
            with contextlib.suppress(FileWriteError):
                self.folder.quarantine(folder / MANIFEST)
                if not manifest.linked:
                    self.folder.quarantine(path)
            recovery = "Download or import it again; the file was moved to `.quarantine` in the model folder."
            if manifest.linked:
                recovery = "If the change was intended, import the file again; it was not modified."
            raise installed.mismatch(manifest.id, manifest.digest, found, recovery)
        fresh = self._noted(manifest, path, before)
        if fresh != manifest:
            # Also where the folder takes it: another machine may see the file under another time.
            self._known.add(fingerprint)
            # A folder that others may only read stays as it is.
            with contextlib.suppress(FileWriteError):
                installed.write_manifest(folder, fresh)
        model = self.current(fresh)
        if model is None:
            raise ModelNotReady(f"The file of `{manifest.id}` changed while it was checked.")
        return model

    def install(self, part: Path, manifest: ImportManifest) -> InstalledModel:
        """Put a verified file in its place; the caller holds the model's lock.

        The manifest is written last: killed at any point, the model is there whole or not at all.
        """
        folder = self.folder.model(manifest.id)
        self._require_no_twin(manifest.id)
        installed.require_not_newer(folder)
        files.make_folder(folder)
        target = folder / manifest.file
        with files.write_errors():
            if target.is_symlink():
                raise FileWriteError(f"`{target.name}` in the model folder is a symbolic link.")
            part.replace(target)
        files.sync_folder(folder)
        before = self.manifest(manifest.id)
        model = self.register(manifest)
        if before is not None and not before.linked and before.file != manifest.file:
            # The version before it. What loads it just now goes on with what it has open.
            with contextlib.suppress(OSError):
                (folder / before.file).unlink()
        return model

    def register(self, manifest: ImportManifest) -> InstalledModel:
        """Write the manifest of a verified file that is in its place, or is linked."""
        folder = self.folder.model(manifest.id)
        files.make_folder(folder)
        path = installed.file_of(folder, manifest)
        fresh = self._noted(manifest, path, installed.status_of(path, manifest))
        installed.write_manifest(folder, fresh)
        files.sync_folder(self.folder.root)
        model = self.current(fresh)
        if model is None:
            raise ModelNotReady(f"The file of `{manifest.id}` changed while it was put in place.")
        return model

    def pin(self, manifest: ImportManifest, pinned: bool) -> None:
        """Note whether a model stays at its version; the caller holds the model's lock."""
        installed.write_manifest(
            self.folder.model(manifest.id), msgspec.structs.replace(manifest, pinned=pinned)
        )

    def remove_copies(self, model_id: str, names: Iterable[str]) -> None:
        """Remove files that a killed import or check left in the folder of a model that is linked by now.

        The caller holds the model's lock. Where any link leads into the folder, nothing in it is touched.

        Parameters
        ----------
        names
            What a copy of the model is called in its folder.

        """
        folder = self.folder.model(model_id)
        manifest = self.manifest(model_id)
        if manifest is None or not manifest.linked or folder.is_symlink():
            return
        if any(other.linked and _leads_into(Path(other.file), folder) for other in self.manifests()):
            return
        for name in names:
            # What cannot be removed now is tried again by the next import.
            with contextlib.suppress(OSError):
                if stat.S_ISREG((folder / name).lstat().st_mode):
                    (folder / name).unlink()
                    self._log.info("Removed %s, left over from an import or a check", folder / name)

    def remove(self, model_id: str) -> int:
        """Remove a model and its parts; gives the bytes that are free now."""
        folder = self.folder.model(model_id)
        if folder.is_symlink():
            with files.write_errors():
                folder.unlink()
            return 0
        if not folder.exists():
            return 0
        freed = files.tree_bytes(folder)
        self.folder.remove_tree(folder)
        return freed

    def _require_no_twin(self, model_id: str) -> None:
        """Refuse an id that some file systems take for another one."""
        for other in self.folder.ids():
            if other != model_id and other.casefold() == model_id.casefold():
                raise InvalidArgument(f"The model `{other}` already exists; use another id.", field="id")


def _leads_into(path: Path, folder: Path) -> bool:
    """Whether a file lies in a folder, by its name or through symbolic links, however it is spelt."""
    for parent in (*path.parents, *Path(os.path.realpath(path)).parents):
        with contextlib.suppress(OSError):
            if parent.samefile(folder):
                return True
    return False
