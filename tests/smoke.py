"""Does an installation work? ``PYTHON tests/smoke.py`` asks the one that ``PYTHON`` belongs to.

Needs nothing but the product: it runs on a fresh wheel, and on the oldest packages that are allowed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from jupyter_client.manager import KernelManager

PATIENCE_SECONDS = 300.0


def main() -> int:
    """Run all checks; the first one that fails ends it with a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _own(Path(folder))
        os.environ.update(environment)
        _command_line()
        with _server(Path(folder)) as (url, token):
            _rest(url, token)
        _kernel()
    print(f"The installation of {sys.executable} works.")
    return 0


def _own(folder: Path) -> dict[str, str]:
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "HOME")
    places = {name: str(folder / name.lower()) for name in names}
    for place in places.values():
        Path(place).mkdir()
    return {**places, "LOCALCODER_MODELS_DIR": str(folder / "models")}


def _command_line() -> None:
    command = [sys.executable, "-m", "jupyter_localcoder.cli"]
    status = subprocess.run([*command, "status", "--json"], capture_output=True, text=True, check=True)
    _expect(json.loads(status.stdout)["engine_error"])
    doctor = subprocess.run([*command, "doctor"], capture_output=True, text=True, check=False)
    assert "Traceback" not in doctor.stdout + doctor.stderr, doctor.stderr


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[tuple[str, str]]:
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0",
        "--IdentityProvider.token=smoke", f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    with (folder / "server.log").open("w+") as log:
        child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield _address(folder, child), "smoke"
        finally:
            child.terminate()
            child.wait(PATIENCE_SECONDS)


def _address(folder: Path, child: subprocess.Popen[bytes]) -> str:
    runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError):  # it is being written
                return str(json.loads(path.read_text(encoding="utf-8"))["url"])
        time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{(folder / 'server.log').read_text()}")


def _rest(url: str, token: str) -> None:
    with httpx.Client(
        base_url=url, headers={"Authorization": f"token {token}"}, timeout=PATIENCE_SECONDS, trust_env=False
    ) as client:
        health = client.get("localcoder/health").raise_for_status().json()
        _expect(health["engine_error"])
        models = client.get("localcoder/models").raise_for_status().json()
        assert models["models"], "the catalogue is empty"
        package = client.get("lab/extensions/jupyter-localcoder/package.json").raise_for_status().json()
        entry = package["jupyterlab"]["_build"]["load"]
        client.get(f"lab/extensions/jupyter-localcoder/{entry}").raise_for_status()


def _kernel() -> None:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(PATIENCE_SECONDS)
        said: list[str] = []
        code = "%load_ext jupyter_localcoder\n%localcoder status\n%localcoder manager"
        reply = client.execute_interactive(
            code, timeout=PATIENCE_SECONDS, output_hook=lambda message: said.append(str(message["content"]))
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        assert "Version" in "".join(said), said
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _expect(engine_error: dict[str, str] | None) -> None:
    """The engine is missing exactly where it is not installed."""
    installed = importlib.util.find_spec("llama_cpp") is not None
    code = engine_error and engine_error["code"]
    assert code == (None if installed else "PACKAGE_MISSING"), engine_error


if __name__ == "__main__":
    sys.exit(main())
