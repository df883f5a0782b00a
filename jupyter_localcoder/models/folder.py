"""The layout of the model folder: which name stands for what, and locks on it.

::

    <models_dir>/
      <id>/<file>.gguf          a model
      <id>/manifest.json        its digest, and the time at which it was verified
      <id>/.download/           parts of a download that is not finished
      licenses.json             who accepted which licence text
      .incoming/                imports that are being copied
      .quarantine/              files whose digest was wrong
      .locks/                   one lock file for each model

A model is there when its manifest is: it is written last. This module does not look into the files.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import platformdirs

from ..contract.common import MODEL_ID_PATTERN
from ..errors import Canceled, ModelInUse, ModelNotFound
from .files import make_folder, sync_folder, write_errors

MODELS_DIR_VARIABLE = "LOCALCODER_MODELS_DIR"
MANIFEST = "manifest.json"

_ID = re.compile(MODEL_ID_PATTERN)
_LEDGER = "licenses.json"
_WINDOWS_NAMES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|\Z)", re.IGNORECASE)
_LOCK_SECONDS = 0.25
_LEFTOVER_SECONDS = 24 * 3600.0


def default_models_dir() -> Path:
    """Where models lie if nobody says otherwise: in the user's own data folder."""
    name = "LocalCoder" if sys.platform in ("darwin", "win32") else "localcoder"
    return Path(platformdirs.user_data_dir(name, appauthor=False)) / "models"


def is_model_id(text: str) -> bool:
    """Whether it can be the id of a model, and so the name of its folder on any system."""
    taken = _WINDOWS_NAMES.match(text) or text.endswith(".") or text.casefold() == _LEDGER
    return _ID.match(text) is not None and not taken


class ModelsFolder:
    """The folder of all models."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def model(self, model_id: str) -> Path:
        """Folder of a model, whether it is there or not.

        Raises
        ------
        ModelNotFound
            No model can have this id.

        """
        if not is_model_id(model_id):
            raise ModelNotFound(f"`{model_id[:80]!r}` cannot be the id of a model.")
        return self.root / model_id

    def downloads(self, model_id: str) -> Path:
        """Folder of the parts of a download."""
        return self.model(model_id) / ".download"

    @property
    def incoming(self) -> Path:
        """Folder of what is being copied in."""
        return self.root / ".incoming"

    @property
    def licenses(self) -> Path:
        """The file of accepted licences."""
        return self.root / _LEDGER

    def ids(self) -> list[str]:
        """Ids of the models that have a manifest, sorted."""
        try:
            names = [path.name for path in self.root.iterdir()]
        except OSError:
            return []
        return sorted(name for name in names if is_model_id(name) and (self.root / name / MANIFEST).is_file())

    def require_writable(self) -> None:
        """Make the folder if needed, and try to write into it.

        Raises
        ------
        FileWriteError, DiskFull
            It cannot be made or written.

        """
        with write_errors():
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe-{secrets.token_hex(4)}"
            try:
                probe.write_bytes(b"localcoder")
            finally:
                probe.unlink(missing_ok=True)

    def quarantine(self, path: Path) -> Path:
        """Move a file out of sight; gives its new place."""
        make_folder(self.root / ".quarantine")
        target = self.root / ".quarantine" / f"{path.name}.{secrets.token_hex(4)}"
        with write_errors():
            path.replace(target)
        sync_folder(path.parent)
        return target

    def sweep(self) -> None:
        """Remove what imports and removals left behind that were killed a day ago or longer."""
        oldest = time.time() - _LEFTOVER_SECONDS
        leftovers = (self.incoming.glob("*.part"), self.root.glob(".removed-*"), self.root.glob(".probe-*"))
        for path in itertools.chain(*leftovers):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime >= oldest:
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def remove_tree(self, folder: Path) -> None:
        """Remove a folder: out of sight at once, then file by file."""
        gone = self.root / f".removed-{secrets.token_hex(4)}"
        with write_errors():
            folder.replace(gone)
            sync_folder(self.root)
            shutil.rmtree(gone)

    def lock_path(self, name: str) -> Path:
        """The file that is locked for what one process at a time may do."""
        return self.root / ".locks" / f"{name}.lock"

    @contextmanager
    def lock(self, name: str, cancel: threading.Event | None = None, *, wait: bool = True) -> Iterator[None]:
        """Hold what one process at a time may do with a model.

        Raises
        ------
        Canceled
            ``cancel`` was set while it waited.
        ModelInUse
            Somebody else holds it, and ``wait`` is false.
        FileWriteError
            The lock file cannot be written.

        """
        make_folder(self.root)
        make_folder(self.root / ".locks")
        held = filelock.FileLock(self.lock_path(name), thread_local=False)
        while not _acquired(held):
            if cancel is not None and cancel.is_set():
                raise Canceled()
            if not wait:
                raise ModelInUse(f"`{name}` is currently being downloaded, imported or checked.")
        try:
            yield
        finally:
            held.release()


def _acquired(held: filelock.BaseFileLock) -> bool:
    """Whether a lock was got within `_LOCK_SECONDS`."""
    with write_errors():
        try:
            held.acquire(timeout=_LOCK_SECONDS, poll_interval=0.05)
        except filelock.Timeout:
            return False
    return True


def environment_models_dir() -> str:
    """What the environment says about the model folder; empty where it says nothing."""
    return os.environ.get(MODELS_DIR_VARIABLE, "").strip()
