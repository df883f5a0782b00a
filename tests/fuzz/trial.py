"""One input after the other: each is read or refused, in time; anything else is kept and told."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from jupyter_localcoder import errors
from jupyter_localcoder.models import gguf

READ_SECONDS = 0.1
"""Of processor time, since a machine may be busy."""


class Trial:
    """Counts what was tried.

    Parameters
    ----------
    folder
        For the file that is read.
    whole_bytes
        Inputs are made as long as this, with a hole at the end: else the tensors of none would lie within
        its file. 0 leaves them as they are.
    """

    def __init__(self, folder: Path, whole_bytes: int = 0) -> None:
        self._path = folder / "hostile.gguf"
        self._whole_bytes = whole_bytes
        self.tried = self.read = 0
        self.slowest_seconds = 0.0
        self.slowest = ""
        """Name of the input that took longest."""

    def put(self, data: bytes, name: str) -> str:
        """Try an input; gives what is wrong, and nothing where all is well."""
        self._path.write_bytes(data)
        if len(data) < self._whole_bytes:
            os.truncate(self._path, self._whole_bytes)
        wrong = ""
        began = time.process_time()
        try:
            header = gguf.read(self._path)
        except errors.InvalidModel:
            header = None
        except Exception as failure:
            header, wrong = None, f"{type(failure).__name__}: {failure}"
        seconds = time.process_time() - began
        self.tried += 1
        if header is not None:
            self.read += 1
            size = max(len(data), self._whole_bytes)
            if not 1 <= header.n_layers <= gguf.MAX_LAYERS or not 0 < header.tensor_bytes <= size:
                wrong = (
                    f"it was read, with {header.n_layers} layers and {header.tensor_bytes} bytes of tensors"
                )
        if seconds > self.slowest_seconds:
            self.slowest_seconds, self.slowest = seconds, name
        if seconds > READ_SECONDS:
            wrong = wrong or f"it took {seconds * 1000:.0f} ms"
        return wrong

    def keep(self, data: bytes) -> Path:
        """Keep an input on which the reader failed; gives the file."""
        with tempfile.NamedTemporaryFile(prefix="hostile-", suffix=".gguf", delete=False) as file:
            file.write(data)
        return Path(file.name)

    def __str__(self) -> str:
        return (
            f"{self.tried} headers tried, {self.read} read, {self.tried - self.read} refused; "
            f"slowest {self.slowest_seconds * 1000:.1f} ms ({self.slowest})"
        )
