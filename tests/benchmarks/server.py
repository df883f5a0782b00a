"""A Jupyter server as a child process, with the extension or without it."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from jupyter_localcoder.client import connection
from jupyter_localcoder.client.http import HttpClient

from .workspace import Workspace

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.002


class Server:
    """A server that runs from `with` to the end of it, in folders of its own.

    Every other server extension of the environment is loaded as usual, JupyterLab's for one: that is what
    a user has.

    Parameters
    ----------
    command
        What is started instead of ``python -m jupyter_server``.
    options
        Further options of the command line.
    like
        A server that has loaded the model: the speeds that it has measured are taken over.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        extension: bool,
        command: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        like: Server | None = None,
    ) -> None:
        name = f"server-{secrets.token_hex(4)}"
        self._folder = workspace.folder / name
        self._environment = workspace.environment(name)
        self._command = command or ("-m", "jupyter_server")
        self._options = options
        self._token = secrets.token_hex(16)
        self._port = _free_port()
        self._log = self._folder / "server.log"
        self._child: subprocess.Popen[bytes] | None = None
        config = self._folder / "config"
        config.mkdir(parents=True)
        (self._folder / "work").mkdir()
        if like is not None:
            speeds = Path("data", "localcoder", "calibration.json")
            (self._folder / speeds).parent.mkdir(parents=True)
            shutil.copy(like._folder / speeds, self._folder / speeds)
        enabled = {"ServerApp": {"jpserver_extensions": {"jupyter_localcoder": extension}}}
        (config / "jupyter_server_config.json").write_text(json.dumps(enabled))
        self.start_seconds = 0.0
        """From the start of the process to the first answer of ``api/status``."""

    def __enter__(self) -> Server:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._child is not None
        return self._child.pid

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text(errors="replace")

    def client(self) -> HttpClient:
        """The client that a kernel of this server would use."""
        (found,) = connection.running(self._folder / "runtime")
        return HttpClient(found)

    def status(self) -> bool:
        """Ask ``api/status``; False while nobody answers."""
        asked = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_START_SECONDS)
        try:
            asked.request("GET", "/api/status", headers={"Authorization": f"token {self._token}"})
            answer = asked.getresponse()
            answer.read()
        except OSError:
            return False
        finally:
            asked.close()
        if answer.status != 200:
            raise RuntimeError(f"api/status answered {answer.status}")
        return True

    def _start(self) -> None:
        options = [
            "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={self._port}",
            "--ServerApp.port_retries=0", f"--IdentityProvider.token={self._token}", *self._options,
        ]  # fmt: skip
        begin = time.perf_counter()
        with self._log.open("wb") as output:
            self._child = subprocess.Popen(
                [sys.executable, *self._command, *options],
                cwd=self._folder / "work",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        while not self.status():
            if self._child.poll() is not None or time.perf_counter() - begin > _START_SECONDS:
                raise RuntimeError(f"the Jupyter server did not start:\n{self.output}")
            time.sleep(_POLL_SECONDS)
        self.start_seconds = time.perf_counter() - begin

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_STOP_SECONDS)
            return
        child.kill()
        child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
