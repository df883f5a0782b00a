"""A JupyterLab server of its own for the tests: own folders, a real token, XSRF checks on."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).parents[2]
BUILT = REPOSITORY / "jupyter_localcoder" / "labextension"
BASE_PATH = "/user/someone/"
START_SECONDS = 300.0
STOP_SECONDS = 60.0


class Lab:
    """A server that serves the extension as it is built in this checkout.

    It stands below a base URL with parts, as it does under a hub.

    Parameters
    ----------
    with_start_page
        Whether the page that greets a person without a model opens by itself.
    config
        More of the server's configuration: by class, then by trait.
    program
        What Python runs.

    """

    def __init__(
        self,
        folder: Path,
        *,
        with_extension: bool = True,
        with_start_page: bool = False,
        config: dict[str, Any] | None = None,
        program: Sequence[str] = ("-m", "jupyterlab"),
    ) -> None:
        assert (BUILT / "package.json").is_file(), "Build it first: npm --prefix labextension run build:prod"
        self._port = free_port()
        self._token = secrets.token_hex(16)
        self._base_url = f"http://127.0.0.1:{self._port}{BASE_PATH}"
        self._log = folder / "server.log"
        self.work = folder / "work"
        self.work.mkdir()
        self._program = program
        self._environment = own_environment(folder, with_extension, config or {})
        self._own_settings = folder / "lab-settings" / "jupyter-localcoder" / "plugin.jupyterlab-settings"
        self._own_settings.parent.mkdir(parents=True)
        self.set_start_page(shown=with_start_page)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--port={self._port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.base_url={BASE_PATH}",
            f"--IdentityProvider.token={self._token}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=None",
        ]
        with self._log.open("ab") as output:
            self._server = subprocess.Popen(
                [sys.executable, *self._program, *options],
                cwd=self.work,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._server.poll() is None, self._log.read_text()
            with contextlib.suppress(OSError), urllib.request.urlopen(self._base_url + "api", timeout=5):
                return
            time.sleep(0.1)
        raise AssertionError(f"the server did not come up:\n{self._log.read_text()}")

    def stop(self) -> None:
        """End it as a person would, and wait for the end."""
        server, self._server = self._server, None
        if server is None:
            return
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

    def page(self, path: str = "lab") -> str:
        """Address of a page; what an earlier test left open is not restored."""
        return f"{self._base_url}{path}?token={self._token}&reset"

    def call(self, method: str, path: str, body: Any = None, timeout_seconds: float = 300.0) -> Any:
        """Call a route of the extension; an error answer raises `AssertionError` with its text."""
        request = urllib.request.Request(
            f"{self._base_url}localcoder/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as failure:
            raise AssertionError(f"{method} {path}: {failure.code} {failure.read().decode()}") from None

    def set_start_page(self, *, shown: bool) -> None:
        """Set whether the start page opens by itself, for pages that are opened from now on."""
        self._own_settings.write_text(json.dumps({"showStart": shown}))

    @property
    def log(self) -> str:
        """What the server has printed."""
        return self._log.read_text()

    @property
    def process(self) -> psutil.Process:
        """The server."""
        assert self._server is not None
        return psutil.Process(self._server.pid)

    def worker(self) -> psutil.Process:
        """The inference worker, a child of the server."""
        found = [
            child
            for child in self.process.children(recursive=True)
            if any(
                part.endswith(("jupyter_localcoder.worker", "ghost_worker.py")) for part in child.cmdline()
            )
        ]
        assert len(found) == 1, found
        return found[0]


@contextlib.contextmanager
def running_lab(folder: Path, **options: Any) -> Iterator[Lab]:
    """Start a server, and end it; the options are those of `Lab`."""
    lab = Lab(folder, **options)
    try:
        lab.start()
        yield lab
    finally:
        lab.stop()


def own_environment(folder: Path, with_extension: bool, more: dict[str, Any]) -> dict[str, str]:
    """Everything that Jupyter writes or reads of a person lies in the folder."""
    config, data = folder / "config", folder / "data"
    enabled = {"ServerApp": {"jpserver_extensions": {"jupyter_localcoder": with_extension}}}
    config.mkdir()
    (config / "jupyter_server_config.json").write_text(json.dumps(enabled | more))
    extension = data / "labextensions" / "jupyter-localcoder"
    extension.parent.mkdir(parents=True)
    extension.symlink_to(BUILT)
    news = folder / "lab-settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false"}')  # else it asks, over what the test looks at
    own = {
        "HOME": folder / "home",
        "JUPYTER_CONFIG_DIR": config,
        "JUPYTER_DATA_DIR": data,
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": folder / "lab-settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "lab-workspaces",
        "IPYTHONDIR": folder / "ipython",
        "XDG_CACHE_HOME": folder / "cache",
        "XDG_CONFIG_HOME": folder / "xdg-config",
        "XDG_DATA_HOME": folder / "xdg-data",
        "PYTHONPATH": REPOSITORY,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    return {**kept, **{name: str(value) for name, value in own.items()}}


@contextlib.contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """A process that is stopped in its tracks, and goes on afterwards if it is still there."""
    process.suspend()
    try:
        yield
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
