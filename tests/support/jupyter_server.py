"""A Jupyter server in a process of its own, and its kernels, as a front end uses them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil
from jupyter_client.blocking.client import BlockingKernelClient

from jupyter_localcoder.client.connection import ServerConnection
from tests.support.waiting import PATIENCE_SECONDS

REPOSITORY = Path(__file__).parents[2]


def own_environment(folder: Path, models_dir: Path) -> dict[str, str]:
    """The environment of a child process: all that it could write lies in the folder, but for the models."""
    foreign = ("JUPYTER", "IPYTHON", "LOCALCODER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    own = {
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "IPYTHONDIR": folder / "ipython",
        "LOCALCODER_MODELS_DIR": models_dir,
        "PYTHONPATH": REPOSITORY,
    }
    return {**kept, **{name: str(value) for name, value in own.items()}}


def workers(process: psutil.Process) -> list[psutil.Process]:
    """The inference workers of a process."""
    found = []
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "jupyter_localcoder.worker" in child.cmdline():
                found.append(child)
    return found


def has_ended(process: psutil.Process) -> bool:
    """Whether a process has come to its end.

    One that has ended and that its new parent has not asked about yet has ended: how soon an orphan is
    reaped is up to the machine's init.
    """
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def seconds_to_end(process: psutil.Process) -> float:
    """Wait for the end of a process that would not end by itself, and tell how long that took."""
    began = time.monotonic()
    wait_until(lambda: has_ended(process))
    return time.monotonic() - began


def wait_until(condition: Callable[[], object]) -> None:
    """Wait, without an event loop, until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


class JupyterServer:
    """A server with the extension.

    Parameters
    ----------
    folder
        For everything that it writes. A second server in it is a restart of the first: it serves the
        same folder of notebooks.
    command
        What starts it, before its options.
    options
        More of them; they win over those that stand here.

    """

    def __init__(
        self,
        folder: Path,
        models_dir: Path,
        command: Sequence[str] = (sys.executable, "-m", "jupyter_server"),
        options: Sequence[str] = (),
        **environment: str,
    ) -> None:
        self.root = folder / "notebooks"
        self.environment = {**own_environment(folder, models_dir), **environment}
        self._runtime = Path(self.environment["JUPYTER_RUNTIME_DIR"])
        self._log = folder / "server.log"
        self._command = command
        self._options = options
        self._server: subprocess.Popen[bytes] | None = None
        self._told: dict[str, Any] = {}

    def start(self) -> None:
        """Start it, and wait until the extension has told where it is."""
        self.root.mkdir(exist_ok=True)
        options = [
            "--ServerApp.allow_root=True",
            "--ServerApp.open_browser=False",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={_free_port()}",
            f"--ServerApp.root_dir={self.root}",
            "--ServerApp.jpserver_extensions=jupyter_localcoder=True",
            *self._options,
        ]
        # An option that is given twice would be a list to Jupyter.
        chosen = dict(option.split("=", 1) for option in options)
        with self._log.open("ab") as output:
            self._server = subprocess.Popen(
                [*self._command, *(f"{name}={value}" for name, value in chosen.items())],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        file = self.connection_file = self._runtime / f"localcoder-{self._server.pid}.json"
        while not file.exists():
            assert self._server.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)
        self._told = json.loads((self._runtime / f"jpserver-{self._server.pid}.json").read_text())
        self.connection = msgspec.json.decode(file.read_bytes(), type=ServerConnection)

    @property
    def url(self) -> str:
        """Its address."""
        return str(self._told["url"])

    @property
    def token(self) -> str:
        """Its own token, which opens all of Jupyter's routes."""
        return str(self._told["token"])

    @property
    def process(self) -> psutil.Process:
        """Its process."""
        assert self._server is not None
        return psutil.Process(self._server.pid)

    def worker(self) -> psutil.Process:
        """Its one worker."""
        (worker,) = workers(self.process)
        return worker

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call a route with the server's token; an error answer raises `AssertionError` with its text."""
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"token {self._told['token']}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as failure:
            raise AssertionError(f"{method} {path}: {failure.code} {failure.read().decode()}") from None

    def stop(self) -> None:
        """End it as a person or a service manager does, by SIGTERM, and wait for the end."""
        server, self._server = self._server, None
        if server is None:
            return
        server.terminate()
        try:
            server.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise AssertionError(f"the server did not stop:\n{self._log.read_text()}") from None

    def kill(self) -> None:
        """End it without a chance to clean up."""
        server, self._server = self._server, None
        assert server is not None
        server.send_signal(signal.SIGKILL)
        server.wait()

    @contextlib.contextmanager
    def kernel(self) -> Iterator[ServerKernel]:
        """Start a kernel through the server, as a front end does."""
        started = self.call("POST", "api/kernels", {"name": "python3"})
        path = f"api/kernels/{started['id']}"
        try:
            with connected(self._runtime / f"kernel-{started['id']}.json") as client:
                yield ServerKernel(client, lambda: self.call("POST", f"{path}/interrupt"))
        finally:
            self.call("DELETE", path)


@dataclass(frozen=True)
class Ran:
    """What running a cell gave."""

    reply: dict[str, Any]
    messages: list[dict[str, Any]]
    ended: float
    """`time.monotonic` at the reply."""

    @property
    def ok(self) -> bool:
        """Whether it did not fail."""
        return bool(self.reply["status"] == "ok")

    @property
    def text(self) -> str:
        """All that was shown, as plain text, in the order in which it came."""
        shown = [
            message["content"].get("text") or message["content"].get("data", {}).get("text/plain", "")
            for message in self.messages
        ]
        return "\n".join(filter(None, shown))


class ServerKernel:
    """A kernel, and its interrupt through the server."""

    def __init__(self, client: BlockingKernelClient, interrupt: Callable[[], object]) -> None:
        self._client = client
        self.interrupt = interrupt

    def run(self, code: str, on_message: Callable[[dict[str, Any]], None] | None = None) -> Ran:
        """Run a cell to its end."""
        messages: list[dict[str, Any]] = []

        def note(message: dict[str, Any]) -> None:
            messages.append(message)
            if on_message is not None:
                on_message(message)

        reply = self._client.execute_interactive(
            code, output_hook=note, timeout=PATIENCE_SECONDS, store_history=True
        )
        return Ran(reply["content"], messages, time.monotonic())


@contextlib.contextmanager
def connected(connection_file: Path) -> Iterator[BlockingKernelClient]:
    """A client of a running kernel."""
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    # It is told dead after one second without a beat, and a busy machine starts it more slowly.
    client.hb_channel.time_to_dead = PATIENCE_SECONDS
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE_SECONDS)
        yield client
    finally:
        client.stop_channels()


@contextlib.contextmanager
def running_server(folder: Path, models_dir: Path, **environment: str) -> Iterator[JupyterServer]:
    """Start a server, and end it."""
    server = JupyterServer(folder, models_dir, **environment)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
