"""Fixtures of all tests: no test touches the folders of who runs it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import pytest

from tests.support.real_model import cache_folder, fetched
from tests.support.tiny_model import write_tiny_model

# No test asks the keyring of who runs it, in no process.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

# A busy machine may take longer for a completion than a person would wait.
os.environ["LOCALCODER_COMPLETION_TIMEOUT_SECONDS"] = "3600"

# How long an example, or making it, takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

# It also runs the coroutines among the tests, each in the loop of the fixture `jp_asyncio_loop`.
pytest_plugins = ["pytest_jupyter.jupyter_server"]

# A job that a shell has put into the background ignores Ctrl-C, and so would all processes that the tests
# start: what they say of interrupts would not be true.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "real_model" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_model)
            # The download is a fixture's, and takes what the network takes. The limit only ends what hangs.
            item.add_marker(pytest.mark.timeout(1200, func_only=True))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder that the product could write lies in the test's own."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("LOCALCODER_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.delenv("LOCALCODER_HISTORY_DIR", raising=False)
    for name in ("JUPYTER_LOCALCODER_URL", "JUPYTER_LOCALCODER_TOKEN", "JUPYTER_LOCALCODER_ROOT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def real_model() -> Path:
    """A model folder that holds the 0.5B model."""
    return fetched(cache_folder())


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny qwen2 model of random weights."""
    return write_tiny_model(tmp_path_factory.mktemp("gguf") / "tiny-qwen2.gguf")


@pytest.fixture(scope="session")
def tiny_llama_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny llama model of random weights, without fill-in-the-middle."""
    path = tmp_path_factory.mktemp("gguf") / "tiny-llama.gguf"
    return write_tiny_model(path, architecture="llama", fill_in_the_middle=False)
