"""A history of its own for each test, and answers to put into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_localcoder.history import HistoryStore
from tests.support.responses import response


@pytest.fixture
def store(tmp_path: Path):
    store = HistoryStore(history_dir=str(tmp_path / "history"))
    yield store
    store.close()


@pytest.fixture
def kept(store: HistoryStore):
    """Keeps an answer with these fields."""

    def keep(**fields):
        return store.keep(response(**fields))

    return keep
