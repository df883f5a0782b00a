"""Shells with the magics in them, over a scripted client."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from jupyter_localcoder.magics import register, unregister

FAKE_CLIENT = Path(__file__).parent / "fake_client.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fake_client", FAKE_CLIENT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    """The module of the scripted client."""
    return _load()


@pytest.fixture
def client(fake: ModuleType) -> Any:
    return fake.FakeClient()


@pytest.fixture
def shell(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A terminal's shell, with the magics registered; colours off, so that errors can be compared."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"  # older ones ignore the case
    shell = InteractiveShell(config=config)
    register(shell, lambda: client)
    yield shell
    unregister(shell)
    shell.history_manager.end_session()


@pytest.fixture
def notebook(shell: InteractiveShell) -> InteractiveShell:
    """The same with a kernel around it, as far as the magics can tell; what it shows is kept."""
    shell.kernel = object()
    shell.display_pub = Publisher()
    return shell


class Publisher(CapturingDisplayPublisher):
    """Keeps everything that is published, the transient part too."""

    def publish(self, data: Any, metadata: Any = None, **more: Any) -> None:
        self.outputs.append({"data": data, "metadata": metadata or {}, **more})
