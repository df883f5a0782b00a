"""The small model of the catalogue, fetched once per machine through the product's own store."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import platformdirs

from jupyter_localcoder.errors import LocalCoderError
from jupyter_localcoder.models.store import ModelStore, TransferProgress

MODEL = "qwen2.5-coder-0.5b"
CACHE_VARIABLE = "LOCALCODER_TEST_CACHE"


def cache_folder() -> Path:
    """Where it is kept from one run of the tests to the next."""
    own = os.environ.get(CACHE_VARIABLE)
    folder = Path(own) if own else Path(platformdirs.user_cache_dir("localcoder-tests", appauthor=False))
    return folder.absolute() / "models"


def fetched(folder: Path) -> Path:
    """Fetch the model into this model folder, if it is not there yet, and give the folder.

    Raises
    ------
    AssertionError
        It cannot be fetched; the sentence says why.

    """
    store = ModelStore(models_dir=str(folder))
    license_id = store.catalogue.entries[MODEL].license
    try:
        ready = store.prepare(
            MODEL,
            allow_download=True,
            accept_license=store.catalogue.licenses[license_id].sha256,
            accepted_by="the tests",
            air_gap=False,
        )
        if ready is None:
            store.fetch(MODEL, progress=_unseen, cancel=threading.Event())
    except LocalCoderError as failure:
        raise AssertionError(
            f"These tests need {MODEL}, and it cannot be fetched into {folder}: "
            f"{failure.message} {failure.recovery} {failure.details}"
        ) from None
    return folder


def _unseen(_progress: TransferProgress) -> None:
    pass
