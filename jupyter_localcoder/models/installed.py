"""A model that is on this machine: its manifest, its file, and whether it is still what was verified."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ..contract.models import ImportManifest
from ..errors import ChecksumMismatch, FileWriteError, ModelNotReady
from ..storage.json_file import require_flat
from ..storage.regular import open_regular, read_regular
from .files import is_plain_name, write_whole
from .folder import MANIFEST
from .gguf import GgufHeader

FORMAT = 1
_MAX_MANIFEST_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_SAMPLE_BYTES = 64 * 1024
_SAMPLES = 16


class InstalledModel(Struct, frozen=True, kw_only=True):
    """A model that can be loaded: whole, and verified."""

    id: str
    path: Path
    digest: str
    """SHA-256 of the file, hexadecimal."""
    quantization: str
    size_bytes: int
    header: GgufHeader

    @property
    def context_length(self) -> int:
        """Longest context that the model was trained for, in tokens."""
        return self.header.context_length


def read_manifest(folder: Path, model_id: str | None = None) -> ImportManifest | None:
    """The manifest of a folder, or None where there is none that makes sense.

    Parameters
    ----------
    model_id
        The id that it must have; None for a bundle, which may have any.

    """
    try:
        # In the folder of models a person may have put a link; in a bundle it could lead anywhere.
        raw = read_regular(folder / MANIFEST, _MAX_MANIFEST_BYTES, follow=model_id is not None)
        manifest = msgspec.json.decode(raw, type=ImportManifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    named_well = Path(manifest.file).is_absolute() if manifest.linked else is_plain_name(manifest.file)
    sound = named_well and "\0" not in manifest.file and _SHA256.match(manifest.digest) is not None
    if not sound or manifest.format != FORMAT or manifest.size_bytes <= 0:
        return None
    return manifest if model_id in (None, manifest.id) else None


def write_manifest(folder: Path, manifest: ImportManifest) -> None:
    """Write the manifest of a folder, whole or not at all: with it, the model is there.

    What a manifest of the same file says that this version does not know stays in it.

    Raises
    ------
    FileWriteError
        It cannot be written, or the one that is there is of a newer version.
    DiskFull
    """
    require_not_newer(folder)
    before = _document(folder)
    more = {
        name: value
        for name, value in (before if before.get("digest") == manifest.digest else {}).items()
        if name not in ImportManifest.__struct_fields__
    }
    document = {**msgspec.to_builtins(manifest), **more}
    write_whole(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(document)))


def require_not_newer(folder: Path) -> None:
    """Refuse to change a model that a newer version of the product has put there.

    Raises
    ------
    FileWriteError
    """
    format_ = _document(folder).get("format")
    if isinstance(format_, int) and format_ > FORMAT:
        raise FileWriteError(
            f"The model `{folder.name}` was installed by a newer version and is not changed.",
            recovery="Use the newer version, or move the model folder elsewhere.",
            model=folder.name,
        )


def _document(folder: Path) -> dict[str, Any]:
    """What the manifest of a folder says, whatever its format; empty where that cannot be read."""
    try:
        document = msgspec.json.decode(read_regular(folder / MANIFEST, _MAX_MANIFEST_BYTES))
        require_flat(document)
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def file_of(folder: Path, manifest: ImportManifest) -> Path:
    """The GGUF file that a manifest speaks of."""
    return Path(manifest.file) if manifest.linked else folder / manifest.file


def status_of(path: Path, manifest: ImportManifest) -> os.stat_result:
    """Size and time of the file.

    Raises
    ------
    ModelNotReady
        It is gone, or it is not a regular file of this folder.

    """
    try:
        status = path.stat() if manifest.linked else path.lstat()
    except OSError:
        what = "The file that it refers to" if manifest.linked else "Its file"
        raise ModelNotReady(
            f"`{manifest.id}` cannot be used: {what[0].lower()}{what[1:]} is missing.",
            recovery=f"Delete it (`jupyter localcoder models rm {manifest.id}`), then download or import it "
            "again.",
        ) from None
    if not stat.S_ISREG(status.st_mode):
        raise ModelNotReady(f"`{manifest.id}` cannot be used: its file is not a regular file.")
    return status


def is_verified(status: os.stat_result, manifest: ImportManifest) -> bool:
    """Whether the file is unchanged since its digest was computed, by its size and time."""
    return status.st_size == manifest.size_bytes and status.st_mtime_ns == manifest.verified_mtime_ns


def sample_of(path: Path, size: int) -> str:
    """SHA-256 of some pieces of a file, its beginning and end among them: a megabyte, whatever its size.

    It tells another file from a copy of the same one at once. It proves nothing: before a file is used whose
    time has changed, its whole digest is computed.

    Raises
    ------
    OSError
        It cannot be read.
    """
    last = max(0, size - _SAMPLE_BYTES)
    starts = sorted({last * step // (_SAMPLES - 1) for step in range(_SAMPLES)})
    digest = hashlib.sha256(str(size).encode())
    with open_regular(path) as file:
        for start in starts:
            file.seek(start)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def fingerprint(manifest: ImportManifest, status: os.stat_result, sample: str) -> str:
    """What names a file whose digest was computed, wherever its folder is mounted."""
    return f"{manifest.digest}|{status.st_size}|{status.st_mtime_ns}|{sample}"


def mismatch(model_id: str, expected: str, found: str, recovery: str | None = None) -> ChecksumMismatch:
    """The error for a file that is not what was promised."""
    return ChecksumMismatch(
        f"The file of `{model_id}` does not match its expected digest, so it was not used.",
        recovery=recovery,
        model=model_id,
        expected=expected,
        found=found,
    )
