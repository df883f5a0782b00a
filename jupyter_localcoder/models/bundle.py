"""A portable bundle: a model with its licence, on a stick, for a machine without a network.

A bundle is a plain folder, so that any file manager can copy it and its licence can be read::

    <id>.localcoder/
      manifest.json     an `ImportManifest`: name, size and SHA-256 of the model
      <file>.gguf
      LICENSE.txt       the text of the licence, where it is known
      NOTICE.txt        what the licence wants to go along with every copy, if anything
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from ..contract.models import ImportManifest
from ..errors import FileWriteError, InvalidArgument, InvalidModel, SourceFileNotFound
from ..storage.regular import open_regular, read_regular
from . import files, installed
from .folder import MANIFEST
from .meter import Meter
from .progress import Report

SUFFIX = ".localcoder"
TEXTS = ("LICENSE.txt", "NOTICE.txt")
_MAX_TEXT_BYTES = 1024 * 1024


class ImportCandidate(Struct, frozen=True, kw_only=True):
    """What a path holds that can be imported."""

    gguf: Path
    """The file itself, where the path that was given is a link."""
    name: str
    """What the file is called: the name of the link, where it is one."""
    manifest: ImportManifest | None
    """None for a bare GGUF file."""
    texts: Mapping[str, str]


def find(path: Path) -> ImportCandidate:
    """Look at a file or folder that a person wants to import.

    Raises
    ------
    SourceFileNotFound
        There is nothing.
    InvalidModel
        It is a folder that is not a bundle.

    """
    files.require_text_path(path)
    name = path.name
    try:
        path = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError):
        raise SourceFileNotFound(f"`{path.name}` was not found.", field="path") from None
    if not path.is_dir():
        return ImportCandidate(gguf=path, name=name, manifest=None, texts={})
    manifest = installed.read_manifest(path)
    if manifest is None or manifest.linked:
        raise InvalidModel(f"The folder `{path.name}` is not a bundle: it has no valid `{MANIFEST}`.")
    model = path / manifest.file
    if model.is_symlink() or not model.is_file():
        raise InvalidModel(f"The bundle `{path.name}` does not contain its file `{manifest.file}`.")
    texts = {name: text for name in TEXTS if (text := _text(path / name))}
    return ImportCandidate(gguf=model, name=model.name, manifest=manifest, texts=texts)


def write(
    source: Path,
    manifest: ImportManifest,
    texts: Mapping[str, str],
    destination: Path,
    *,
    report: Report | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Write a bundle, whole or not at all; gives its folder.

    Parameters
    ----------
    destination
        A folder that exists, to put the bundle into, or the name of the bundle, which must not.

    Raises
    ------
    InvalidArgument
        Something is there already, or it is a symbolic link.
    ChecksumMismatch
        The model has changed on the disk.
    DiskFull, FileWriteError
        It cannot be written; nothing is left behind.

    """
    target = _target(destination, manifest.id)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    meter = Meter(report, "verifying", manifest.size_bytes) if report else None
    with files.write_errors():
        partial.mkdir()
    try:
        files.require_space(partial, manifest.size_bytes)
        copy = files.open_part(partial / manifest.file, 0)
        try:
            with open_regular(source) as original:
                found = files.copy_stream(original, copy, counted=meter, cancel=cancel)
        finally:
            files.close_part(copy)
        if found != manifest.digest:
            raise installed.mismatch(manifest.id, manifest.digest, found)
        files.sync_file(partial / manifest.file)
        for name, text in texts.items():
            files.write_whole(partial / name, text.encode())
        portable = msgspec.structs.replace(manifest, linked=False, verified_mtime_ns=0)
        installed.write_manifest(partial, portable)
        with files.write_errors():
            partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    files.sync_folder(target.parent)
    return target


def texts_in(folder: Path) -> dict[str, str]:
    """The licence texts that lie in the folder of a model that came out of a bundle."""
    return {name: text for name in TEXTS if (text := _text(folder / name))}


def _target(destination: Path, model_id: str) -> Path:
    files.require_text_path(destination)
    destination = destination.expanduser()
    if destination.is_symlink():
        raise InvalidArgument(f"`{destination.name}` is a symbolic link; it was not followed.", field="path")
    target = destination
    if destination.suffix != SUFFIX:
        inside = destination.is_dir()
        target = destination / f"{model_id}{SUFFIX}" if inside else Path(f"{destination}{SUFFIX}")
    if not target.parent.is_dir():
        raise FileWriteError(f"The folder `{target.parent.name}` does not exist.")
    if target.is_symlink() or target.exists():
        raise InvalidArgument(f"`{target.name}` already exists.", field="path")
    return target


def _text(path: Path) -> str:
    try:
        return read_regular(path, _MAX_TEXT_BYTES, follow=False).decode("utf-8", "replace")
    except OSError:
        return ""
