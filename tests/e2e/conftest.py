"""The real model, the real worker, the real server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_localcoder.client.local import LocalClient
from jupyter_localcoder.contract.models import ModelLoadRequest
from jupyter_localcoder.contract.registry import MODEL_LOAD
from jupyter_localcoder.engine.worker_link import Spawn
from tests.support.assistant import Assistant
from tests.support.jupyter_server import JupyterServer, running_server
from tests.support.real_model import MODEL
from tests.support.waiting import PATIENT_SUPERVISOR


@contextlib.contextmanager
def running_assistant(
    real_model: Path, settings_dir: Path, spawn: Spawn | None = None
) -> Iterator[Assistant]:
    """The service inside this process, with the model loaded and a window of 8192 tokens."""
    settings = {"settings_dir": str(settings_dir), "context_window": 8192}
    config = Config({"LocalCoderSettings": settings, "Supervisor": PATIENT_SUPERVISOR})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALCODER_MODELS_DIR", str(real_model))
        client = LocalClient(config)
    if spawn is not None:
        client.service.pool.spawn = spawn
    with client:
        client.call(MODEL_LOAD, ModelLoadRequest(id=MODEL))
        yield Assistant(client)


@pytest.fixture(scope="module")
def assistant(real_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """Asks a service of this process."""
    with running_assistant(real_model, tmp_path_factory.mktemp("settings")) as made:
        yield made


@pytest.fixture(scope="module")
def server(real_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A Jupyter server that the tests of a module share."""
    with running_server(tmp_path_factory.mktemp("server"), real_model) as server:
        yield server
