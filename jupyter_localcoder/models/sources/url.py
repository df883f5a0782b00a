"""A file on a web server that an administrator has named."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlsplit

from ..entries import UrlSource
from ..files import Counted
from .http import HttpFile, HttpOptions


class Url:
    """Fetches one address; in sentences it is called by its host alone."""

    def __init__(self, source: UrlSource, options: HttpOptions) -> None:
        host = urlsplit(source.url).hostname or "?"
        self._file = HttpFile(source.url, f"The server {host}", options)

    def fetch(self, part: Path, size: int, counted: Counted, cancel: threading.Event) -> None:
        """See `Source.fetch`."""
        self._file.fetch(part, size, counted, cancel)
