"""Loading the extension costs a server next to nothing: what is heavy waits for the first request."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.jupyter_server import JupyterServer

HEAVY = {"llama_cpp", "numpy", "httpx", "psutil", "filelock", "tqdm", "pip", "IPython"}
LAUNCHER = """
import atexit, json, pathlib, sys
from jupyter_server.serverapp import main
names = pathlib.Path({path!r})
atexit.register(lambda: names.write_text(json.dumps(sorted(sys.modules))))
main()
"""


def modules_of_a_server(folder: Path, *requests: str, extension: bool = True) -> set[str]:
    """All modules that a server has imported between its start and its end.

    No other extension is in it: those of the machine are not looked at.
    """
    folder.mkdir()
    names = folder / "modules.json"
    launcher = [sys.executable, "-c", LAUNCHER.format(path=str(names))]
    server = JupyterServer(folder, folder / "models", launcher, JUPYTER_NO_CONFIG="1")
    server.start()
    try:
        for path in requests:
            server.call("GET", path)
    finally:
        server.stop()
    return set(json.loads(names.read_text()))


def test_a_server_with_the_extension_imports_nothing_heavy(tmp_path: Path) -> None:
    modules = modules_of_a_server(tmp_path / "idle")
    assert "jupyter_localcoder.server.app" in modules
    assert not {name for name in modules if name.partition(".")[0] in HEAVY}
    assert not {name for name in modules if name.startswith("jupyter_localcoder.models")}


@pytest.mark.parametrize("path", ["localcoder/health", "localcoder/models"])
def test_the_inference_library_is_never_imported_into_the_server(tmp_path: Path, path: str) -> None:
    modules = modules_of_a_server(tmp_path / "asked", path)
    assert "jupyter_localcoder.service" in modules
    assert not {name for name in modules if name.partition(".")[0] in {"llama_cpp", "numpy"}}
