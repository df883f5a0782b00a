"""A file on a disk that this machine sees, such as a share of the institute."""

from __future__ import annotations

import threading
from pathlib import Path

from ...storage.regular import open_regular
from ..entries import FileSource
from ..files import Counted, close_part, copy_stream, open_part
from .base import SourceFailed


class LocalFile:
    """Copies a file."""

    def __init__(self, source: FileSource) -> None:
        self._path = Path(source.path)

    def fetch(self, part: Path, size: int, counted: Counted, cancel: threading.Event) -> None:
        """See `Source.fetch`; it always starts over, since a copy is quick."""
        name = self._path.name
        if "\0" in str(self._path) or not self._path.is_absolute():
            raise SourceFailed("The path of the file is not an absolute one.")
        try:
            with open_regular(self._path) as source:
                target = open_part(part, 0)
                try:
                    copy_stream(source, target, counted=counted, cancel=cancel, limit=size)
                    done = target.tell()
                finally:
                    close_part(target)
        except OSError as failure:
            raise SourceFailed(f"The file `{name}` cannot be read: {failure.strerror}.") from None
        if done < size:
            raise SourceFailed(f"The file `{name}` has {done} bytes; {size} are expected.")
