"""A file of a repository on the model hub, or on a mirror of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from urllib.parse import quote

from ...network.environment import without_credentials
from ..entries import HubSource
from ..files import Counted
from .base import SourceFailed
from .http import HttpFile, HttpOptions

DEFAULT_HUB = "https://huggingface.co"


def default_hub() -> str:
    """The hub's address: ``HF_ENDPOINT`` where it is set."""
    return os.environ.get("HF_ENDPOINT", "").strip() or DEFAULT_HUB


class Hub:
    """Fetches a file of a fixed revision. ``HF_TOKEN``, where set, goes to the hub's own host only."""

    def __init__(self, source: HubSource, hub_url: str, options: HttpOptions) -> None:
        path = quote(f"{source.repo}/resolve/{source.revision}/{source.file}")
        token = os.environ.get("HF_TOKEN", "").strip()
        try:
            self._file = HttpFile(f"{hub_url.rstrip('/')}/{path}", "The model hub", options, token)
        except SourceFailed:
            raise SourceFailed(
                f"The address of the model hub (`{without_credentials(hub_url)}`, by HF_ENDPOINT or "
                "ModelStore.hub_url) is not valid."
            ) from None

    def fetch(self, part: Path, size: int, counted: Counted, cancel: threading.Event) -> None:
        """See `Source.fetch`."""
        self._file.fetch(part, size, counted, cancel)
